"""The steps of one person's journey, and what settles by itself (T02 to T16)."""

from datetime import date, timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, make_user, proof
from tests.trial.activities.builders import join, make_group
from trial.consent.actions import ConsentRefused, documents_on
from trial.journey import actions, steps
from trial.journey.actions import MoveRefused
from trial.messages.models import Task
from trial.participants.models import Participant, Referral, Status
from trial.participation.models import Element, ParticipationChange
from trial.screening.actions import NotEveryCriterionMet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)
NO_QUESTIONNAIRES = {Element.QUESTIONNAIRES_WEB: False, Element.QUESTIONNAIRES_PHONE_POST: False}


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def randomised(trial):
    return trial.open_randomisation().randomised()


def referral_of(record):
    return Referral.objects.get(pk=getattr(record, "referral_id", None) or record.pk)


def status_of(record):
    return referral_of(record).status


def transitions_of(record):
    return list(referral_of(record).status_events.values_list("transition", "effective_date"))


def contact(trial, referral, at=NOW, outcome="two_way", **more):
    return steps.contact(
        referral=referral_of(referral),
        contacted_at=at,
        channel="phone",
        outcome=outcome,
        by=trial.coordinator,
        at=NOW,
        **more,
    )


def inform(trial, referral, at=NOW):
    sheet = documents_on(kind="pis", site=trial.site, on=at.date())[0]
    return steps.inform(
        referral=referral_of(referral), document=sheet, given_at=at, how="post", by=trial.coordinator, at=NOW
    )


# -- before consent


def test_a_contact_holds_from_its_own_day(trial):
    referral = trial.refer()

    contact(trial, referral, at=NOW - 3 * DAY)

    assert transitions_of(referral)[-1] == ("T02", TODAY - 3 * DAY)


def test_a_sheet_that_was_posted_first_counts_once_there_was_a_contact(trial):
    referral = trial.refer()
    inform(trial, referral, at=NOW - 3 * DAY)
    assert status_of(referral) == Status.REFERRED

    contact(trial, referral, at=NOW - DAY)

    assert transitions_of(referral)[1:] == [("T02", TODAY - DAY), ("T04", TODAY - DAY)]


def test_later_contacts_and_sheets_leave_the_status(trial):
    referral = trial.informed()

    contact(trial, referral)
    inform(trial, referral)

    assert status_of(referral) == Status.INFORMED
    assert len(transitions_of(referral)) == 3


def test_a_note_of_a_contact_is_sealed(trial):
    attempt = contact(trial, trial.refer(), note="Carol's sister answered")

    assert "Carol" not in attempt.note_sealed


def test_a_contact_before_the_referral_is_refused_and_not_kept(trial):
    referral = trial.refer()

    with pytest.raises(MoveRefused, match="before the referral"):
        contact(trial, referral, at=NOW - 30 * DAY)

    assert not referral.contact_attempts.exists()
    assert status_of(referral) == Status.REFERRED


# -- consent to baseline


def test_a_refused_consent_gives_no_study_number(trial):
    referral = trial.informed()
    form = documents_on(kind="consent", site=trial.site, on=TODAY)[0]

    with pytest.raises(ConsentRefused):
        steps.consent(
            referral=referral,
            form=form,
            information=referral.information_given.get(),
            data=trial.consent_data(at=NOW),
            by=make_user(),
            at=NOW,
        )

    assert not Participant.objects.exists()
    assert status_of(referral) == Status.INFORMED


@pytest.mark.parametrize("ended", [False, True])
def test_consent_without_a_contact_or_after_the_end_is_no_step(trial, ended):
    if ended:
        referral = trial.informed()
        given = referral.information_given.get()
        actions.close(referral=referral, target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW)
    else:
        referral = trial.refer()
        given = inform(trial, referral, at=NOW - 2 * DAY)

    with pytest.raises(MoveRefused, match="cannot become Consented"):
        steps.consent(
            referral=referral_of(referral),
            form=documents_on(kind="consent", site=trial.site, on=TODAY)[0],
            information=given,
            data=trial.consent_data(at=NOW),
            by=trial.coordinator,
            at=NOW,
        )

    assert not Participant.objects.exists()
    assert status_of(referral) == (Status.DECLINED if ended else Status.REFERRED)


def test_the_last_baseline_form_moves_on_by_itself_and_asks_to_randomise(trial):
    participant = trial.baseline_done()

    event = referral_of(participant).status_events.last()
    task = Task.objects.get(key=f"randomise:{participant.pk}")

    assert (event.transition, event.by, event.role) == ("T10", None, "system")
    # One working day after Tuesday 7 July.
    assert (task.role, task.due_date, task.link) == (
        "coordinator",
        date(2026, 7, 8),
        f"/people/{participant.study_id}/randomise/",
    )


def test_baseline_that_was_answered_before_eligibility_counts_once_it_is_signed(trial):
    participant = trial.consented()
    trial.screened(participant)
    for form in [f.form for v in trial.spec.visits if v.code == "V1" for f in v.forms if f.required]:
        if form != "phq9":
            trial.save_form(participant, "V1", form, at=NOW - DAY)
    assert status_of(participant) == Status.CONSENTED

    trial.eligible(participant)

    assert status_of(participant) == Status.BASELINE_DONE


# -- what settles


def settle(participant, on):
    steps.settle(participant, by=None, at=NOW + (on - TODAY), on=on)
    return status_of(participant)


