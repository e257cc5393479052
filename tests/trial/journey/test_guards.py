"""Each guard of the table both ways: what is missing in words, and nothing once it is there (domain.md section 3)."""

from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, answers_with_total
from tests.trial.activities.builders import join, make_group
from trial.journey.guards import GUARDS, Ask
from trial.participants.models import Referral
from trial.participation.models import ParticipationChange
from trial.schedule.models import Visit
from trial.screening import actions as screening

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)


@pytest.fixture
def trial():
    return Trial()


def missing(number, record, *, on=TODAY, reasons=()):
    """What the guard of a transition says of a referral or a participant, read afresh."""
    referral = Referral.objects.get(pk=getattr(record, "referral_id", None) or record.pk)
    return GUARDS[number](Ask(referral, on, tuple(reasons)))


def contact(trial, referral, *, days_ago, channel="phone", outcome="no_answer"):
    screening.record_contact(
        referral=referral,
        contacted_at=NOW - days_ago * DAY,
        channel=channel,
        outcome=outcome,
        by=trial.coordinator,
        at=NOW,
    )


def change(trial, participant, on=TODAY, cause="choice", **elements):
    """A participation change as a row: no status follows."""
    return ParticipationChange(
        participant=participant,
        effective_date=on,
        decided_by="participant",
        cause=cause,
        elements=elements,
        recorded_at=NOW,
        recorded_by=trial.coordinator,
    ).save_by(None)


def test_t02_wants_a_contact_in_both_directions(trial):
    referral = trial.refer()
    for outcome in ("no_answer", "message_left", "wrong_details"):
        contact(trial, referral, days_ago=1, outcome=outcome)
    assert missing("T02", referral) == ["Record a contact in which you spoke or wrote to each other."]

    contact(trial, referral, days_ago=0, outcome="two_way")

    assert missing("T02", referral) == []


def test_t03_wants_three_attempts_on_two_days_by_two_ways(trial):
    referral = trial.refer()
    said = [missing("T03", referral)]
    for days_ago, channel in ((2, "phone"), (2, "phone"), (1, "phone"), (1, "text")):
        contact(trial, referral, days_ago=days_ago, channel=channel)
        said.append(missing("T03", referral))

    assert said == [
        ["Try again before closing: 3 more attempts, 2 more different days, 2 more other ways."],
        ["Try again before closing: 2 more attempts, 1 more different day, 1 more other way."],
        ["Try again before closing: 1 more attempt, 1 more different day, 1 more other way."],
        ["Try again before closing: 1 more other way."],
        [],
    ]


def test_t04_wants_the_information_sheet(trial):
    assert missing("T04", trial.refer()) == ["Record which information sheet was given."]
    assert missing("T04", trial.informed()) == []


@pytest.mark.parametrize(
    ("reasons", "holds"),
    [((), False), (("I2",), False), (("I1", "I2"), False), (("I1",), True), (("E4", "I3"), True), (("x",), False)],
)
def test_t05_wants_criteria_that_a_referral_can_show(trial, reasons, holds):
    """I2, the PHQ-9, is no reason before consent (BR-03)."""
    assert (missing("T05", trial.refer(), reasons=reasons) == []) is holds


@pytest.mark.parametrize(
    ("number", "reasons", "holds"),
    [
        ("T06", (), False),
        ("T06", ("",), False),
        ("T06", ("MOVED",), False),
        ("T06", ("NO_REASON",), True),
        ("T06", ("WANTS_OUTDOOR", "TRAVEL"), True),
        ("T11", (), False),
        ("T11", ("WANTS_OUTDOOR",), False),
        ("T11", ("DIED",), True),
    ],
)
def test_t06_and_t11_want_a_reason_of_their_list(trial, number, reasons, holds):
    assert (missing(number, trial.refer(), reasons=reasons) == []) is holds


def test_t07_wants_a_valid_consent(trial):
    participant = trial.consented()
    assert missing("T07", trial.informed()) == ["Record consent first."]
    assert missing("T07", participant) == []
    consent = participant.consents.get()
    consent.state = "withdrawn"
    consent.save_by(None, "Withdrawn")

    assert missing("T07", participant) == ["Record consent first."]


def test_t08_wants_every_criterion_answered_and_one_failed(trial):
    participant = trial.consented()
    assert missing("T08", participant) == ["Answer every criterion first."]
    trial.assess(participant, I3="no")
    assert missing("T08", participant) == ["Answer every criterion first."], "the PHQ-9 is not there yet"
    trial.screened(participant)
    trial.assess(participant)
    assert missing("T08", participant) == ["Answer every criterion first."], "every criterion is met"

    trial.assess(participant, I3="no")

    assert missing("T08", participant) == []


def test_t09_wants_a_signature(trial):
    participant = trial.consented()
    trial.screened(participant)
    trial.assess(participant)

    assert missing("T09", participant) == ["Eligibility is not signed."]
    assert missing("T09", trial.eligible()) == []


