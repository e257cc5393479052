"""Canonical files of cuts and locks, releases made from them, their downloads, and the unblinding."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from exports.variants import VARIANTS
from trial.access.models import User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet, EventModel
from trial.locking.models import DatasetLock

REVEALING = tuple(sorted(code for code, variant in VARIANTS.items() if variant.reveals_allocation))
_REVEALS_TOO_EARLY = (
    "NEW.variant IN ('allocation', 'unblinded') AND (NOT EXISTS"
    " (SELECT 1 FROM exports_unblinding u WHERE u.agreed_at IS NOT NULL) OR NOT EXISTS"
    " (SELECT 1 FROM trial_datasetlock l WHERE l.id = NEW.lock_id AND l.kind = 'final'))"
)


class JobState(models.TextChoices):
    """Where a long job stands; the codes of `trial.base.statuses.JOB`."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class CanonicalFile(AuditedModel):
    """The data of one cut or lock, stored once. Everything released from it is written from this file.

    `counts` holds what a page may say without opening it; `wrapped_key` opens the part that reveals allocation.
    """

    stops_at_lock = False
    change_needs_reason = False
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "stored",
            "UPDATE",
            "OLD.sha256 <> '' AND (NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.lock_id IS DISTINCT FROM OLD.lock_id"
            " OR NEW.stored_as IS DISTINCT FROM OLD.stored_as OR NEW.state IS DISTINCT FROM OLD.state)",
            "The data of a lock are stored once",
        ),
    )

    lock = models.OneToOneField(DatasetLock, on_delete=models.PROTECT, related_name="canonical")
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.WAITING)
    sha256 = models.CharField(max_length=64, blank=True)
    stored_as = models.CharField(max_length=200, blank=True, help_text="Below the folder of releases")
    n_bytes = models.PositiveBigIntegerField(default=0)
    wrapped_key = models.TextField(blank=True)
    counts = models.JSONField(default=dict)
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="done") | (~Q(sha256="") & Q(written_at__isnull=False)),
                name="canonical_file_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"Data of {self.lock}"

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(settings.RELEASE_DIR) / self.stored_as


class ReleaseQuerySet(AuditedQuerySet["Release"]):
    """Lookups of releases."""

    def visible_to(self, user: User) -> Self:
        """Those that the person may know of: nothing that reveals or masks allocation for a blinded one (BR-26)."""
        if not user.access.may(Action.VIEW_RELEASES):
            return self.none()
        return self.filter(variant__in=variants_for(user))


def variants_for(user: User) -> list[str]:
    """Codes of the variants whose existence the person may know of."""
    return [code for code, one in VARIANTS.items() if not one.is_hidden or user.access.may(one.needs)]


class Release(AuditedModel):
    """One variant of one cut or lock as a zip. It stays as it was built and can always be fetched again (BR-66)."""

    stops_at_lock = False
    change_needs_reason = False
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "built",
            "UPDATE",
            "OLD.sha256 <> '' AND (NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.lock_id IS DISTINCT FROM OLD.lock_id"
            " OR NEW.variant IS DISTINCT FROM OLD.variant OR NEW.stored_as IS DISTINCT FROM OLD.stored_as"
            " OR NEW.state IS DISTINCT FROM OLD.state)",
            "A release that was built never changes",
        ),
        (
            "unblinding",
            "INSERT",
            _REVEALS_TOO_EARLY,
            "A release that reveals allocation needs a final lock and a recorded unblinding",
        ),
    )

    lock = models.ForeignKey(DatasetLock, on_delete=models.PROTECT, related_name="releases")
    variant = models.CharField(max_length=12, choices=[(v.code, v.label) for v in VARIANTS.values()])
    options = models.JSONField(default=dict)
    software = models.CharField(max_length=100, help_text="Version and commit of the code that writes it")
    build_key = models.CharField(max_length=64, unique=True, help_text="Lock, variant, options and code")
    purpose = models.CharField(max_length=300)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.WAITING)
    file_name = models.CharField(max_length=120, blank=True)
    stored_as = models.CharField(max_length=200, blank=True, help_text="Below the folder of releases")
    sha256 = models.CharField(max_length=64, blank=True)
    content_sha256 = models.CharField(max_length=64, blank=True)
    n_bytes = models.PositiveBigIntegerField(default=0)
    n_files = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    changes = models.JSONField(null=True, help_text="Against the lock before, by table")
    acceptance = models.JSONField(default=list, help_text="What was tested before it was offered, and how it went")
    built_at = models.DateTimeField(null=True)
    rebuilt_at = models.DateTimeField(null=True)
    rebuilt_equal = models.BooleanField(null=True)
    error = models.TextField(blank=True)

    objects = models.Manager.from_queryset(ReleaseQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="done") | (~Q(sha256="") & Q(built_at__isnull=False)), name="release_is_whole"
            ),
            models.CheckConstraint(condition=~Q(purpose=""), name="release_has_a_purpose"),
            models.CheckConstraint(condition=Q(variant__in=list(VARIANTS)), name="release_variant_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.lock.code}, {VARIANTS[self.variant].in_a_sentence}"

    @property
    def path(self) -> Path:
        """Where the zip lies."""
        return Path(settings.RELEASE_DIR) / self.stored_as

    @property
    def reveals_allocation(self) -> bool:
        """Whether it names arms."""
        return VARIANTS[self.variant].reveals_allocation

    @property
    def is_masked(self) -> bool:
        """Whether it shows arms as letters."""
        return VARIANTS[self.variant].masked

    @property
    def needs(self) -> Action:
        """What somebody must be allowed in order to download it."""
        return VARIANTS[self.variant].needs

    @property
    def formats(self) -> list[str]:
        """Names of the formats inside."""
        named: Mapping[str, list[str]] = self.counts
        return list(named.get("formats", []))


class Download(EventModel):
    """One release fetched by one person: when, for what, and which bytes (R-07)."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="downloads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    purpose = models.CharField(max_length=300)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.release} fetched by {self.by}"


class Unblinding(AuditedModel):
    """The decision that arms may be released: asked by one person, agreed by another (BR-67)."""

    stops_at_lock = False
    change_needs_reason = False
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "agreed",
            "UPDATE",
            "OLD.agreed_at IS NOT NULL OR NEW.asked_by_id IS DISTINCT FROM OLD.asked_by_id"
            " OR NEW.plan IS DISTINCT FROM OLD.plan OR NEW.lock_id IS DISTINCT FROM OLD.lock_id",
            "An unblinding is recorded once",
        ),
    )

    lock = models.ForeignKey(DatasetLock, on_delete=models.PROTECT, related_name="unblindings")
    plan = models.CharField(max_length=200, help_text="The signed analysis plan: title, version, date")
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True) | ~Q(agreed_by=F("asked_by")), name="unblinding_takes_two_people"
            ),
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True, agreed_at__isnull=True)
                | Q(agreed_by__isnull=False, agreed_at__isnull=False),
                name="unblinding_says_who_and_when",
            ),
            models.CheckConstraint(condition=~Q(plan="") & ~Q(reason=""), name="unblinding_names_the_plan"),
            models.UniqueConstraint(
                fields=["lock"], condition=Q(agreed_at__isnull=True), name="one_open_unblinding_per_lock"
            ),
        ]

    def __str__(self) -> str:
        return f"Unblinding at {self.lock}"
