"""What every table of the trial shares: a history, a person behind each change, and leaf hashes."""

import hashlib
import json
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar
from uuid import UUID

from django.db import connection, models, transaction
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords

from trial.base.errors import NeverDeleted, ReasonMissing, TrialError

if TYPE_CHECKING:
    from trial.access.models import User


class Unattributed(TrialError):
    """A row of an audited table was about to be written without saying who writes it."""

    def __init__(self) -> None:
        super().__init__("Every change needs a person or the system behind it.")


class AuditSeal(models.Model):
    """A Merkle root over the leaves written since the last seal, chained to that seal."""

    append_only = True

    number = models.PositiveIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    n_leaves = models.PositiveIntegerField()
    root = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the previous digest and this root")

    def __str__(self) -> str:
        return f"Seal {self.number}"


class AuditLeaf(models.Model):
    """SHA-256 of one history or event row, written in the same transaction as that row."""

    never_delete = True
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        (
            "leaf",
            "UPDATE",
            "OLD.seal_id IS NOT NULL OR NEW.sha256 IS DISTINCT FROM OLD.sha256"
            " OR NEW.table_name IS DISTINCT FROM OLD.table_name OR NEW.row_id IS DISTINCT FROM OLD.row_id",
            "The hash of an audit entry never changes",
        ),
    )

    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    seal = models.ForeignKey(AuditSeal, null=True, on_delete=models.PROTECT, related_name="leaves")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table_name", "row_id"], name="one_leaf_per_row")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(seal__isnull=True), name="unsealed_leaves"),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_id}"


waiting: ContextVar[list[models.Model] | None] = ContextVar("waiting", default=None)
"""Rows of history and events to insert, written together at the end of what gathers them."""
_LEAF = f"INSERT INTO {AuditLeaf._meta.db_table} (table_name, row_id, sha256) VALUES (%s, %s, %s)"  # noqa: S608


def plain(value: Any) -> Any:
    """A field's value as JSON can say it: dates ISO 8601, moments in UTC to the microsecond."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def canonical(row: models.Model) -> str:
    """One row as canonical JSON: its table, then every stored field under its column's name."""
    fields = {f.attname: plain(f.to_python(getattr(row, f.attname))) for f in row._meta.concrete_fields}
    return json.dumps({"table": row._meta.db_table, "row": fields}, sort_keys=True, separators=(",", ":"))


def leaf_hash(row: models.Model) -> str:
    """SHA-256 (hex) of the canonical row."""
    return hashlib.sha256(canonical(row).encode("ascii")).hexdigest()


def write_leaves(rows: Iterable[models.Model]) -> None:
    """Store the leaves of rows. Written out, because one follows every row: the ORM takes four times as long."""
    with connection.cursor() as cursor:
        cursor.executemany(_LEAF, [(row._meta.db_table, row.pk, leaf_hash(row)) for row in rows])


class AuditRow(models.Model):
    """What each history row holds beside the record's own columns: the role in which it was changed."""

    append_only = True

    history_role = models.CharField(max_length=40, default="system")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row, or keep it waiting (trial.base.gathering)."""
        if (entries := waiting.get()) is None:
            super().save(*args, **kwargs)
        else:
            entries.append(self)


M = TypeVar("M", bound=models.Model, covariant=True)


class AuditedQuerySet(models.QuerySet[M]):
    """Refuses the bulk paths that would write without history."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused: history hangs on saving one row at a time."""
        raise Unattributed

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused, as update()."""
        raise Unattributed

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused, as update()."""
        raise Unattributed

    def delete(self) -> NoReturn:
        """Refused: nothing of the trial is deleted."""
        raise NeverDeleted


class RowsOfHistory(HistoryManager):  # type: ignore[misc]
    """The library's manager, whose class is made once: it is asked for at every save, and making it takes a while."""

    @classmethod
    @cache
    def from_queryset(cls, queryset_class: Any, class_name: str | None = None) -> Any:
        """As the library's."""
        return super().from_queryset(queryset_class, class_name)


