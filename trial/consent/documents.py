"""Approved documents: versions from the protocol, their files, and the dates at each site (BR-10, R-28, R-31)."""

import base64
import hashlib
import io
import json
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from pypdf import PdfReader

from trial.access.models import Site, User
from trial.base.words import local_day, long_date
from trial.consent.errors import DocumentRefused
from trial.consent.models import Consent, DocumentFile, DocumentUse, DocumentVersion, InformationGiven
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import Document

ACTIVE = ("/JavaScript", "/JS", "/Launch", "/EmbeddedFiles", "/RichMedia", "/XFA")
"""What an approved document never holds, and what could do harm on somebody's machine."""
MOST_PAGES = 60


def file_of(document: DocumentVersion) -> DocumentFile | None:
    """The file of a version, without its bytes; None until it is uploaded."""
    return document.files.defer("content").first()


def bytes_of(sha256: str) -> bytes | None:
    """The bytes of an approved file by its SHA-256, checked against it; None where there is none."""
    found = DocumentFile.objects.filter(sha256=sha256).first()
    data = base64.b64decode(found.content) if found else b""
    return data if found and hashlib.sha256(data).hexdigest() == sha256 else None


def is_in_use(document: DocumentVersion) -> bool:
    """Whether anybody was given this version, or signed it."""
    given = InformationGiven.objects.filter(document=document).exists()
    return given or Consent.objects.filter(form=document).exists()


@transaction.atomic
def upload(*, document: DocumentVersion, data: bytes, by: User, at: datetime) -> DocumentFile:
    """Keep the approved file of a version. The same bytes again are the same file.

    Raises:
        DocumentRefused: no PDF that opens everywhere, not the file that the protocol names, or the version is in use.
    """
    n_pages = _pages(data)
    digest = hashlib.sha256(data).hexdigest()
    document = DocumentVersion.objects.select_for_update(of=("self",)).get(pk=document.pk)
    existing = file_of(document)
    if existing and existing.sha256 == digest:
        return existing
    if document.file_sha256 and document.file_sha256 != digest:
        raise DocumentRefused(
            "This is not the approved file: the protocol names a file with another SHA-256,"
            f" {document.file_sha256}. This one has {digest}."
        )
    if existing and is_in_use(document):
        raise DocumentRefused(
            f"{document} is in use since somebody was given it, so its file stays. A changed text is a new version."
        )
    file = DocumentFile(
        document=document,
        sha256=digest,
        n_bytes=len(data),
        n_pages=n_pages,
        content=base64.b64encode(data).decode("ascii"),
        uploaded_by=by,
        uploaded_at=at,
    )
    file.save()
    return file


def _pages(data: bytes) -> int:
    """How many pages a PDF has.

    Raises:
        DocumentRefused: it is not one, is damaged or protected, or holds scripts or attachments.
    """
    if len(data) > settings.UPLOAD_MAX_BYTES:
        raise DocumentRefused(f"The file must be {settings.UPLOAD_MAX_BYTES // 1024**2} MB or smaller.")
    if not data.startswith(b"%PDF-"):
        raise DocumentRefused("This is not a PDF file. Save the approved document as PDF.")
    try:
        reader = PdfReader(io.BytesIO(data))
        is_protected, n_pages = reader.is_encrypted, 0 if reader.is_encrypted else len(reader.pages)
    except Exception:  # whatever a broken file makes the reader say
        raise DocumentRefused("This PDF file is damaged. Save it again.") from None
    if is_protected:
        raise DocumentRefused("This PDF file is protected with a password. Save it without one.")
    if any(name.encode() in data for name in ACTIVE):
        raise DocumentRefused("This PDF file holds scripts or attachments. Save it without them.")
    if not 0 < n_pages <= MOST_PAGES:
        raise DocumentRefused(f"An approved document has 1 to {MOST_PAGES} pages, this file has {n_pages}.")
    return n_pages


