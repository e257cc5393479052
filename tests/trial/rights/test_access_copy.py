"""The copy of a person's data: everything, in words and for machines, and nobody else (R-35)."""

import json
from io import BytesIO

import pytest
from pypdf import PdfReader

from tests.factories import NOW, Trial, staff
from tests.trial.journey.steps_by_page import as_, text_of
from tests.trial.participants.builders import dispose
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.journey import steps
from trial.rights import access_copy
from trial.rights.third_parties import without
from trial.safety.actions import raise_concern

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def participant(trial):
    consented = trial.consented(
        first_name="Zebedee",
        last_name="Quillfeather",
        nhs_number="9990000018",
        phone="01632 960777",
        emergency_name="Walter Underhill",
        emergency_phone="01632 960888",
    )
    return trial.randomised(trial.baseline_done(trial.eligible(consented)))


def copied(trial, participant, by=None):
    return access_copy.copy_of(referral=participant.referral, by=by or trial.coordinator, at=NOW)


def noted(trial, participant, note):
    steps.contact(
        referral=participant.referral,
        contacted_at=NOW,
        channel="phone",
        outcome="two_way",
        note=note,
        by=trial.coordinator,
        at=NOW,
    )


def said(copy) -> str:
    return access_copy.as_json(copy).decode()


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


def test_it_holds_what_the_study_holds_and_says_so_in_both_forms(trial, participant):
    noted(trial, participant, "Prefers mornings")

    copy = copied(trial, participant)

    for text in (said(copy), pdf_text(access_copy.as_pdf(copy))):
        for words in ("Zebedee Quillfeather", "999 000 0018", "01632 960777", "Prefers mornings", participant.study_id):
            assert words in text, words
        for words in ("Your consent", "Your questionnaires", "Eligibility", "You in the study", "Contacts with you"):
            assert words in text, words
    content = json.loads(said(copy))
    assert content["format"] == "hedgerow-subject-access/1"
    arms = {arm.label for arm in trial.spec.arms}
    you = next(one for one in content["sections"] if one["title"] == "You in the study")
    assert you["entries"][0]["Allocated to"] in arms


def test_other_people_are_taken_out_and_staff_are_named_by_their_role(trial, participant):
    trial.refer(first_name="Rosalind", last_name="Penhaligon")
    note = (
        "Came with ROSALIND  Penhaligon. Asha Patel rang Walter Underhill on 01632 960888,"
        " wrote to rosalind.p@example.org"
    )
    noted(trial, participant, note)
    raise_concern(participant=participant, text="Argued with Rosalind Penhaligon", by=trial.coordinator, at=NOW)

    text = said(copied(trial, participant))

    for name in ("Penhaligon", "PENHALIGON", "Rosalind", "Asha Patel", "Underhill", "960888", "rosalind.p@", "Argued"):
        assert name not in text, name
    assert "[another person]" in text
    assert "[a member of staff]" in text
    assert "[your emergency contact]" in text
    assert "You named one" in text


def test_it_is_logged_as_a_view_and_as_an_export(trial, participant):
    copied(trial, participant)

    kinds = AccessEvent.objects.filter(detail="Copy of a person's data").values_list("kind", flat=True)
    assert set(kinds) == {"identity_viewed", "exported"}


def test_a_blinded_investigator_leaves_the_arm_to_somebody_else(trial, participant):
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)

    copy = copied(trial, participant, blinded)

    text = said(copy)
    assert not any(arm.label in text for arm in trial.spec.arms)
    assert "Groups and sessions" not in text
    assert copy.left_out[0].startswith("The group you were allocated to")
    assert not AccessEvent.objects.filter(kind="arm_viewed", user=blinded).exists()


def test_the_page_gives_the_file_in_one_click(client, trial, participant):
    visitor = as_(client, trial.coordinator)

    page = visitor.get(f"/people/{participant.study_id}/data-copy/")
    pdf = visitor.post(f"/people/{participant.study_id}/data-copy/", {"format": "pdf"})
    machine = visitor.post(f"/people/{participant.study_id}/data-copy/", {"format": "json"})

    assert "Make the copy (PDF)" in text_of(page)
    assert "Quillfeather" not in text_of(page)
    assert (pdf.headers["Content-Type"], machine.headers["Content-Type"]) == (
        "application/pdf",
        "application/json; charset=utf-8",
    )
    assert "no-store" in pdf.headers["Cache-Control"]
    assert "no-store" in machine.headers["Cache-Control"]
    assert participant.study_id in pdf.headers["Content-Disposition"]
    assert json.loads(machine.content)["number"] == participant.study_id


def test_a_person_before_consent_has_a_copy_too(trial):
    referral = trial.refer()

    text = said(access_copy.copy_of(referral=referral, by=trial.coordinator, at=NOW))

    assert referral.screening_number in text
    assert "Your consent" not in text


def test_after_a_disposal_there_is_nothing_to_copy(client, trial, participant):
    dispose(participant.referral)

    page = as_(client, trial.coordinator).post(f"/people/{participant.study_id}/data-copy/", follow=True)

    assert "were destroyed when their time was over" in text_of(page)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ann Lee came", "[another person] came"),
        ("ann   LEE's son", "[another person]'s son"),
        ("Joann Leeds came", "Joann Leeds came"),
        ("Rang 01632 960 001 at 2pm", "Rang [number or address removed] at 2pm"),
        ("NHS 999 000 0018.", "NHS [number or address removed]."),
        ("On 9 July 2026 at 14:30", "On 9 July 2026 at 14:30"),
        ("Write to a.b+c@example.org!", "Write to [number or address removed]!"),
        ("", ""),
    ],
)
def test_names_and_numbers_of_others_are_found_in_free_text(text, left):
    assert without(text, {"Ann Lee": "[another person]"}) == left
