"""The page that says whether a form is ours and unaltered: one changed byte, and it is not."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import Trial
from tests.trial.consent.recorded import spoken
from tests.trial.econsent.builders import a_pdf, keep_files
from trial.consent import sealing
from trial.consent.evidence_models import SealedForm
from trial.consent.models import Consent
from trial.consent.verifying import verdict_on

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scan_folder")]


@pytest.fixture
def form():
    spoken(keep_files(Trial()))
    return sealing.read_form(SealedForm.objects.get())


def asked(client, data: bytes) -> str:
    file = SimpleUploadedFile("form.pdf", data, "application/pdf")
    return client.post("/consent/verify/", {"file": file}).content.decode()


def test_our_own_file_is_known_and_nobody_is_named(client, form):
    page = asked(client, form)

    assert "This is ours and unaltered" in page
    assert "Consent form version 1.0, signed on 9 July 2026." in page
    assert "Carol" not in page
    assert "GRX-01" not in page


@pytest.mark.parametrize("place", [20, 500, -10])
def test_one_changed_byte_and_it_is_not_ours(client, form, place):
    changed = bytearray(form)
    changed[place] ^= 1

    page = asked(client, bytes(changed))

    assert "Not ours, or altered" in page


def test_an_approved_document_is_known_too(form):
    assert verdict_on(a_pdf("Demonstration PIS_EN_1")).title == "This is an approved document of the study"


def test_a_void_consent_is_said_to_be_void(client, form):
    consent = Consent.objects.get()
    consent.state = "void"
    consent.save_by(None, "Entered in error")

    assert "the consent is void" in asked(client, form)


def test_what_is_no_pdf_or_too_large_or_missing_is_refused(client):
    assert "This is not a PDF file" in asked(client, b"hello")
    assert "5 MB or smaller" in asked(client, b"%PDF-" + b"x" * (5 * 1024 * 1024))
    assert "Choose a file" in client.post("/consent/verify/").content.decode()


def test_somebody_who_asks_too_often_waits(client, form):
    for _ in range(20):
        asked(client, b"%PDF-x")

    assert "Wait ten minutes" in asked(client, form)


def test_nothing_of_the_file_is_kept(client, form):
    before = SealedForm.objects.count()

    asked(client, a_pdf("Somebody else's"))

    assert SealedForm.objects.count() == before
