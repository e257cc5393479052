"""Groups with their sessions, members in and out, sessions cancelled, moved and checked for risk."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import transaction

from trial.access.models import RoleAssignment, Site, User
from trial.access.policy import Role
from trial.activities import rules
from trial.activities.models import ActivityGroup, Membership, Session, Venue
from trial.allocation.reads import arm_number_of
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.participants.models import Participant
from trial.participation.models import Element
from trial.participation.rules import takes_part
from trial.protocol.versions import version_in_force


class GroupRefused(TrialError):
    """A group cannot be made like this; the text says what to change."""


class MembershipRefused(TrialError):
    """A person cannot join, leave or move like this; the text says why (BR-49)."""


class SessionRefused(TrialError):
    """A session cannot be changed like this; the text says why."""


@dataclass(frozen=True)
class GroupPlan:
    """What a coordinator decides about a group; lengths and sizes are the protocol's.

    Attributes:
        arm_number: position of the arm in the protocol's list, from 0.
    """

    name: str
    arm_number: int
    wave: int
    venue: Venue
    leader: User
    start_date: date
    start_time: time
    co_leader: User | None = None


@transaction.atomic
def create_group(*, site: Site, plan: GroupPlan, by: User | None) -> ActivityGroup:
    """Make a group and all its sessions from the protocol's session plan.

    Raises:
        GroupRefused: the name is taken or tells the arm, or a leader is not one of the site's.
        NoProtocolInForce: the site has no version on the group's first day.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    spec = version_in_force(site=site, on=plan.start_date).spec
    _check_name(site, plan.name, rules.word_that_tells(plan.name, spec.arms))
    _check_leaders(site, plan)
    if not 0 <= plan.arm_number < len(spec.arms):
        raise GroupRefused("Select one of the protocol's activities.")
    group = ActivityGroup(
        site=site,
        name=plan.name,
        arm_number=plan.arm_number,
        wave=plan.wave,
        venue=plan.venue,
        leader=plan.leader,
        co_leader=plan.co_leader,
        start_date=plan.start_date,
        start_time=plan.start_time,
        duration_min=spec.session_plan.duration_min,
        min_size=spec.session_plan.group_size.min,
        max_size=spec.session_plan.group_size.max,
    ).save_by(by)
    for meeting in rules.plan(spec, plan.start_date, plan.start_time):
        Session(group=group, number=meeting.number, starts_at=meeting.starts_at, ends_at=meeting.ends_at).save_by(by)
    return group


def _check_name(site: Site, name: str, telling: str) -> None:
    if telling:
        raise GroupRefused(
            f"The name must not contain “{telling}”, which tells what kind of group it is."
            " Use a day and a time, such as Thursday morning group."
        )
    if ActivityGroup.objects.filter(site=Site.objects.select_for_update().get(pk=site.pk), name=name).exists():
        raise GroupRefused(f"{site} already has a group called {name}. Choose another name.")


def _check_leaders(site: Site, plan: GroupPlan) -> None:
    leaders = [user for user in (plan.leader, plan.co_leader) if user is not None]
    if len({user.pk for user in leaders}) < len(leaders):
        raise GroupRefused("Leader and co-leader must be two people.")
    theirs = RoleAssignment.objects.filter(role=Role.ACTIVITY_LEADER, site=site, user__in=leaders)
    known = set(theirs.values_list("user_id", flat=True))
    for user in leaders:
        if user.pk not in known:
            raise GroupRefused(f"{user} is not an activity leader at {site}. Choose a leader of this site.")


@transaction.atomic
def add_member(
    *, participant: Participant, group: ActivityGroup, from_date: date, by: User, at: datetime
) -> Membership:
    """Put an allocated participant into a group of their arm, from a day on.

    Raises:
        MembershipRefused: another site or arm, not allocated, a member already, the group is full (BR-49),
            or the person stopped the activity.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    group = ActivityGroup.objects.select_for_update(of=("self",)).select_related("site").get(pk=group.pk)
    Participant.objects.select_for_update().get(pk=participant.pk)
    _check_person(participant, group, from_date, by, at)
    _check_days(participant, group, from_date)
    n_members = group.memberships.reaching(from_date).count()
    if n_members >= group.max_size:
        raise MembershipRefused(f"{group} is full: {n_members} of {group.max_size} places are taken. Choose another.")
    messages.close_tasks_of(referral=participant.referral, by=by, at=at, kinds=("choose_group",))
    return Membership(participant=participant, group=group, from_date=from_date).save_by(by)


def _check_person(participant: Participant, group: ActivityGroup, day: date, by: User, at: datetime) -> None:
    if participant.referral.site_id != group.site_id:
        raise MembershipRefused(f"{participant} belongs to another site. Choose a group of that site.")
    number = arm_number_of(participant, by=by, at=at, reason="Placing in a group")
    if number is None or participant.randomised_date is None:
        raise MembershipRefused(f"{participant} is not randomised yet. Randomise first.")
    if number != group.arm_number:
        raise MembershipRefused(f"{participant} was not allocated to the activity of {group}. Choose another group.")
    if day < participant.randomised_date:
        raise MembershipRefused(
            f"The first day must be {long_date(participant.randomised_date)}, randomisation, or later."
        )
    if not takes_part(participant.participation_changes.all(), Element.ACTIVITY, day):
        raise MembershipRefused(f"{participant} has stopped the activity, so joins no group.")


def _check_days(participant: Participant, group: ActivityGroup, from_date: date) -> None:
    earlier = participant.memberships.reaching(from_date).select_related("group").first()
    if earlier is not None:
        raise MembershipRefused(f"{participant} is in {earlier.group} on that day. Move them from there instead.")
    last = group.sessions.order_by("-starts_at").first()
    if last is not None and from_date > local_day(last.starts_at):
        raise MembershipRefused(
            f"The last session of {group} is on {long_date(last.starts_at)}. Choose an earlier day."
        )


@transaction.atomic
def end_membership(*, membership: Membership, to_date: date, reason: str, by: User) -> Membership:
    """End a membership after a day; the sessions up to then stay theirs.

    Raises:
        MembershipRefused: it has ended, or the day is before it began, or no reason is given.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    membership = (
        Membership.objects.select_for_update(of=("self",)).select_related("participant", "group").get(pk=membership.pk)
    )
    if membership.to_date is not None:
        raise MembershipRefused(f"{membership.participant} left {membership.group} on {long_date(membership.to_date)}.")
    if to_date < membership.from_date:
        raise MembershipRefused(
            f"The last day must be {long_date(membership.from_date)}, the day they joined, or later."
        )
    if not reason.strip():
        raise MembershipRefused("Say why the person leaves the group.")
    membership.to_date, membership.end_reason = to_date, reason.strip()[:100]
    return membership.save_by(by, reason)


