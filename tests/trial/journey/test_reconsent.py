"""Consent to a later version: due at the next visit, overdue after it, then a deviation, once (BR-17)."""

from datetime import date, timedelta

import pytest

from tests.factories import NOW, TODAY, Trial
from tests.trial.journey.steps_by_page import text_of
from trial.consent.models import DocumentUse, DocumentVersion
from trial.deviations.models import Deviation
from trial.deviations.reads import words_of
from trial.journey import reconsent, steps
from trial.messages.models import Task
from trial.operations import due
from trial.participants.models import Participant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def new_version(trial, since: date) -> DocumentVersion:
    """Version 2 of the consent form, which asks for consent again, in use at the site from a day."""
    new = DocumentVersion.objects.get(kind="consent")
    new.pk, new.code, new.version, new.requires_reconsent = None, "ICF_EN_2", "2.0", True
    new.document_date = date(2026, 1, 1)
    new._state.adding = True
    new.save_by(None)
    DocumentUse(document=new, site=trial.site, from_date=since).save_by(None)
    return new


def owed(trial) -> list[reconsent.Owed]:
    return reconsent.owed_at(trial.coordinator, TODAY)


def in_week_five(trial) -> Participant:
    """Day 0 was 30 days ago: the week 5 window opened 2 days ago and closes in 12."""
    return trial.randomised(at=NOW - timedelta(days=30))


def test_each_active_person_owes_it_at_the_next_visit(trial):
    participant = in_week_five(trial)
    new_version(trial, TODAY - timedelta(days=10))

    (one,) = owed(trial)

    assert (one.participant, one.version.version, one.visit.code) == (participant, "2.0", "V2")
    assert one.due_date == TODAY - timedelta(days=2)
    assert one.is_due(TODAY)
    assert not one.is_overdue(TODAY)
    assert one.is_overdue(TODAY + timedelta(days=13))


def test_it_is_overdue_once_that_visit_was_done_without_it(trial):
    participant = in_week_five(trial)
    new_version(trial, TODAY - timedelta(days=10))
    trial.save_form(participant, "V2", "phq9", at=NOW - timedelta(days=1))

    (one,) = owed(trial)

    assert one.is_overdue(TODAY)


def test_the_task_is_made_once_and_closed_by_the_new_consent(trial):
    participant = in_week_five(trial)
    new = new_version(trial, TODAY - timedelta(days=10))
    due.reconsent_tasks(at=NOW)
    due.reconsent_tasks(at=NOW)
    assert Task.objects.filter(kind="reconsent").count() == 1

    steps.consent(
        referral=participant.referral,
        form=new,
        information=participant.referral.information_given.get(),
        data=trial.consent_data(at=NOW),
        by=trial.coordinator,
        at=NOW,
    )

    assert owed(trial) == []
    assert not Task.objects.open().filter(kind="reconsent").exists()


def test_answers_at_the_visit_itself_are_no_deviation(trial):
    participant = in_week_five(trial)
    new_version(trial, TODAY - timedelta(days=10))

    trial.save_form(participant, "V2", "phq9")

    assert not Deviation.objects.exists()


def test_answers_of_a_later_visit_open_one_deviation_however_many_there_are(trial):
    participant = in_week_five(trial)
    new_version(trial, TODAY - timedelta(days=10))

    trial.save_form(participant, "V3", "phq9")
    trial.save_form(participant, "V3", "gad7")

    found = Deviation.objects.get()
    assert (found.kind, found.severity, found.participant) == ("consent", "major", participant)
    (words,) = words_of([found])
    assert words.description == "Data were collected without consent to version 2.0, which was due at week 5."
    assert not found.reveals_arm


def test_answers_after_the_visits_window_deviate_too(trial, clock):
    participant = in_week_five(trial)
    new_version(trial, TODAY - timedelta(days=10))
    clock.shift(timedelta(days=20))

    trial.save_form(participant, "V2", "phq9", at=NOW + timedelta(days=20))

    assert Deviation.objects.count() == 1


def test_a_version_that_does_not_ask_for_it_changes_nothing(trial):
    participant = in_week_five(trial)
    new = new_version(trial, TODAY - timedelta(days=10))
    other = DocumentVersion.objects.get(pk=new.pk)
    other.pk, other.code, other.version, other.requires_reconsent = None, "ICF_EN_3", "3.0", False
    other.document_date, other._state.adding = date(2026, 2, 1), True
    other.save_by(None)

    trial.save_form(participant, "V2", "phq9")

    assert [one.version.version for one in owed(trial)] == ["2.0"]


def test_who_left_the_trial_owes_nothing(trial):
    participant = in_week_five(trial)
    new_version(trial, TODAY - timedelta(days=10))
    steps.change_participation(
        participant=participant,
        effective_date=TODAY,
        decided_by="clinician",
        elements={},
        cause="loss_of_capacity",
        by=trial.coordinator,
        at=NOW,
    )

    assert owed(trial) == []


def test_the_worklist_shows_figures_states_and_the_same_rows_as_csv(client, trial):
    participant = in_week_five(trial)
    new_version(trial, TODAY - timedelta(days=10))
    client.force_login(trial.coordinator)

    page = text_of(client.get("/reconsent/"))
    listed = client.get("/reconsent/?format=csv").content.decode()

    assert participant.study_id in page
    assert "To consent again" in page
    assert "Week 5" in page
    assert f"{participant.study_id},Tamar Vale,1.0,2.0,Week 5" in listed
