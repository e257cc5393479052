"""A consent on its way on a screen: what was shown, answered and signed before the countersignature; its links."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.base.models import AuditedModel
from trial.consent.evidence_models import SignatureKind
from trial.consent.models import Consent, DocumentVersion, InformationGiven
from trial.messages.models import OutboxMessage
from trial.participants.models import Referral


class ConsentSession(AuditedModel):
    """One person consenting on a screen. It becomes a consent when a delegated taker countersigns, and not before.

    What was signed at `signed_at`, which is the server's time, never changes afterwards (R-31).
    """

    class State(models.TextChoices):
        OPEN = "open", "With the person"
        SIGNED = "signed", "Signed, waits for the countersignature"
        FINISHED = "finished", "Countersigned"
        CANCELLED = "cancelled", "Cancelled"

    change_needs_reason = False
    stops_at_lock = False  # wrong checks are counted after a lock too; the consent itself stops there
    guards = (
        (
            "signed",
            "UPDATE",
            "OLD.signed_at IS NOT NULL AND (NEW.signed_at IS DISTINCT FROM OLD.signed_at"
            " OR NEW.answers IS DISTINCT FROM OLD.answers OR NEW.name_sealed IS DISTINCT FROM OLD.name_sealed"
            " OR NEW.signature_kind IS DISTINCT FROM OLD.signature_kind"
            " OR NEW.signature_sealed IS DISTINCT FROM OLD.signature_sealed)",
            "What was signed never changes",
        ),
        (
            "shown",
            "UPDATE",
            "NEW.referral_id IS DISTINCT FROM OLD.referral_id OR NEW.form_id IS DISTINCT FROM OLD.form_id"
            " OR NEW.information_id IS DISTINCT FROM OLD.information_id OR NEW.method IS DISTINCT FROM OLD.method"
            " OR NEW.form_sha256 IS DISTINCT FROM OLD.form_sha256"
            " OR NEW.information_sha256 IS DISTINCT FROM OLD.information_sha256",
            "A consent on its way stays with its documents",
        ),
        (
            "ended",
            "UPDATE",
            "OLD.state IN ('finished', 'cancelled') AND NEW.state IS DISTINCT FROM OLD.state",
            "A consent that was finished or cancelled is not opened again",
        ),
    )

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="consent_sessions")
    method = models.CharField(
        max_length=20, choices=[(m.value, m.label) for m in Consent.Method if m.value.startswith("econsent")]
    )
    form = models.ForeignKey(DocumentVersion, on_delete=models.PROTECT, related_name="+")
    information = models.ForeignKey(InformationGiven, on_delete=models.PROTECT, related_name="+")
    form_sha256 = models.CharField(max_length=64)
    information_sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    interpreter = models.BooleanField(default=False)
    opened_at = models.DateTimeField("opened", null=True, help_text="When the second check was first passed")
    sheet_opened_at = models.DateTimeField("information sheet opened", null=True)
    n_failed = models.PositiveSmallIntegerField("wrong second checks", default=0)
    last_failed_at = models.DateTimeField(null=True)
    answers = models.JSONField(default=dict)
    name_sealed = models.TextField(blank=True)
    signature_kind = models.CharField(max_length=10, choices=SignatureKind.choices, blank=True)
    signature_sealed = models.TextField(blank=True)
    signed_at = models.DateTimeField(null=True)
    consent = models.OneToOneField(Consent, null=True, on_delete=models.PROTECT, related_name="session")
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "consent on a screen"
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["referral"], condition=Q(state__in=["open", "signed"]), name="one_consent_on_its_way"
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True)
                | (~Q(name_sealed="") & ~Q(signature_sealed="") & Q(signed_at__gte=F("started_at"))),
                name="signed_session_has_name_and_signature",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["signed", "finished"], signed_at__isnull=False)
                | Q(state__in=["open", "cancelled"]),
                name="session_signed_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="finished", consent__isnull=False) | (~Q(state="finished") & Q(consent__isnull=True)),
                name="finished_session_is_a_consent",
            ),
        ]

    def __str__(self) -> str:
        return f"Consent on a screen {self.pk}"


class ConsentLink(AuditedModel):
    """One link to sign, or to take the copy. Only the SHA-256 of its token is stored."""

    class Purpose(models.TextChoices):
        SIGN = "sign", "To read and sign"
        COPY = "copy", "To take the copy"

    change_needs_reason = False
    stops_at_lock = False
    guards = (
        (
            "token",
            "UPDATE",
            "NEW.token_hash IS DISTINCT FROM OLD.token_hash OR NEW.session_id IS DISTINCT FROM OLD.session_id"
            " OR NEW.purpose IS DISTINCT FROM OLD.purpose",
            "A link always opens the same consent",
        ),
        (
            "revoked",
            "UPDATE",
            "OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at",
            "A link that was revoked stays revoked",
        ),
    )

    session = models.ForeignKey(ConsentSession, on_delete=models.PROTECT, related_name="links")
    purpose = models.CharField(max_length=5, choices=Purpose.choices)
    token_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 (hex) of the token")
    message = models.OneToOneField(OutboxMessage, null=True, on_delete=models.PROTECT, related_name="consent_link")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "consent link"
        ordering = ["session_id", "made_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(("token_hash__regex", r"^[0-9a-f]{64}$")), name="consent_link_stores_only_a_hash"
            )
        ]

    def __str__(self) -> str:
        return f"Link {self.pk}"
