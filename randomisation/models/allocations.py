"""Allocations, and what is said of them afterwards. No arm lies here in the clear."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from randomisation.models.base import Guards, Purpose
from randomisation.models.schemes import Revision, Scheme

_APPROVED_LOCK = (
    "SELECT 1 FROM randomisation_eventlog e WHERE e.scheme_id = NEW.scheme_id AND e.event = 'lock'"
    " AND (e.first_approver_id = NEW.by_id OR e.second_approver_id = NEW.by_id)"
)
DUTIES = "Whoever configured the scheme or approved its lock may not randomise"
_CONFIGURED = (
    "SELECT 1 FROM randomisation_revision r WHERE r.scheme_id = NEW.scheme_id AND r.configured_by_id = NEW.by_id"
)


class Allocation(models.Model):
    """One unit allocated, for ever. The arm is in the token only; factors are frozen as they were (BR-24)."""

    append_only = True
    stops_at_lock = True
    guards: ClassVar[Guards] = (
        (
            "duties",
            "INSERT",
            f"NEW.source = 'online' AND (EXISTS ({_APPROVED_LOCK}) OR EXISTS ({_CONFIGURED}))",
            DUTIES,
        ),
    )

    class Source(models.TextChoices):
        """How the allocation was made."""

        ONLINE = "online", "Online"
        BACKUP = "backup", "Emergency envelope"
        RECOVERED = "recovered", "Recovered"

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="allocations")
    seq = models.PositiveBigIntegerField()
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="allocations")
    unit = models.CharField(max_length=64)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.ONLINE)
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    stratum_key = models.TextField(help_text="Key of the list the row came from; with minimisation for information")
    position = models.PositiveIntegerField(null=True, help_text="Empty for a method without lists")
    factors = models.JSONField(help_text="Levels as confirmed at allocation; of the first member")
    batch = models.CharField(max_length=64, blank=True)
    scores_sealed = models.TextField(blank=True, help_text="Minimisation: scores and tie as they were")
    arm_sealed = models.CharField(max_length=255)
    request_key = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    site = models.CharField(max_length=32)
    at = models.DateTimeField(help_text="When it was made, on paper too")
    entered_at = models.DateTimeField(help_text="When the database learned of it")
    engine_version = models.CharField(max_length=40)
    software_version = models.CharField(max_length=40)

    class Meta:
        ordering = ["scheme", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["scheme", "unit"], name="unit_allocated_once"),
            models.UniqueConstraint(fields=["scheme", "seq"], name="seq_used_once"),
            models.UniqueConstraint(
                fields=["scheme", "revision", "purpose", "stratum_key", "position"], name="position_used_once"
            ),
            models.CheckConstraint(condition=Q(seq__gte=1), name="seq_counts_from_one"),
            models.CheckConstraint(condition=Q(position__gte=1), name="position_counts_from_one"),
            models.CheckConstraint(
                condition=Q(purpose=Purpose.MIN, position__isnull=True)
                | Q(purpose__in=(Purpose.LIST, Purpose.BACKUP), position__isnull=False),
                name="only_lists_have_positions",
            ),
            models.CheckConstraint(
                condition=~(Q(unit="") | Q(arm_sealed="") | Q(request_key="")), name="allocation_is_complete"
            ),
        ]

    def __str__(self) -> str:
        return f"Allocation {self.seq}"


class AllocationMember(models.Model):
    """A participant of an allocated unit: one allocation a person in each scheme, for ever (BR-21)."""

    append_only = True
    stops_at_lock = True
    guards: ClassVar[Guards] = (
        (
            "scheme",
            "INSERT",
            "NEW.scheme_id IS DISTINCT FROM"
            " (SELECT a.scheme_id FROM randomisation_allocation a WHERE a.id = NEW.allocation_id)",
            "A member belongs to the scheme of its allocation",
        ),
    )

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="members")
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="+")
    participant = models.ForeignKey("trial.Participant", on_delete=models.PROTECT, related_name="allocation_links")
    place = models.PositiveSmallIntegerField(default=1, help_text="From 1: the lowest participant number first")
    factors = models.JSONField(default=dict, help_text="This member's levels as confirmed at allocation")

    class Meta:
        ordering = ["allocation", "place"]
        constraints = [
            models.UniqueConstraint(fields=["scheme", "participant"], name="participant_allocated_once"),
            models.UniqueConstraint(fields=["allocation", "place"], name="member_place_once"),
        ]

    def __str__(self) -> str:
        return f"Member {self.pk}"


class Placement(models.Model):
    """Where an allocation known only by its arm counts in a minimisation, sealed; it stays there (4.4)."""

    append_only = True

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="placements")
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="placements")
    token = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["revision", "allocation"], name="placed_once")]

    def __str__(self) -> str:
        return f"Placement {self.pk}"

    def __repr__(self) -> str:
        return f"<Placement {self.pk}>"


class AllocationFlag(models.Model):
    """Randomised in error, ineligible, twice: the allocation stands and is marked (9.1, 9.2)."""

    append_only = True

    class Category(models.TextChoices):
        """What went wrong."""

        INELIGIBLE = "ineligible", "Not eligible"
        ERROR = "error", "Randomised in error"
        DUPLICATE = "duplicate", "The same person was allocated twice"

    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="flags")
    category = models.CharField(max_length=12, choices=Category.choices)
    excludes = models.BooleanField(help_text="No longer counted in margins: only a second allocation of one person")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["allocation"], condition=Q(excludes=True), name="excluded_once"),
            models.UniqueConstraint(fields=["allocation", "category"], name="flagged_once_per_category"),
            models.CheckConstraint(
                condition=Q(excludes=False) | Q(category="duplicate"), name="only_duplicates_are_excluded"
            ),
            models.CheckConstraint(condition=~Q(by=models.F("approved_by")), name="flag_by_two_people"),
            models.CheckConstraint(condition=~Q(reason=""), name="flag_says_why"),
        ]

    def __str__(self) -> str:
        return f"Flag {self.pk}"


class FactorCorrection(models.Model):
    """The true levels of one member, beside the frozen ones, which never change (9.3)."""

    append_only = True

    member = models.ForeignKey(AllocationMember, on_delete=models.PROTECT, related_name="corrections")
    factors = models.JSONField(help_text="All levels as they truly were")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(by=models.F("approved_by")), name="correction_by_two_people"),
            models.CheckConstraint(condition=~Q(reason=""), name="correction_says_why"),
        ]

    def __str__(self) -> str:
        return f"Correction {self.pk}"
