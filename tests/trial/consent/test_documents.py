"""Approved documents: the file of a version, kept as it is; dates at sites; a version that supersedes (BR-10, R-31)."""

import hashlib
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, make_protocol, make_user, staff
from tests.journeys.visitor import day
from tests.trial.econsent.builders import a_pdf, keep_files
from tests.trial.journey.steps_by_page import problems_of, text_of
from trial.access.policy import Role
from trial.consent import documents
from trial.consent.errors import DocumentRefused
from trial.consent.models import DocumentFile, DocumentUse, DocumentVersion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def sheet() -> DocumentVersion:
    return DocumentVersion.objects.get(kind="pis")


def a_file(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("approved.pdf", a_pdf() if data is None else data, "application/pdf")


def named_by_protocol(sha256: str) -> DocumentVersion:
    """A version whose protocol names the file."""
    new = sheet()
    new.pk, new.code, new.version, new.file_sha256 = None, "PIS_EN_2", "2.0", sha256
    new._state.adding = True
    return new.save_by(None)


def test_the_manager_uploads_the_file_and_everybody_with_the_protocol_sees_its_hash(client):
    trial = Trial()
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))

    client.post(f"/documents/{sheet().pk}/", {"file": a_file()})

    kept = DocumentFile.objects.get()
    assert kept.sha256 == hashlib.sha256(a_pdf()).hexdigest()
    client.force_login(trial.coordinator)
    assert kept.sha256[:4] in text_of(client.get(f"/documents/{sheet().pk}/"))
    assert client.get(f"/documents/{sheet().pk}/file.pdf").content == a_pdf()
    assert client.post(f"/documents/{sheet().pk}/", {"file": a_file(a_pdf("Other"))}).status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Not a PDF", "This is not a PDF file"),
        (b"%PDF-1.4 broken", "damaged"),
        (a_pdf() + b"/JavaScript", "scripts or attachments"),
        (b"%PDF-" + b"x" * (5 * 1024 * 1024), "5 MB or smaller"),
        (b"", "This file is empty"),
    ],
)
def test_a_file_that_is_no_approved_document_is_refused_by_name(client, data, words):
    make_protocol()
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))

    response = client.post(f"/documents/{sheet().pk}/", {"file": a_file(data)})

    assert any(words in one for one in problems_of(response)), problems_of(response)
    assert not DocumentFile.objects.exists()


def test_the_file_must_be_the_one_that_the_protocol_names():
    make_protocol()
    document = named_by_protocol(hashlib.sha256(a_pdf("Approved")).hexdigest())

    with pytest.raises(DocumentRefused, match="not the approved file"):
        documents.upload(document=document, data=a_pdf("Other"), by=make_user(), at=NOW)

    documents.upload(document=document, data=a_pdf("Approved"), by=make_user(), at=NOW)
    wrong = DocumentFile.objects.get()
    wrong.pk, wrong.sha256, wrong._state.adding = None, "0" * 64, True
    with pytest.raises(IntegrityError, match="not the one that the protocol names"), transaction.atomic():
        wrong.save()


def test_a_file_that_was_wrong_may_be_replaced_until_somebody_was_given_the_version():
    trial = keep_files(Trial())
    by = make_user()
    documents.upload(document=sheet(), data=a_pdf("Better"), by=by, at=NOW)
    trial.informed()

    with pytest.raises(DocumentRefused, match="its file stays"):
        documents.upload(document=sheet(), data=a_pdf("Even better"), by=by, at=NOW)

    again = DocumentFile.objects.filter(document=sheet()).first()
    again.pk, again.sha256, again._state.adding = None, "0" * 64, True
    with pytest.raises(IntegrityError, match="keeps its file"), transaction.atomic():
        again.save()
    assert documents.bytes_of(documents.file_of(sheet()).sha256) == a_pdf("Better")


def test_a_new_version_supersedes_keeps_its_statements_and_is_used_from_its_dates(client):
    trial = keep_files(Trial())
    old = DocumentVersion.objects.get(kind="consent")
    manager = staff(Role.TRIAL_MANAGER, blinded=False)
    client.force_login(manager)
    typed = {
        "supersedes": old.pk,
        "version": "2.0",
        **day("document_date", date(2026, 6, 1)),
        "rec_reference": "00/XX/0000 amendment 1",
        **day("approved_date", date(2026, 6, 20)),
        "requires_reconsent": "yes",
        "statements": "",
        "file": a_file(a_pdf("Two")),
    }
    page = client.post("/documents/new/", typed)

    new = DocumentVersion.objects.get(version="2.0")
    assert page.headers["Location"] == f"/documents/{new.pk}/"
    assert (new.supersedes, new.statements, new.requires_reconsent) == (old, old.statements, True)
    client.post(f"/documents/{new.pk}/sites/01/", day("from_date", TODAY) | {"to_date_0": "", "reason": "Amendment"})
    use = DocumentUse.objects.get(document=new)
    assert (use.site, use.from_date, use.to_date) == (trial.site, TODAY, None)
    assert "Consent form 2.0" in text_of(client.get("/documents/"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": "1.0"}, "There is a version 1.0 already"),
        (day("approved_date", date(2026, 5, 1)), "approved on its date or later"),
        ({"statements": "CODE | maybe | x | y"}, "Line 1"),
        ({"statements": "A | optional | x | y\nA | optional | x | y"}, "same code"),
    ],
)
def test_a_new_version_that_does_not_fit_is_refused(client, changes, words):
    keep_files(Trial())
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))
    typed = {
        "supersedes": DocumentVersion.objects.get(kind="consent").pk,
        "version": "2.0",
        **day("document_date", date(2026, 6, 1)),
        "rec_reference": "00/XX/0000",
        **day("approved_date", date(2026, 6, 20)),
        "requires_reconsent": "no",
        "statements": "",
        "file": a_file(),
    }

    response = client.post("/documents/new/", typed | changes)

    assert any(words in one for one in problems_of(response)), problems_of(response)
    assert not DocumentVersion.objects.filter(version="2.0").exists()


def test_dates_that_leave_out_a_day_of_use_or_precede_approval_are_refused():
    trial = Trial()
    trial.informed()
    by, ends = make_user(), TODAY - timedelta(days=30)

    with pytest.raises(DocumentRefused, match="leave out"):
        documents.set_use(
            document=sheet(), site=trial.site, from_date=date(2026, 1, 5), to_date=ends, reason="Wrong", by=by
        )
    with pytest.raises(DocumentRefused, match="approved on 15 December 2025"):
        documents.set_use(
            document=sheet(), site=trial.site, from_date=date(2025, 12, 1), to_date=None, reason="Wrong", by=by
        )
