"""Why a mark is refused (BR-41), in words that the person who marks may read."""

from collections.abc import Sequence
from datetime import date, datetime

from trial.activities.models import Session
from trial.allocation.reads import arm_number_of
from trial.attendance import rules
from trial.attendance.models import Mark
from trial.base.errors import TrialError
from trial.base.words import clock_time, local_day, long_date
from trial.locking.rules import require_unlocked
from trial.participation.models import Element
from trial.participation.rules import takes_part
from trial.protocol.spec import ProtocolSpec


class MarkRefused(TrialError):
    """A mark that cannot be stored; the text says what to do."""


def check(new: Mark, *, chain: Sequence[Mark], spec: ProtocolSpec, at: datetime) -> None:
    """Refuse a mark that may not be made.

    Args:
        new: the mark, not stored yet.
        chain: the person's marks at the session so far.

    Raises:
        MarkRefused: a future or cancelled session, a person outside the membership dates (BR-41), or a value
            that makes no sense.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    _check_session(new.session, at)
    _check_value(new, spec)
    _check_person(new, chain, at)


def _check_session(session: Session, at: datetime) -> None:
    if session.status == Session.Status.CANCELLED:
        raise MarkRefused("This session is cancelled, so nobody is marked.")
    if session.starts_at > at:
        when = f"{long_date(session.starts_at)} at {clock_time(session.starts_at)}"
        raise MarkRefused(f"This session starts on {when}. You can mark people from then.")


def _check_value(new: Mark, spec: ProtocolSpec) -> None:
    if new.status not in Mark.Status.values:
        raise MarkRefused("Select what happened.")
    length = rules.length_min(new.session)
    if new.status == Mark.Status.PART:
        if new.minutes is None or not 1 <= new.minutes <= length:
            raise MarkRefused(f"Enter how many minutes they were there, between 1 and {length}.")
    elif new.minutes is not None:
        raise MarkRefused("Minutes go with Here for part only.")
    if new.absence_reason:
        if new.status in rules.PRESENT or new.status == Mark.Status.OTHER_ARM:
            raise MarkRefused("A reason for absence goes with an absence only.")
        if new.absence_reason not in {reason.code for reason in spec.reasons.absence}:
            raise MarkRefused("Select a reason from the list.")


def _check_person(new: Mark, chain: Sequence[Mark], at: datetime) -> None:
    day = local_day(new.session.starts_at)
    if new.participant.memberships.on(day).filter(group=new.session.group).exists():
        _check_member(new, day)
    elif new.status == Mark.Status.OTHER_ARM:
        _check_visitor(new, at)
    elif not (chain and new.status == Mark.Status.ABSENT):  # a visitor entered by mistake is taken back
        raise MarkRefused(f"{new.participant} was not in this group on {long_date(day)}. Ring the coordinator.")


def _check_member(new: Mark, day: date) -> None:
    if new.status == Mark.Status.OTHER_ARM:
        raise MarkRefused(f"{new.participant} is in this group. Mark them Here instead.")
    if not takes_part(new.participant.participation_changes.all(), Element.ACTIVITY, day):
        raise MarkRefused(f"{new.participant} has stopped the activity, so is not marked. Ring the coordinator.")


def _check_visitor(new: Mark, at: datetime) -> None:
    group = new.session.group
    number = arm_number_of(new.participant, by=new.marked_by, at=at, reason="Visitor at a session")
    if number is None or new.participant.referral.site_id != group.site_id:
        raise MarkRefused(f"{new.participant} cannot be added here. Ring the coordinator.")
    if number == group.arm_number:
        raise MarkRefused(f"{new.participant} needs to be moved to this group first. Ring the coordinator.")
