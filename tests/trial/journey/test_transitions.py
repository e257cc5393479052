"""Every pair of statuses, allowed or refused, in the action and in the database."""

from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from tests.factories import NOW, Trial
from trial.journey import actions
from trial.journey.drawing import markdown
from trial.journey.guards import GUARDS
from trial.journey.transitions import TERMINAL, TRANSITIONS, between, reversible
from trial.participants.models import AFTER_RANDOMISATION, Referral, Status

PAIRS = [(source, target) for source in Status for target in Status if source != target]
REFUSED = [(s, t) for s, t in PAIRS if between(s, t) is None]


def test_the_table_is_the_one_of_the_specification():
    numbers = [t.number for t in TRANSITIONS]

    assert numbers == [f"T{n:02d}" for n in range(1, 17)]
    assert set(numbers) == set(GUARDS)
    # domain.md section 3: the pairs that T02 to T16 list.
    assert len(PAIRS) - len(REFUSED) == 1 + 3 + 1 + 3 + 2 + 1 + 1 + 1 + 1 + 3 + 1 + 1 + 2 + 1 + 3


def test_nothing_leads_out_of_a_terminal_status():
    assert not [(s, t) for s, t in PAIRS if s in TERMINAL and between(s, t)]


def test_nobody_who_was_randomised_goes_back():
    before = set(Status) - AFTER_RANDOMISATION

    assert not [(s, t) for s in AFTER_RANDOMISATION for t in before if between(s, t) or reversible(t, s)]


def _set_status(referral: Referral, status: str) -> None:
    """Put a referral into a status, past every rule: the owner lifts the triggers."""
    from trial.base import triggers

    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_referral SET status = %s WHERE id = %s", [status, referral.pk])


@pytest.mark.django_db
def test_every_pair_that_is_not_listed_is_refused_by_the_action(clock):
    referral = Trial().refer()

    for source, target in REFUSED:
        _set_status(referral, source)
        with pytest.raises(actions.MoveRefused):
            actions.move(referral=referral, target=target, by=None, at=NOW)

        referral.refresh_from_db()
        assert referral.status == source


@pytest.mark.django_db
def test_every_pair_that_is_not_listed_is_refused_by_the_database(clock):
    referral = Trial().refer()
    refused = [(s, t) for s, t in REFUSED if not reversible(t, s)]

    for source, target in refused:
        _set_status(referral, source)
        refused_by_trigger = pytest.raises(IntegrityError, match="table of transitions")
        with refused_by_trigger, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE trial_referral SET status = %s WHERE id = %s", [target, referral.pk])


@pytest.mark.django_db
def test_a_referral_cannot_start_in_another_status(clock):
    referral = Trial().refer()
    copy = Referral.objects.get(pk=referral.pk)
    copy.pk, copy.sequence, copy.screening_number, copy.status = None, 99, "S-01-0099", Status.RANDOMISED
    copy._state.adding = True

    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save_by(None)


@pytest.mark.django_db
def test_each_transition_is_an_event_with_actor_time_date_and_reason(clock):
    trial = Trial()
    participant = trial.consented()

    events = list(participant.referral.status_events.values_list("transition", "from_status", "to_status", "by__name"))

    assert events == [
        ("T01", "", "REFERRED", "Asha Patel"),
        ("T02", "REFERRED", "CONTACTED", "Asha Patel"),
        ("T04", "CONTACTED", "INFORMED", "Asha Patel"),
        ("T07", "INFORMED", "CONSENTED", "Asha Patel"),
    ]
    last = participant.referral.status_events.last()
    assert last.role == "coordinator"
    assert last.effective_date == date(2026, 7, 4)


def test_the_drawing_in_the_docs_is_made_from_the_table():
    page = Path(settings.BASE_DIR, "docs", "journey.md")

    assert page.read_text(encoding="utf-8") == markdown()
