"""Providers, venues, groups with their members, and dated sessions."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.base.models import AuditedModel, AuditedQuerySet
from trial.participants.models import Participant


class Provider(AuditedModel):
    """An organisation that runs activities."""

    stops_at_lock = False

    name = models.CharField(max_length=150, unique=True)
    insurance_expires_date = models.DateField(null=True, blank=True)
    safeguarding_phone = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Venue(AuditedModel):
    """A place where groups meet."""

    stops_at_lock = False

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="venues")
    name = models.CharField(max_length=150, unique=True)
    access_notes = models.TextField(blank=True)
    risk_assessment_version = models.CharField(max_length=20, blank=True)
    risk_assessment_reviewed_date = models.DateField(null=True, blank=True)
    has_mobile_signal = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class GroupQuerySet(AuditedQuerySet["ActivityGroup"]):
    """Lookups of groups."""

    def visible_to(self, user: User, action: Action = Action.VIEW_SESSIONS) -> Self:
        """Those of the sites at which `user` may do `action`."""
        return self.filter(user.access.sites(action)) if user.access.may(action) else self.none()


class ActivityGroup(AuditedModel):
    """A fixed set of people with a leader and a weekly slot. Its name never tells the arm."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="groups")
    name = models.CharField(max_length=100)
    arm_number = models.PositiveSmallIntegerField(help_text="Position of the arm in the protocol's list, from 0")
    wave = models.PositiveSmallIntegerField(default=1)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="groups")
    leader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="led_groups")
    co_leader = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="co_led_groups"
    )
    start_date = models.DateField(help_text="Day of the first session")
    start_time = models.TimeField()
    duration_min = models.PositiveSmallIntegerField()
    min_size = models.PositiveSmallIntegerField()
    max_size = models.PositiveSmallIntegerField()

    objects = models.Manager.from_queryset(GroupQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["site_id", "start_date", "id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="group_name_once_per_site"),
            models.CheckConstraint(condition=Q(max_size__gte=F("min_size")), name="group_sizes_in_order"),
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(AuditedQuerySet["Membership"]):
    """Lookups of memberships."""

    def on(self, day: date) -> Self:
        """Memberships in force on that day, both ends counted."""
        return self.reaching(day).filter(from_date__lte=day)

    def reaching(self, day: date) -> Self:
        """Memberships that last to that day or begin after it."""
        return self.filter(Q(to_date__isnull=True) | Q(to_date__gte=day))


class Membership(AuditedModel):
    """One participant in one group, from a day to a day."""

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="memberships")
    group = models.ForeignKey(ActivityGroup, on_delete=models.PROTECT, related_name="memberships")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    end_reason = models.CharField(max_length=100, blank=True)

    objects = models.Manager.from_queryset(MembershipQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["group_id", "participant_id", "from_date"]
        constraints = [
            models.UniqueConstraint(
                fields=["participant"], condition=Q(to_date__isnull=True), name="one_current_group_per_participant"
            ),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="membership_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant} in {self.group}"


class SessionQuerySet(AuditedQuerySet["Session"]):
    """Lookups of sessions."""

    def visible_to(self, user: User, action: Action = Action.VIEW_SESSIONS) -> Self:
        """Those of the sites at which `user` may do `action`."""
        return self.filter(group__in=ActivityGroup.objects.visible_to(user, action))

    def with_register_of(self, user: User) -> Self:
        """Sessions whose register `user` takes: a leader's own groups (BR-40).

        Whoever plans the groups of a site also enters the registers that its leaders kept on paper.
        """
        access = user.access
        if not access.may(Action.TAKE_REGISTER):
            return self.none()
        takes, plans = access.site_ids(Action.TAKE_REGISTER), access.site_ids(Action.PLAN_GROUPS) or set()
        mine = Q(group__leader=user) | Q(group__co_leader=user) | Q(group__site__in=plans)
        return self.filter(mine) if takes is None else self.filter(mine, group__site__in=takes)


class Session(AuditedModel):
    """One dated meeting of a group."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"

    class CancelReason(models.TextChoices):
        WEATHER = "weather", "Weather"
        LEADER_ABSENT = "leader_absent", "Leader absent"
        VENUE = "venue", "Venue not available"
        LOW_NUMBERS = "low_numbers", "Too few people"
        OTHER = "other", "Another reason"

    group = models.ForeignKey(ActivityGroup, on_delete=models.PROTECT, related_name="sessions")
    number = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PLANNED)
    cancel_reason = models.CharField(max_length=15, choices=CancelReason.choices, blank=True)
    leader_present = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    risk_checked_at = models.DateTimeField(null=True, help_text="Dynamic risk check confirmed (BR-43)")
    risk_checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    completed_at = models.DateTimeField(null=True, help_text="When every expected member had a status (BR-42)")
    is_late_entry = models.BooleanField(default=False, help_text="Completed more than 48 hours after the end")

    objects = models.Manager.from_queryset(SessionQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["starts_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["group", "number"], name="session_number_once_per_group"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="session_ends_after_start"),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancel_reason__gt="") | ~Q(status="cancelled") & Q(cancel_reason=""),
                name="cancelled_session_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status="delivered") | Q(completed_at__isnull=False, risk_checked_at__isnull=False),
                name="delivered_session_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group}, session {self.number}"
