"""Who counts as not contactable, and what the criteria come to."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import LIBRARY
from trial.protocol.reading import read
from trial.screening import rules

SPEC = read((LIBRARY / "greenrx_f.json").read_bytes())[1]
CRITERIA = {c.code: c for c in SPEC.criteria}


@dataclass
class Attempt:
    """A contact attempt."""

    at: datetime
    channel: str = "phone"
    outcome: str = "no_answer"


def test_three_attempts_on_two_days_by_two_ways_are_enough():
    attempts = [
        Attempt(datetime(2026, 7, 1, 9, tzinfo=UTC)),
        Attempt(datetime(2026, 7, 1, 15, tzinfo=UTC), "text"),
        Attempt(datetime(2026, 7, 2, 9, tzinfo=UTC)),
    ]

    assert rules.contact_shortfall(attempts, SPEC.contact).is_met


def test_two_attempts_in_one_london_day_are_one_day():
    # 11:30pm UTC on 30 June is already 1 July in London.
    attempts = [Attempt(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)), Attempt(datetime(2026, 7, 1, 9, tzinfo=UTC))]

    short = rules.contact_shortfall(attempts, SPEC.contact)

    assert (short.attempts, short.days, short.channels) == (1, 1, 1)


@pytest.mark.parametrize(("age", "answer"), [(17, "no"), (18, "yes"), (90, "yes"), (None, "unknown")])
def test_age_is_worked_out(age, answer):
    assert rules.automatic_answer(CRITERIA["I1"], rules.Facts(age, {}, [])).answer == answer


@pytest.mark.parametrize(("total", "answer"), [(4, "no"), (5, "yes"), (14, "yes"), (15, "no"), (None, "unknown")])
def test_the_screening_score_is_compared_with_both_ends(total, answer):
    facts = rules.Facts(40, {("V0", "phq9", "phq9_total"): total}, [])

    assert rules.automatic_answer(CRITERIA["I2"], facts).answer == answer


@pytest.mark.parametrize(
    ("alerts", "answer"),
    [
        ([], "no"),
        ([("phq9", "low")], "no"),
        ([("phq9", "")], "unknown"),
        ([("phq9", "medium")], "yes"),
        ([("phq9", ""), ("phq9", "high")], "yes"),
        ([("session_mood", "high")], "no"),
    ],
)
def test_a_risk_alert_must_be_assessed(alerts, answer):
    assert rules.automatic_answer(CRITERIA["E1"], rules.Facts(40, {}, alerts)).answer == answer


def test_a_judgement_is_never_worked_out():
    assert rules.automatic_answer(CRITERIA["I3"], rules.Facts(40, {}, [])) is None


ANSWERS = st.fixed_dictionaries({code: st.sampled_from(["yes", "no", "unknown", ""]) for code in CRITERIA})


@given(ANSWERS)
def test_the_outcome_is_met_only_when_every_criterion_is(answers):
    met = {code: rules.is_met(c, answers[code]) for code, c in CRITERIA.items()}

    outcome = rules.outcome(SPEC.criteria, answers)

    assert (outcome == "met") == all(value is True for value in met.values())
    assert (outcome == "open") == (None in met.values())
    assert rules.failed_codes(SPEC.criteria, answers) == [code for code, value in met.items() if value is False]
