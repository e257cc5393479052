"""The log of breaches: the facts, the risk, who was told or why not, within 72 hours (R-37)."""

from datetime import date, datetime

from django.db import transaction

from trial.access.models import User
from trial.access.policy import Role
from trial.access.reads import holders
from trial.base.errors import ReasonMissing, TrialError
from trial.base.models import role_of
from trial.base.words import date_and_time, local_day
from trial.messages import actions as messages
from trial.rights import rules
from trial.rights.models import Breach, BreachNote

CATEGORIES = {
    "identity": "Names, addresses, numbers",
    "health": "Health and answers to questionnaires",
    "consent": "Consent forms and signatures",
    "attendance": "Groups and attendance",
    "allocation": "Allocation",
    "staff": "Accounts of staff",
}
"""Kinds of data, by code."""


class BreachRefused(TrialError):
    """The breach is closed, or a date cannot be."""


class NotDecided(BreachRefused):
    """A breach closes when its risk is judged, and it is said who was told or why not."""


@transaction.atomic
def log(
    *,
    kind: str,
    discovered_at: datetime,
    what: str,
    categories: list[str],
    n_people: int,
    by: User,
    at: datetime,
    happened_date: date | None = None,
) -> Breach:
    """Store a breach: the 72 hours run from when it was discovered, not from now.

    Raises:
        BreachRefused: it was discovered in the future, or before it happened.
    """
    if discovered_at > at:
        raise BreachRefused("The time it was discovered must not be in the future.")
    if happened_date and happened_date > local_day(discovered_at):
        raise BreachRefused("It cannot have happened after it was discovered.")
    made = Breach(
        kind=kind,
        discovered_at=discovered_at,
        happened_date=happened_date,
        what=what,
        categories=sorted(categories),
        n_people=n_people,
        recorded_at=at,
        recorded_by=by,
    ).save_by(by)
    note(breach=made, text=f"Logged. The 72 hours end on {date_and_time(_ends_at(made))}.", by=by, at=at)
    _open_task(made, at, by)
    return made


def _ends_at(breach: Breach) -> datetime:
    return rules.breach_clock(breach.discovered_at, breach.discovered_at).ends_at


def _open_task(breach: Breach, at: datetime, by: User) -> None:
    messages.open_task(
        key=f"breach:{breach.pk}",
        kind="breach",
        role=Role.TRIAL_MANAGER,
        site=None,
        referral=None,
        title="Decide what a breach needs",
        detail=f"{breach}. The 72 hours end on {date_and_time(_ends_at(breach))}",
        link=f"/breaches/{breach.pk}/",
        due_date=local_day(_ends_at(breach)),
        is_urgent=True,
        at=at,
        by=by,
    )


def _open(breach: Breach) -> Breach:
    breach = Breach.objects.select_for_update().get(pk=breach.pk)
    if breach.closed_at is not None:
        raise BreachRefused("This breach is closed. Add a note instead.")
    return breach


def note(*, breach: Breach, text: str, by: User, at: datetime) -> BreachNote:
    """Add a line to the timeline, also after it is closed.

    Raises:
        ReasonMissing: there is no text.
    """
    if not text.strip():
        raise ReasonMissing
    made = BreachNote(breach=breach, text=text.strip(), by=by, role=role_of(by), at=at)
    made.save()
    return made


