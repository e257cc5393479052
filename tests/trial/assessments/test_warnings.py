"""Soft and hard checks at the page and in the database: each warning, with the answers before it and after it (R-10)."""

from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, transaction

import instruments
from tests.factories import Trial, final_lock
from tests.trial.assessments.builders import NOW, phq9, randomised, save, staff
from tests.trial.assessments.test_views import text_of, url
from trial.access.policy import Role
from trial.assessments.errors import AnswersRefused
from trial.assessments.models import Administration, CheckWarning
from trial.base.errors import NeverDeleted
from trial.protocol import rules
from trial.protocol.versions import current

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
FORM = "health_resource_use"
ZEROS = {item.code: 0 for item in instruments.get(FORM).items}


@pytest.fixture
def participant():
    return randomised()


@pytest.fixture
def page(client, participant):
    """Posts the form of health services with some answers changed; returns the page that comes back."""
    client.force_login(staff(Role.COORDINATOR, name="Asha Patel"))

    def send(more="", **changes):
        entered = {"mode": "interview_phone", "respondent": "participant", "revision": "0"}
        entered |= {f"completed_date_{n}": value for n, value in enumerate(("6", "7", "2026"))}
        for item in instruments.get(FORM).items:
            entered[item.code if item.type == "choice" else f"{item.code}_value"] = "0"
        return client.post(url(participant, form=FORM, more=more), {**entered, **changes})

    return send


def kept():
    return [(one.check_code, one.outcome, one.before, one.after, one.reason) for one in CheckWarning.objects.all()]


def test_a_warning_that_is_kept_has_both_answers_and_the_reason(page):
    asked = text_of(page(hru_ae_value="9"))
    page(hru_ae_value="9", revision="1", asked_high="hru_ae=9", high_reason="Frequent attender")

    answer = {"hru_ae": 9}
    assert "You entered 9 contacts for question 8" in asked
    assert kept() == [
        ("hru_ae", "raised", answer, None, ""),
        ("hru_ae", "kept", answer, answer, "Frequent attender"),
    ]
    assert Administration.objects.get().status == "complete"


def test_an_answer_that_is_changed_needs_no_reason_and_both_answers_stay(page):
    page(hru_ae_value="9")

    answer = page(hru_ae_value="1", revision="1", asked_high="hru_ae=9")

    assert answer.status_code == 302
    assert kept() == [
        ("hru_ae", "raised", {"hru_ae": 9}, None, ""),
        ("hru_ae", "changed", {"hru_ae": 9}, {"hru_ae": 1}, ""),
    ]


def test_a_check_across_items_is_asked_about_and_shown_with_the_form(client, page, participant):
    asked = text_of(page(hru_nights_value="3", hru_days_off_value="1"))
    page(hru_nights_value="3", hru_days_off_value="1", revision="1", asked_high="DAYS_OFF=1/3", high_reason="Retired")

    read = text_of(client.get(url(participant, form=FORM)))

    assert "The days unable to work are fewer than the nights in hospital. Is this right?" in asked
    assert "Question 10: 3. Question 13: 1" in read
    assert "Kept: Retired" in read
    assert Administration.objects.get().reasons == {"hru_days_off": "Checked: Retired"}


def test_a_correction_is_asked_once_and_the_typed_answer_is_kept_even_when_it_is_not_stored(page):
    page()
    why = {"why": _a_correction_reason(), "words": ""}
    first = page("correct/", revision="1", hru_ae_value="9", **why)

    unstored = Administration.objects.get()
    second = page("correct/", revision="1", hru_ae_value="2", asked_high="hru_ae=9", **why)

    assert "You entered 9 contacts" in text_of(first)
    assert (unstored.revision, unstored.answers["hru_ae"]) == (1, 0)
    assert second.status_code == 302
    assert kept() == [
        ("hru_ae", "raised", {"hru_ae": 9}, None, ""),
        ("hru_ae", "changed", {"hru_ae": 9}, {"hru_ae": 2}, ""),
    ]


def test_a_confirmed_answer_is_not_asked_about_again(page):
    page(hru_ae_value="9")
    page(hru_ae_value="9", revision="1", asked_high="hru_ae=9", high_reason="Frequent attender")

    again = page("correct/", revision="2", hru_ae_value="9", hru_111_value="1", why=_a_correction_reason(), words="")

    assert again.status_code == 302
    assert len(kept()) == 2


def test_a_draft_warns_of_nothing_while_somebody_types(page):
    page("draft/", hru_ae_value="40")
    page("draft/", hru_ae_value="4", revision="1")

    assert kept() == []


def test_a_second_unlikely_answer_is_asked_about_too_and_the_reason_typed_stays(page):
    page(hru_ae_value="9")
    again = text_of(page(hru_ae_value="8", revision="1", asked_high="hru_ae=9", high_reason="Frequent attender"))

    assert 'value="Frequent attender"' in again
    assert [one[1:4] for one in kept()] == [
        ("raised", {"hru_ae": 9}, None),
        ("changed", {"hru_ae": 9}, {"hru_ae": 8}),
        ("raised", {"hru_ae": 8}, None),
    ]