@transaction.atomic
def move_member(
    *, membership: Membership, group: ActivityGroup, from_date: date, reason: str, by: User, at: datetime
) -> Membership:
    """Move a member to another group of the same arm from a day on.

    Raises:
        MembershipRefused: as for end_membership and add_member.
        DatasetLocked: a final lock is in force.
    """
    if from_date <= membership.from_date:
        raise MembershipRefused(f"The first day must be after {long_date(membership.from_date)}, when they joined.")
    end_membership(membership=membership, to_date=from_date - timedelta(days=1), reason=reason, by=by)
    return add_member(participant=membership.participant, group=group, from_date=from_date, by=by, at=at)


def _changeable(session: Session) -> Session:
    """The session, locked for change.

    Raises:
        SessionRefused: it was delivered or cancelled.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    session = Session.objects.select_for_update(of=("self",)).select_related("group__site").get(pk=session.pk)
    if session.status == Session.Status.DELIVERED:
        raise SessionRefused("The register of this session is finished, so the session no longer changes.")
    if session.status == Session.Status.CANCELLED:
        raise SessionRefused("This session is already cancelled.")
    return session


@transaction.atomic
def cancel_session(*, session: Session, reason: str, by: User) -> Session:
    """Cancel a session for one of `Session.CancelReason`: nobody was absent from it (BR-43).

    Raises:
        SessionRefused: it was delivered or cancelled already, or the reason is not one of the list.
        DatasetLocked: a final lock is in force.
    """
    session = _changeable(session)
    if reason not in Session.CancelReason.values:
        raise SessionRefused("Select why the session is cancelled.")
    session.status, session.cancel_reason = Session.Status.CANCELLED, reason
    return session.save_by(by, f"Cancelled: {Session.CancelReason(reason).label}")


@transaction.atomic
def move_session(*, session: Session, starts_at: datetime, ends_at: datetime, reason: str, by: User) -> Session:
    """Give a session that has not begun another time; the history keeps the old one.

    Raises:
        SessionRefused: it was delivered, cancelled or begun, ends before it starts, or no reason is given.
        DatasetLocked: a final lock is in force.
    """
    session = _changeable(session)
    if session.risk_checked_at is not None or session.marks.exists():
        raise SessionRefused("This session has begun, so it cannot be moved. Finish its register or cancel it.")
    if ends_at <= starts_at:
        raise SessionRefused("The session must end after it starts.")
    if not reason.strip():
        raise SessionRefused("Say why the session is moved.")
    session.starts_at, session.ends_at = starts_at, ends_at
    return session.save_by(by, reason)


@transaction.atomic
def confirm_risk_check(*, session: Session, checked_at: datetime, by: User, at: datetime) -> Session:
    """Confirm the dynamic risk check before a session (BR-43). Confirmed again, it stays as it was.

    Args:
        checked_at: when the check was made; on the day of the session, not in the future.

    Raises:
        SessionRefused: another day, in the future, or the session was delivered or cancelled.
        DatasetLocked: a final lock is in force.
    """
    session = _changeable(session)
    if session.risk_checked_at is not None:
        return session
    if local_day(checked_at) != local_day(session.starts_at):
        raise SessionRefused(f"The risk check belongs to the day of the session, {long_date(session.starts_at)}.")
    if checked_at > at or checked_at > session.ends_at:
        raise SessionRefused("The risk check must be in the past and before the end of the session.")
    session.risk_checked_at, session.risk_checked_by = checked_at, by
    if by.pk in (session.group.leader_id, session.group.co_leader_id):
        session.leader_present = by
    return session.save_by(by, "Risk check confirmed")
