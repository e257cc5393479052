"""The register: append-only marks, each with its own key and the mark it replaces (ux.md 4.2)."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from trial.activities.models import Session
from trial.base.models import EventModel, OnceQuerySet
from trial.participants.models import Participant


class MarkQuerySet(OnceQuerySet["Mark"]):
    """Lookups of marks."""

    def current(self) -> Self:
        """The last mark of each chain: what counts for a person at a session."""
        later = Mark.objects.filter(replaces=OuterRef("pk"), is_conflict=False)
        return self.filter(~Exists(later), is_conflict=False)

    def undecided(self) -> Self:
        """Marks that contradict another one and that nobody has decided about since."""
        decided = Mark.objects.filter(
            session=OuterRef("session"), participant=OuterRef("participant"), is_decision=True, pk__gt=OuterRef("pk")
        )
        return self.filter(~Exists(decided), is_conflict=True)


class Mark(EventModel):
    """One tap in a register. A change of mind is a new mark that names the one it replaces.

    A mark that contradicts another one made meanwhile is kept as well, with `is_conflict`, for the
    coordinator to decide: never last writer wins. The others form one chain for each person at a session;
    its last mark is the current one.
    """

    class Status(models.TextChoices):
        FULL = "full", "Here"
        PART = "part", "Here for part"
        ABSENT_TOLD = "absent_told", "Absent, told us"
        ABSENT = "absent", "Absent"
        EXCUSED = "excused", "Excused"
        NOT_STARTED = "not_started", "Not yet started"
        LEFT = "left", "No longer attending"
        OTHER_ARM = "other_arm", "Visitor from another group"

    stops_at_lock = True
    guards = (
        (
            "chain",
            "INSERT",
            "NEW.replaces_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM trial_mark seen WHERE seen.id = NEW.replaces_id"
            " AND seen.session_id = NEW.session_id AND seen.participant_id = NEW.participant_id)",
            "A mark replaces one of the same person at the same session",
        ),
    )

    key = models.UUIDField(unique=True, default=uuid.uuid4, help_text="Made by the phone, sent again until answered")
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="marks")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="marks")
    status = models.CharField(max_length=12, choices=Status.choices)
    minutes = models.PositiveSmallIntegerField(null=True, help_text="Minutes attended, where only part was")
    companion = models.BooleanField(default=False)
    absence_reason = models.CharField(max_length=40, blank=True, help_text="Code of the protocol's list")
    replaces = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    is_conflict = models.BooleanField(default=False)
    is_decision = models.BooleanField(default=False, help_text="The coordinator's, between marks that contradict")
    reason = models.CharField(max_length=200, blank=True, help_text="Why a finished register changes (BR-63)")
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    captured_at = models.DateTimeField(help_text="By the device's clock; never trusted as entry time")
    received_at = models.DateTimeField()
    is_late = models.BooleanField(default=False)
    paper_by = models.CharField(max_length=100, blank=True, help_text="Recorded on paper by")

    objects = models.Manager.from_queryset(MarkQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["received_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "participant"],
                condition=Q(replaces__isnull=True, is_conflict=False),
                name="one_first_mark",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=Q(is_conflict=False), name="a_mark_is_replaced_once"
            ),
            models.CheckConstraint(
                condition=Q(status="part", minutes__isnull=False, minutes__gte=1)
                | (~Q(status="part") & Q(minutes__isnull=True)),
                name="part_attendance_has_minutes",
            ),
            models.CheckConstraint(
                condition=Q(is_decision=False) | (~Q(reason="") & Q(is_conflict=False)), name="decision_has_a_reason"
            ),
        ]
        indexes = [models.Index(fields=["session", "participant"])]

    def __str__(self) -> str:
        return f"{self.participant}: {self.get_status_display()}"
