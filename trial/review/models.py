"""Queries with their thread, and the investigator's sign-off (ux.md 4.4, BR-64)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Signature, User
from trial.access.policy import Action
from trial.assessments.models import Administration
from trial.base.models import AuditedModel, AuditedQuerySet, EventModel
from trial.participants.models import Participant


class QueryQuerySet(AuditedQuerySet["Query"]):
    """Lookups of data queries."""

    def visible_to(self, user: User) -> Self:
        """Those of people at the person's sites."""
        if not user.access.may(Action.VIEW_QUERIES):
            return self.none()
        ids = user.access.site_ids(Action.VIEW_QUERIES)
        return self.all() if ids is None else self.filter(participant__referral__site__in=ids)


class Query(AuditedModel):
    """A question about a stored value: Open, Answered, Closed, and it may open again."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        CLOSED = "closed", "Closed"

    change_needs_reason = False

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="queries")
    administration = models.ForeignKey(Administration, null=True, on_delete=models.PROTECT, related_name="queries")
    field = models.CharField(max_length=60, blank=True)
    rule = models.CharField(max_length=40, blank=True, help_text="Code of the check that raised it")
    value_asked = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    objects = models.Manager.from_queryset(QueryQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["raised_at", "id"]
        verbose_name_plural = "queries"
        constraints = [
            models.UniqueConstraint(
                fields=["administration", "field", "rule", "value_asked"],
                condition=~Q(rule=""),
                name="a_rule_asks_once_for_a_value",
            ),
            models.UniqueConstraint(
                fields=["participant", "field", "rule", "value_asked"],
                condition=~Q(rule="") & Q(administration__isnull=True),
                name="a_rule_asks_once_about_a_participant",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | ~Q(state="closed") & Q(closed_at__isnull=True),
                name="closed_query_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Query {self.pk}"


class QueryMessage(EventModel):
    """One line in the thread of a query."""

    stops_at_lock = True

    query = models.ForeignKey(Query, on_delete=models.PROTECT, related_name="thread")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=200)
    at = models.DateTimeField()
    text_sealed = models.TextField(help_text="Of the participant: it may name somebody")
    new_state = models.CharField(max_length=10, choices=Query.State.choices)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.get_new_state_display()} {self.pk}"


class SignOff(AuditedModel):
    """A principal investigator's endorsement of one participant's data, over a content hash (BR-64)."""

    change_needs_reason = False

    participant = models.OneToOneField(Participant, on_delete=models.PROTECT, related_name="sign_off")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"Sign-off of {self.participant}"
