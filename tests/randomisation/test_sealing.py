import pytest
from cryptography.fernet import Fernet

from randomisation.engine.methods import Start
from randomisation.errors import SealError
from randomisation.sealing import arm_context, draw_data_key, token_digest, unwrap

CONTEXT = arm_context(scheme="main", revision=1, purpose="list", key="site=01", position=1)
OTHER = arm_context(scheme="main", revision=1, purpose="list", key="site=01", position=2)


def test_an_arm_opens_in_its_own_place():
    seal, _ = draw_data_key()

    token = seal.seal_arm(1, CONTEXT)

    assert seal.open_arm(token, CONTEXT) == 1


def test_the_context_of_a_token_is_written_as_the_reference_says():
    assert CONTEXT == "trial-randomisation/1|main|1|list|site=01|1"


def test_a_token_moved_to_another_place_does_not_open():
    seal, _ = draw_data_key()
    token = seal.seal_arm(1, CONTEXT)

    with pytest.raises(SealError) as refused:
        seal.open_arm(token, OTHER)

    assert refused.value.code == "E_SEAL_CONTEXT"


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t[:40] + "A" + t[41:], lambda t: "", lambda t: "ŷ"])
def test_an_altered_token_does_not_open(spoil):
    seal, _ = draw_data_key()
    token = spoil(seal.seal_arm(1, CONTEXT))

    with pytest.raises(SealError) as refused:
        seal.open_arm(token, CONTEXT)

    assert refused.value.code == "E_SEAL_CONTEXT"


def test_a_token_of_another_length_is_no_arm():
    seal, _ = draw_data_key()

    with pytest.raises(SealError):
        seal.open_arm(seal.seal(b"x" * 47), CONTEXT)


def test_tokens_of_all_arms_have_one_length_and_never_repeat():
    seal, _ = draw_data_key()

    tokens = {seal.seal_arm(arm, CONTEXT) for arm in range(10) for _ in range(5)}

    assert len(tokens) == 50
    assert len({len(token) for token in tokens}) == 1
    assert len({token_digest(token) for token in tokens}) == 50


def test_rotation_leaves_tokens_as_they_are(settings):
    old = settings.SEALING_KEYS
    seal, wrapped = draw_data_key()
    token = seal.seal_arm(1, CONTEXT)

    settings.SEALING_KEYS = [Fernet.generate_key().decode(), *old]

    assert unwrap(wrapped).open_arm(token, CONTEXT) == 1


@pytest.mark.parametrize("keys", [[], ["short"], [Fernet.generate_key().decode()]])
def test_without_the_right_key_nothing_opens(settings, keys):
    _, wrapped = draw_data_key()

    settings.SEALING_KEYS = keys

    with pytest.raises(SealError) as refused:
        unwrap(wrapped)
    assert refused.value.code == "E_SEAL_KEY"


def test_objects_with_keys_have_a_constant_repr():
    seal, _ = draw_data_key()

    assert repr(seal) == "<Seal>"


STARTS = [Start(), Start(2**40, ()), Start(7, (0, 3, 1)), Start(9, (1,) * 60)]


@pytest.mark.parametrize("start", STARTS, ids=range(4))
def test_the_start_of_a_block_opens_in_its_own_place_only(start):
    seal, _ = draw_data_key()
    token = seal.seal_start(start, 59, CONTEXT)

    assert seal.open_start(token, CONTEXT) == (start, 59)
    for other in (seal.seal_arm(1, CONTEXT), seal.seal_start(start, 59, OTHER)):
        with pytest.raises(SealError):
            seal.open_start(other, CONTEXT)


def test_the_length_of_a_sealed_start_tells_nothing():
    seal, _ = draw_data_key()

    assert len({len(seal.seal_start(start, offset, CONTEXT)) for start in STARTS for offset in (0, 59)}) == 1
    assert len(seal.seal_start(Start(), 0, CONTEXT)) <= 400
