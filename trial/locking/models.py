"""Data cuts and locks of the dataset (BR-65, BR-66, R-40)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.base.models import AuditedModel, EventModel
from trial.base.words import clock_time, long_date

_MOVES = (
    "asked>locked",
    "asked>refused",
    "locked>unlock_asked",
    "unlock_asked>locked",
    "unlock_asked>unlocked",
)
_MOVES_SQL = ", ".join(f"'{move}'" for move in _MOVES)


class DatasetLock(AuditedModel):
    """A named data cut, or the final lock: asked for by one person and agreed by another.

    While a final lock is in state `locked`, triggers refuse changes on every path (trial.base.triggers).
    """

    class Kind(models.TextChoices):
        CUT = "cut", "Data cut"
        FINAL = "final", "Final lock"

    class State(models.TextChoices):
        ASKED = "asked", "Waiting for the second person"
        LOCKED = "locked", "Locked"
        UNLOCK_ASKED = "unlock_asked", "Unlock waiting for the second person"
        UNLOCKED = "unlocked", "Unlocked"
        REFUSED = "refused", "Not agreed"
        CUT = "cut", "Cut made"

    stops_at_lock = False
    guards = (
        (
            "code",
            "UPDATE",
            "NEW.code IS DISTINCT FROM OLD.code OR NEW.kind IS DISTINCT FROM OLD.kind"
            " OR NEW.asked_by_id IS DISTINCT FROM OLD.asked_by_id",
            "The code, kind and asker of a lock never change",
        ),
        (
            "state",
            "UPDATE",
            f"NEW.state IS DISTINCT FROM OLD.state AND OLD.state || '>' || NEW.state NOT IN ({_MOVES_SQL})",
            "A lock does not move this way",
        ),
        (
            "agreed",
            "UPDATE",
            "OLD.state <> 'asked' AND (NEW.agreed_by_id IS DISTINCT FROM OLD.agreed_by_id"
            " OR NEW.locked_at IS DISTINCT FROM OLD.locked_at OR NEW.data_through IS DISTINCT FROM OLD.data_through"
            " OR NEW.reason IS DISTINCT FROM OLD.reason)",
            "What was agreed to never changes",
        ),
    )

    code = models.CharField(max_length=12, unique=True, help_text="L001 for a lock, C001 for a cut")
    name = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=15, choices=State.choices)
    reason = models.TextField()
    data_through = models.DateField(help_text="Last day whose data are in it")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    locked_at = models.DateTimeField(null=True)
    unlock_reason = models.TextField(blank=True)
    unlock_asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    unlock_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    unlocked_at = models.DateTimeField(null=True)
    checks = models.JSONField(default=list, help_text="Readiness as it was at the lock")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind="final", state__in=["asked", "locked", "unlock_asked"]),
                name="one_final_lock_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True) | ~Q(agreed_by=models.F("asked_by")), name="lock_takes_two_people"
            ),
            models.CheckConstraint(
                condition=Q(unlock_agreed_by__isnull=True) | ~Q(unlock_agreed_by=models.F("unlock_asked_by")),
                name="unlock_takes_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(kind="final", state__in=["locked", "unlock_asked", "unlocked"])
                | Q(agreed_by__isnull=False, locked_at__isnull=False),
                name="final_lock_was_agreed",
            ),
            models.CheckConstraint(
                condition=~Q(state="unlocked") | (Q(unlock_agreed_by__isnull=False) & ~Q(unlock_reason="")),
                name="unlock_was_agreed_with_a_reason",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="lock_has_a_reason"),
        ]

    def __str__(self) -> str:
        return self.code


class CheckRun(EventModel):
    """One run of a check that reads everything, with what it found."""

    code = models.CharField(max_length=40)
    ran_at = models.DateTimeField()
    met = models.BooleanField()
    text = models.CharField(max_length=200)
    todo = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["ran_at", "id"]
        indexes = [models.Index(fields=["code", "ran_at"])]

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"

    @property
    def summary(self) -> str:
        """What it found and when, in words."""
        return f"{self.text}. Ran {long_date(self.ran_at)}, {clock_time(self.ran_at)}"
