"""The hash-linked log, steps that take two people, code breaks, and every opening of an arm."""

import json
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from randomisation.models.allocations import Allocation
from randomisation.models.base import Guards, changes
from randomisation.models.schemes import Scheme

TWO_APPROVALS = ("lock", "extend", "add_level", "reveal")
"""Events that two people approve (sections 1, 3.4, 9.8, 10)."""
SECOND_PERSON = ("flag", "exclude", "correct", "backup", "recovered", "code_break")
"""Events that one person asks for and another approves (section 9)."""


class EventLog(models.Model):
    """One entry of a scheme's hash-linked log: no arm, no participant (8.6)."""

    append_only = True
    guards: ClassVar[Guards] = (
        (
            "duties",
            "INSERT",
            "NEW.event = 'lock' AND EXISTS (SELECT 1 FROM randomisation_allocation a WHERE a.scheme_id = NEW.scheme_id"
            " AND a.source = 'online' AND a.by_id IN (NEW.first_approver_id, NEW.second_approver_id))",
            "Whoever randomises people may not approve a lock",
        ),
    )

    class Event(models.TextChoices):
        """What happened."""

        LOCK = "lock", "Locked"
        CONTRIBUTION = "contribution", "Contribution recorded"
        OPEN = "open", "Opened"
        PAUSE = "pause", "Paused"
        CLOSE = "close", "Closed"
        ALLOCATE = "allocate", "Allocated"
        FLAG = "flag", "Flagged"
        EXCLUDE = "exclude", "Excluded"
        CORRECT = "correct", "Levels corrected"
        BACKUP = "backup", "Emergency envelope entered"
        RECOVERED = "recovered", "Recovered"
        CODE_BREAK = "code_break", "Code broken"
        EXTEND = "extend", "Lists extended"
        ADD_LEVEL = "add_level", "Level added"
        ROTATE = "rotate", "Keys rotated"
        REVEAL = "reveal", "Revealed"
        REFUSED = "refused", "Refused"

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="events")
    n = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    event = models.CharField(max_length=12, choices=Event.choices)
    seq = models.PositiveBigIntegerField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    first_approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    second_approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    entry = models.TextField(help_text="Canonical JSON, the bytes that the digest covers")
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["scheme", "n"]
        indexes = [
            models.Index(fields=["scheme", "seq"], name="event_by_seq"),
            # Asked at every allocation by the trigger on duties, which would read the whole log otherwise.
            models.Index(fields=["scheme"], condition=Q(event="lock"), name="event_lock"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["scheme", "n"], name="event_number_once_per_scheme"),
            models.CheckConstraint(condition=Q(n__gte=1), name="events_count_from_one"),
            models.CheckConstraint(
                condition=Q(second_approver__isnull=True)
                | Q(first_approver__isnull=False) & ~Q(first_approver=F("second_approver")),
                name="approvers_are_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(event__in=TWO_APPROVALS) | Q(second_approver__isnull=False),
                name="event_has_its_approvals",
            ),
            models.CheckConstraint(
                condition=~Q(event__in=SECOND_PERSON) | Q(first_approver__isnull=False) & ~Q(first_approver=F("actor")),
                name="exception_has_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"Event {self.n}"

    @property
    def facts(self) -> dict[str, Any]:
        """The facts inside the entry."""
        return dict(json.loads(self.entry)["facts"])


class Proposal(models.Model):
    """A step of the randomisation that one person asks for and one or two others approve (section 9, general rule).

    `facts` and `reason` hold no arm. What was approved is carried out in the transaction of the last approval.
    """

    never_delete = True
    guards: ClassVar[Guards] = (
        (
            "asked",
            "UPDATE",
            changes("scheme_id", "kind", "allocation_id", "facts", "reason", "asked_by_id", "asked_at", "site"),
            "What was asked for never changes",
        ),
        ("ended", "UPDATE", "OLD.state <> 'asked'", "A decided request stays decided"),
        (
            "done",
            "UPDATE",
            "NEW.state = 'done' AND NOT EXISTS (SELECT 1 FROM randomisation_approval a"
            " WHERE a.proposal_id = NEW.id AND a.approves)",
            "Nothing is done before somebody else approves it",
        ),
    )

    class State(models.TextChoices):
        """How it stands."""

        ASKED = "asked", "Waiting for approval"
        DONE = "done", "Approved and done"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="proposals")
    kind = models.CharField(max_length=20)
    allocation = models.ForeignKey(Allocation, null=True, on_delete=models.PROTECT, related_name="proposals")
    facts = models.JSONField(default=dict)
    reason = models.TextField()
    site = models.CharField(max_length=32, blank=True, help_text="Recruiting site it is about, if one")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    event = models.OneToOneField(EventLog, null=True, on_delete=models.PROTECT, related_name="proposal")

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="proposal_says_why"),
            models.CheckConstraint(
                condition=Q(state="asked", ended_at__isnull=True) | ~Q(state="asked") & Q(ended_at__isnull=False),
                name="proposal_ends_with_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Request {self.pk}"


class Approval(models.Model):
    """One person's decision on a request that is not their own."""

    append_only = True
    guards: ClassVar[Guards] = (
        (
            "other_person",
            "INSERT",
            "NEW.by_id = (SELECT p.asked_by_id FROM randomisation_proposal p WHERE p.id = NEW.proposal_id)",
            "Nobody approves what they asked for",
        ),
        (
            "waiting",
            "INSERT",
            "(SELECT p.state FROM randomisation_proposal p WHERE p.id = NEW.proposal_id) <> 'asked'",
            "This request has been decided",
        ),
    )

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="approvals")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    approves = models.BooleanField()
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "by"], name="one_decision_per_person"),
            models.CheckConstraint(condition=Q(approves=True) | ~Q(note=""), name="refusal_says_why"),
        ]

    def __str__(self) -> str:
        return f"Approval {self.pk}"


class CodeBreak(models.Model):
    """One participant's arm told before the end, to whom and why (6.6). The arm is not written here."""

    append_only = True

    class Category(models.TextChoices):
        """Why."""

        EMERGENCY = "emergency", "Medical emergency"
        SAFETY = "safety", "Safety reporting"
        PARTICIPANT = "participant", "Participant informed after the end"
        ACCIDENTAL = "accidental", "By accident"
        OTHER = "other", "Other"

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="code_break")
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, related_name="code_breaks")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    authorised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    category = models.CharField(max_length=12, choices=Category.choices)
    who_knows = models.CharField(max_length=300, help_text="Who is told, without the arm")
    third_party = models.CharField(max_length=200, blank=True, help_text="The clinician to whom alone it is told")
    stays_in_follow_up = models.BooleanField(default=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(requested_by=F("authorised_by")), name="code_break_by_two_people"),
            models.CheckConstraint(condition=~Q(who_knows=""), name="code_break_says_who_knows"),
        ]

    def __str__(self) -> str:
        return f"Code break {self.pk}"


class ArmAccessLog(models.Model):
    """Who had arms decrypted, when and what for: one allocation, or all of a scheme for an export."""

    append_only = True

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="arm_accesses")
    allocation = models.ForeignKey(Allocation, null=True, on_delete=models.PROTECT, related_name="arm_accesses")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    n_arms = models.PositiveIntegerField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="arm_access_says_why")]

    def __str__(self) -> str:
        return f"Arm access {self.pk}"