def test_t10_wants_every_required_baseline_questionnaire(trial):
    participant = trial.eligible()
    (text,) = missing("T10", participant)
    assert text.startswith("Complete first: ")
    assert "PHQ-9" not in text, "that of four days ago stands over"

    trial.baseline_done(participant)

    assert missing("T10", participant) == []
    assert missing("T10", participant, on=TODAY + 11 * DAY) == ["Complete first: PHQ-9."]


def test_t12_wants_an_allocation(trial):
    trial.open_randomisation()
    participant = trial.baseline_done()
    assert missing("T12", participant) == ["There is no allocation."]

    trial.randomised(participant)

    assert missing("T12", participant) == []


@pytest.fixture
def randomised(trial):
    return trial.open_randomisation().randomised()


def test_t13_wants_a_group_whose_first_session_has_come(trial, randomised):
    assert missing("T13", randomised) == ["The first session has not come yet."]
    group = make_group(trial, start_date=TODAY + 7 * DAY)
    join(group, randomised, from_date=TODAY)

    said = [missing("T13", randomised, on=TODAY + days * DAY) for days in (0, 6, 7, 8)]

    assert said == [["The first session has not come yet."], ["The first session has not come yet."], [], []]


def test_t13_is_not_for_somebody_who_left_the_group_before(trial, randomised):
    group = make_group(trial, start_date=TODAY + 7 * DAY)
    membership = join(group, randomised, from_date=TODAY)
    membership.to_date, membership.end_reason = TODAY + 3 * DAY, "Moved"
    membership.save_by(None, "Moved")

    assert missing("T13", randomised, on=TODAY + 7 * DAY) == ["The first session has not come yet."]


def test_t14_wants_the_activity_stopped(trial, randomised):
    assert missing("T14", randomised) == ["The activity period is not over."]
    change(trial, randomised, on=TODAY + DAY, activity=False)

    assert missing("T14", randomised) == ["The activity period is not over."]
    assert missing("T14", randomised, on=TODAY + DAY) == []


def test_t14_wants_the_activity_over(trial, randomised):
    """Ten weekly sessions inside twelve weeks from the group's start."""
    group = make_group(trial, start_date=TODAY)
    join(group, randomised, from_date=TODAY)
    last = TODAY + timedelta(weeks=12) - DAY

    said = [missing("T14", randomised, on=last + days * DAY) for days in (0, 1)]

    assert said == [["The activity period is not over."], []]


def test_t15_wants_the_last_visit_done(trial, randomised, clock):
    due = Visit.objects.get(participant=randomised, code="V4").target_date
    assert missing("T15", randomised, on=due) == ["The last visit is still open."]
    clock.move_to(NOW + timedelta(days=(due - TODAY).days))
    at = NOW + timedelta(days=(due - TODAY).days)
    forms = [f.form for v in trial.spec.visits if v.code == "V4" for f in v.forms]
    for form in forms[:-1]:
        trial.save_form(randomised, "V4", form, at=at)
    assert missing("T15", randomised, on=due) == ["The last visit is still open."]

    trial.save_form(randomised, "V4", forms[-1], at=at)

    assert missing("T15", randomised, on=due) == []


def test_t15_wants_the_last_window_closed(trial, randomised):
    closes = Visit.objects.get(participant=randomised, code="V4").closes_date

    assert missing("T15", randomised, on=closes) == ["The last visit is still open."]
    assert missing("T15", randomised, on=closes + DAY) == []


def test_t15_is_not_for_somebody_whose_questionnaires_stopped(trial, randomised):
    closes = Visit.objects.get(participant=randomised, code="V4").closes_date
    change(trial, randomised, questionnaires_web=False, questionnaires_phone_post=False)

    assert missing("T15", randomised, on=closes + DAY) == ["Questionnaires were stopped."]


def test_t15_says_when_the_last_visit_is_not_planned(trial):
    assert missing("T15", trial.consented()) == ["The last visit is not planned yet."]


def test_t16_wants_activity_and_questionnaires_stopped(trial, randomised):
    goes_on = ["Questionnaires go on, so the person is still in the trial."]
    assert missing("T16", randomised) == goes_on
    change(trial, randomised, questionnaires_web=False)
    assert missing("T16", randomised) == goes_on
    change(trial, randomised, questionnaires_phone_post=False)
    assert missing("T16", randomised) == ["The activity period is not over."]

    change(trial, randomised, activity=False)

    assert missing("T16", randomised) == []


@pytest.mark.parametrize("cause", ["death", "loss_of_capacity"])
def test_t16_follows_from_death_and_from_loss_of_capacity(trial, randomised, cause):
    change(trial, randomised, on=TODAY, cause=cause)

    assert missing("T16", randomised, on=TODAY) == []
    assert missing("T16", randomised, on=TODAY - DAY) != []


def test_scores_of_a_visit_that_does_not_count_change_no_guard(trial):
    """A PHQ-9 of the baseline is no PHQ-9 of the screening."""
    participant = trial.consented()
    trial.save_form(participant, "V1", "phq9", answers_with_total("phq9", 8), at=NOW)

    assert trial.assess(participant, I3="no").outcome == "open"
