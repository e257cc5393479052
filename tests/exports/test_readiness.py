"""Each check of the lock room is broken once (BR-65)."""

import pytest

from exports import readiness
from tests.factories import NOW, TODAY, Trial, proof, staff
from tests.trial.activities.builders import make_group
from trial.access.policy import Action, Role
from trial.assessments.models import Administration
from trial.base import triggers
from trial.consent.models import DocumentUse, DocumentVersion
from trial.deviations.models import Deviation
from trial.double_entry.actions import save_second_entry
from trial.double_entry.decisions import adjudicate
from trial.locking.checks import ALL_SITES, Count
from trial.review import actions as review
from trial.safety.models import AdverseEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial() -> Trial:
    return Trial()


def count(trial: Trial, check, on=TODAY) -> Count:
    return check([trial.site], on)[trial.site.pk]


def overall(trial: Trial, check) -> Count:
    return check([trial.site], TODAY)[ALL_SITES]


def test_an_empty_trial_meets_every_check(trial):
    for check in readiness.CHECKS:
        assert all(count.met for count in check.evaluate([trial.site], TODAY).values()), check.code


def test_a_form_that_is_neither_there_nor_explained_is_counted(trial):
    trial.consented()

    found = count(trial, readiness.expected_forms)

    assert not found.met
    assert found.text.endswith("to explain")
    assert found.todo.startswith("Explain ")


def test_complete_forms_and_forms_of_people_who_left_are_explained(trial):
    participant = trial.baseline_done()

    found = count(trial, readiness.expected_forms)

    n = participant.administrations.count()
    assert (found.met, found.text) == (True, f"{n} of {n}")


def test_a_draft_has_to_be_explained(trial):
    participant = trial.baseline_done()
    trial.save_form(participant, "V1", "eq5d5l", {"eq5d5l_mobility": 1}, submit=False)

    assert count(trial, readiness.expected_forms).text == "1 to explain"


def test_an_open_query_is_counted(trial):
    review.raise_query(participant=trial.consented(), text="Why?", by=trial.coordinator, at=NOW)

    found = count(trial, readiness.open_queries)

    assert (found.met, found.text, found.todo) == (False, "1 open", "Close 1 query")


def test_a_paper_form_entered_once_or_differently_is_counted(trial):
    form = trial.save_form(trial.eligible(), "V1", "wemwbs", mode="self_paper")
    entered_once = count(trial, readiness.double_entries)
    answers = {**form.answers, "wemwbs_1": 2}
    second = save_second_entry(
        form=form,
        answers=answers,
        missing={},
        completed_date=TODAY,
        by=staff(Role.COORDINATOR, trial.site),
        at=NOW,
        expected_revision=0,
        submit=True,
    )
    differing = count(trial, readiness.double_entries)
    manager = staff(Role.DATA_MANAGER)
    adjudicate(second=second, chosen={"wemwbs_1": 2}, reason="Paper", by=manager, at=NOW)

    assert (entered_once.met, entered_once.todo) == (False, "Enter 1 form a second time")
    assert (differing.met, differing.todo) == (False, "Decide between the entries of 1 form")
    assert count(trial, readiness.double_entries).met


def test_consent_to_a_new_version_outstanding_is_counted(trial):
    trial.consented()
    old = DocumentVersion.objects.get(kind="consent")
    new = DocumentVersion(
        code="ICF_EN_2", kind="consent", title=old.title, version="2.0", document_date=TODAY, rec_reference="REC",
        approved_date=TODAY, requires_reconsent=True, statements=old.statements, content_sha256="0" * 64,
    ).save_by(None)  # fmt: skip
    DocumentUse(document=new, site=trial.site, from_date=TODAY).save_by(None)

    assert count(trial, readiness.reconsent).text == "1"


def test_an_open_alert_is_counted(trial):
    participant = trial.consented()
    trial.save_form(participant, "V0", "phq9", {f"phq9_{n}": 1 for n in range(1, 11)})

    found = count(trial, readiness.risk_alerts)

    assert (found.met, found.todo) == (False, "Assess and close 1 risk alert")


def test_an_event_nobody_reviewed_is_counted(trial):
    AdverseEvent(
        participant=trial.consented(), sequence=1, onset_date=TODAY, aware_date=TODAY, category="BLISTER",
        description_sealed="x", severity="mild", related_to_activity="possible", related_to_procedures="unrelated",
        expected=True, expected_list_version="1", outcome="recovered", reported_at=NOW, reported_by=trial.coordinator,
    ).save_by(None)  # fmt: skip

    assert count(trial, readiness.adverse_events).text == "1 to review"


def test_a_deviation_nobody_reviewed_is_counted(trial):
    Deviation(
        site=trial.site,
        sequence=1,
        occurred_date=TODAY,
        kind="data",
        severity="minor",
        description_sealed="x",
        recorded_at=NOW,
    ).save_by(None)

    assert count(trial, readiness.deviations).text == "1 to review"


def sign_off(trial: Trial, participant) -> None:
    review.sign_off(participant=participant, proof=proof(trial.investigator), by=trial.investigator, at=NOW)


def test_a_participant_nobody_signed_is_counted(trial):
    trial.consented()

    assert count(trial, readiness.sign_offs).text == "1 to sign"


def test_a_signature_holds_until_the_data_change(trial):
    participant = trial.consented()
    trial.save_form(participant, "V0", "phq9")
    sign_off(trial, participant)
    before = count(trial, readiness.sign_offs)

    trial.save_form(participant, "V1", "gad7")

    after = count(trial, readiness.sign_offs)
    assert (before.met, before.text) == (True, "1 of 1")
    assert (after.met, after.text) == (False, "1 out of date")
    assert after.detail == f"{participant.study_id} changed after it was signed"


def test_a_score_that_differs_is_found(trial):
    form = trial.save_form(trial.consented(), "V0", "phq9")
    _by_force(form, {"scores": {**form.scores, "phq9_total": {"value": 26, "status": "complete"}}})

    found = overall(trial, readiness.scores)

    assert (found.met, found.text) == (False, "1 of 1 differ")


def test_an_altered_record_is_found(trial):
    form = trial.save_form(trial.consented(), "V0", "phq9")
    _by_force(form, {"mode": "self_web"})

    assert not overall(trial, readiness.audit_trail).met


def _by_force(form: Administration, values: dict[str, object]) -> None:
    """Change a row around history and triggers, as somebody with the database's password might."""
    from django.db import connection
    from django.db.models import QuerySet

    with triggers.lifted(connection):
        QuerySet(Administration).filter(pk=form.pk).update(**values)


def test_a_register_that_nobody_finished_is_counted_and_linked_for_people_who_see_sessions(trial):
    group = make_group(trial)
    over = group.sessions.filter(ends_at__lt=NOW).count()

    found = count(trial, readiness.register_marks)

    assert (found.met, found.text, found.action) == (False, str(over), Action.VIEW_SESSIONS)
