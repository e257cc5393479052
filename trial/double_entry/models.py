"""The second entry of a paper form, and what was decided where it differs from the first (BR-36)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.assessments.models import Administration
from trial.base.models import AuditedModel, EventModel
from trial.participants.models import Participant

SAVED_THE_FIRST = (
    "EXISTS (SELECT 1 FROM trial_administration a"
    " WHERE a.id = NEW.administration_id AND a.entered_by_id = NEW.entered_by_id)"
    " OR EXISTS (SELECT 1 FROM trial_historicaladministration h"
    " WHERE h.id = NEW.administration_id AND h.history_user_id = NEW.entered_by_id)"
    " OR EXISTS (SELECT 1 FROM trial_firstentryseen f"
    " WHERE f.administration_id = NEW.administration_id AND f.seen_by_id = NEW.entered_by_id)"
)
"""Whoever saved or saw any version of the first entry knows its answers, and so is no second person."""


class FirstEntrySeen(EventModel):
    """That somebody was shown the first entry before there was a second: they cannot make that one any more."""

    administration = models.ForeignKey(Administration, on_delete=models.PROTECT, related_name="+")
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["administration", "seen_by"], name="first_entry_seen_noted_once")
        ]

    def __str__(self) -> str:
        return f"{self.administration_id} seen by {self.seen_by_id}"


class SecondEntry(AuditedModel):
    """One person's own typing of a paper form that another entered; a draft until it is complete.

    Attributes:
        differences: [{"key", "first", "second"}] as both entries stood when this one was completed.
        n_compared, n_agreed: items that either entry says something about, and those on which both say the same.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "In progress"
        COMPLETE = "complete", "Complete"

    guards = (
        ("second_person", "INSERT", SAVED_THE_FIRST, "A second person enters a form again"),
        (
            "still_second_person",
            "UPDATE",
            f"OLD.status = 'draft' AND ({SAVED_THE_FIRST})",
            "A second person enters a form again",
        ),
        ("final", "UPDATE", "OLD.status = 'complete'", "A completed second entry never changes"),
        (
            "moved",
            "UPDATE",
            "NEW.administration_id IS DISTINCT FROM OLD.administration_id"
            " OR NEW.entered_by_id IS DISTINCT FROM OLD.entered_by_id",
            "A second entry stays with its form and its person",
        ),
    )

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="second_entries")
    administration = models.ForeignKey(Administration, on_delete=models.PROTECT, related_name="second_entries")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    completed_date = models.DateField(null=True, help_text="The day written on the paper, as read again")
    answers = models.JSONField(default=dict)
    missing = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0, help_text="Counts saves: tells two windows apart")
    differences = models.JSONField(default=list)
    n_differences = models.PositiveSmallIntegerField(default=0)
    n_compared = models.PositiveSmallIntegerField(default=0)
    n_agreed = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["administration_id", "id"]
        verbose_name = "second entry"
        verbose_name_plural = "second entries"
        constraints = [
            models.UniqueConstraint(fields=["administration", "entered_by"], name="one_draft_for_each_person"),
            models.UniqueConstraint(
                fields=["administration"], condition=Q(status="complete"), name="form_entered_twice_at_most"
            ),
            models.CheckConstraint(
                condition=Q(status="complete", completed_at__isnull=False, completed_date__isnull=False)
                | Q(status="draft", completed_at__isnull=True, n_differences=0, n_compared=0),
                name="complete_second_entry_is_compared",
            ),
            models.CheckConstraint(condition=Q(n_agreed__lte=F("n_compared")), name="agreed_within_compared"),
        ]

    def __str__(self) -> str:
        return f"Second entry of {self.administration_id}"

    @property
    def is_complete(self) -> bool:
        """Whether it was compared with the first entry."""
        return self.status == self.Status.COMPLETE


class Adjudication(EventModel):
    """What a third person decided about one difference, and why. `value` is an answer, a missing code or a day."""

    stops_at_lock = True
    guards = (
        (
            "third_person",
            "INSERT",
            "EXISTS (SELECT 1 FROM trial_secondentry s JOIN trial_administration a ON a.id = s.administration_id"
            " WHERE s.id = NEW.second_entry_id AND NEW.by_id IN (s.entered_by_id, a.entered_by_id))",
            "Neither of the two people who entered a form decides between their entries",
        ),
        (
            "compared",
            "INSERT",
            "EXISTS (SELECT 1 FROM trial_secondentry s WHERE s.id = NEW.second_entry_id AND s.status <> 'complete')",
            "Only a completed second entry has differences",
        ),
    )

    second_entry = models.ForeignKey(SecondEntry, on_delete=models.PROTECT, related_name="adjudications")
    field = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["second_entry", "field"], name="difference_decided_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="adjudication_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.second_entry_id}"
