"""Risk alerts and adverse events (BR-50 to BR-58). None of them names an arm."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from trial.access.models import Signature, User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet, EventModel
from trial.participants.models import Participant


class AlertQuerySet(AuditedQuerySet["RiskAlert"]):
    """Lookups of alerts."""

    def visible_to(self, user: User) -> Self:
        """Those of people at sites whose safety `user` looks after."""
        if not user.access.may(Action.VIEW_SAFETY):
            return self.none()
        ids = user.access.site_ids(Action.VIEW_SAFETY)
        return self.all() if ids is None else self.filter(participant__referral__site__in=ids)

    def open(self) -> Self:
        """Those not closed yet."""
        return self.filter(closed_at__isnull=True)

    def stopping_randomisation(self) -> Self:
        """Unassessed, or graded medium or high: no allocation while one exists (BR-20, E1)."""
        return self.filter(Q(level="") | Q(level__in=["medium", "high"]))


class RiskAlert(AuditedModel):
    """One alert per administration of a form, carrying every alert code; a later rise escalates it (BR-50)."""

    class Trigger(models.TextChoices):
        ANSWER = "answer", "An answer in a questionnaire"
        DISTRESS = "distress", "Distress noted by staff"
        LEADER = "leader", "Concern of an activity leader"

    class Severity(models.TextChoices):
        URGENT = "urgent", "Act the same day"
        REVIEW = "review", "Review"

    class Level(models.TextChoices):
        NONE = "none", "No risk found"
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"

    stops_at_lock = False
    guards = (
        (
            "raised",
            "UPDATE",
            "NEW.raised_at IS DISTINCT FROM OLD.raised_at OR NEW.participant_id IS DISTINCT FROM OLD.participant_id"
            " OR NEW.administration_id IS DISTINCT FROM OLD.administration_id"
            " OR (OLD.severity = 'urgent' AND NEW.severity IS DISTINCT FROM OLD.severity)",
            "An alert is never withdrawn or moved to another form",
        ),
    )

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="alerts")
    administration = models.OneToOneField(
        "trial.Administration", null=True, on_delete=models.PROTECT, related_name="alert"
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    codes = models.JSONField(default=list, help_text="Alert codes of the instrument definition")
    severity = models.CharField(max_length=10, choices=Severity.choices)
    concern_sealed = models.TextField(blank=True, help_text="What a person wrote; never for blinded roles (BR-26)")
    raised_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True, help_text="When a later answer raised it again")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=10, choices=Level.choices, blank=True)
    assessed_at = models.DateTimeField(null=True)
    assessed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actions_sealed = models.TextField(blank=True, help_text="What was done, in the assessor's words")
    gp_informed_date = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = models.Manager.from_queryset(AlertQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | (~Q(level="") & ~Q(actions_sealed="")),
                name="alert_closes_with_grade_and_action",
            ),
            models.CheckConstraint(
                condition=Q(level="") | Q(assessed_at__isnull=False, assessed_by__isnull=False),
                name="grade_has_an_assessor",
            ),
        ]

    def __str__(self) -> str:
        return f"Alert {self.pk}"

    def get_absolute_url(self) -> str:
        """The page of the alert."""
        return reverse("safety:alert", args=[self.pk])


class EventQuerySet(AuditedQuerySet["AdverseEvent"]):
    """Lookups of adverse events."""

    def visible_to(self, user: User) -> Self:
        """Those of people at sites whose safety `user` looks after."""
        if not user.access.may(Action.VIEW_SAFETY):
            return self.none()
        ids = user.access.site_ids(Action.VIEW_SAFETY)
        return self.all() if ids is None else self.filter(participant__referral__site__in=ids)

    def serious(self) -> Self:
        """Those with at least one criterion ticked (BR-53)."""
        return self.exclude(seriousness=[])


class AdverseEvent(AuditedModel):
    """An adverse event; serious by at least one ticked criterion (BR-53, BR-54)."""

    class Severity(models.TextChoices):
        MILD = "mild", "Mild"
        MODERATE = "moderate", "Moderate"
        SEVERE = "severe", "Severe"

    class Serious(models.TextChoices):
        DEATH = "death", "Death"
        LIFE_THREATENING = "life_threatening", "Life-threatening"
        HOSPITALISATION = "hospitalisation", "Stay in hospital, or a longer one"
        DISABILITY = "disability", "Lasting disability"
        CONGENITAL = "congenital", "Congenital anomaly"
        MEDICALLY_SIGNIFICANT = "medically_significant", "Medically significant"

    class Relatedness(models.TextChoices):
        UNRELATED = "unrelated", "Unrelated"
        UNLIKELY = "unlikely", "Unlikely"
        POSSIBLE = "possible", "Possible"
        PROBABLE = "probable", "Probable"
        DEFINITE = "definite", "Definite"

    class Outcome(models.TextChoices):
        RECOVERED = "recovered", "Recovered"
        RECOVERING = "recovering", "Recovering"
        CONTINUING = "continuing", "Continuing"
        LASTING = "lasting", "Recovered with lasting effects"
        DIED = "died", "Died"
        UNKNOWN = "unknown", "Not known yet"

    stops_at_lock = False

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="adverse_events")
    sequence = models.PositiveSmallIntegerField()
    onset_date = models.DateField()
    aware_date = models.DateField()
    category = models.CharField(max_length=40)
    description_sealed = models.TextField()
    severity = models.CharField(max_length=10, choices=Severity.choices)
    seriousness = models.JSONField(default=list, help_text="Ticked criteria; none means not serious")
    related_to_activity = models.CharField(max_length=10, choices=Relatedness.choices)
    related_to_procedures = models.CharField(max_length=10, choices=Relatedness.choices)
    expected = models.BooleanField(help_text="Listed as foreseeable in the version in force at onset (BR-54)")
    expected_list_version = models.CharField(max_length=20)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    resolved_date = models.DateField(null=True)
    reported_at = models.DateTimeField()
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = models.Manager.from_queryset(EventQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-aware_date", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "sequence"], name="event_sequence_once"),
            models.CheckConstraint(condition=Q(aware_date__gte=F("onset_date")), name="aware_not_before_onset"),
            models.CheckConstraint(
                condition=Q(resolved_date__isnull=True) | Q(resolved_date__gte=F("onset_date")),
                name="resolved_not_before_onset",
            ),
        ]

    def __str__(self) -> str:
        return f"AE-{self.sequence:02d}"

    def get_absolute_url(self) -> str:
        """The page of the event."""
        return reverse("safety:event", args=[self.pk])

    @property
    def is_serious(self) -> bool:
        """At least one criterion ticked (BR-53)."""
        return bool(self.seriousness)


class EventReview(EventModel):
    """One signed judgement of an adverse event beside the site's own; all of them are kept (BR-58)."""

    event = models.ForeignKey(AdverseEvent, on_delete=models.PROTECT, related_name="reviews")
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    at = models.DateTimeField()
    related_to_activity = models.CharField(max_length=10, choices=AdverseEvent.Relatedness.choices)
    related_to_procedures = models.CharField(max_length=10, choices=AdverseEvent.Relatedness.choices)
    expected = models.BooleanField()
    comment_sealed = models.TextField(blank=True)
    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"Review of {self.event}"
