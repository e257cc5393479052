"""Versions of information sheets and consent forms, and the consents given on them."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.access.models import Site
from trial.base.models import AuditedModel, AuditedQuerySet, EventModel
from trial.participants.models import Participant, Referral


class DocumentVersion(AuditedModel):
    """One approved version of a document people are given or sign (BR-10)."""

    class Kind(models.TextChoices):
        PIS = "pis", "Information sheet"
        CONSENT = "consent", "Consent form"
        GP_LETTER = "gp_letter", "Letter to the GP"
        REFERRER_LETTER = "referrer_letter", "Letter to the referrer"

    stops_at_lock = False
    guards = (
        (
            "approved",
            "UPDATE",
            "NEW.kind IS DISTINCT FROM OLD.kind OR NEW.version IS DISTINCT FROM OLD.version"
            " OR NEW.content_sha256 IS DISTINCT FROM OLD.content_sha256"
            " OR NEW.file_sha256 IS DISTINCT FROM OLD.file_sha256"
            " OR NEW.statements IS DISTINCT FROM OLD.statements"
            " OR NEW.language IS DISTINCT FROM OLD.language"
            " OR NEW.document_date IS DISTINCT FROM OLD.document_date"
            " OR NEW.rec_reference IS DISTINCT FROM OLD.rec_reference"
            " OR NEW.requires_reconsent IS DISTINCT FROM OLD.requires_reconsent"
            " OR NEW.approved_date IS DISTINCT FROM OLD.approved_date",
            "An approved document never changes",
        ),
    )

    code = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = models.CharField(max_length=120)
    version = models.CharField(max_length=20)
    language = models.CharField(max_length=10, default="en-GB")
    document_date = models.DateField()
    rec_reference = models.CharField(max_length=60)
    approved_date = models.DateField()
    requires_reconsent = models.BooleanField(default=False)
    statements = models.JSONField(default=list, help_text="Of a consent form: code, text, mandatory, purpose")
    content_sha256 = models.CharField(max_length=64)
    file_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the approved file, where the protocol names it"
    )
    supersedes = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="later")

    class Meta:
        ordering = ["kind", "version", "language"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "version", "language"], name="document_version_once"),
            models.CheckConstraint(condition=~Q(rec_reference=""), name="document_has_rec_approval"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version}"


class DocumentFile(EventModel):
    """The approved file of a version: what people are shown, byte for byte (R-31).

    Approved documents name nobody, so the bytes are kept as they are (base64), with their SHA-256. The newest file
    counts; once anybody was given the version, it keeps the file it has.
    """

    guards = (
        (
            "named",
            "INSERT",
            "EXISTS (SELECT 1 FROM trial_documentversion d WHERE d.id = NEW.document_id"
            " AND d.file_sha256 <> '' AND d.file_sha256 <> NEW.sha256)",
            "The file is not the one that the protocol names",
        ),
        (
            "in_use",
            "INSERT",
            "EXISTS (SELECT 1 FROM trial_documentfile f WHERE f.document_id = NEW.document_id)"
            " AND (EXISTS (SELECT 1 FROM trial_informationgiven i WHERE i.document_id = NEW.document_id)"
            " OR EXISTS (SELECT 1 FROM trial_consent c WHERE c.form_id = NEW.document_id))",
            "A document in use keeps its file",
        ),
    )

    document = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="files")
    sha256 = models.CharField(max_length=64)
    n_bytes = models.PositiveIntegerField()
    n_pages = models.PositiveSmallIntegerField()
    content = models.TextField(help_text="The bytes in base64")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()

    class Meta:
        ordering = ["document_id", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["document", "sha256"], name="same_file_once_for_a_document"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_file_has_its_hash"),
        ]

    def __str__(self) -> str:
        return f"File of {self.document_id}"


class DocumentUseQuerySet(AuditedQuerySet["DocumentUse"]):
    """Lookups of the dates between which a site may use a document."""

    def on(self, day: date) -> Self:
        """Uses whose dates include `day`, both ends counted."""
        return self.filter(Q(to_date__isnull=True) | Q(to_date__gte=day), from_date__lte=day)


class DocumentUse(AuditedModel):
    """From when to when a site may use a version."""

    stops_at_lock = False

    document = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="uses")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)

    objects = models.Manager.from_queryset(DocumentUseQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["site_id", "document_id"]
        constraints = [
            models.UniqueConstraint(fields=["document", "site"], name="document_used_once_per_site"),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="document_use_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document} at {self.site}"


class InformationGiven(AuditedModel):
    """An information sheet given to a person (T04)."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="information_given")
    document = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    how = models.CharField(
        max_length=15, choices=[("post", "By post"), ("email", "By e-mail"), ("in_person", "In person")]
    )
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-given_at", "-id"]

    def __str__(self) -> str:
        return f"{self.document} given"


class Consent(AuditedModel):
    """One consent on one version, statement by statement. Re-consent adds a row."""

    class Method(models.TextChoices):
        ECONSENT_IN_PERSON = "econsent_in_person", "In person, on screen"
        ECONSENT_REMOTE = "econsent_remote", "By remote link"
        TELEPHONE_WITNESSED = "telephone_witnessed", "By telephone, witnessed"
        PAPER = "paper", "On paper"

    class State(models.TextChoices):
        VALID = "valid", "Valid"
        SUPERSEDED = "superseded", "Superseded"
        WITHDRAWN = "withdrawn", "Withdrawn"
        VOID = "void", "Void"

    guards = (
        (
            "signed",
            "UPDATE",
            "NEW.participant_id IS DISTINCT FROM OLD.participant_id OR NEW.form_id IS DISTINCT FROM OLD.form_id"
            " OR NEW.information_id IS DISTINCT FROM OLD.information_id OR NEW.method IS DISTINCT FROM OLD.method"
            " OR NEW.statements IS DISTINCT FROM OLD.statements OR NEW.signed_at IS DISTINCT FROM OLD.signed_at"
            " OR NEW.taken_by_id IS DISTINCT FROM OLD.taken_by_id OR NEW.language IS DISTINCT FROM OLD.language"
            " OR NEW.interpreter IS DISTINCT FROM OLD.interpreter OR NEW.comment IS DISTINCT FROM OLD.comment",
            "A signed consent never changes",
        ),
        (
            "ended",
            "UPDATE",
            "OLD.state <> 'valid' AND NEW.state = 'valid'",
            "A consent that has ended is never in force again",
        ),
    )

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="consents")
    form = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="+")
    information = models.ForeignKey(InformationGiven, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=20, choices=Method.choices)
    statements = models.JSONField(help_text='{"1": true}: one answer per statement, none assumed')
    signed_at = models.DateTimeField()
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    witness_name_sealed = models.TextField(blank=True)
    language = models.CharField(max_length=10, default="en-GB")
    interpreter = models.BooleanField(default=False)
    capacity_confirmed = models.BooleanField()
    copy_given_date = models.DateField(null=True)
    comment = models.CharField(max_length=300, blank=True, help_text="Needed when given under 24 hours before (BR-11)")
    state = models.CharField(max_length=15, choices=State.choices, default=State.VALID)

    class Meta:
        ordering = ["-signed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "form"], condition=~Q(state="void"), name="consent_once_per_version"
            ),
            models.UniqueConstraint(
                fields=["participant"], condition=Q(state="valid"), name="one_valid_consent_at_a_time"
            ),
            models.CheckConstraint(condition=Q(capacity_confirmed=True), name="consent_with_capacity"),
        ]

    def __str__(self) -> str:
        return f"Consent on {self.form.version}"