def test_nothing_settles_before_its_day(trial, randomised):
    join(make_group(trial, start_date=TODAY + 7 * DAY), randomised, from_date=TODAY)

    assert settle(randomised, TODAY + 6 * DAY) == Status.RANDOMISED


def test_the_whole_way_settles_day_by_day(trial, randomised, clock):
    join(make_group(trial, start_date=TODAY + 7 * DAY), randomised, from_date=TODAY)
    closes = randomised.visits.get(code="V4").closes_date

    on = {
        "first session": TODAY + 7 * DAY,
        "last week": TODAY + 7 * DAY + timedelta(weeks=12),
        "last window": closes + DAY,
    }
    seen = [(what, settle(randomised, day)) for what, day in on.items()]

    assert seen == [
        ("first session", Status.IN_ACTIVITY),
        ("last week", Status.FOLLOW_UP),
        ("last window", Status.COMPLETED),
    ]
    assert transitions_of(randomised)[-3:] == [
        ("T13", on["first session"]),
        ("T14", on["last week"]),
        ("T15", on["last window"]),
    ]
    assert settle(randomised, closes + 30 * DAY) == Status.COMPLETED


def test_what_was_not_settled_in_time_settles_at_once(trial, randomised):
    join(make_group(trial, start_date=TODAY), randomised, from_date=TODAY)
    closes = randomised.visits.get(code="V4").closes_date

    assert settle(randomised, closes + DAY) == Status.COMPLETED

    assert [number for number, _ in transitions_of(randomised)][-2:] in (["T14", "T15"], ["T13", "T14", "T15"][1:])


def change(trial, participant, at=NOW, on=TODAY, cause="choice", **elements):
    return steps.change_participation(
        participant=participant,
        effective_date=on,
        decided_by="participant",
        elements=elements,
        cause=cause,
        by=trial.coordinator,
        at=at,
    )


def test_stopping_the_activity_leads_to_follow_up_and_later_to_completion(trial, randomised):
    change(trial, randomised, activity=False)
    assert status_of(randomised) == Status.FOLLOW_UP

    closes = randomised.visits.get(code="V4").closes_date

    assert settle(randomised, closes + DAY) == Status.COMPLETED


def test_stopping_activity_and_questionnaires_ends_early(trial, randomised):
    change(trial, randomised, activity=False, **NO_QUESTIONNAIRES)

    assert status_of(randomised) == Status.ENDED_EARLY
    assert transitions_of(randomised)[-1] == ("T16", TODAY)


def test_stopping_questionnaires_alone_ends_when_the_activity_is_over(trial, randomised):
    join(make_group(trial, start_date=TODAY), randomised, from_date=TODAY)
    change(trial, randomised, **NO_QUESTIONNAIRES)
    assert status_of(randomised) == Status.IN_ACTIVITY

    assert settle(randomised, TODAY + timedelta(weeks=12)) == Status.ENDED_EARLY


@pytest.mark.parametrize("cause", ["death", "loss_of_capacity"])
def test_death_and_loss_of_capacity_end_early_whatever_else_goes_on(trial, randomised, cause):
    change(trial, randomised, cause=cause)

    assert status_of(randomised) == Status.ENDED_EARLY
    assert set(ParticipationChange.objects.get().elements.values()) == {False}


@pytest.mark.parametrize("state", ["consented", "eligible", "baseline_done"])
def test_somebody_who_dies_before_randomisation_leaves_and_is_not_randomised(trial, state):
    participant = getattr(trial, state)()

    change(trial, participant, cause="death")

    referral = referral_of(participant)
    assert (referral.status, referral.close_reason) == (Status.WITHDRAWN_BEFORE_RANDOMISATION, "DIED")
    assert not Task.objects.open().filter(referral=referral).exists()


def test_somebody_who_stops_everything_before_randomisation_leaves_without_a_reason(trial):
    participant = trial.consented()

    change(trial, participant, activity=False, **NO_QUESTIONNAIRES)

    assert referral_of(participant).close_reason == "NO_REASON"


def test_somebody_who_stops_only_reminders_before_randomisation_stays(trial):
    participant = trial.consented()

    change(trial, participant, reminders=False)

    assert status_of(participant) == Status.CONSENTED


def test_a_change_dated_back_holds_from_its_day(trial, randomised):
    change(trial, randomised, at=NOW + 10 * DAY, on=TODAY + 3 * DAY, activity=False)

    assert transitions_of(randomised)[-1] == ("T14", TODAY + 3 * DAY)


def test_taking_up_again_leads_nowhere_back(trial, randomised):
    change(trial, randomised, activity=False)

    change(trial, randomised, at=NOW + DAY, on=TODAY + DAY, activity=True)

    assert status_of(randomised) == Status.FOLLOW_UP


def test_what_was_changed_since_it_was_shown_is_not_signed(trial):
    participant = trial.consented()
    trial.screened(participant)
    shown = trial.assess(participant)
    trial.assess(participant, I3="no")

    with pytest.raises(NotEveryCriterionMet):
        steps.sign_eligibility(eligibility=shown, proof=proof(trial.investigator), by=trial.investigator, at=NOW)

    assert status_of(participant) == Status.CONSENTED
    assert Participant.objects.get(pk=participant.pk).eligibility.answers["I3"]["answer"] == "no"
