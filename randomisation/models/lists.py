"""Sealed lists, how far they are used, and the margins of minimisation."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from randomisation.models.base import Guards, Purpose, changes
from randomisation.models.schemes import Revision


class StratumCursor(models.Model):
    """How far one list has been used. Locked after the scheme's row, in that order always (8.1)."""

    never_delete = True
    guards: ClassVar[Guards] = (
        ("list", "UPDATE", changes("revision_id", "purpose", "key"), "A list keeps its name"),
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
    """One row of a list: a token of constant length that opens in its own place only (6.2).

    `resume_sealed` says where in the stream the row's block begins, so that the row can be derived again without
    the rows before it: an allocation takes as long at position 10,000 as at position 10.
    """

    append_only = True

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="rows")
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    key = models.TextField()
    position = models.PositiveIntegerField()
    token = models.CharField(max_length=255)
    resume_sealed = models.CharField(max_length=400, blank=True, help_text="Blank for an imported list")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "purpose", "key", "position"], name="one_row_per_position"),
            models.CheckConstraint(condition=Q(position__gte=1), name="row_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"Row {self.pk}"

    def __repr__(self) -> str:
        return f"<SealedRow {self.pk}>"


class SealedMargins(models.Model):
    """The counted people of a minimisation, sealed; valid for one entry of the log only.

    Counting sealed arms again for each allocation would take longer with every person. The token is bound to the
    number of the last log entry it includes; `checking` counts everything again and compares.
    """

    never_delete = True
    guards: ClassVar[Guards] = (
        ("forward", "UPDATE", "NEW.n <= OLD.n OR NEW.revision_id <> OLD.revision_id", "Margins only move forward"),
    )

    revision = models.OneToOneField(Revision, on_delete=models.PROTECT, related_name="margins")
    n = models.PositiveBigIntegerField(help_text="Number of the last log entry that is counted")
    token = models.TextField()

    def __str__(self) -> str:
        return f"Margins {self.pk}"

    def __repr__(self) -> str:
        return f"<SealedMargins {self.pk}>"


class EnvelopePrint(models.Model):
    """The emergency list of one site was printed as sealed documents: once, by whom (9.7)."""

    append_only = True

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="envelope_prints")
    key = models.TextField(help_text="Key of the emergency list")
    n_envelopes = models.PositiveIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["revision", "key"], name="envelopes_printed_once")]

    def __str__(self) -> str:
        return f"Envelopes {self.pk}"


class EnvelopeCount(models.Model):
    """A reconciliation: unopened envelopes counted by hand beside what the list says (9.7, each quarter)."""

    append_only = True

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="envelope_counts")
    key = models.TextField()
    n_unopened = models.PositiveIntegerField()
    n_expected = models.PositiveIntegerField()
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(n_unopened=F("n_expected")) | ~Q(note=""), name="envelope_difference_is_explained"
            )
        ]

    def __str__(self) -> str:
        return f"Count {self.pk}"
