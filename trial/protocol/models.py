"""Versions of the protocol, and when each site may use them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.access.models import Site
from trial.base.models import AuditedModel
from trial.protocol.spec import ProtocolSpec
from trial.protocol.spec.protocol import stored_spec


class ProtocolVersion(AuditedModel):
    """One version of the protocol as configuration. Data point to the version they arose under (R-28).

    `content` is the file as canonical JSON without its restricted parameters, which only
    `restricted_sealed` holds (BR-22); `content_sha256` is the hash of `content`. Of an active version only the
    wrapping of `restricted_key` may change.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        SUPERSEDED = "superseded", "Superseded"

    stops_at_lock = False
    untracked = ("restricted_key",)
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "frozen",
            "UPDATE",
            "OLD.status IS DISTINCT FROM 'draft' AND (NEW.content IS DISTINCT FROM OLD.content"
            " OR NEW.content_sha256 IS DISTINCT FROM OLD.content_sha256"
            " OR NEW.restricted_sealed IS DISTINCT FROM OLD.restricted_sealed"
            " OR (NEW.restricted_key = '') IS DISTINCT FROM (OLD.restricted_key = '')"
            " OR NEW.study_code IS DISTINCT FROM OLD.study_code"
            " OR NEW.version IS DISTINCT FROM OLD.version"
            " OR NEW.protocol_date IS DISTINCT FROM OLD.protocol_date"
            " OR NEW.activated_at IS DISTINCT FROM OLD.activated_at)",
            "An active protocol version never changes",
        ),
        (
            "forward",
            "UPDATE",
            "(OLD.status = 'draft' AND NEW.status = 'superseded')"
            " OR (OLD.status = 'active' AND NEW.status = 'draft')"
            " OR (OLD.status = 'superseded' AND NEW.status IS DISTINCT FROM 'superseded')",
            "A protocol version goes from draft to active to superseded, never back",
        ),
    )

    study_code = models.CharField(max_length=16)
    version = models.CharField(max_length=20)
    protocol_date = models.DateField()
    content = models.TextField()
    content_sha256 = models.CharField(max_length=64)
    restricted_sealed = models.TextField(blank=True)
    restricted_key = models.TextField(blank=True, help_text="Data key of the token before, wrapped by the key list")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    loaded_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-protocol_date", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["study_code", "version"], name="protocol_version_once"),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="active"), name="one_active_protocol_version"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", activated_at__isnull=True)
                | Q(status__in=["active", "superseded"], activated_at__isnull=False),
                name="protocol_version_activated_once_not_draft",
            ),
        ]

    def __str__(self) -> str:
        return self.version

    @property
    def spec(self) -> ProtocolSpec:
        """The content, parsed once for each content that this process meets."""
        return stored_spec(self.content)


class SiteApproval(AuditedModel):
    """From when a site may use a protocol version, by its own approval (R-28)."""

    stops_at_lock = False
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "same",
            "UPDATE",
            "NEW.version_id IS DISTINCT FROM OLD.version_id OR NEW.site_id IS DISTINCT FROM OLD.site_id",
            "A site approval stays with its site and its version",
        ),
    )

    version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="approvals")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="protocol_approvals")
    approved_date = models.DateField()
    effective_date = models.DateField()

    class Meta:
        ordering = ["site_id", "effective_date", "id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "site"], name="protocol_approved_once_per_site"),
            models.CheckConstraint(
                condition=Q(effective_date__gte=F("approved_date")), name="protocol_effective_after_approval"
            ),
        ]

    def __str__(self) -> str:
        return f"Protocol {self.version} at {self.site}"
