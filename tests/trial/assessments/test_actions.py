"""The one action that writes answers, and "Not done"."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

import instruments
from tests.trial.assessments.builders import CONSENTED, NOW, consented, licence, phq9, randomised, save, site, staff
from trial.access.policy import Role
from trial.assessments import actions, errors, hooks, licence_actions
from trial.assessments.models import Administration, InstrumentLicence
from trial.assessments.verify import answers_without_alert, score_differences
from trial.assessments.wording import LicenceMissing
from trial.locking.models import DatasetLock
from trial.locking.rules import DatasetLocked
from trial.messages.models import Task
from trial.safety import actions as safety
from trial.safety.models import RiskAlert

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant():
    return randomised()


def test_a_completed_form_keeps_answers_scores_counts_and_versions(participant):
    form = save(participant, answers=phq9(1, 2, 1, 2, 0, 1, 2, 1, 0, 1))

    form.refresh_from_db()
    assert form.status == "complete"
    assert form.answers == phq9(1, 2, 1, 2, 0, 1, 2, 1, 0, 1)
    assert form.scores["phq9_total"] == {"value": 10, "status": "complete", "band": "moderate"}
    assert form.scoring_version == instruments.ALGORITHM_VERSION
    assert (form.n_answered, form.n_expected) == (10, 10)
    assert (form.instrument_version, form.protocol_version.version) == ("1.0.0", "1.0")
    assert (form.revision, form.submitted_at) == (1, NOW)


def test_a_draft_keeps_what_there_is_and_has_no_scores(participant):
    form = save(participant, answers=phq9(1, 2), mode="", completed_date=None, submit=False)

    assert form.status == "draft"
    assert form.scores == {}
    assert (form.n_answered, form.n_expected) == (2, 10)


def test_completing_leaves_required_items_without_reason_blank(participant):
    form = save(participant, answers=phq9(1, 1, 1, 1, 1, 1, 1, 1), missing={"phq9_9": "RF"})

    assert form.missing == {"phq9_9": "RF", "phq9_10": "BL"}
    assert form.scores["phq9_total"]["status"] == "prorated"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"answers": {**phq9(1), "phq9_2": 4}}, "phq9_2"),
        ({"answers": {"phq9_1": "two"}}, "phq9_1"),
        ({"answers": {"phq9_1": 1.5}}, "phq9_1"),
        ({"answers": {"phq9_1": True}}, "phq9_1"),
        ({"answers": {"phq9_1": 10**40}}, "phq9_1"),
        ({"answers": {"gad7_1": 1}}, "gad7_1"),
        ({"missing": {"phq9_1": "BL"}}, "phq9_1"),
        ({"missing": {"gad7_1": "BL"}}, "gad7_1"),
        ({"answers": {}, "missing": {"phq9_1": "XX"}}, "phq9_1"),
        ({"completed_date": date(2026, 7, 10)}, "completed_date"),
        ({"completed_date": CONSENTED - timedelta(days=1)}, "completed_date"),
        ({"completed_date": None}, "completed_date"),
        ({"mode": ""}, "mode"),
        ({"mode": "interview_in_person"}, "mode"),
        ({"mode": "pigeon"}, "mode"),
        ({"respondent": "proxy"}, "respondent"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_field_and_nothing_is_written(participant, change, key):
    with pytest.raises(errors.AnswersRefused) as refused:
        save(participant, **change)

    assert key in refused.value.problems
    assert not Administration.objects.exists()


def test_a_form_completed_today_in_london_is_not_in_the_future(participant):
    half_past_midnight = datetime(2026, 7, 9, 23, 30, tzinfo=UTC)  # 10 July, 0:30am in London

    form = save(participant, completed_date=date(2026, 7, 10), at=half_past_midnight)

    assert form.completed_date == date(2026, 7, 10)


def test_a_form_of_another_visit_person_or_protocol_is_refused(participant):
    other = consented()

    with pytest.raises(errors.FormNotExpected):
        save(participant, "V2", "gad7", answers={"gad7_1": 1})
    with pytest.raises(errors.FormNotExpected):
        save(participant, "V0", "eligibility", answers={})
    with pytest.raises(errors.FormNotExpected):
        actions.mark_not_done(
            participant=other,
            visit=participant.visits.get(code="V3"),
            instrument="phq9",
            reason_code="DECLINED",
            by=None,
            at=NOW,
        )


def test_a_form_without_any_answer_is_not_completed(participant):
    with pytest.raises(errors.NothingAnswered):
        save(participant, answers={})


def test_a_form_that_needs_a_licence_opens_once_it_is_recorded(participant):
    answers = {f"wemwbs_{n}": 3 for n in range(1, 15)}
    with pytest.raises(LicenceMissing, match="WEMWBS"):
        save(participant, instrument="wemwbs", answers=answers)
    licence()

    form = save(participant, instrument="wemwbs", answers=answers)

    assert form.scores["wemwbs_total"]["value"] == 42


def test_a_licence_is_recorded_once_and_not_in_the_future():
    site()
    licence()

    with pytest.raises(licence_actions.LicenceRecorded):
        licence()
    with pytest.raises(errors.AnswersRefused) as refused:
        licence_actions.record_licence(
            instrument=instruments.get("eq5d5l"),
            reference=" ",
            holder="",
            licence_date=date(2027, 1, 1),
            by=None,
            at=NOW,
        )
    assert set(refused.value.problems) == {"licence_date", "reference", "holder"}


def test_the_same_content_again_changes_nothing(participant):
    first = save(participant)

    again = save(participant, expected_revision=0)

    assert again.revision == first.revision == 1
    assert Administration.history.count() == 1


def test_completing_what_a_draft_on_its_way_has_just_stored_is_no_conflict(participant):
    save(participant, answers=phq9(1, 1), submit=False)

    form = save(participant, answers=phq9(1, 1), expected_revision=0)
    again = save(participant, answers=phq9(1, 1), expected_revision=0)

    assert (form.status, form.revision, again.revision) == ("complete", 2, 2)


def test_the_second_of_two_people_is_told_what_differs_and_nothing_is_lost(participant):
    asha, priya = staff(Role.COORDINATOR, name="Asha Patel"), staff(Role.COORDINATOR, name="Priya Nair")
    save(participant, answers=phq9(1, 1, 1), submit=False, by=priya)

    with pytest.raises(errors.ChangedMeanwhile, match=r"Priya Nair saved this form at .* the 2 answers") as changed:
        save(participant, answers=phq9(1, 2, 1, 3), submit=False, by=asha)

    assert [(d.key, d.theirs, d.yours) for d in changed.value.differences] == [("phq9_2", 1, 2), ("phq9_4", None, 3)]
    assert Administration.objects.get().answers == phq9(1, 1, 1)
    assert changed.value.other.revision == 1


def test_somebody_with_two_windows_is_called_you(participant):
    asha = staff(Role.COORDINATOR)
    save(participant, answers=phq9(1), submit=False, by=asha)

    with pytest.raises(errors.ChangedMeanwhile, match=r"You saved this form .* the answer that differs"):
        save(participant, answers=phq9(2), submit=False, by=asha)


def test_a_correction_needs_a_reason_for_each_changed_field_and_keeps_it(participant):
    form = save(participant)
    corrected = {**form.answers, "phq9_3": 2}
    with pytest.raises(errors.ReasonsMissing) as lacking:
        save(participant, answers=corrected, expected_revision=1)
    assert lacking.value.keys == ["phq9_3"]

    form = save(participant, answers=corrected, expected_revision=1, reasons={"phq9_3": "Misread paper"})

    assert form.reasons == {"phq9_3": "Misread paper"}
    assert form.scores["phq9_total"]["value"] == 9
    assert form.history.latest("history_id").history_change_reason == "Misread paper"
    assert form.submitted_at == NOW


def test_a_completed_form_does_not_become_a_draft_again(participant):
    save(participant)

    with pytest.raises(errors.FormComplete):
        save(participant, answers=phq9(3), submit=False, expected_revision=1)


def test_nothing_is_saved_while_the_dataset_is_locked(participant):
    one, two = staff(Role.DATA_MANAGER), staff(Role.CHIEF_INVESTIGATOR)
    DatasetLock(
        code="L001",
        kind="final",
        state="locked",
        reason="End",
        data_through=date(2026, 7, 1),
        asked_by=one,
        asked_at=NOW,
        agreed_by=two,
        locked_at=NOW,
    ).save_by(two)

    with pytest.raises(DatasetLocked):
        save(participant)
    with pytest.raises(IntegrityError), transaction.atomic():
        Administration(
            participant=participant,
            visit=participant.visits.get(code="V3"),
            protocol_version=participant.referral.protocol_version,
            instrument="phq9",
            instrument_version="1.0.0",
            first_entered_at=NOW,
        ).save_by(None)


def test_the_interviewer_is_the_assessor_of_an_interview_only(participant):
    asha = staff(Role.OUTCOME_ASSESSOR)

    assert save(participant, by=asha).assessor == asha
    assert save(participant, "V2", by=asha, mode="self_paper").assessor is None


def test_not_done_keeps_its_reason_and_is_open_to_answers_later(participant):
    asha = staff(Role.COORDINATOR)
    given = {"participant": participant, "visit": participant.visits.get(code="V3"), "by": asha, "at": NOW}

    form = actions.mark_not_done(**given, instrument="phq9", reason_code="UNWELL")
    again = actions.mark_not_done(**given, instrument="phq9", reason_code="UNWELL")

    assert (form.status, form.not_done_reason, again.revision) == ("not_done", "UNWELL", 1)
    with pytest.raises(errors.AnswersRefused):
        actions.mark_not_done(**given, instrument="gad7", reason_code="BORED")
    done = save(participant, expected_revision=1)
    assert (done.status, done.not_done_reason) == ("complete", "")
    with pytest.raises(errors.AnswersStored):
        actions.mark_not_done(**given, instrument="phq9", reason_code="UNWELL")


def test_hooks_are_called_in_the_transaction_of_each_save(participant, monkeypatch):
    called = []
    monkeypatch.setattr(hooks, "after_save", [lambda form, by, at: called.append((form.status, by, at))])

    save(participant, answers=phq9(1), submit=False)
    save(participant, expected_revision=1)

    assert called == [("draft", None, NOW), ("complete", None, NOW)]


# -- alerts


def alert_of(form):
    return RiskAlert.objects.filter(administration=form).first()


@pytest.mark.parametrize("submit", [False, True])
def test_item_9_from_1_raises_an_urgent_alert_and_task_whatever_the_total_also_in_a_draft(participant, submit):
    form = save(participant, answers={"phq9_9": 1}, submit=submit)

    alert = alert_of(form)
    assert alert.severity == "urgent"
    assert "phq9_item9_positive" in alert.codes
    task = Task.objects.get(kind="risk_alert")
    assert (task.role, task.site, task.is_urgent, task.reveals_arm) == (
        "duty_clinician",
        participant.site,
        True,
        False,
    )
    assert task.due_date == date(2026, 7, 9)


def test_item_9_of_0_raises_nothing(participant):
    assert alert_of(save(participant, answers=phq9(1, 1, 1, 1, 1, 1, 1, 1, 0, 1))) is None


def test_a_later_rise_escalates_the_same_alert_and_reopens_it(participant):
    clinician = staff(Role.DUTY_CLINICIAN, duty="safety")
    form = save(participant, answers=phq9(1, 1, 1, 1, 1, 1, 1, 1, 1, 1))
    alert = safety.assess(alert=alert_of(form), level="low", actions_taken="Rang", by=clinician, at=NOW)
    safety.close(alert=alert, by=clinician, at=NOW)
    later = NOW + timedelta(hours=2)

    save(
        participant, answers={**form.answers, "phq9_9": 3}, expected_revision=1, reasons={"phq9_9": "Misread"}, at=later
    )

    alert.refresh_from_db()
    assert RiskAlert.objects.count() == 1
    assert alert.codes == ["phq9_item9_frequent", "phq9_item9_positive"]
    assert (alert.escalated_at, alert.closed_at, alert.level, alert.acknowledged_at) == (later, None, "", None)
    assert Task.objects.filter(kind="risk_alert", done_at=None).count() == 1


def test_a_rise_without_a_new_code_escalates_too(participant):
    form = save(participant, answers={"phq9_9": 2}, submit=False)

    save(participant, answers={"phq9_9": 3}, submit=False, expected_revision=1, at=NOW + timedelta(hours=1))

    assert alert_of(form).escalated_at == NOW + timedelta(hours=1)


def test_lowering_item_9_withdraws_nothing(participant):
    form = save(participant, answers=phq9(1, 1, 1, 1, 1, 1, 1, 1, 2, 1))

    save(participant, answers={**form.answers, "phq9_9": 0}, expected_revision=1, reasons={"phq9_9": "Misread"})

    alert = alert_of(form)
    assert alert.codes == ["phq9_item9_frequent", "phq9_item9_positive"]
    assert (alert.escalated_at, alert.closed_at) == (None, None)


def test_item_9_unanswered_raises_a_review_only_when_the_form_is_submitted(participant):
    draft = save(participant, answers=phq9(1, 1), submit=False)
    assert alert_of(draft) is None

    form = save(participant, answers=phq9(1, 1), expected_revision=1)

    assert (alert_of(form).severity, alert_of(form).codes) == ("review", ["phq9_item9_missing"])
    assert not Task.objects.get(kind="risk_alert").is_urgent


answer_sheets = st.fixed_dictionaries({}, optional={f"phq9_{n}": st.integers(0, 3) for n in range(1, 11)})
missing_sheets = st.dictionaries(
    st.sampled_from([f"phq9_{n}" for n in range(1, 11)]), st.sampled_from(["RF", "NK", "NA", "IL", "BL"])
)


class RoundTrip(TestCase):
    """Whatever is saved, in whatever order, comes back; counts match and no alert is lacking."""

    @settings(max_examples=40)
    @given(st.lists(st.tuples(answer_sheets, missing_sheets, st.booleans()), min_size=1, max_size=4))
    def test_answers_come_back_counts_match_and_every_alert_is_there(self, sheets):
        participant = randomised()
        revision, is_complete = 0, False
        for answers, missing, submit in sheets:
            missing = {code: why for code, why in missing.items() if code not in answers}
            submit = submit or is_complete
            reasons = dict.fromkeys([*(f"phq9_{n}" for n in range(1, 11))], "Typing mistake")
            try:
                form = save(
                    participant,
                    answers=answers,
                    missing=missing,
                    submit=submit,
                    reasons=reasons,
                    expected_revision=revision,
                )
            except errors.NothingAnswered:
                continue
            revision, is_complete = form.revision, submit
            form.refresh_from_db()
            assert form.answers == answers
            assert missing.items() <= form.missing.items()
            assert form.answers.keys().isdisjoint(form.missing)
            assert form.n_answered == len(answers)
            assert form.n_answered <= form.n_expected <= 10
            assert answers_without_alert() == []
            assert score_differences() == []


@pytest.mark.parametrize(
    "change",
    [
        {"mode": ""},
        {"completed_date": None},
        {"submitted_at": None},
        {"status": "not_done", "not_done_reason": ""},
        {"n_answered": 11},
    ],
)
def test_the_database_refuses_a_form_that_contradicts_itself(participant, change):
    form = save(participant)
    for name, value in change.items():
        setattr(form, name, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        form.save_by(None, "Try")


def test_the_database_holds_each_instrument_once_for_a_visit(participant):
    form = save(participant)
    form.pk, form._state.adding = None, True

    with pytest.raises(IntegrityError), transaction.atomic():
        form.save_by(None)


def test_the_database_refuses_a_licence_without_a_reference():
    row = InstrumentLicence(instrument="wemwbs", reference="", holder="H", licence_date=date(2026, 1, 1))

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save_by(None)
