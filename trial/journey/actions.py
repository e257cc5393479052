"""Moving people along the journey: every status change passes here, with its guards (T01 to T17)."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from trial.access.models import Site, User
from trial.access.policy import Action, Role
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.journey.guards import GUARDS, Ask
from trial.journey.transitions import between
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.participants import actions as participants
from trial.participants.identity import IdentityData
from trial.participants.models import BEFORE_CONSENT, Referral, Status
from trial.participation.models import ParticipationChange
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.working_time import add_working_days
from trial.referrals import actions as messages_back

OPEN_AFTER_LOCK = frozenset({Status.ENDED_EARLY, Status.FOLLOW_UP, Status.WITHDRAWN_BEFORE_RANDOMISATION})


class MoveRefused(TrialError):
    """The status cannot change like this now; the text says what is missing."""


def missing_for(referral: Referral, target: Status, *, on: date, reasons: Sequence[str] = ()) -> list[str]:
    """What stands between a referral and a status: no sentence when nothing does."""
    transition = between(Status(referral.status), target)
    if transition is None:
        return [f"{referral.get_status_display()} cannot become {target.label}."]
    return GUARDS[transition.number](Ask(referral, on, tuple(reasons)))


@transaction.atomic
def move(
    *,
    referral: Referral,
    target: Status,
    by: User | None,
    at: datetime,
    effective_date: date | None = None,
    reasons: Sequence[str] = (),
    note: str = "",
) -> Referral:
    """Make one transition of the table, if its guard holds and the person may.

    Args:
        by: None where the system moves.
        effective_date: from when; the local day of `at` otherwise.
        reasons: reason codes, the primary one first; kept for the flow diagram (BR-02).

    Raises:
        MoveRefused: the pair is not in the table, the guard does not hold, or the person may not.
        DatasetLocked: a final lock is in force, and this is not a withdrawal.
    """
    if target not in OPEN_AFTER_LOCK:
        require_unlocked()
    referral = Referral.objects.select_for_update().get(pk=referral.pk)
    transition = between(Status(referral.status), target)
    day = effective_date or local_day(at)
    if problems := missing_for(referral, target, on=day, reasons=reasons):
        raise MoveRefused(" ".join(problems))
    _check_dates(referral, day, local_day(at))
    if transition is None or (by and transition.action and not by.access.may(transition.action, referral.site)):
        raise MoveRefused("Your role does not let you do this here.")
    if reasons:
        referral.close_reason, referral.further_reasons = reasons[0], list(reasons[1:])
    participants.write_status(
        referral=referral,
        transition=transition.number,
        target=target,
        effective_date=day,
        by=by,
        at=at,
        reason=note or ", ".join(reasons),
    )
    _tell_back(referral, target, by, at)
    return referral


EXITS = frozenset({Status.SCREEN_FAILED, Status.WITHDRAWN_BEFORE_RANDOMISATION, Status.COMPLETED, Status.ENDED_EARLY})
"""Ways out after consent: GP and referrer are told."""


def _tell_back(referral: Referral, target: Status, by: User | None, at: datetime) -> None:
    """Messages to GP and referrer become due with consent and with the end; after a death nobody is written to."""
    if target != Status.CONSENTED and target not in EXITS:
        return
    participant = referral.participant
    died = participant.participation_changes.filter(cause=ParticipationChange.Cause.DEATH).exists()
    if target == Status.CONSENTED:
        messages_back.make_due(participant=participant, kind="consent", cause="consent", by=by, at=at)
    elif not died and DEATH not in _meanings(referral):
        messages_back.make_due(participant=participant, kind="exit", cause=f"exit:{target}", by=by, at=at)


DEATH = "death"


def _meanings(referral: Referral) -> set[str | None]:
    """What the reasons of a closing mean to the system."""
    codes = {referral.close_reason, *referral.further_reasons}
    listed = protocol_rules.reasons(referral.protocol_version.spec, "withdrawal")
    return {reason.means for reason in listed if reason.code in codes}


def _check_dates(referral: Referral, day: date, today: date) -> None:
    if day > today:
        raise MoveRefused("The date must not be in the future.")
    if day < referral.received_date:
        raise MoveRefused(f"The date must not be before the referral on {long_date(referral.received_date)}.")


@transaction.atomic
def refer(
    *,
    site: Site,
    data: participants.ReferralData,
    who: IdentityData,
    by: User | None,
    at: datetime,
    version: ProtocolVersion | None = None,
) -> Referral:
    """Store a referral and ask the coordinator for a first contact (T01, T17).

    Raises:
        AlreadyReferred: BR-04.
        MoveRefused: received in the future, or screened again too soon or too often (BR-05).
    """
    if data.received_date > local_day(at):
        raise MoveRefused("The date received must not be in the future.")

    def may_follow(earlier: Referral) -> None:
        _check_rescreening(earlier, data.received_date)

    referral = participants.add_referral(
        site=site, data=data, who=who, by=by, at=at, may_follow=may_follow, version=version
    )
    spec = referral.protocol_version.spec
    days = spec.contact.first_contact_working_days
    messages.open_task(
        key=f"first-contact:{referral.pk}",
        kind="first_contact",
        role=Role.COORDINATOR,
        site=site,
        referral=referral,
        title="Make first contact",
        detail=f"{referral.origin} on {long_date(data.received_date)}. Within {days} working days",
        link=f"/people/{referral.screening_number}/contact/",
        due_date=add_working_days(spec, data.received_date, days),
        at=at,
        by=by,
        is_new=True,
    )
    if data.risk:
        _tell_of_risk(referral, by, at)
    return referral


def _tell_of_risk(referral: Referral, by: User | None, at: datetime) -> None:
    """Risk information is read by a coordinator before anybody calls; the task says only that it is there."""
    messages.open_task(
        key=f"risk-information:{referral.pk}",
        kind="risk_information",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title="Read the risk information",
        detail=f"Passed on by the referrer with the referral of {long_date(referral.received_date)}",
        link=f"/people/{referral.screening_number}/referral/",
        due_date=local_day(at),
        is_urgent=True,
        at=at,
        by=by,
    )


def _check_rescreening(latest: Referral, received: date) -> None:
    """Screening again after failing: so many times, so many days later (BR-05)."""
    if latest.status != Status.SCREEN_FAILED:
        return
    rule = latest.protocol_version.spec.rescreen
    failed = latest.person.referrals.filter(status=Status.SCREEN_FAILED).count()
    if failed > rule.times:
        raise MoveRefused("This person was screened again already, and cannot be once more.")
    if (received - latest.status_date).days < rule.after_days:
        raise MoveRefused(f"A person who was not eligible can be screened again after {rule.after_days} days.")


@transaction.atomic
def close(
    *,
    referral: Referral,
    target: Status,
    reasons: Sequence[str],
    by: User,
    at: datetime,
    effective_date: date | None = None,
) -> Referral:
    """Close a referral before randomisation (T03, T05, T06, T08, T11): its tasks end and nothing more is sent."""
    moved = move(referral=referral, target=target, by=by, at=at, reasons=reasons, effective_date=effective_date)
    messages.close_tasks_of(referral=moved, by=by, at=at)
    messages.stop_messages(referral=moved, by=by, at=at)
    return moved


def may_close(user: User, referral: Referral) -> bool:
    """Whether a referral is still before consent and this person may close it."""
    return referral.status in BEFORE_CONSENT and user.access.may(Action.CLOSE_REFERRAL, referral.site)
