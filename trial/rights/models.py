"""Requests of people about their data, and breaches with their clock (R-35, R-37)."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.access.models import User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet, EventModel
from trial.participants.models import Referral


class RequestQuerySet(AuditedQuerySet["SubjectRequest"]):
    """Lookups of requests."""

    def visible_to(self, user: User) -> Self:
        """Those about people of the user's sites."""
        if not user.access.may(Action.HANDLE_REQUEST):
            return self.none()
        ids = user.access.site_ids(Action.HANDLE_REQUEST)
        return self if ids is None else self.filter(referral__site__in=ids)

    def undecided(self) -> Self:
        """Not decided yet."""
        return self.filter(decision="")

    def overdue(self, today: date) -> Self:
        """Not decided, and due before today."""
        return self.undecided().filter(due_date__lt=today)

    def stopping(self) -> Self:
        """Those that stop processing now: asked for and not refused, until somebody lifts it."""
        return self.filter(kind__in=STOPPING, lifted_at__isnull=True).exclude(decision="refused")


class SubjectRequest(AuditedModel):
    """What somebody asks about their data, when an answer is due, and what was decided (R-35).

    Attributes:
        due_date: one month after it was received, or three where it was extended.
        lifted_at: since when a restriction or an objection no longer stops processing.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", "Copy of their data"
        RECTIFICATION = "rectification", "Correction"
        RESTRICTION = "restriction", "Restriction of use"
        OBJECTION = "objection", "Objection"
        ERASURE = "erasure", "Erasure"

    class Decision(models.TextChoices):
        GRANTED = "granted", "Granted"
        PARTLY = "partly", "Granted in part"
        REFUSED = "refused", "Refused"

    stops_at_lock = False
    change_needs_reason = False

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="subject_requests")
    kind = models.CharField(max_length=15, choices=Kind.choices)
    received_date = models.DateField()
    identity_check = models.CharField(
        max_length=10,
        choices=[("known", "Known to the team"), ("called", "Rung back on the number held"), ("seen", "Document seen")],
    )
    asked_sealed = models.TextField(blank=True)
    due_date = models.DateField()
    extended_at = models.DateTimeField(null=True)
    extension_sealed = models.TextField(blank=True)
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    decision_sealed = models.TextField(blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    told_date = models.DateField(null=True, help_text="When the person was told")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = models.Manager.from_queryset(RequestQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["due_date", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(due_date__gt=F("received_date")), name="request_due_after_it_came"),
            models.CheckConstraint(
                condition=Q(decision="")
                | (Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decision_sealed="")),
                name="request_decided_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(extended_at__isnull=True) | ~Q(extension_sealed=""), name="request_extended_with_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.referral}"

    @property
    def number(self) -> str:
        """ "DR-7": how people speak of it."""
        return f"DR-{self.pk}"


STOPPING = (SubjectRequest.Kind.RESTRICTION, SubjectRequest.Kind.OBJECTION)
"""Requests that stop processing from the day they come until they are refused or lifted."""


class Breach(AuditedModel):
    """Personal data that got lost, out, or changed: the facts, the risk, who was told, and its 72 hours (R-37).

    Attributes:
        discovered_at: when the team became aware: the clock starts here.
        ico_reason, people_reason: why they were not told, or why later than they should have been.
    """

    class Kind(models.TextChoices):
        CONFIDENTIALITY = "confidentiality", "Seen by or sent to somebody it was not for"
        AVAILABILITY = "availability", "Lost, or not to be reached"
        INTEGRITY = "integrity", "Changed without right"

    class Risk(models.TextChoices):
        UNLIKELY = "unlikely", "A risk to people is unlikely"
        RISK = "risk", "A risk to people"
        HIGH = "high", "A high risk to people"

    stops_at_lock = False
    change_needs_reason = False

    kind = models.CharField(max_length=20, choices=Kind.choices)
    discovered_at = models.DateTimeField()
    happened_date = models.DateField(null=True, blank=True)
    what = models.TextField()
    categories = models.JSONField(default=list, help_text="Kinds of data, by code")
    n_people = models.PositiveIntegerField()
    risk = models.CharField(max_length=10, choices=Risk.choices, blank=True)
    risk_reason = models.TextField(blank=True)
    risk_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ico_told_at = models.DateTimeField(null=True)
    ico_reference = models.CharField(max_length=60, blank=True)
    ico_reason = models.TextField(blank=True)
    people_told_date = models.DateField(null=True)
    people_reason = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-discovered_at", "-id"]
        verbose_name_plural = "breaches"
        constraints = [
            models.CheckConstraint(condition=~Q(what=""), name="breach_says_what"),
            models.CheckConstraint(condition=Q(risk="") | ~Q(risk_reason=""), name="breach_risk_has_a_reason"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True)
                | (
                    ~Q(risk="")
                    & (Q(ico_told_at__isnull=False) | ~Q(ico_reason=""))
                    & (Q(people_told_date__isnull=False) | ~Q(people_reason=""))
                ),
                name="breach_closes_when_all_is_decided",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """ "B-3": how people speak of it."""
        return f"B-{self.pk}"


class BreachNote(EventModel):
    """One line of a breach's timeline."""

    breach = models.ForeignKey(Breach, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.breach}: {self.at:%Y-%m-%d %H:%M}"
