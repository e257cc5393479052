"""Entering a paper form twice: blind, by different people, compared, decided, never an alert too few or too many."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.trial.assessments.builders import NOW, licence, save, staff
from tests.trial.double_entry.builders import QUIET, Desk
from trial.access.policy import Role
from trial.assessments import actions as assessments
from trial.assessments.errors import AnswersRefused, NothingAnswered
from trial.assessments.models import Administration
from trial.assessments.wording import LicenceMissing
from trial.double_entry import decisions, reads, verify
from trial.double_entry.errors import (
    EnteredTwice,
    NotAwaited,
    NothingToDecide,
    NotYours,
    OtherWindow,
    SamePerson,
    UnknownValue,
)
from trial.double_entry.models import Adjudication, SecondEntry
from trial.locking.models import DatasetLock
from trial.locking.rules import DatasetLocked
from trial.messages.models import Task
from trial.review.models import Query
from trial.review.reads import thread_of
from trial.safety.models import RiskAlert

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_entries_that_agree_close_the_task_and_ask_nothing():
    desk = Desk()
    task = Task.objects.get(kind="second_entry")

    row = desk.enter_again()

    task.refresh_from_db()
    assert (row.status, row.n_compared, row.n_agreed, row.differences) == ("complete", 10, 10, [])
    assert task.done_by == desk.second
    assert not Query.objects.exists()
    assert not reads.awaiting().exists()


def test_each_difference_is_kept_counted_and_asked_about_once():
    desk = Desk()

    row = desk.enter_again({**QUIET, "phq9_3": 2}, completed_date=date(2026, 7, 5))

    assert row.differences == [
        {"key": "completed_date", "first": "2026-07-06", "second": "2026-07-05"},
        {"key": "phq9_3", "first": 1, "second": 2},
    ]
    assert (row.n_compared, row.n_agreed, row.n_differences) == (10, 9, 2)
    queries = Query.objects.filter(rule="double_entry")
    assert {query.field for query in queries} == {"completed_date", "phq9_3"}
    assert (
        "the first entry says “Several days (1)”, the second “More than half the days (2)”"
        in (thread_of(queries.get(field="phq9_3"))[0][1])
    )
    assert list(reads.undecided()) == [row]


def test_blank_in_both_entries_agrees_and_a_reason_for_none_differs_from_an_answer():
    answers = {code: value for code, value in QUIET.items() if code != "phq9_2"}
    desk = Desk(answers)

    row = desk.enter_again(answers | {"phq9_2": 1})

    assert row.differences == [{"key": "phq9_2", "first": "BL", "second": 1}]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"answers": {"phq9_1": 4}}, "phq9_1"),
        ({"answers": {"phq9_1": "१"}}, "phq9_1"),
        ({"answers": {"wemwbs_1": 1}}, "wemwbs_1"),
        ({"answers": {"phq9_1": 1}, "missing": {"phq9_1": "BL"}}, "phq9_1"),
        ({"missing": {"phq9_1": "XX"}, "answers": {}}, "phq9_1"),
        ({"completed_date": date(2026, 7, 10)}, "completed_date"),
        ({"completed_date": date(2026, 3, 30)}, "completed_date"),
        ({"completed_date": None}, "completed_date"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_field_and_nothing_is_written(change, key):
    desk = Desk()

    with pytest.raises(AnswersRefused) as refused:
        desk.enter_again(**change)

    assert key in refused.value.problems
    assert not SecondEntry.objects.exists()


def test_an_empty_second_entry_is_not_completed():
    desk = Desk()

    with pytest.raises(NothingAnswered):
        desk.enter_again({})


def test_nobody_who_saved_any_version_of_the_first_entry_is_the_second_person():
    desk = Desk(submit=False)
    desk.form = save(
        desk.participant, answers=QUIET, mode="self_paper", by=desk.second, expected_revision=desk.form.revision
    )

    for person in (desk.first, desk.second):
        with pytest.raises(SamePerson):
            desk.enter_again(by=person)


@pytest.mark.parametrize("given", [{"mode": "interview_phone"}, {"submit": False}, {"instrument": "gad7"}])
def test_only_complete_paper_forms_of_the_protocols_instruments_wait(given):
    answers = {f"gad7_{n}": 1 for n in range(1, 8)} if "instrument" in given else None
    desk = Desk(answers, **given)

    with pytest.raises(NotAwaited):
        desk.enter_again()
    assert not Task.objects.filter(kind="second_entry").exists()


def test_a_draft_is_the_persons_own_and_two_windows_do_not_overwrite_each_other():
    desk = Desk()
    desk.enter_again({"phq9_1": 1}, submit=False)
    desk.enter_again({"phq9_1": 1, "phq9_2": 3}, submit=False, revision=1)

    with pytest.raises(OtherWindow):
        desk.enter_again({"phq9_1": 0}, submit=False, revision=1)

    assert SecondEntry.objects.get().answers == {"phq9_1": 1, "phq9_2": 3}


def test_the_same_second_entry_again_changes_nothing_and_another_is_refused():
    desk = Desk()
    third = staff(Role.OUTCOME_ASSESSOR, name="Cara Lund")
    desk.enter_again({"phq9_1": 2}, by=third, submit=False)
    row = desk.enter_again()

    assert desk.enter_again() == row
    with pytest.raises(EnteredTwice, match="You completed"):
        desk.enter_again({**QUIET, "phq9_1": 0})
    with pytest.raises(EnteredTwice, match="Ben Okoro completed"):
        desk.enter_again({**QUIET, "phq9_1": 0}, by=third, revision=1)


def test_an_instrument_without_its_licence_is_not_entered_twice_either():
    desk = Desk()
    desk.form.instrument, desk.form.instrument_version = "wemwbs", "1.0.0"
    desk.form.save_by(None, "Made up for this test")

    with pytest.raises(LicenceMissing):
        desk.enter_again()


def test_wemwbs_on_paper_is_entered_twice_too():
    licence()
    answers = {f"wemwbs_{n}": 3 for n in range(1, 15)}

    row = Desk(answers, instrument="wemwbs").enter_again(answers)

    assert (row.n_compared, row.n_agreed) == (14, 14)


def lock_for(desk):
    DatasetLock(
        code="L001",
        kind=DatasetLock.Kind.FINAL,
        state=DatasetLock.State.LOCKED,
        reason="Main analysis",
        data_through=date(2026, 7, 9),
        asked_by=desk.manager,
        asked_at=NOW,
        agreed_by=desk.first,
        locked_at=NOW,
    ).save_by(None)


def test_nothing_is_entered_or_decided_while_the_dataset_is_locked():
    desk = Desk()
    row = Desk().enter_again({**QUIET, "phq9_3": 2})
    lock_for(desk)

    with pytest.raises(DatasetLocked):
        desk.enter_again()
    with pytest.raises(DatasetLocked):
        decisions.adjudicate(second=row, chosen={"phq9_3": 2}, reason="Paper", by=desk.manager, at=NOW)


# -- deciding


def decide(desk, row, chosen, *, by=None, reason="Paper shows it"):
    return decisions.adjudicate(second=row, chosen=chosen, reason=reason, by=by or desk.manager, at=NOW)


def test_a_decision_for_the_second_entry_corrects_the_form_scores_it_and_closes_the_query():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_3": 2})

    stored = decide(desk, row, {"phq9_3": 2})

    assert stored.answers["phq9_3"] == 2
    assert stored.reasons["phq9_3"] == "Double entry: Paper shows it"
    assert stored.scores["phq9_total"]["value"] == 9
    assert (stored.entered_by, stored.mode) == (desk.first, "self_paper")
    assert Query.objects.get().state == "closed"
    assert not reads.undecided().exists()


def test_a_decision_for_the_first_entry_leaves_the_form_and_keeps_the_reason():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_3": 2})
    revision = desk.form.revision

    stored = decide(desk, row, {"phq9_3": 1})

    assert (stored.answers["phq9_3"], stored.revision) == (1, revision)
    decision = Adjudication.objects.get()
    assert (decision.value, decision.reason, decision.by) == (1, "Paper shows it", desk.manager)


def test_a_decision_may_be_what_neither_entry_says_also_for_a_date_and_a_missing_answer():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_3": 2}, completed_date=date(2026, 7, 5))

    stored = decide(desk, row, {"phq9_3": "IL", "completed_date": "2026-07-05"})

    assert (stored.missing["phq9_3"], stored.completed_date) == ("IL", date(2026, 7, 5))
    assert "phq9_3" not in stored.answers


def test_neither_of_the_two_people_decides():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_3": 2})

    for person in (desk.first, desk.second):
        with pytest.raises(NotYours):
            decide(desk, row, {"phq9_3": 2}, by=person)


@pytest.mark.parametrize("chosen", [{}, {"phq9_3": 7}, {"phq9_3": "ZZ"}, {"phq9_9": 1}])
def test_a_decision_names_every_difference_with_a_value_of_its_question(chosen):
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_3": 2})

    with pytest.raises(UnknownValue):
        decide(desk, row, chosen)
    assert not Adjudication.objects.exists()


def test_nothing_is_decided_twice():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_3": 2})
    decide(desk, row, {"phq9_3": 2})

    with pytest.raises(NothingToDecide):
        decide(desk, row, {"phq9_3": 1})


def test_a_form_corrected_meanwhile_is_decided_on_top_of_the_correction():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_3": 2})
    corrected = {**QUIET, "phq9_3": 2, "phq9_4": 3}
    why = {"phq9_3": "Misread", "phq9_4": "Misread"}
    save(desk.participant, answers=corrected, mode="self_paper", by=desk.first, expected_revision=1, reasons=why)

    stored = decide(desk, row, {"phq9_3": 2})

    assert stored.answers == corrected


def test_agreement_counts_items_of_complete_second_entries():
    desk = Desk()
    desk.enter_again({**QUIET, "phq9_3": 2})
    Desk().enter_again({"phq9_1": 1}, submit=False)

    found = reads.agreement(None)

    assert (found.n_forms, found.n_agreed, found.n_compared, found.rate) == (1, 9, 10, 0.9)
    assert (found.n_awaiting, found.n_undecided) == (1, 1)
    assert reads.agreement([]).rate is None


# -- item 9 (BR-50)


def alerts(desk):
    """(number of alerts, its codes, whether it was escalated) of the form."""
    found = RiskAlert.objects.filter(administration=desk.form)
    return [(one.severity, one.escalated_at is not None) for one in found]


def test_item_9_in_the_first_entry_raises_one_alert_that_the_same_second_entry_leaves_alone():
    risky = {**QUIET, "phq9_9": 1}
    desk = Desk(risky)

    desk.enter_again(risky)

    assert alerts(desk) == [("urgent", False)]
    assert verify.answers_without_alert() == []


@pytest.mark.parametrize("submit", [True, False])
def test_item_9_in_the_second_entry_alone_raises_the_alert_at_once_also_in_a_draft(submit):
    desk = Desk()

    desk.enter_again({**QUIET, "phq9_9": 1}, submit=submit)

    assert alerts(desk) == [("urgent", False)]
    assert Task.objects.filter(is_urgent=True, done_at=None).count() == 1
    assert verify.answers_without_alert() == []


def test_deciding_for_what_raised_the_alert_is_no_new_rise():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_9": 1})

    decide(desk, row, {"phq9_9": 1})

    assert alerts(desk) == [("urgent", False)]


def test_deciding_against_item_9_does_not_withdraw_the_alert():
    desk = Desk()
    row = desk.enter_again({**QUIET, "phq9_9": 2})

    decide(desk, row, {"phq9_9": 0})

    assert alerts(desk) == [("urgent", False)]


def test_a_second_entry_that_says_more_than_the_first_escalates_the_one_alert():
    desk = Desk({**QUIET, "phq9_9": 1})

    desk.enter_again({**QUIET, "phq9_9": 3}, at=NOW + timedelta(minutes=5))

    assert alerts(desk) == [("urgent", True)]


def test_a_decision_that_says_more_than_either_entry_escalates_the_one_alert():
    desk = Desk({**QUIET, "phq9_9": 1})
    row = desk.enter_again({**QUIET, "phq9_9": 2})
    RiskAlert.objects.get().refresh_from_db()

    decide(desk, row, {"phq9_9": 3})

    assert alerts(desk) == [("urgent", True)]


def test_a_correction_to_item_9_after_two_quiet_entries_raises_one_alert():
    desk = Desk()
    desk.enter_again()

    save(
        desk.participant,
        answers={**QUIET, "phq9_9": 1},
        mode="self_paper",
        by=desk.first,
        expected_revision=1,
        reasons={"phq9_9": "Misread"},
    )

    assert alerts(desk) == [("urgent", False)]


def test_item_9_left_out_of_the_second_entry_alone_is_a_query_and_no_alert():
    desk = Desk()

    desk.enter_again({code: value for code, value in QUIET.items() if code != "phq9_9"})

    assert alerts(desk) == []
    assert Query.objects.get().field == "phq9_9"


def test_a_second_entry_without_its_alert_is_named():
    desk = Desk()
    row = desk.enter_again(submit=False)
    row.answers = {**QUIET, "phq9_9": 1}
    row.save_by(desk.second, "Past the action")

    assert verify.answers_without_alert() == [
        f"{desk.participant.study_id} V3 phq9, second entry: no alert for phq9_item9_positive"
    ]


# -- what the database refuses


def refused(row_or_call, match=""):
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        row_or_call()


def second_row(desk, by, **given):
    values = {"started_at": NOW, "answers": {}, **given}
    return SecondEntry(participant=desk.participant, administration=desk.form, entered_by=by, **values)


def test_the_database_refuses_a_second_entry_by_whoever_made_or_changed_the_first():
    desk = Desk()
    save(
        desk.participant,
        answers={**QUIET, "phq9_1": 2},
        mode="self_paper",
        by=desk.manager,
        expected_revision=1,
        reasons={"phq9_1": "Misread"},
    )

    refused(lambda: second_row(desk, desk.first).save_by(None), "second person")
    refused(lambda: second_row(desk, desk.manager).save_by(None), "second person")


def test_the_database_refuses_to_complete_it_once_the_person_has_saved_the_first():
    desk = Desk()
    row = desk.enter_again({"phq9_1": 1}, submit=False)
    save(
        desk.participant,
        answers={**QUIET, "phq9_1": 2},
        mode="self_paper",
        by=desk.second,
        expected_revision=1,
        reasons={"phq9_1": "Misread"},
    )

    row.answers = {"phq9_1": 2}
    refused(lambda: row.save_by(desk.second, "Draft saved"), "second person")


def test_the_database_keeps_a_completed_second_entry_as_it_is_and_only_one():
    desk = Desk()
    row = desk.enter_again()
    third = staff(Role.COORDINATOR)
    complete = {"status": "complete", "completed_at": NOW, "completed_date": date(2026, 7, 6)}

    row.answers = {}
    refused(lambda: row.save_by(desk.second, "Changed"), "never changes")
    refused(lambda: second_row(desk, third, **complete).save_by(None), "form_entered_twice_at_most|UNIQUE")


def test_the_database_refuses_to_move_a_draft_or_to_give_it_to_somebody_else():
    desk = Desk()
    row = desk.enter_again({"phq9_1": 1}, submit=False)

    row.entered_by = staff(Role.COORDINATOR)
    refused(lambda: row.save_by(None, "Moved"), "its person")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"status": "complete"}, "complete_second_entry_is_compared"),
        ({"n_agreed": 3}, "agreed_within_compared"),
        ({"n_differences": 1}, "complete_second_entry_is_compared"),
    ],
)
def test_the_database_refuses_a_second_entry_that_contradicts_itself(given, name):
    desk = Desk()

    refused(lambda: second_row(desk, desk.second, **given).save_by(None), name)


def test_the_database_refuses_a_decision_by_either_person_twice_without_reason_or_without_two_entries():
    desk = Desk()
    draft = Desk().enter_again({"phq9_1": 1}, submit=False)
    row = desk.enter_again({**QUIET, "phq9_3": 2})

    def decision(by, second=row, reason="Paper"):
        return Adjudication(second_entry=second, field="phq9_3", value=2, reason=reason, by=by, at=NOW)

    refused(decision(desk.first).save, "Neither of the two")
    refused(decision(desk.second).save, "Neither of the two")
    refused(decision(desk.manager, second=draft).save, "Only a completed")
    refused(decision(desk.manager, reason="").save, "adjudication_has_a_reason")
    decision(desk.manager).save()
    refused(decision(desk.manager).save, "difference_decided_once|UNIQUE")


def test_the_assessor_of_an_interview_stays_when_somebody_else_corrects_it():
    desk = Desk(mode="interview_phone")
    stored = assessments.save_form(
        participant=desk.participant,
        visit=desk.form.visit,
        instrument="phq9",
        answers={**QUIET, "phq9_1": 2},
        missing={},
        mode="interview_phone",
        respondent="participant",
        completed_date=date(2026, 7, 6),
        by=desk.manager,
        at=NOW,
        expected_revision=1,
        submit=True,
        reasons={"phq9_1": "Misheard"},
    )

    assert Administration.objects.get(pk=stored.pk).assessor == desk.first
