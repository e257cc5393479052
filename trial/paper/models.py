"""Scans of paper forms: what was received, unchanged; and that one does not belong where it was put (R-10)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.base.models import EventModel
from trial.participants.models import Participant
from trial.schedule.models import Visit


class Scan(EventModel):
    """One file as it was received. Its bytes lie sealed outside the database; `sha256` is that of the original.

    The name that the file had is not kept: names of files name people.

    Attributes:
        has_pictures: every page can be shown as one picture; otherwise the file can only be downloaded.
    """

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        PNG = "png", "PNG"
        JPEG = "jpeg", "JPEG"

    stops_at_lock = True
    guards = (
        (
            "own_visit",
            "INSERT",
            "EXISTS (SELECT 1 FROM trial_visit v WHERE v.id = NEW.visit_id AND v.participant_id <> NEW.participant_id)",
            "A scan belongs to a visit of the same person",
        ),
    )

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="scans")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="scans")
    instrument = models.CharField(max_length=40)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    sha256 = models.CharField(max_length=64)
    n_bytes = models.PositiveIntegerField()
    n_pages = models.PositiveSmallIntegerField()
    has_pictures = models.BooleanField()
    stored_as = models.CharField(max_length=40, unique=True)
    attached_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    attached_at = models.DateTimeField()

    class Meta:
        ordering = ["attached_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["visit", "instrument", "sha256"], name="same_scan_once_for_a_form"),
            models.CheckConstraint(condition=Q(kind__in=["pdf", "png", "jpeg"]), name="scan_is_a_known_kind"),
            models.CheckConstraint(condition=Q(n_bytes__gt=0, n_pages__gt=0), name="scan_has_pages"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="scan_has_its_hash"),
        ]

    def __str__(self) -> str:
        return f"Scan {self.pk}"


class ScanStrike(EventModel):
    """That a scan was attached in error: it is shown no more, and stays."""

    stops_at_lock = True

    scan = models.OneToOneField(Scan, on_delete=models.PROTECT, related_name="strike")
    reason = models.CharField(max_length=300)
    struck_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    struck_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="strike_has_a_reason")]

    def __str__(self) -> str:
        return f"Strike of {self.scan_id}"
