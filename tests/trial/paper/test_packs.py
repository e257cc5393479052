"""Packs read back by a reader that is not their writer."""

import io

import pytest
from pypdf import PdfReader

from exports.crf_views import annotations
from exports.datasets import datasets_of
from exports.datasets.definition import current_definition
from tests.trial.assessments.builders import consented, licence, randomised, site, staff, study
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.paper import packs
from trial.paper.drawing import draw, qr_text
from trial.protocol import rules as protocol_rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def pages(content):
    """Text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def visit(code="V3"):
    return protocol_rules.visit(study().spec, code)


def test_each_page_names_number_visit_version_and_its_place_and_the_file_says_title_and_language():
    licence()
    pack = packs.pack(study().spec, visit(), study_id="GRX-01-042-1")

    content = draw(pack)

    reader = PdfReader(io.BytesIO(content))
    found = pages(content)
    assert reader.metadata.title == "GREENRXF V3 week 12, GRX-01-042-1"
    assert reader.root_object["/Lang"] == "en-GB"
    for number, text in enumerate(found, start=1):
        assert "Participant number GRX-01-042-1" in text
        assert "V3 week 12" in text
        assert f"Page {number} of {len(found)}" in text
    assert "PHQ-9 en 1.0.0" in next(text for text in found if "Little interest" in text)
    assert qr_text(pack, pack.sections[1]) == "GRX-01-042-1 V3 phq9 1.0.0"


def test_one_questionnaire_a_section_with_its_words_its_copyright_and_every_item():
    licence()
    found = pages(draw(packs.pack(study().spec, visit())))

    wemwbs = [text for text in found if "WEMWBS en-GB" in text]
    assert len(wemwbs) == 1
    assert "14. I’ve been feeling cheerful" in " ".join(wemwbs[0].split())
    assert "Prefer not to answer" in " ".join(wemwbs[0].split())
    assert all("Pfizer" in text for text in found if "PHQ-9 en" in text)
    assert not [text for text in found if "Little interest" in text and "useful" in text]


def test_the_support_contacts_follow_the_phq9_at_once_and_no_other_questionnaire():
    found = pages(draw(packs.pack(study().spec, visit())))

    last = max(n for n, text in enumerate(found) if "PHQ-9 en" in text)
    support = [n for n, text in enumerate(found) if "Call Samaritans on 116 123." in text and "Support for you" in text]
    assert support == [last + 1]


def test_a_questionnaire_without_its_licence_or_its_wording_shows_no_question(settings):
    found = pages(draw(packs.pack(study().spec, visit())))
    assert "has not recorded its licence" in next(text for text in found if "WEMWBS en-GB" in text)
    assert not [text for text in found if "optimistic" in text]

    licence()
    settings.WITHHELD_WORDING = ["wemwbs"]
    found = pages(draw(packs.pack(study().spec, visit())))
    withheld = next(text for text in found if "WEMWBS en-GB" in text)
    assert "Put the licensed copy of WEMWBS here" in withheld
    assert "ptimis" not in withheld


def test_the_same_pack_gives_the_same_bytes():
    spec = study().spec

    assert draw(packs.pack(spec, visit())) == draw(packs.pack(spec, visit()))


def test_annotations_are_the_names_and_codes_of_the_codebook():
    study()
    licence()
    named = annotations(current_definition())
    model = datasets_of(current_definition()).model
    variables = {variable.name for table in model.tables for variable in table.variables}

    found = " ".join(pages(draw(packs.pack(study().spec, None, annotations=named))))

    for one in named.values():
        assert {*one.items.values(), one.date, one.mode} <= variables
    for name in ("phq9_9", "wemwbs_14", "phq9_date", "wemwbs_mode"):
        assert name in found
    assert "-92" in found
    assert "Support for you" not in found


def test_intervention_has_one_name_in_both_arms():
    found = " ".join(" ".join(pages(draw(packs.pack(study().spec, visit())))).split())

    assert "The activity meets my approval" in found
    assert "I like the activity" in found
    assert "ntervention]" not in found


# -- pages


def as_(client, role=Role.COORDINATOR, **given):
    client.force_login(staff(role, **given))
    return client


def test_the_pack_of_a_person_is_labelled_logged_and_leaves_out_what_is_not_asked(client):
    participant = randomised()

    answer = as_(client).get(f"/people/{participant.study_id}/V2/pack.pdf")

    found = pages(answer.content)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "Participant number GRX-01-001-7" in found[0]
    assert not [text for text in found if "GAD-7" in text]
    assert AccessEvent.objects.get(kind="exported").record == "Paper pack of GRX-01-001-7 V2"
    assert "/V3/pack.pdf" in client.get(f"/people/{participant.study_id}/").content.decode()


def test_no_pack_without_permission_visit_or_paper(client):
    participant = consented()

    assert as_(client).get(f"/people/{participant.study_id}/V3/pack.pdf").status_code == 404
    assert client.get(f"/people/{participant.study_id}/V0/pack.pdf").status_code == 404
    assert client.get("/crf/blank.pdf?visit=V9").status_code == 404
    assert client.get("/crf/annotated.pdf?visit=V0").status_code == 404
    assert as_(client, Role.DATA_MANAGER).get(f"/people/{participant.study_id}/V1/pack.pdf").status_code == 403
    elsewhere = as_(client, at_site=site("02"))
    assert elsewhere.get(f"/people/{participant.study_id}/V1/pack.pdf").status_code == 404


def test_the_list_of_paper_forms_leads_to_files_and_says_what_is_left_out(client):
    study()
    page = as_(client, Role.MONITOR).get("/crf/").content.decode()

    assert "blank.pdf?visit=V3" in page
    assert "Not printed until the study has recorded its licence: WEMWBS, EQ-5D-5L." in page
    assert client.get("/crf/blank.pdf").content.startswith(b"%PDF-")
    assert client.get("/crf/annotated.pdf?visit=V3").content.startswith(b"%PDF-")