@transaction.atomic
def judge(*, breach: Breach, risk: str, reason: str, n_people: int, by: User, at: datetime) -> Breach:
    """Judge the risk to people, with the reason; it may be judged again while the breach is open.

    Raises:
        BreachRefused: it is closed.
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing
    breach = _open(breach)
    breach.risk, breach.risk_reason, breach.risk_by, breach.n_people = risk, reason.strip(), by, n_people
    breach.save_by(by, f"Risk: {breach.get_risk_display()}")
    note(breach=breach, text=f"Risk judged: {breach.get_risk_display().lower()}. {reason.strip()}", by=by, at=at)
    return breach


@transaction.atomic
def tell_ico(
    *, breach: Breach, told_at: datetime | None, reference: str, reason: str, by: User, at: datetime
) -> Breach:
    """Say when the Information Commissioner's Office was told, or why it was not, or why late.

    Raises:
        BreachRefused: closed, or told in the future or before it was discovered.
        ReasonMissing: it was not told, or later than 72 hours, and nobody said why (article 33(1)).
    """
    breach = _open(breach)
    if told_at is not None and not breach.discovered_at <= told_at <= at:
        raise BreachRefused("The time it was told must be after it was discovered, and not in the future.")
    is_late = told_at is not None and told_at > _ends_at(breach)
    if (told_at is None or is_late) and not reason.strip():
        raise ReasonMissing
    breach.ico_told_at, breach.ico_reference, breach.ico_reason = told_at, reference.strip(), reason.strip()
    breach.save_by(by, "Information Commissioner's Office")
    said = f"ICO told on {date_and_time(told_at)}" if told_at else "ICO not told"
    note(breach=breach, text=". ".join(part for part in (said, reason.strip()) if part), by=by, at=at)
    return breach


@transaction.atomic
def tell_people(*, breach: Breach, told_date: date | None, reason: str, by: User, at: datetime) -> Breach:
    """Say when the people concerned were told, or why they were not (article 34).

    Raises:
        BreachRefused: closed, or told in the future.
        ReasonMissing: they were not told, and nobody said why.
    """
    breach = _open(breach)
    if told_date is not None and not local_day(breach.discovered_at) <= told_date <= local_day(at):
        raise BreachRefused("The day they were told must be after it was discovered, and not in the future.")
    if told_date is None and not reason.strip():
        raise ReasonMissing
    breach.people_told_date, breach.people_reason = told_date, reason.strip()
    breach.save_by(by, "People concerned")
    note(
        breach=breach,
        text="The people were told" if told_date else f"The people were not told. {reason.strip()}",
        by=by,
        at=at,
    )
    return breach


@transaction.atomic
def close(*, breach: Breach, by: User, at: datetime) -> Breach:
    """Close a breach once all is decided.

    Raises:
        NotDecided: see there.
    """
    breach = _open(breach)
    is_ready = (
        breach.risk and (breach.ico_told_at or breach.ico_reason) and (breach.people_told_date or breach.people_reason)
    )
    if not is_ready:
        raise NotDecided("Judge the risk first, and say whether the ICO and the people were told, or why not.")
    breach.closed_at, breach.closed_by = at, by
    breach.save_by(by, "Closed")
    messages.close_task(key=f"breach:{breach.pk}", by=by, at=at)
    note(breach=breach, text="Closed", by=by, at=at)
    return breach


def warn(*, at: datetime) -> int:
    """For the scheduled job: write to whoever logs breaches before the 72 hours of one are over, and when they are.

    Only while it is not said whether the ICO was told. Returns how many run.
    """
    running = Breach.objects.filter(closed_at__isnull=True, ico_told_at__isnull=True, ico_reason="")
    due = [one for one in running if at >= rules.warns_at(one.discovered_at)]
    for breach in due:
        clock = rules.breach_clock(breach.discovered_at, at)
        _write(breach, "over" if clock.is_over else "soon", clock, at)
    return len(due)


def _write(breach: Breach, which: str, clock: rules.Clock, at: datetime) -> None:
    heading = "The 72 hours of a breach are over" if clock.is_over else "The 72 hours of a breach end soon"
    for user in holders((Role.TRIAL_MANAGER, Role.DATA_MANAGER), local_day(at)):
        messages.write_message(
            key=f"breach:{breach.pk}:{which}:{user.pk}",
            kind="breach",
            heading=heading,
            body=f"{breach}: they end on {date_and_time(clock.ends_at)}.\n\nSign in and open Breaches.\n",
            at=at,
            to_user=user,
        )
