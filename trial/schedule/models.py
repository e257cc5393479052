"""Visits of each participant, with their windows (BR-30, BR-31)."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from trial.base.models import AuditedModel, AuditedQuerySet
from trial.participants.models import Participant
from trial.protocol.models import ProtocolVersion


class VisitQuerySet(AuditedQuerySet["Visit"]):
    """Lookups of visits."""

    def open_on(self, day: date) -> Self:
        """Visits whose window includes `day`, both ends counted."""
        return self.filter(opens_date__lte=day, closes_date__gte=day)


class Visit(AuditedModel):
    """One scheduled time point. Those before randomisation exist from consent, the others from allocation."""

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="visits")
    protocol_version = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=10)
    number = models.SmallIntegerField()
    target_date = models.DateField(null=True, help_text="Empty before randomisation, where day 0 is not known yet")
    opens_date = models.DateField()
    closes_date = models.DateField(null=True)
    missed_reason = models.CharField(max_length=40, blank=True)

    objects = models.Manager.from_queryset(VisitQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["participant_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "code"], name="visit_once_per_participant"),
            models.CheckConstraint(
                condition=Q(closes_date__isnull=True) | Q(closes_date__gte=F("opens_date")),
                name="visit_window_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant} {self.code}"
