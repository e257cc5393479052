"""Schemes, sealed lists, allocations and the log of every event (randomisation.md sections 8 and 16).

No table holds an arm in the clear. Class attributes `append_only`, `never_delete`, `stops_at_lock` and
`guards` ask for triggers, which the site installs after every migration.
"""

import json
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

Guards = tuple[tuple[str, str, str, str], ...]


def _changes(*columns: str) -> str:
    """SQL that holds when one of `columns` changes."""
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


class State(models.TextChoices):
    """Where a revision stands in its life (section 10); a scheme stands where its revision in force does."""

    LOCKED = "locked", "Locked"
    OPEN = "open", "Open"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"


IN_FORCE = (State.OPEN, State.PAUSED)


def _rank(row: str) -> str:
    """SQL for how far the state of `row` is along its life; open and paused may alternate."""
    return f"CASE {row}.state WHEN 'locked' THEN 0 WHEN 'closed' THEN 2 ELSE 1 END"


class Purpose(models.TextChoices):
    """Which list a row belongs to (2.1)."""

    LIST = "list", "Main list"
    BACKUP = "backup", "Emergency list"


class Scheme(models.Model):
    """One randomisation question of the trial. Its row is locked first by everything that changes it."""

    never_delete = True
    guards: ClassVar[Guards] = (
        ("code", "UPDATE", _changes("code"), "The code of a scheme never changes"),
        (
            "next_seq",
            "UPDATE",
            "NEW.next_seq < OLD.next_seq OR NEW.next_seq > OLD.next_seq + 1",
            "Allocations are counted one by one",
        ),
    )

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=200)
    next_seq = models.PositiveBigIntegerField(default=1)
    opens_date = models.DateField(null=True, blank=True, help_text="First local day of allocation")
    closes_date = models.DateField(null=True, blank=True, help_text="Last local day of allocation")
    ceiling = models.PositiveIntegerField(null=True, blank=True, help_text="Most allocations to make")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(next_seq__gte=1), name="scheme_counts_from_one"),
            models.CheckConstraint(
                condition=Q(opens_date__isnull=True)
                | Q(closes_date__isnull=True)
                | Q(closes_date__gte=F("opens_date")),
                name="scheme_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def revision_in_force(self) -> "Revision | None":
        """The revision that is open or paused, if any."""
        return self.revisions.filter(state__in=IN_FORCE).first()

    @property
    def state(self) -> str:
        """`draft` before the first lock, then the state of the revision in force, else of the newest."""
        revision = self.revision_in_force or self.revisions.order_by("-number").first()
        return str(revision.state) if revision else "draft"


class Revision(models.Model):
    """The locked parameters of a scheme, with a secret and a data key of their own.

    Secret, contribution and full parameters are tokens; only the wrapped data key is replaced when the key
    list is rotated (6.2).
    """

    never_delete = True
    guards: ClassVar[Guards] = (
        (
            "locked",
            "UPDATE",
            _changes(
                "scheme_id",
                "number",
                "params_public",
                "params_sealed",
                "secret_sealed",
                "commitment",
                "locked_at",
                "locked_by_id",
            ),
            "A locked revision never changes",
        ),
        (
            "contribution",
            "UPDATE",
            f"OLD.contribution_sealed <> '' AND ({_changes('contribution_sealed')})",
            "A contribution is recorded once",
        ),
        ("state", "UPDATE", f"{_rank('NEW')} < {_rank('OLD')}", "A revision never goes back"),
    )

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.LOCKED)
    params_public = models.JSONField(help_text="Everything but sizes and limits")
    params_sealed = models.TextField()
    secret_sealed = models.TextField()
    contribution_sealed = models.TextField(blank=True, help_text="Blank until the contribution is known")
    data_key_wrapped = models.TextField()
    commitment = models.CharField(max_length=64)
    locked_at = models.DateTimeField()
    locked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "number"], name="revision_number_once_per_scheme"),
            models.UniqueConstraint(fields=["scheme"], condition=Q(state__in=IN_FORCE), name="one_revision_in_force"),
            models.CheckConstraint(condition=Q(number__gte=1), name="revision_counts_from_one"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="revision_state_known"),
            models.CheckConstraint(
                condition=~(Q(params_sealed="") | Q(secret_sealed="") | Q(data_key_wrapped="") | Q(commitment="")),
                name="revision_is_sealed",
            ),
            models.CheckConstraint(
                condition=Q(state=State.LOCKED) | ~Q(contribution_sealed=""),
                name="revision_in_use_has_its_lists",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme}, revision {self.number}"

    def __repr__(self) -> str:
        return f"<Revision {self.pk}>"