class TrackedFields(HistoricalRecords):  # type: ignore[misc]
    """The library's records, without the columns that a table says must not live on in its history."""

    def fields_included(self, model: type[models.Model]) -> list[Any]:
        """Every column but those in `untracked`."""
        hidden = getattr(model, "untracked", ())
        return [field for field in super().fields_included(model) if field.name not in hidden]


class AuditedModel(models.Model):
    """A table of the trial. Rows are written with `save_by` and never deleted; each save adds history.

    Class attributes a table may set:
        untracked: columns that history leaves out, so that emptying them destroys what they held (R-36).
        change_needs_reason: a change of a stored row is refused without a reason (BR-63).
        stops_at_lock: a trigger refuses inserts and changes while the dataset is locked (R-40).
        guards: further triggers, see trial.base.triggers.
    """

    never_delete = True
    change_needs_reason: ClassVar[bool] = True
    stops_at_lock: ClassVar[bool] = True
    guards: ClassVar[tuple[tuple[str, str, str, str], ...]] = ()
    untracked: ClassVar[tuple[str, ...]] = ()

    objects = models.Manager.from_queryset(AuditedQuerySet)()
    history = TrackedFields(inherit=True, bases=[AuditRow], history_manager=RowsOfHistory)

    class Meta:
        abstract = True

    def save_by(self, by: "User | None", reason: str = "") -> Self:
        """Insert or change this row with its history.

        Args:
            by: the person who does it; None for the system itself.
            reason: why; needed for a change (BR-63).

        Raises:
            ReasonMissing: a stored row would change without a reason.
        """
        if not self._state.adding and self.change_needs_reason and not reason.strip():
            raise ReasonMissing
        self._history_user = by
        self._change_reason = reason
        self._attributed = True
        try:
            with transaction.atomic(savepoint=waiting.get() is None):
                super().save()
        finally:
            self._attributed = False
        return self

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: use save_by, which says who and why."""
        raise Unattributed

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Refuse paths around save_by; refuse_fixture() stops those that pass by this method."""
        if not getattr(self, "_attributed", False):
            raise Unattributed
        super().save_base(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: nothing of the trial is deleted."""
        raise NeverDeleted


class OnceQuerySet(models.QuerySet[M]):
    """Refuses to insert events without their leaves; triggers refuse to change or delete them."""

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: the leaf hangs on saving one event at a time."""
        raise Unattributed


class EventModel(models.Model):
    """A fact that happened: inserted once with its leaf, never changed, never deleted."""

    append_only = True

    objects = models.Manager.from_queryset(OnceQuerySet)()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the event and its leaf in one transaction, or keep both waiting (trial.base.gathering).

        Raises:
            NeverDeleted: the event is stored already.
        """
        if not self._state.adding:
            raise NeverDeleted
        if (entries := waiting.get()) is not None:
            entries.append(self)
            return
        with transaction.atomic():
            super().save(force_insert=True)
            write_leaves([self])

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: an event stays."""
        raise NeverDeleted


def role_of(user: "User | None") -> str:
    """The role in which a change is made, for the trail: `system` without a person."""
    return user.role_code if user is not None else "system"


def refuse_fixture(sender: type[models.Model], raw: bool, **kwargs: Any) -> None:
    """Refuse to load a fixture into a table that keeps a trail: its rows would have no history and no leaf (R-02)."""
    if raw and (issubclass(sender, AuditedModel | EventModel | AuditRow) or hasattr(sender, "history")):
        raise Unattributed


def add_role(sender: Any, instance: models.Model, history_instance: Any, **kwargs: Any) -> None:
    """Write the person's role of the moment into the history row, before it is inserted."""
    history_instance.history_role = role_of(history_instance.history_user)


def add_leaf(sender: Any, history_instance: models.Model, **kwargs: Any) -> None:
    """Write the leaf of the history row that was just inserted; one that waits gets its leaf with its row."""
    if history_instance.pk is not None:
        write_leaves([history_instance])
