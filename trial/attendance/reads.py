"""Registers and lists of sessions as one user may see them: absent and not yours answer alike."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from django.db.models import QuerySet
from django.http import Http404

from trial.access.models import User
from trial.activities import reads as activity_reads
from trial.activities.models import Membership, Session
from trial.attendance import conflicts, rules
from trial.attendance.models import Mark
from trial.attendance.rules import Offered
from trial.base.parts import PersonCard
from trial.base.words import clock_time, local_day
from trial.participants.identity import first_names
from trial.participants.models import Participant
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import version_in_force

RECENT_DAYS = 7


def register_for(user: User, pk: int) -> Session:
    """A session whose register `user` takes.

    Raises:
        Http404: there is none, or it is not theirs (BR-40).
    """
    session = activity_reads.with_frame(Session.objects.with_register_of(user)).filter(pk=pk).first()
    if session is None:
        raise Http404
    return session


def spec_of(session: Session) -> ProtocolSpec:
    """The protocol in force for a session."""
    return version_in_force(site=session.group.site, on=local_day(session.starts_at)).spec


# -- lists of sessions


@dataclass(frozen=True)
class SessionRow:
    """A session in a list. `n_planned` is how many its group has; `code` is of the status group "session"."""

    session: Session
    n_planned: int
    n_expected: int
    n_marked: int
    n_conflicts: int
    code: str
    word: str


def rows_of(sessions: Iterable[Session], at: datetime) -> list[SessionRow]:
    """Sessions (from `with_frame`) with what was expected and marked: the same number of lookups for any number."""
    found = list(sessions)
    members = activity_reads.members_of({session.group_id for session in found})
    marked = _marked(found)
    conflicts = Counter(
        Mark.objects.undecided().filter(session__in=found).values_list("session_id", flat=True).order_by("pk")
    )
    return [
        _row(session, members[session.group_id], marked[session.pk], conflicts[session.pk], at) for session in found
    ]


def _marked(sessions: Sequence[Session]) -> Mapping[int, set[int]]:
    marked: dict[int, set[int]] = defaultdict(set)
    pairs = Mark.objects.filter(session__in=sessions, is_conflict=False).values_list("session_id", "participant_id")
    for session, participant in pairs.order_by("pk"):
        marked[session].add(participant)
    return marked


def _row(session: Session, members: list[Membership], marked: set[int], n_conflicts: int, at: datetime) -> SessionRow:
    expected = activity_reads.expected_of(members, local_day(session.starts_at))
    n_marked = sum(member.participant_id in marked for member in expected)
    code, word = _status(session, n_marked, at)
    n_planned = getattr(session, "n_planned", 0)
    return SessionRow(session, n_planned, len(expected), n_marked, n_conflicts, code, word)


def _status(session: Session, n_marked: int, at: datetime) -> tuple[str, str]:
    """Status code and, where the usual word says too little, a word of its own."""
    if session.status == Session.Status.CANCELLED:
        return "cancelled", f"Cancelled: {session.get_cancel_reason_display().lower()}"
    if session.status == Session.Status.DELIVERED and session.completed_at:
        return "delivered", f"Register sent {clock_time(session.completed_at)}"
    if n_marked:
        return "in_progress", ""
    return ("planned", "") if session.starts_at > at else ("not_started", "")


def sessions_on(user: User, day: date, at: datetime) -> list[SessionRow]:
    """The sessions of a day at the sites whose sessions `user` oversees, for the aside of a home page."""
    visible = Session.objects.visible_to(user).filter(starts_at__date=day)
    return rows_of(activity_reads.with_frame(visible).order_by("starts_at", "pk"), at)


@dataclass(frozen=True)
class LeaderDay:
    """A leader's home: today's sessions, the next one, and recent ones whose register is not finished."""

    today: list[SessionRow]
    following: SessionRow | None
    unfinished: list[SessionRow]


def leader_day(user: User, at: datetime) -> LeaderDay:
    """What a leader must do next."""
    today = local_day(at)
    mine = activity_reads.with_frame(Session.objects.with_register_of(user)).order_by("starts_at", "pk")
    planned = mine.filter(status=Session.Status.PLANNED)
    recent = planned.filter(starts_at__date__lt=today, starts_at__date__gte=today - timedelta(days=RECENT_DAYS))
    following = planned.filter(starts_at__date__gt=today)[:1]
    rows = rows_of([*mine.filter(starts_at__date=today), *recent, *following], at)
    return LeaderDay(
        today=[row for row in rows if local_day(row.session.starts_at) == today],
        following=next((row for row in rows if local_day(row.session.starts_at) > today), None),
        unfinished=[row for row in rows if local_day(row.session.starts_at) < today],
    )


def unfinished(user: User, at: datetime) -> QuerySet[Session]:
    """Sessions that are over, were not cancelled and have no finished register, at the user's sites."""
    return Session.objects.visible_to(user).filter(status=Session.Status.PLANNED, ends_at__lt=at)


def n_open_conflicts() -> int:
    """Marks that contradict and wait for a decision, over all sites: a count that reveals no arm."""
    return Mark.objects.undecided().count()


def n_unfinished_registers(at: datetime) -> int:
    """Sessions that are over without a finished register, over all sites: a count that reveals no arm."""
    return Session.objects.filter(status=Session.Status.PLANNED, ends_at__lt=at).count()


# -- one register


