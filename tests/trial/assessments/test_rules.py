"""Which forms are expected, and when an answer has become worse."""

from datetime import date

import pytest

import instruments
from tests.trial.assessments.builders import study
from trial.assessments import rules
from trial.protocol import rules as protocol_rules

DAY = date(2026, 4, 1)


@pytest.mark.django_db
def test_expected_forms_come_in_the_protocols_order_without_what_stands_over():
    baseline = protocol_rules.visit(study().spec, "V1")
    fresh = rules.Facts(DAY, {("V0", "phq9"): DAY})

    every = [one.form for one in rules.expected_forms(baseline, rules.Facts(DAY))]
    without = [one.form for one in rules.expected_forms(baseline, fresh)]

    assert every[:4] == ["demographics", "activity_preference", "wemwbs", "phq9"]
    assert [one for one in every if one not in without] == ["phq9"]


@pytest.mark.parametrize(
    ("before", "after", "risen"),
    [
        ({}, {"phq9_9": 1}, True),
        ({"phq9_9": 0}, {"phq9_9": 1}, True),
        ({"phq9_9": 2}, {"phq9_9": 3}, True),
        ({"phq9_9": 3}, {"phq9_9": 2}, False),
        ({"phq9_9": 2}, {"phq9_9": 2}, False),
        ({"phq9_9": 2}, {}, False),
    ],
)
def test_an_answer_behind_an_alert_has_risen_when_it_is_worse(before, after, risen):
    phq9 = instruments.get("phq9")

    codes = instruments.score(phq9, after, submitted=False).alerts

    assert rules.has_risen(phq9, before, after, codes) is risen
