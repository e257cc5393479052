"""What proves a consent: the signatures as they were made, the sealed PDF, scans of paper, a consultee's advice."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Signature
from trial.base.models import AuditedModel, EventModel
from trial.consent.models import Consent
from trial.participants.models import Participant


class SignatureKind(models.TextChoices):
    """How somebody signed (BR-14)."""

    DRAWN = "drawn", "Drawn"
    TYPED = "typed", "Typed instead of drawn"
    SPOKEN = "spoken", "Spoken, heard by a witness"


class IdentityCheck(models.TextChoices):
    """How the taker knew, for a remote consent, whose it is (R-31)."""

    PHONE = "phone", "By telephone"
    VIDEO = "video", "By video call"
    IN_PERSON = "in_person", "In person"


class CopyHow(models.TextChoices):
    """How the participant got their copy, at once (BR-15)."""

    PRINT = "print", "Printed and handed over, or posted"
    EMAIL = "email", "A link by e-mail"
    CODE = "code", "A code for their own phone"


class ConsentEvidence(EventModel):
    """Both signatures on one consent, and what was shown. Written with the consent, never changed (BR-15).

    Names and signatures are sealed with the person's own key. `content_sha256` covers the consent and this row; the
    taker's signature is bound to it (R-20).
    """

    stops_at_lock = True

    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="evidence")
    form_sha256 = models.CharField(max_length=64, blank=True)
    information_sha256 = models.CharField(max_length=64, blank=True)
    name_sealed = models.TextField()
    signature_kind = models.CharField(max_length=10, choices=SignatureKind.choices)
    signature_sealed = models.TextField(blank=True, help_text="PNG in base64, or the name as typed; sealed")
    witness_heard_at = models.DateTimeField(null=True)
    interpreter_sealed = models.TextField(blank=True)
    identity_check = models.CharField(max_length=10, choices=IdentityCheck.choices, blank=True)
    identity_items = models.JSONField(default=list, help_text="What was compared: two at least")
    identity_checked_date = models.DateField(null=True)
    taker_kind = models.CharField(max_length=10, choices=SignatureKind.choices)
    taker_sealed = models.TextField(blank=True)
    copy_how = models.CharField(max_length=10, choices=CopyHow.choices)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="+")
    content_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(signature_kind="spoken", witness_heard_at__isnull=False)
                | (~Q(signature_kind="spoken") & ~Q(signature_sealed="")),
                name="consent_is_signed_or_witnessed",
            ),
            models.CheckConstraint(
                condition=Q(identity_check="") | Q(identity_checked_date__isnull=False),
                name="identity_check_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"Evidence of {self.consent_id}"


class SealedForm(EventModel):
    """The consent form as PDF, sealed outside the database; `sha256` is that of the file the participant holds."""

    stops_at_lock = True

    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="sealed_form")
    sha256 = models.CharField(max_length=64, unique=True)
    n_bytes = models.PositiveIntegerField()
    stored_as = models.CharField(max_length=40, unique=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="sealed_form_has_its_hash")
        ]

    def __str__(self) -> str:
        return f"Sealed form of {self.consent_id}"


class ConsentScan(EventModel):
    """The scan of a consent form signed on paper, as it was received; sealed outside the database."""

    stops_at_lock = True

    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="scans")
    kind = models.CharField(max_length=5)
    sha256 = models.CharField(max_length=64)
    n_bytes = models.PositiveIntegerField()
    n_pages = models.PositiveSmallIntegerField()
    stored_as = models.CharField(max_length=40, unique=True)
    attached_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    attached_at = models.DateTimeField()

    class Meta:
        ordering = ["attached_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["consent", "sha256"], name="same_scan_once_for_a_consent"),
            models.CheckConstraint(condition=Q(kind__in=["pdf", "png", "jpeg"]), name="consent_scan_is_a_known_kind"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="consent_scan_has_its_hash"),
        ]

    def __str__(self) -> str:
        return f"Scan {self.pk} of consent {self.consent_id}"


class ConsulteeAdvice(AuditedModel):
    """What a consultee advised about somebody who lost capacity, under arrangements the REC approved (BR-16)."""

    class Kind(models.TextChoices):
        PERSONAL = "personal", "Personal consultee: family or friend"
        NOMINATED = "nominated", "Nominated consultee"

    class Advice(models.TextChoices):
        CONTINUE = "continue", "The person would want to go on"
        STOP = "stop", "The person would want to stop"

    stops_at_lock = False  # as loss of capacity itself

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="consultee_advice")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    advice = models.CharField(max_length=10, choices=Advice.choices)
    rec_reference = models.CharField(max_length=60, help_text="Of the approval for consultee arrangements")
    advised_date = models.DateField()
    name_sealed = models.TextField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-advised_date", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(rec_reference=""), name="consultee_arrangements_are_approved")
        ]

    def __str__(self) -> str:
        return f"Consultee's advice {self.pk}"
