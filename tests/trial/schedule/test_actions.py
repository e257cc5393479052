"""Visits written at consent and at allocation."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.trial.assessments.builders import CONSENTED, consented, randomised, study
from trial.protocol import rules as protocol_rules
from trial.schedule import actions
from trial.schedule.models import Visit

pytestmark = pytest.mark.django_db


def test_consent_writes_the_visits_before_randomisation_only():
    participant = consented()

    assert [(v.code, v.opens_date, v.closes_date, v.target_date) for v in participant.visits.all()] == [
        ("V0", CONSENTED, None, None),
        ("V1", CONSENTED, None, None),
    ]


def test_writing_them_again_adds_nothing():
    participant = consented()

    again = actions.create_before_randomisation(participant=participant, version=study(), by=None, on=CONSENTED)

    assert again == []
    assert participant.visits.count() == 2


@pytest.mark.parametrize("day0", [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25), date(2026, 2, 28)])
def test_allocation_gives_every_visit_its_window_from_day_0(day0):
    participant = randomised(day0=day0)

    visits = {v.code: v for v in participant.visits.all()}
    for spec in study().spec.visits:
        row, window = visits[spec.code], protocol_rules.window(spec, day0)
        assert (row.opens_date, row.target_date, row.closes_date) == (window.opens, window.target, window.closes)
    assert visits["V3"].target_date == day0 + timedelta(days=84)


def test_allocation_asked_again_changes_nothing():
    participant = randomised()
    n = Visit.history.count()

    actions.create_after_allocation(participant=participant, version=study(), day0=participant.randomised_date, by=None)

    assert Visit.history.count() == n


def test_open_on_counts_both_ends_of_the_window():
    participant = randomised()
    v3 = participant.visits.get(code="V3")

    assert v3 in participant.visits.open_on(v3.opens_date)
    assert v3 in participant.visits.open_on(v3.closes_date)
    assert v3 not in participant.visits.open_on(v3.closes_date + timedelta(days=1))


@pytest.mark.parametrize(
    "changes",
    [{"code": "V0"}, {"closes_date": date(2020, 1, 1)}],
    ids=["visit_once_per_participant", "visit_window_closes_after_opening"],
)
def test_the_database_refuses_a_second_visit_and_a_window_that_closes_before_it_opens(changes):
    visit = consented().visits.get(code="V1")
    for name, value in changes.items():
        setattr(visit, name, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        visit.save_by(None, "Try")
