"""Data keys of persons, wrapped by a key list outside the database (R-34)."""

import pytest
from cryptography.fernet import Fernet

from trial.base import keys

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_sealed_text_opens_with_its_own_key():
    key = keys.new_data_key()

    token = keys.seal(key, "Carol Tester, 14 März")

    assert keys.unseal(key, token) == "Carol Tester, 14 März"
    assert "Carol" not in token
    assert token.isascii()


def test_nothing_stays_nothing():
    key = keys.new_data_key()

    assert keys.seal(key, "") == ""
    assert keys.unseal(key, "") == ""


def test_one_persons_key_does_not_open_anothers_text():
    token = keys.seal(keys.new_data_key(), "Carol")

    with pytest.raises(keys.SealBroken):
        keys.unseal(keys.new_data_key(), token)


@pytest.mark.parametrize(
    "alter",
    [lambda token: token[:-8] + "AAAAAAA=", lambda token: token[5:], lambda token: "Carol", lambda token: "Čarol"],
)
def test_an_altered_text_is_refused_and_never_returned(alter):
    key = keys.new_data_key()

    with pytest.raises(keys.SealBroken):
        keys.unseal(key, alter(keys.seal(key, "Carol")))


def test_rotation_wraps_the_same_key_again_and_old_texts_open(settings):
    settings.IDENTITY_KEYS = [OLD]
    key = keys.new_data_key()
    token = keys.seal(key, "Carol")

    settings.IDENTITY_KEYS = [NEW, OLD]
    rotated = keys.rewrap(key)
    settings.IDENTITY_KEYS = [NEW]

    assert keys.unseal(rotated, token) == "Carol"
    with pytest.raises(keys.SealBroken):
        keys.unseal(key, token)


def test_a_key_list_that_does_not_fit_opens_and_wraps_nothing(settings):
    settings.IDENTITY_KEYS = [OLD]
    key = keys.new_data_key()
    token = keys.seal(key, "Carol")
    settings.IDENTITY_KEYS = [NEW]

    for attempt in (lambda: keys.unseal(key, token), lambda: keys.seal(key, "Carol"), lambda: keys.rewrap(key)):
        with pytest.raises(keys.SealBroken, match="Tell the administrator"):
            attempt()


def test_a_destroyed_key_opens_nothing():
    token = keys.seal(keys.new_data_key(), "Carol")

    with pytest.raises(keys.SealBroken):
        keys.unseal("", token)
    with pytest.raises(keys.SealBroken):
        keys.seal("", "Carol")


def test_a_lookup_hash_is_keyed_and_tells_kinds_apart(settings):
    one = keys.lookup_hash("nhs", "9990000018")

    assert len(one) == 64
    assert one == keys.lookup_hash("nhs", "9990000018")
    assert one != keys.lookup_hash("name-birth", "9990000018")
    assert one != keys.lookup_hash("nhs", "9990000026")
    settings.LOOKUP_KEY = "another"
    assert one != keys.lookup_hash("nhs", "9990000018")