@transaction.atomic
def add_version(
    *,
    supersedes: DocumentVersion,
    version: str,
    document_date: date,
    rec_reference: str,
    approved_date: date,
    requires_reconsent: bool,
    statements: list[dict[str, Any]],
    data: bytes,
    by: User,
    at: datetime,
) -> DocumentVersion:
    """Add an approved version with its file; it is used at no site until its dates there are set.

    Args:
        statements: of a consent form; empty keeps those of the version before.

    Raises:
        DocumentRefused: the number is taken, the dates do not fit, two statements share a code, or the file is none.
    """
    same = DocumentVersion.objects.filter(kind=supersedes.kind, language=supersedes.language, version=version)
    if same.exists():
        raise DocumentRefused(f"There is a version {version} already.")
    if document_date <= supersedes.document_date or approved_date < document_date:
        raise DocumentRefused("The document is newer than the one before, and approved on its date or later.")
    said = statements or list(supersedes.statements)
    if len({one["code"] for one in said}) != len(said):
        raise DocumentRefused("Two statements have the same code.")
    content = json.dumps({"title": supersedes.title, "statements": said}, sort_keys=True)
    document = DocumentVersion(
        code=f"{supersedes.kind.upper()}_{supersedes.language}_{version}"[:32],
        kind=supersedes.kind,
        title=supersedes.title,
        version=version,
        language=supersedes.language,
        document_date=document_date,
        rec_reference=rec_reference,
        approved_date=approved_date,
        requires_reconsent=requires_reconsent,
        statements=said,
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
        supersedes=supersedes,
    ).save_by(by)
    upload(document=document, data=data, by=by, at=at)
    return document


@transaction.atomic
def set_use(
    *, document: DocumentVersion, site: Site, from_date: date, to_date: date | None, reason: str, by: User
) -> DocumentUse:
    """From when to when a site uses a version. Days on which it was used already stay inside.

    Raises:
        DocumentRefused: before its approval, ends before it starts, or leaves out a day on which it was used.
        ReasonMissing: dates that are stored would change without a reason.
    """
    if from_date < document.approved_date:
        raise DocumentRefused(f"It was approved on {long_date(document.approved_date)}. It is not in use before.")
    if to_date and to_date < from_date:
        raise DocumentRefused("The last day must be the first day or later.")
    if any(day < from_date or (to_date and day > to_date) for day in _days_used(document, site)):
        raise DocumentRefused("Somebody was given or signed it on a day that these dates leave out.")
    use = DocumentUse.objects.select_for_update(of=("self",)).filter(document=document, site=site).first()
    use = use or DocumentUse(document=document, site=site)
    use.from_date, use.to_date = from_date, to_date
    return use.save_by(by, reason)


def _days_used(document: DocumentVersion, site: Site) -> list[date]:
    given = InformationGiven.objects.filter(document=document, referral__site=site).values_list("given_at", flat=True)
    signed = Consent.objects.filter(form=document, participant__referral__site=site).values_list("signed_at", flat=True)
    return [local_day(moment) for moment in [*given, *signed]]


@transaction.atomic
def load_documents(*, version: ProtocolVersion, by: User | None) -> None:
    """Make the protocol's documents and their dates at sites into rows; what is there already stays."""
    sites = {site.code: site for site in Site.objects.all()}
    for document in version.spec.documents:
        row = DocumentVersion.objects.filter(code=document.code).first() or _new_document(document, by)
        for at in document.sites:
            use = DocumentUse.objects.filter(document=row, site=sites[at.site]).first()
            if use is None:
                DocumentUse(
                    document=row, site=sites[at.site], from_date=at.effective_from, to_date=at.effective_to
                ).save_by(by)
            elif (use.from_date, use.to_date) != (at.effective_from, at.effective_to):
                use.from_date, use.to_date = at.effective_from, at.effective_to
                use.save_by(by, f"Protocol {version.version}")


def _new_document(document: Document, by: User | None) -> DocumentVersion:
    statements = [statement.model_dump(mode="json") for statement in document.statements]
    content = json.dumps({"title": document.title, "statements": statements}, sort_keys=True)
    return DocumentVersion(
        code=document.code,
        kind=document.type,
        title=document.title,
        version=document.version,
        language=document.language,
        document_date=document.date,
        rec_reference=document.rec_reference,
        approved_date=document.approved_on,
        requires_reconsent=document.requires_reconsent,
        statements=statements,
        content_sha256=document.file_sha256 or hashlib.sha256(content.encode()).hexdigest(),
        file_sha256=document.file_sha256 or "",
        supersedes=DocumentVersion.objects.filter(code=document.supersedes).first() if document.supersedes else None,
    ).save_by(by)
