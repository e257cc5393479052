"""Documents with their approvals, consent statements, consent rules and the support page."""

from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.fields import (
    SHA256,
    Code,
    Count,
    Day,
    Language,
    Line,
    Part,
    Phone,
    SiteCode,
    Text,
    VersionNumber,
)

DocumentType = Literal["pis", "consent", "gp_letter", "referrer_letter"]
ConsentMethod = Literal["paper", "econsent_in_person", "econsent_remote", "telephone_witnessed"]


class DocumentAtSite(Part):
    """When one site may use a document: both days included, without end while `effective_to` is null."""

    site: SiteCode
    effective_from: Day
    effective_to: Day | None = None


class Statement(Part):
    """One statement of a consent form, agreed or refused by itself and never answered in advance (BR-12)."""

    code: Code
    text: Text
    mandatory: bool
    purpose: Line


class Document(Part):
    """One version of a document in one language, with its approval and the sites that use it (BR-10)."""

    code: Code
    type: DocumentType
    title: Line
    version: VersionNumber
    date: Day
    language: Language
    rec_reference: Line
    approved_on: Day
    supersedes: Code | None = None
    requires_reconsent: bool
    file_sha256: Annotated[str, Field(pattern=SHA256)] | None = None
    sites: Annotated[tuple[DocumentAtSite, ...], Field(min_length=1)]
    statements: tuple[Statement, ...] = ()


class ConsentRules(Part):
    """Time to decide, ways of consenting, and whether a typed signature may stand in for a drawn one."""

    min_hours: Count
    methods: Annotated[tuple[ConsentMethod, ...], Field(min_length=1)]
    typed_signature_allowed: bool


class SupportCall(Part):
    """One number of the support page, as said and as dialled."""

    label: Line
    number: Phone
    purpose: Line
    emergency: bool


class SupportPage(Part):
    """Approved words shown at once after an answer that raises an alert (BR-50). They never name an arm."""

    version: VersionNumber
    language: Language
    heading: Line
    lead: Text
    calls: Annotated[tuple[SupportCall, ...], Field(min_length=1)]
    closing: Text
