"""Forms and visits of one person as they stand: states, the visit grid, and what stands in the way of randomisation."""

from datetime import date, timedelta

import pytest

from tests.trial.assessments.builders import CONSENTED, NOW, consented, licence, phq9, randomised, save, staff, study
from trial.access.policy import Role
from trial.assessments import actions, reads
from trial.base.parts import VisitCell
from trial.participation.actions import record_change
from trial.participation.models import Element
from trial.protocol import rules as protocol_rules
from trial.schedule.rules import VisitStatus

pytestmark = pytest.mark.django_db
TODAY = date(2026, 7, 9)  # day 84 after 16 April 2026: the target day of V3, whose window is 2 to 23 July


@pytest.fixture
def participant():
    return randomised()


def grid(participant, today=TODAY, **given):
    return reads.visit_grid(participant, study().spec, today, **given)


def cell(found, form, visit):
    row = next(one for one in found.rows if one.form == form)
    return row.cells[[state.spec.code for state in found.visits].index(visit)]


def test_columns_carry_windows_and_mark_the_open_visit(participant):
    found = grid(participant)

    assert [(c.title, c.window, c.now) for c in found.columns] == [
        ("V0 screening", "", False),
        ("V1 baseline", "", False),
        ("V2 week 5", "14 to 28 May", False),
        ("V3 week 12", "2 to 23 Jul", True),
        ("V4 week 26", "24 Sep to 5 Nov", False),
    ]


def test_a_window_in_another_year_says_so(participant):
    assert grid(participant, date(2027, 1, 4)).columns[4].window == "24 Sep to 5 Nov 2026"


def test_cells_say_status_and_the_date_that_matters(participant):
    save(participant, "V2", completed_date=date(2026, 5, 21))
    save(participant, "V3", answers=phq9(1, 1), submit=False)
    actions.mark_not_done(
        participant=participant,
        visit=participant.visits.get(code="V3"),
        instrument="gad7",
        reason_code="DECLINED",
        by=None,
        at=NOW,
    )

    found = grid(participant)

    assert cell(found, "PHQ-9", "V2") == VisitCell("complete", "21 May", f"/people/{participant.study_id}/V2/phq9/")
    assert (cell(found, "WEMWBS", "V2").status, cell(found, "WEMWBS", "V2").detail) == ("overdue", "28 May")
    assert (cell(found, "PHQ-9", "V3").status, cell(found, "PHQ-9", "V3").detail) == ("in_progress", "2 of 10")
    assert (cell(found, "GAD-7", "V3").status, cell(found, "GAD-7", "V3").detail) == ("not_done", "Declined")
    assert (cell(found, "ONS4", "V3").status, cell(found, "ONS4", "V3").detail) == ("due", "by 23 Jul")
    assert (cell(found, "ONS4", "V4").status, cell(found, "ONS4", "V4").detail) == ("not_due", "from 24 Sep")
    assert cell(found, "GAD-7", "V2") is None


def test_a_started_form_is_overdue_once_its_window_closes(participant):
    save(participant, "V3", answers=phq9(1, 1), submit=False)

    assert cell(grid(participant, date(2026, 7, 24)), "PHQ-9", "V3").status == "overdue"


def test_open_queries_and_locks_show_in_their_cells(participant):
    save(participant, "V2", completed_date=date(2026, 5, 21))
    save(participant, "V3")

    found = grid(participant, open_queries={("V2", "phq9")}, is_locked=True)

    assert cell(found, "PHQ-9", "V2").status == "query_open"
    assert cell(found, "PHQ-9", "V3").status == "locked"


def test_forms_that_are_no_questionnaire_are_given_by_the_caller(participant):
    signed = VisitCell("complete", "31 Mar", "/people/x/screening/")

    found = grid(participant, other_cells={("V0", "eligibility"): signed})

    assert cell(found, "Eligibility", "V0") == signed
    assert found.rows[0].form == "Eligibility"


