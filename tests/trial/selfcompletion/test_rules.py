"""States of a link, tries of the second check, questions asked: by example."""

from datetime import UTC, date, datetime, timedelta

import pytest

import instruments
from trial.participants.identity import IdentityData
from trial.protocol.spec import SelfCompletionRules
from trial.selfcompletion import rules
from trial.selfcompletion.rules import LinkState

NOW = datetime(2026, 7, 9, 10, 0, tzinfo=UTC)
TODAY = NOW.date()
LIMITS = SelfCompletionRules()


def state(**changes):
    facts = {
        "is_wanted": True,
        "is_sent": False,
        "is_revoked": False,
        "closes": TODAY,
        "has_questions": True,
        "today": TODAY,
    }
    return rules.link_state(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, LinkState.OPEN),
        ({"closes": None}, LinkState.OPEN),
        ({"closes": TODAY - timedelta(days=1)}, LinkState.EXPIRED),
        ({"is_revoked": True}, LinkState.REVOKED),
        ({"is_sent": True, "is_revoked": True}, LinkState.SENT),
        ({"has_questions": False}, LinkState.CLOSED),
        ({"is_wanted": False, "is_sent": True, "is_revoked": True, "closes": date(2020, 1, 1)}, LinkState.CLOSED),
    ],
)
def test_the_first_reason_that_holds_is_told(changes, expected):
    assert state(**changes) == expected


@pytest.mark.parametrize(
    ("n_failed", "minutes_ago", "may_try", "is_locked"),
    [
        (0, None, True, False),
        (4, 0, True, False),
        (5, 0, False, False),
        (5, 29, False, False),
        (5, 30, True, False),
        (6, 0, True, False),
        (10, 10_000, False, True),
    ],
)
def test_tries_pause_after_five_and_end_after_ten(n_failed, minutes_ago, may_try, is_locked):
    last = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)

    found = rules.tries(LIMITS, n_failed, last, NOW)

    assert (found.may_try, found.is_locked) == (may_try, is_locked)


def test_the_second_check_is_what_the_protocol_names():
    who = IdentityData(birth_date=date(1971, 3, 14), postcode="ex1 2ab")

    assert rules.known_answer("birth_day_month", who) == "14-3"
    assert rules.known_answer("postcode", who) == rules.plain_postcode("EX1  2AB")
    assert rules.known_answer("birth_day_month", IdentityData()) == ""


def codes(definition, answers, missing=None):
    return [item.code for item in rules.asked(definition, answers, missing or {})]


def test_a_conditional_item_is_asked_when_its_condition_holds_and_never_dropped_once_answered():
    phq9 = instruments.get("phq9")
    low, high = {"phq9_1": 0}, {"phq9_1": 1}

    assert "phq9_10" not in codes(phq9, low)
    assert "phq9_10" in codes(phq9, high)
    assert "phq9_10" in codes(phq9, {**low, "phq9_10": 2})
    assert "phq9_10" in codes(phq9, low, {"phq9_10": "RF"})


@pytest.mark.parametrize(
    ("item", "answer", "expected"), [("phq9_9", 1, True), ("phq9_9", 0, False), ("phq9_1", 3, False)]
)
def test_help_is_shown_after_the_answer_that_asks_for_it(item, answer, expected):
    phq9 = instruments.get("phq9")

    assert rules.raises_support(phq9, phq9.items_by_code[item], answer) is expected
    assert rules.raises_support(phq9, phq9.items_by_code[item], None) is False


def test_a_page_left_open_counts_for_five_minutes_at_most():
    assert rules.seconds_spent(NOW - timedelta(seconds=12), NOW) == 12
    assert rules.seconds_spent(NOW - timedelta(hours=2), NOW) == 300
    assert rules.seconds_spent(None, NOW) == rules.seconds_spent(NOW + timedelta(seconds=1), NOW) == 0


@pytest.mark.parametrize(("n", "words"), [(1, "about 1 minute"), (29, "about 5 minutes"), (80, "about 13 minutes")])
def test_minutes_in_words(n, words):
    assert rules.minutes_words(n) == words
