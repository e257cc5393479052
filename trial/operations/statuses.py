"""Statuses that change because a day has come (T13 to T16): found in a few lookups, moved one by one."""

from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from trial.activities.models import Membership
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.journey import steps
from trial.participants.models import Participant, Status
from trial.participation.models import ParticipationChange
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.schedule.models import Visit


def advance(*, at: datetime) -> int:
    """Make every transition of randomised people whose guard holds today. Returns how many people moved.

    One that is refused, as after a lock, stays where it is.
    """
    today = local_day(at)
    moved = 0
    for participant in candidates(today).select_related("referral").order_by("pk"):
        before = participant.referral.status
        try:
            steps.settle(participant, by=None, at=at, on=today)
        except TrialError:
            continue
        moved += Participant.objects.values_list("referral__status", flat=True).get(pk=participant.pk) != before
    return moved


def candidates(today: date) -> QuerySet[Participant]:
    """People whose status may change today: a lookup each for the facts that the guards ask about."""
    mine = {"participant": OuterRef("pk")}
    in_group = Membership.objects.on(today).filter(group__start_date__lte=today, **mine)
    changed = ParticipationChange.objects.filter(effective_date__lte=today, **mine)
    last_visit = Visit.objects.filter(_last_visits(), opens_date__lte=today, **mine)
    return Participant.objects.filter(
        Q(Exists(in_group), referral__status=Status.RANDOMISED)
        | Q(_activity_over(today), referral__status__in=(Status.RANDOMISED, Status.IN_ACTIVITY))
        | Q(Exists(changed), referral__status__in=(Status.RANDOMISED, Status.IN_ACTIVITY, Status.FOLLOW_UP))
        | Q(Exists(last_visit), referral__status=Status.FOLLOW_UP)
    )


def _versions() -> QuerySet[ProtocolVersion]:
    return ProtocolVersion.objects.exclude(status=ProtocolVersion.Status.DRAFT)


def _activity_over(today: date) -> Q:
    """In a group whose activity period is over, by the protocol version of the person."""
    over = Q(pk__in=[])
    for version in _versions():
        length = protocol_rules.activity_ends(version.spec, today) - today
        started = Membership.objects.filter(participant=OuterRef("pk"), group__start_date__lt=today - length)
        over |= Q(Exists(started), referral__protocol_version=version)
    return over


def _last_visits() -> Q:
    """The final visit of each protocol version."""
    last = Q(pk__in=[])
    for version in _versions():
        last |= Q(code=protocol_rules.final_visit(version.spec).code, participant__referral__protocol_version=version)
    return last
