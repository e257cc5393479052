"""Blinding events. Allocations themselves are kept, sealed, by the app `randomisation`."""

from django.conf import settings
from django.db import models

from trial.base.models import AuditedModel
from trial.participants.models import Participant


class BlindingEvent(AuditedModel):
    """A blinded person learned, or may have learned, an arm (BR-27). The arm itself is never written here."""

    class Kind(models.TextChoices):
        PLANNED = "planned", "Planned"
        ACCIDENTAL = "accidental", "By accident"
        EMERGENCY = "emergency", "In an emergency"

    stops_at_lock = False

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="blinding_events")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    route = models.CharField(max_length=200)
    happened_date = models.DateField()
    recorded_at = models.DateTimeField()
    impact = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-recorded_at", "-id"]

    def __str__(self) -> str:
        return f"Blinding event {self.pk}"
