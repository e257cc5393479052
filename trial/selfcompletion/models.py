"""What a participant is sent to answer at home: one visit's questionnaires, and the links that open them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.base.models import AuditedModel
from trial.messages.models import OutboxMessage
from trial.schedule.models import Visit


class SelfCompletion(AuditedModel):
    """One visit answered by the participant alone: every questionnaire of it that may be answered online.

    Failed second checks are counted here and not on a link, so that a second link gives no further tries.
    """

    stops_at_lock = False  # links are revoked and tries counted also while the answers themselves are locked
    guards = (
        (
            "visit",
            "UPDATE",
            "NEW.visit_id IS DISTINCT FROM OLD.visit_id",
            "Answers by link stay with their visit",
        ),
    )

    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, related_name="self_completion")
    opened_at = models.DateTimeField("opened", null=True, help_text="When the second check was first passed")
    submitted_at = models.DateTimeField("sent", null=True)
    bounced_at = models.DateTimeField("e-mail came back", null=True, help_text="When that was found")
    n_failed = models.PositiveSmallIntegerField(
        "wrong second checks", default=0, help_text="Since the last right one, or the last link sent by hand"
    )
    last_failed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "questionnaires by link"
        ordering = ["visit_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | Q(opened_at__isnull=False, submitted_at__gte=F("opened_at")),
                name="answers_by_link_sent_after_opening",
            ),
            models.CheckConstraint(
                condition=Q(n_failed=0) | Q(last_failed_at__isnull=False), name="failed_checks_say_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.visit} by link"


class SelfCompletionLink(AuditedModel):
    """One link. Only the SHA-256 of its token is stored: whoever reads the database can open nothing (ux.md 4.3)."""

    stops_at_lock = False
    guards = (
        (
            "token",
            "UPDATE",
            "NEW.token_hash IS DISTINCT FROM OLD.token_hash"
            " OR NEW.self_completion_id IS DISTINCT FROM OLD.self_completion_id",
            "A link always opens the same questionnaires",
        ),
        (
            "revoked",
            "UPDATE",
            "OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at",
            "A link that was revoked stays revoked",
        ),
    )

    self_completion = models.ForeignKey(SelfCompletion, on_delete=models.PROTECT, related_name="links")
    token_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 (hex) of the token")
    message = models.OneToOneField(OutboxMessage, null=True, on_delete=models.PROTECT, related_name="link")
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "questionnaire link"
        ordering = ["self_completion_id", "made_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(("token_hash__regex", r"^[0-9a-f]{64}$")), name="link_stores_only_a_hash"
            ),
            models.CheckConstraint(
                condition=Q(revoked_by__isnull=True) | Q(revoked_at__isnull=False), name="revoked_link_says_when"
            ),
        ]

    def __str__(self) -> str:
        return f"Link {self.pk} to {self.self_completion}"