class StratumCursor(models.Model):
    """How far one list has been used. Locked after the scheme's row, in that order always (8.1)."""

    never_delete = True
    guards: ClassVar[Guards] = (
        ("list", "UPDATE", _changes("revision_id", "purpose", "key"), "A list keeps its name"),
        (
            "position",
            "UPDATE",
            "NEW.next_position < OLD.next_position OR NEW.next_position > OLD.next_position + 1"
            " OR NEW.n_rows < OLD.n_rows OR NEW.rows_requested < OLD.rows_requested",
            "Rows are used one by one and never given back",
        ),
    )

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="cursors")
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    key = models.TextField(help_text="Stratum key; for an emergency list its site's")
    next_position = models.PositiveIntegerField(default=1)
    rows_requested = models.PositiveIntegerField()
    n_rows = models.PositiveIntegerField(default=0, help_text="None until the seed is known")
    fingerprint = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "purpose", "key"], name="one_cursor_per_list"),
            models.CheckConstraint(condition=Q(next_position__gte=1), name="cursor_counts_from_one"),
            models.CheckConstraint(condition=Q(next_position__lte=F("n_rows") + 1), name="cursor_stays_on_its_list"),
        ]

    def __str__(self) -> str:
        return f"List {self.pk}"

    @property
    def fingerprint_key(self) -> str:
        """The key under which this list's fingerprint is made and shown (2.1)."""
        return self.key if self.purpose == Purpose.LIST else f"{Purpose.BACKUP}:{self.key}"


class SealedRow(models.Model):
    """One row of a list: a token of constant length that opens in its own place only (6.2)."""

    append_only = True

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="rows")
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    key = models.TextField()
    position = models.PositiveIntegerField()
    token = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "purpose", "key", "position"], name="one_row_per_position"),
            models.CheckConstraint(condition=Q(position__gte=1), name="row_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"Row {self.pk}"

    def __repr__(self) -> str:
        return f"<SealedRow {self.pk}>"


class Allocation(models.Model):
    """One unit allocated, for ever. The arm is in the token only; factors are frozen as they were (BR-24)."""

    append_only = True
    stops_at_lock = True

    class Source(models.TextChoices):
        """How the allocation was made."""

        ONLINE = "online", "Online"

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="allocations")
    seq = models.PositiveBigIntegerField()
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="allocations")
    unit = models.CharField(max_length=64)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.ONLINE)
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    stratum_key = models.TextField(help_text="Key of the list the row came from")
    position = models.PositiveIntegerField(null=True, help_text="Empty for a method without lists")
    factors = models.JSONField(help_text="Levels as confirmed at allocation")
    arm_sealed = models.CharField(max_length=255)
    request_key = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    site = models.CharField(max_length=32)
    at = models.DateTimeField()
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
                condition=~(Q(unit="") | Q(arm_sealed="") | Q(request_key="")), name="allocation_is_complete"
            ),
        ]

    def __str__(self) -> str:
        return f"Allocation {self.seq}"


class AllocationMember(models.Model):
    """A participant of an allocated unit: one allocation a person, for ever (BR-21)."""

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

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "participant"], name="participant_allocated_once"),
        ]

    def __str__(self) -> str:
        return f"Member {self.pk}"


class EventLog(models.Model):
    """One entry of a scheme's hash-linked log: no arm, no participant (8.6)."""

    append_only = True

    class Event(models.TextChoices):
        """What happened."""

        LOCK = "lock", "Locked"
        CONTRIBUTION = "contribution", "Contribution recorded"
        OPEN = "open", "Opened"
        PAUSE = "pause", "Paused"
        CLOSE = "close", "Closed"
        ALLOCATE = "allocate", "Allocated"
        EXTEND = "extend", "Lists extended"
        REFUSED = "refused", "Refused"

    TWO_APPROVALS: ClassVar[tuple[str, ...]] = (Event.LOCK, Event.EXTEND)

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="events")
    n = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    event = models.CharField(max_length=12, choices=Event.choices)
    seq = models.PositiveBigIntegerField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    first_approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    second_approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    entry = models.TextField(help_text="Canonical JSON, the bytes that the digest covers")
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["scheme", "n"]
        constraints = [
            models.UniqueConstraint(fields=["scheme", "n"], name="event_number_once_per_scheme"),
            models.CheckConstraint(condition=Q(n__gte=1), name="events_count_from_one"),
            models.CheckConstraint(
                condition=Q(first_approver__isnull=True, second_approver__isnull=True)
                | Q(first_approver__isnull=False, second_approver__isnull=False)
                & ~Q(first_approver=F("second_approver")),
                name="approvers_are_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(event__in=("lock", "extend")) | Q(first_approver__isnull=False),
                name="event_has_its_approvals",
            ),
        ]

    def __str__(self) -> str:
        return f"Event {self.n}"

    @property
    def facts(self) -> dict[str, Any]:
        """The facts inside the entry."""
        return dict(json.loads(self.entry)["facts"])


class ArmAccessLog(models.Model):
    """Who had arms decrypted, when and what for: one allocation, or all of a scheme for an export."""

    append_only = True

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="arm_accesses")
    allocation = models.ForeignKey(Allocation, null=True, on_delete=models.PROTECT, related_name="arm_accesses")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    n_arms = models.PositiveIntegerField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="arm_access_says_why")]

    def __str__(self) -> str:
        return f"Arm access {self.pk}"