@dataclass(frozen=True)
class Register:
    """One register as its leader sees it: first names and study numbers, nothing else of anybody (BR-40)."""

    cards: list[PersonCard]
    visitors: list[PersonCard]
    n_expected: int
    n_marked: int
    n_conflicts: int
    last_received_at: datetime | None


def register(session: Session, user: User) -> Register:
    """Everybody expected at a session, with the mark that counts and any that contradicts it."""
    expected = activity_reads.expected_members(session)
    marks = marks_of(session)
    names = first_names([member.participant.referral.person for member in expected])
    cards = [
        _card(session, member.participant, names.get(member.participant.referral.person_id, ""), marks, user)
        for member in expected
    ]
    ids = {member.participant_id for member in expected}
    visitors = [
        _card(session, found.current.participant, "Visitor", marks, user)
        for pk, found in marks.items()
        if pk not in ids and found.current and found.current.status == Mark.Status.OTHER_ARM
    ]
    received = [found.current.received_at for found in marks.values() if found.current]
    return Register(
        cards=sorted(cards, key=lambda card: (card.name.casefold(), card.study_id)),
        visitors=sorted(visitors, key=lambda card: card.study_id),
        n_expected=len(expected),
        n_marked=sum(1 for pk in ids if pk in marks and marks[pk].current),
        n_conflicts=sum(1 for found in marks.values() if found.aside),
        last_received_at=max(received, default=None),
    )


@dataclass
class Marks:
    """The marks of one person at one session: the one that counts, those that wait for a decision, all of them."""

    current: Mark | None = None
    aside: Sequence[Mark] = ()
    every: Sequence[Mark] = ()


def marks_of(session: Session) -> dict[int, Marks]:
    """Marks by participant id: one lookup."""
    found: dict[int, Marks] = defaultdict(Marks)
    for mark in Mark.objects.filter(session=session).select_related("participant", "marked_by").order_by("pk"):
        theirs = found[mark.participant_id]
        theirs.every = [*theirs.every, mark]
        if mark.is_conflict:
            theirs.aside = [*theirs.aside, mark]
        else:
            theirs.current = mark
        if mark.is_decision:
            theirs.aside = ()
    return dict(found)


def _card(session: Session, participant: Participant, name: str, marks: Mapping[int, Marks], user: User) -> PersonCard:
    theirs = marks.get(participant.pk, Marks())
    current = theirs.current
    return PersonCard(
        id=str(participant.pk),
        name=name,
        study_id=participant.study_id,
        mark=pressed(current),
        note=note_of(current),
        conflict=conflicts.in_words(current, theirs.aside[-1], user) if current and theirs.aside else "",
        key=str(uuid4()),
        replaces=str(current.key) if current else "",
        more_url=f"/register/{session.pk}/{participant.study_id}/",
    )


def pressed(mark: Mark | None) -> str:
    """Which button of a card is pressed: "here", "absent" or none."""
    if mark is None:
        return ""
    return "here" if mark.status in {*rules.PRESENT, Mark.Status.OTHER_ARM} else "absent"


NOTES = {
    Mark.Status.ABSENT_TOLD: "Told us they would not come",
    Mark.Status.EXCUSED: "Excused",
    Mark.Status.NOT_STARTED: "Not yet started",
    Mark.Status.LEFT: "No longer attending",
    Mark.Status.OTHER_ARM: "Visitor from another group",
}


def note_of(mark: Mark | None) -> str:
    """What a card says beneath its buttons."""
    if mark is None:
        return ""
    said = NOTES.get(Mark.Status(mark.status), "")
    if mark.status == Mark.Status.PART:
        said = f"Here for {mark.minutes} minute{'s' if mark.minutes != 1 else ''}"
    return ". ".join(filter(None, [said, "Came with somebody" if mark.companion else ""]))


# -- attendance for reports and releases (BR-46, BR-47)


def offered_to(participants: Iterable[Participant]) -> dict[int, list[tuple[Session, Offered]]]:
    """Sessions delivered while each person was a member and took part, with what the register says of them (BR-46).

    By participant id, oldest first; everybody asked for is in it, never-starters with what they were offered.
    """
    people = list(participants)
    memberships = Membership.objects.filter(participant__in=people).select_related("participant")
    by_group: dict[int, list[Membership]] = defaultdict(list)
    for membership in memberships.prefetch_related("participant__participation_changes"):
        by_group[membership.group_id].append(membership)
    delivered = Session.objects.filter(group__in=by_group, status=Session.Status.DELIVERED)
    held = list(delivered.select_related("group").order_by("starts_at", "pk"))
    current = {
        (mark.session_id, mark.participant_id): mark
        for mark in Mark.objects.current().filter(session__in=held, participant__in=people)
    }
    found: dict[int, list[tuple[Session, Offered]]] = {person.pk: [] for person in people}
    for session in held:
        for member in activity_reads.expected_of(by_group[session.group_id], local_day(session.starts_at)):
            mark = current.get((session.pk, member.participant_id))
            said = (mark.status, mark.minutes) if mark else ("", None)
            found[member.participant_id].append((session, Offered(*said, rules.length_min(session))))
    return found


def other_arm_visits(participants: Iterable[Participant]) -> dict[int, int]:
    """How many delivered sessions of another arm's group each person attended (F8), by participant id."""
    visits = Mark.objects.current().filter(participant__in=list(participants), status=Mark.Status.OTHER_ARM)
    held = visits.filter(session__status=Session.Status.DELIVERED)
    return dict(Counter(held.values_list("participant_id", flat=True).order_by("pk")))
