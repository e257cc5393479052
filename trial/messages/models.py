"""One outbox for everything that leaves, one worklist of tasks for people."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from trial.access.models import Site, User
from trial.base.models import AuditedModel, AuditedQuerySet
from trial.participants.models import Referral


class OutboxMessage(AuditedModel):
    """One message, written in the transaction of the fact that causes it and sent later by `tick`."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    stops_at_lock = False
    change_needs_reason = False

    key = models.CharField(max_length=120, unique=True, help_text="The same fact never writes two messages")
    kind = models.CharField(max_length=40)
    referral = models.ForeignKey(Referral, null=True, on_delete=models.PROTECT, related_name="messages")
    to_user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    address = models.EmailField(blank=True, help_text="Staff only; a participant's address is read when it is sent")
    heading = models.CharField(max_length=150)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    written_at = models.DateTimeField()
    send_after = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    n_attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-written_at", "-id"]
        indexes = [models.Index(fields=["send_after"], condition=Q(state="queued"), name="queued_messages")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class TaskQuerySet(AuditedQuerySet["Task"]):
    """Lookups of tasks."""

    def open(self) -> Self:
        """Not done yet."""
        return self.filter(done_at__isnull=True)

    def visible_to(self, user: User) -> Self:
        """Those of the person's roles and sites; none that reveals an arm for a blinded person (BR-26)."""
        roles = [(a.role, a.site_id) for a in user.access.assignments]
        mine = Q(pk__in=[])
        for role, site_id in roles:
            mine |= Q(role=role) if site_id is None else Q(role=role, site_id=site_id)
        tasks = self.filter(mine)
        return tasks.filter(reveals_arm=False) if user.access.blinded else tasks


class Task(AuditedModel):
    """Something one role at one site must do by a day."""

    stops_at_lock = False
    change_needs_reason = False

    key = models.CharField(max_length=120, unique=True, help_text="The same cause never makes two tasks")
    kind = models.CharField(max_length=40)
    role = models.CharField(max_length=30)
    site = models.ForeignKey(Site, null=True, on_delete=models.PROTECT, related_name="tasks")
    referral = models.ForeignKey(Referral, null=True, on_delete=models.PROTECT, related_name="tasks")
    title = models.CharField(max_length=120, help_text="A verb first")
    detail = models.CharField(max_length=200, help_text="Why, with the date that makes it matter")
    link = models.CharField(max_length=200)
    due_date = models.DateField()
    is_urgent = models.BooleanField(default=False)
    reveals_arm = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    objects = models.Manager.from_queryset(TaskQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["due_date", "id"]
        indexes = [models.Index(fields=["role", "site", "due_date"], condition=Q(done_at=None), name="open_tasks")]

    def __str__(self) -> str:
        return self.title
