"""E-mail about the randomisation: who is told what, and never an arm (randomisation.md 6.3 and 8.1 step 7).

What follows an allocation is written in its transaction. The rest is worked out from the event log by `tick`, so that
a step taken in any way is told of, and a message that was written is not written again.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from randomisation import high_water, supply
from randomisation.errors import SealError
from randomisation.high_water import Standing
from randomisation.models import Allocation, EventLog, Scheme
from randomisation.states import pause_all
from trial.access.models import RoleAssignment, Site, User
from trial.access.policy import POLICY, Action, Role
from trial.allocation import marks
from trial.allocation.reads import digest_of
from trial.base.words import date_and_time, local_day
from trial.messages import actions as messages
from trial.messages.models import OutboxMessage
from trial.participants.models import Participant

ALLOCATED, SCHEME, ALARM, SUPPLY = "allocated", "scheme_state", "scheme_alarm", "list_nearly_used"
KINDS = frozenset({ALLOCATED, SCHEME, ALARM, SUPPLY})
TOLD_OF_ALLOCATIONS = (Role.COORDINATOR, Role.PRINCIPAL_INVESTIGATOR, Role.TRIAL_MANAGER)
"""Blinded assessors and statisticians see from the visits who was randomised: no message adds to that."""
TOLD_OF_STATES = (*TOLD_OF_ALLOCATIONS, Role.RANDOMISER)
CUSTODIANS = (Action.OPERATE_SCHEME, Action.CONFIGURE_SCHEME)
LOOK_BACK = timedelta(days=7)
"""How far back `tick` reads the log: it may be missed for days."""
MARK = "high-water mark"
CHECKS_FAILED = ("E_LIST_MISMATCH", "E_SEAL_CONTEXT", MARK)
"""Reasons that the system itself gives when it pauses a scheme."""

Event = EventLog.Event
_WORDS = {Event.OPEN: "opened", Event.PAUSE: "paused", Event.CLOSE: "closed"}


# -- one allocation


def write_allocated(*, participant: Participant, allocation: Allocation, by: User | None, at: datetime) -> None:
    """Tell the site and the trial manager that somebody was randomised; called in the allocation's transaction.

    Nobody is told the arm: who may see it signs in at the address given. Once for each person and reader.
    """
    site = participant.number_site
    for reader in holders(TOLD_OF_ALLOCATIONS, site=site, on=local_day(at)):
        messages.write_message(
            key=f"{ALLOCATED}:{allocation.pk}:{participant.pk}:{reader.pk}",
            kind=ALLOCATED,
            heading="A participant was randomised",
            body=_allocated_text(participant, allocation, reader, site),
            at=at,
            to_user=reader,
            by=by,
        )


def _allocated_text(participant: Participant, allocation: Allocation, reader: User, site: Site) -> str:
    page = f"{settings.SITE_URL}/people/{participant.study_id}/"
    may_see = reader.access.may(Action.VIEW_ARM, site)
    return (
        f"{participant.study_id} was randomised on {date_and_time(allocation.at)}.\n\n"
        f"Number of the allocation: {allocation.seq}\n"
        f"Confirmation code: {digest_of(allocation)[:16].upper()}\n\n"
        f"{'Sign in to see the allocation and choose a group' if may_see else 'Sign in to see the visits'}:\n"
        f"{page}{'allocation/' if may_see else ''}\n\n"
        "This message does not say to what. Do not ask for it or write it in an e-mail.\n"
    )


def holders(roles: Iterable[Role], *, site: Site | None, on: date) -> list[User]:
    """Everyone who holds one of the roles on a day, at the site or at all sites; at any site when none is given."""
    held = RoleAssignment.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=on), role__in=list(roles), from_date__lte=on, user__is_active=True
    )
    if site is not None:
        held = held.filter(Q(site__isnull=True) | Q(site=site))
    return list({row.user_id: row.user for row in held.select_related("user").order_by("user_id")}.values())


def _who_may(actions: Iterable[Action], on: date) -> list[User]:
    roles = [role for role, spec in POLICY.items() if spec.actions & set(actions)]
    return holders(roles, site=None, on=on)


# -- what `tick` finds


def write_due(*, at: datetime) -> int:
    """Pause what is behind its mark, and tell of every change of state, alarm and list that runs out.

    Returns how many messages were written now.
    """
    return sum(_of_scheme(scheme, at) for scheme in Scheme.objects.order_by("pk"))


def _of_scheme(scheme: Scheme, at: datetime) -> int:
    return _check_mark(scheme, at) + _tell_of_events(scheme, at) + _tell_of_supply(scheme, at)


@transaction.atomic
def _check_mark(scheme: Scheme, at: datetime) -> int:
    """A database that fell behind is wrong for every scheme: all of them stop, and the custodians hear daily (9.15)."""
    standing = high_water.compare(scheme)
    if standing is Standing.LEVEL:
        return 0
    opened = scheme.events.filter(event=Event.OPEN).order_by("-n").first() or scheme.events.order_by("-n").first()
    if opened is not None:
        # The log names a person for every entry: whoever opened the scheme. Its reason says that a check paused it.
        pause_all(reason=MARK, by=opened.actor, at=at)
    today = local_day(at)
    return _write(
        _who_may(CUSTODIANS, today),
        key=f"{ALARM}:{scheme.pk}:{standing.value}:{today.isoformat()}",
        kind=ALARM,
        heading="Randomisation: the records do not fit together",
        body=(
            f"{marks.WORDS[standing]} Randomisation is paused everywhere.\n\n"
            "Do not open it again before the missing allocations are entered and two people have approved.\n"
        ),
        at=at,
    )


def _tell_of_events(scheme: Scheme, at: datetime) -> int:
    recent = scheme.events.filter(event__in=list(_WORDS), at__gte=at - LOOK_BACK).order_by("n")
    return sum(_tell_of(scheme, entry, at) for entry in recent)


def _tell_of(scheme: Scheme, entry: EventLog, at: datetime) -> int:
    """A change of state to the sites; one that a failed check made to the custodians besides."""
    facts, today = entry.facts, local_day(at)
    n_written = _write(
        holders(TOLD_OF_STATES, site=Site.objects.filter(code=facts.get("site", "")).first(), on=today),
        key=f"{SCHEME}:{scheme.pk}:{entry.n}",
        kind=SCHEME,
        heading=f"Randomisation was {_WORDS[Event(entry.event)]}",
        body=_state_text(scheme, entry, facts.get("site", "")),
        at=at,
    )
    if facts.get("reason") not in CHECKS_FAILED:
        return n_written
    return n_written + _write(
        _who_may(CUSTODIANS, today),
        key=f"{ALARM}:{scheme.pk}:{entry.n}",
        kind=ALARM,
        heading="Randomisation was paused by a check",
        body=(
            f"A check of the sealed records failed on {date_and_time(entry.at)} ({facts['reason']}), so the system"
            " paused randomisation. Nobody was allocated by the request that found it.\n\n"
            "Do not open it again before the independent statistician has looked at it.\n"
        ),
        at=at,
    )


def _state_text(scheme: Scheme, entry: EventLog, site: str) -> str:
    """The reason stays out: people type it, and it is for unblinded readers (6.3)."""
    where = f" at site {site}" if site else ""
    text = f"{scheme.name}: randomisation{where} was {_WORDS[Event(entry.event)]} on {date_and_time(entry.at)}.\n"
    if entry.event == Event.OPEN:
        return text
    return f"{text}\nNobody can be randomised there now. Follow-up goes on. Who waits is on the list of people.\n"


def _tell_of_supply(scheme: Scheme, at: datetime) -> int:
    """To those who approve an extension; once until the lists are longer. No stratum and no number of rows."""
    try:
        if not supply.is_nearly_used(scheme):
            return 0
    except SealError:  # the health page tells of a missing key
        return 0
    n_longer = scheme.events.filter(event__in=(Event.EXTEND, Event.LOCK)).count()
    return _write(
        _who_may((Action.APPROVE_LOCK,), local_day(at)),
        key=f"{SUPPLY}:{scheme.pk}:{n_longer}",
        kind=SUPPLY,
        heading="A randomisation list is nearly used",
        body=(
            f"{scheme.name}: a list is nearly used. When it is empty, nobody can be randomised from it.\n\n"
            "An extension needs two approvals. Sign in and open Randomisation.\n"
        ),
        at=at,
    )


@transaction.atomic
def _write(readers: Sequence[User], *, key: str, kind: str, heading: str, body: str, at: datetime) -> int:
    """One message to each reader who has none of this key yet; returns how many were written."""
    wanted = {f"{key}:{reader.pk}": reader for reader in readers}
    there = set(OutboxMessage.objects.filter(key__in=list(wanted)).values_list("key", flat=True))
    new = {one: reader for one, reader in wanted.items() if one not in there}
    for one, reader in new.items():
        messages.write_message(key=one, kind=kind, heading=heading, body=body, at=at, to_user=reader)
    return len(new)


def may_still_go(message: OutboxMessage) -> bool:
    """Asked before any message leaves: none of these goes to somebody who no longer has a role."""
    reader = message.to_user
    return message.kind not in KINDS or (reader is not None and bool(reader.access.assignments))