def test_no_warning_is_written_while_the_dataset_is_locked(page):
    page()
    final_lock()

    refused = page("correct/", revision="1", hru_ae_value="9", why=_a_correction_reason(), words="")
    with pytest.raises(IntegrityError, match="locked"), transaction.atomic():
        _warning(Administration.objects.get().participant).save()

    assert "locked" in text_of(refused)
    assert kept() == []


def test_an_answer_that_nobody_was_asked_about_may_be_confirmed_later_without_changing_it(page, participant):
    save(participant, "V3", FORM, answers=ZEROS | {"hru_ae": 9})
    why = {"why": _a_correction_reason(), "words": "", "revision": "1", "hru_ae_value": "9"}

    page("correct/", **why)
    page("correct/", **why, asked_high="hru_ae=9", high_reason="Asked by telephone")

    assert [one[1] for one in kept()] == ["raised", "kept"]
    assert Administration.objects.get().revision == 1


def test_a_hard_check_keeps_a_draft_and_says_at_its_field_what_to_put_right(page, participant):
    save(participant, "V1", FORM, answers=ZEROS, mode="interview_in_person", completed_date=date(2026, 7, 8))

    refused = page()

    stored = participant.administrations.get(visit__code="V3")
    assert "must not be before that of the same form at baseline" in text_of(refused)
    assert 'href="#id_completed_date_0"' in text_of(refused)
    assert (stored.status, stored.revision) == ("draft", 1)
    assert page(completed_date_0="8", revision="1").status_code == 302


def test_a_hard_check_refuses_every_other_way_in_and_stores_nothing(participant):
    save(participant, "V1", FORM, answers=ZEROS, mode="interview_in_person", completed_date=date(2026, 7, 8))

    with pytest.raises(AnswersRefused, match="at baseline"):
        save(participant, "V3", FORM, answers=ZEROS, completed_date=date(2026, 7, 7))

    assert not participant.administrations.filter(visit__code="V3").exists()


def test_a_check_against_another_form_compares_its_completion(participant):
    save(participant, "V3", completed_date=date(2026, 6, 1))
    gad7 = {f"gad7_{n}": 0 for n in range(1, 8)}

    form = save(participant, "V3", "gad7", answers=gad7, completed_date=date(2026, 6, 16))

    assert form.status == "complete"
    assert kept() == [
        ("APART", "raised", {"completed": "2026-06-16", "V3 phq9 completed": "2026-06-01"}, None, ""),
    ]


def test_scores_and_days_of_other_forms_are_compared_and_shown(client):
    total = {"left": {"score": "gad7_total"}, "op": "<=", "right": {"form": "phq9", "score": "phq9_total", "plus": 10}}
    later = {"left": {"day": "completed"}, "op": ">=", "right": {"form": "phq9", "day": "completed"}}
    checks = [
        {"code": "TOTAL", "form": "gad7", "severity": "soft", "rule": total, "message": "Worry far above low mood"},
        {"code": "LATER", "form": "gad7", "severity": "soft", "rule": later, "message": "Before the PHQ-9"},
    ]
    study = Trial(changes={"edit_checks": checks})
    person = study.consented()
    study.save_form(person, "V1", "phq9", phq9(0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    worry = {f"gad7_{n}": 2 for n in range(1, 8)}
    study.save_form(person, "V1", "gad7", worry, completed_date=date(2026, 7, 8))
    client.force_login(study.coordinator)

    read = text_of(client.get(url(person, "V1", "gad7")))

    assert [one[:3] for one in kept()] == [
        ("TOTAL", "raised", {"gad7_total": "14", "V1 phq9 phq9_total": "0"}),
        ("LATER", "raised", {"completed": "2026-07-08", "V1 phq9 completed": "2026-07-09"}),
    ]
    assert "Completed: 8 Jul 2026" in read
    assert f"{instruments.get('gad7').scores[0].label}: 14" in read


def test_the_same_form_again_keeps_no_second_warning(participant):
    form = save(participant, "V3", FORM, answers=ZEROS | {"hru_ae": 9})
    save(participant, "V3", FORM, answers=ZEROS | {"hru_ae": 9}, expected_revision=form.revision)

    assert len(kept()) == 1


def _warning(participant, **changes):
    form = Administration.objects.first() or save(participant, answers=phq9(1), submit=False)
    values = {"outcome": "raised", "before": {"a": 1}, "after": None, "reason": "", **changes}
    return CheckWarning(form=form, check_code="a", message="m", at=NOW, **values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "kept", "after": {"a": 1}},
        {"outcome": "kept", "reason": "r"},
        {"outcome": "changed"},
        {"outcome": "raised", "after": {"a": 1}},
        {"outcome": "raised", "reason": "r"},
        {"outcome": "other", "after": {"a": 1}},
    ],
)
def test_the_database_refuses_a_warning_that_contradicts_itself(participant, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        _warning(participant, **wrong).save()


def test_a_warning_is_never_changed_or_taken_away(participant):
    one = _warning(participant)
    one.save()

    with pytest.raises(NeverDeleted):
        one.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CheckWarning.objects.filter(pk=one.pk).update(message="other")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CheckWarning.objects.filter(pk=one.pk).delete()


def _a_correction_reason():
    return rules.reasons(current().spec, "correction")[0].code
