"""Departures from the protocol."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Site
from trial.base.models import AuditedModel
from trial.participants.models import Participant


class Deviation(AuditedModel):
    """One departure from the protocol, with its review.

    Its words are sealed with the key of the participant it concerns; those about a site as a whole are as written.
    """

    class Kind(models.TextChoices):
        CONSENT = "consent", "Consent"
        ELIGIBILITY = "eligibility", "Eligibility"
        ALLOCATION = "allocation", "Allocation"
        VISIT = "visit", "Visit or questionnaire"
        ACTIVITY = "activity", "Activity"
        OTHER_ARM = "other_arm", "Attended another group"
        DATA = "data", "Data handling"
        OTHER = "other", "Other"

    class Severity(models.TextChoices):
        MINOR = "minor", "Minor"
        MAJOR = "major", "Major"
        POTENTIAL_SERIOUS_BREACH = "potential_serious_breach", "Potential serious breach"

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="deviations")
    participant = models.ForeignKey(Participant, null=True, on_delete=models.PROTECT, related_name="deviations")
    sequence = models.PositiveIntegerField()
    occurred_date = models.DateField()
    kind = models.CharField(max_length=15, choices=Kind.choices)
    severity = models.CharField(max_length=25, choices=Severity.choices)
    reveals_arm = models.BooleanField(default=False, help_text="Kept from blinded roles (BR-26)")
    description_sealed = models.TextField()
    root_cause_sealed = models.TextField(blank=True)
    corrective_action_sealed = models.TextField(blank=True)
    effect_on_analysis_sealed = models.TextField(blank=True)
    sponsor_told_date = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-occurred_date", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "sequence"], name="deviation_sequence_once_per_site"),
            models.CheckConstraint(condition=~Q(description_sealed=""), name="deviation_is_described"),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True) | Q(reviewed_by__isnull=False), name="review_has_a_reviewer"
            ),
        ]

    def __str__(self) -> str:
        return f"D-{self.site.code}-{self.sequence:03d}"
