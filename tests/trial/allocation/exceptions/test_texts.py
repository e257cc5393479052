"""Which free texts tell an arm."""

import pytest

from tests.factories import make_protocol
from trial.allocation.errors import AllocationRefused
from trial.allocation.exceptions.texts import names_an_arm, refuse_arms

pytestmark = pytest.mark.django_db


@pytest.fixture
def spec():
    return make_protocol("northbank", changes={}).spec


@pytest.mark.parametrize(
    "text",
    ["She is in kestrel", "KESTREL", "the Osprey programme", "osprey  programme", "(merlin)", "Merlin-programme."],
)
def test_a_code_or_a_label_tells_it_in_any_case(spec, text):
    assert names_an_arm(text, spec)


@pytest.mark.parametrize("text", ["", "She collapsed", "the programme", "kestrels fly", "Ospreyville"])
def test_other_words_do_not(spec, text):
    assert not names_an_arm(text, spec)


def test_a_code_of_one_letter_tells_it_beside_the_word_arm_only(spec):
    arms = tuple(arm.model_copy(update={"code": code}) for arm, code in zip(spec.arms, "abc", strict=True))
    short = spec.model_copy(update={"arms": arms})

    assert names_an_arm("He is in arm b", short)
    assert not names_an_arm("He had a fall", short)


def test_a_text_that_tells_it_is_refused_in_words_that_do_not(spec):
    with pytest.raises(AllocationRefused, match="Leave out which group it is") as refused:
        refuse_arms(["All well", "in osprey"], spec)

    assert "osprey" not in str(refused.value)