def test_before_allocation_later_visits_have_no_links():
    participant = consented()

    found = grid(participant, CONSENTED)

    assert found.columns[3].window == "after randomisation"
    assert cell(found, "PHQ-9", "V3") == VisitCell("not_due", "", "")
    assert cell(found, "WEMWBS", "V1").status == "due"


@pytest.mark.parametrize(
    ("days_later", "is_expected"),
    [(0, False), (14, False), (15, True)],
)
def test_the_baseline_phq9_is_repeated_only_when_the_screening_one_is_older_than_14_days(days_later, is_expected):
    participant = consented()
    save(participant, "V0", mode="interview_phone", completed_date=CONSENTED)

    states = reads.visit_states(participant, study().spec, CONSENTED + timedelta(days=days_later))

    baseline = next(one for one in states if one.spec.code == "V1")
    assert ("phq9" in baseline.forms) is is_expected


def test_a_draft_of_the_screening_phq9_does_not_stand_for_the_baseline_one():
    participant = consented()
    save(participant, "V0", completed_date=CONSENTED, submit=False)

    states = reads.visit_states(participant, study().spec, CONSENTED)

    assert "phq9" in states[1].forms


def test_nothing_is_expected_of_somebody_who_stopped_questionnaires(participant):
    off = {Element.QUESTIONNAIRES_WEB: False, Element.QUESTIONNAIRES_PHONE_POST: False}
    record_change(
        participant=participant,
        effective_date=date(2026, 6, 15),
        decided_by="participant",
        elements=off,
        by=staff(Role.COORDINATOR),
        at=NOW,
        today=TODAY,
    )

    states = {one.spec.code: one for one in reads.visit_states(participant, study().spec, TODAY)}

    assert states["V3"].status is VisitStatus.NOT_EXPECTED
    assert states["V3"].forms == {}
    assert states["V2"].status is VisitStatus.MISSED  # its window had closed before the change


def test_visit_statuses_follow_forms_and_dates(participant):
    licence()
    for instrument in ("phq9", "wemwbs", "nature_contact"):
        save(participant, "V2", instrument, answers=lowest(instrument), completed_date=date(2026, 6, 1))

    states = {one.spec.code: one.status for one in reads.visit_states(participant, study().spec, TODAY)}

    assert states == {
        "V0": VisitStatus.OVERDUE,
        "V1": VisitStatus.OVERDUE,
        "V2": VisitStatus.DONE_LATE,
        "V3": VisitStatus.OPEN,
        "V4": VisitStatus.NOT_DUE,
    }


def lowest(instrument):
    import instruments

    return {item.code: item.min for item in instruments.get(instrument).items}


def complete_baseline(participant, on):
    for form in protocol_rules.forms_at(study().spec, "V1"):
        if form.required and form.form != "phq9":
            given = {"mode": "interview_in_person", "completed_date": on}
            save(participant, "V1", form.form, answers=lowest(form.form), **given)


def test_randomisation_waits_for_every_required_baseline_form_inside_its_window():
    participant = consented()
    licence()
    save(participant, "V0", completed_date=CONSENTED)
    assert "WEMWBS is not complete" in [one.text for one in reads.unmet_baseline(participant, study().spec, CONSENTED)]

    complete_baseline(participant, CONSENTED + timedelta(days=1))

    assert reads.unmet_baseline(participant, study().spec, CONSENTED + timedelta(days=14)) == []
    after = [one.text for one in reads.unmet_baseline(participant, study().spec, CONSENTED + timedelta(days=16))]
    assert "WEMWBS was completed on 1 Apr 2026, outside the baseline window" in after
    assert "PHQ-9 is not complete" in after


@pytest.mark.parametrize("n_forms", [0, 3])
def test_the_grid_takes_a_constant_number_of_lookups(participant, django_assert_num_queries, n_forms):
    for instrument in ("phq9", "gad7", "nr6")[:n_forms]:
        save(participant, "V3", instrument, answers={}, missing={f"{instrument}_1": "RF"}, submit=False)
    participant = type(participant).objects.select_related("referral").get(pk=participant.pk)
    spec = study().spec

    with django_assert_num_queries(3):
        reads.visit_grid(participant, spec, TODAY)
