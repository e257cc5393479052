"""What a participation change would stop, worked out before anybody confirms it (BR-60, BR-62)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from trial.access.models import User
from trial.activities.models import Membership, Session
from trial.base.words import short_date
from trial.consent import consultee
from trial.journey.timeline import may_see_sessions
from trial.messages.models import OutboxMessage, Task
from trial.participants.models import Participant
from trial.participation import rules
from trial.participation.actions import CHASING, MESSAGES_OF
from trial.participation.models import Element, ParticipationChange
from trial.protocol import rules as protocol_rules


@dataclass(frozen=True)
class Stops:
    """What one kind of thing the change would stop."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """Before and after a change.

    Attributes:
        level: the shorthand for reports, W1 to W4, in words; empty for somebody who still takes part in everything.
        changes: each element that changes, with what becomes of it.
        is_silent: death or loss of capacity: the person is never written to again.
    """

    level: str
    changes: tuple[str, ...]
    stops: tuple[Stops, ...]
    is_silent: bool


def preview(
    *, participant: Participant, elements: Mapping[str, bool], cause: str, on: date, user: User, at: datetime
) -> Preview:
    """What would stop, for somebody to read before they confirm. Nothing is changed."""
    spec = participant.referral.protocol_version.spec
    labels = {str(one.code): one.label for one in spec.participation_elements}
    is_silent = cause != ParticipationChange.Cause.CHOICE
    wanted = rules.wanted_elements(elements, cause, has_consultee=consultee.may_go_on(participant, on))
    before = rules.elements_on(participant.participation_changes.all(), on)
    changed = {code: is_on for code, is_on in wanted.items() if before[code] != is_on}
    after = before | changed
    level = protocol_rules.participation_level(spec, [code for code, is_on in after.items() if not is_on])
    found = (_messages(participant, changed), _tasks(participant, changed), _visits(participant, after, changed, on))
    sessions = _sessions(participant, changed, on, user, at)
    return Preview(
        level=f"{level.code}: {level.label}" if level else "",
        changes=tuple(f"{labels.get(c, c)}: {'goes on again' if is_on else 'stops'}" for c, is_on in changed.items()),
        stops=tuple(one for one in (*found, sessions) if one is not None and one.lines),
        is_silent=is_silent,
    )


def _messages(participant: Participant, changed: Mapping[str, bool]) -> Stops:
    queued = OutboxMessage.objects.filter(referral=participant.referral_id, state=OutboxMessage.State.QUEUED)
    if all(changed.get(code, True) for code in (Element.REMINDERS, Element.CONTACT)):
        kinds = [kind for code, kinds in MESSAGES_OF.items() if not changed.get(code, True) for kind in kinds]
        queued = queued.filter(kind__in=kinds)
    lines = tuple(f"{one.heading}, due {short_date(one.send_after)}" for one in queued.order_by("send_after", "pk"))
    return Stops("Messages that will not be sent", lines)


def _tasks(participant: Participant, changed: Mapping[str, bool]) -> Stops:
    if changed.get(Element.CONTACT, True):
        return Stops("Tasks that close", ())
    found = Task.objects.open().filter(referral=participant.referral_id, kind__in=CHASING)
    return Stops("Tasks that close", tuple(f"{one.title}, due {short_date(one.due_date)}" for one in found))


def _visits(participant: Participant, after: Mapping[str, bool], changed: Mapping[str, bool], on: date) -> Stops | None:
    """Visits that are not over, where a way to answer stops."""
    ways = {Element.QUESTIONNAIRES_WEB: "online", Element.QUESTIONNAIRES_PHONE_POST: "by telephone or post"}
    if all(changed.get(code, True) for code in ways):
        return None
    left = [words for code, words in ways.items() if after[code]]
    spec = participant.referral.protocol_version.spec
    done = participant.randomised_date is not None
    open_visits = [
        one
        for one in participant.visits.all()
        if (one.closes_date is None or one.closes_date >= on)
        and not (done and protocol_rules.visit(spec, one.code).before_randomisation)
    ]
    names = [f"{protocol_rules.visit(spec, one.code).label}, from {short_date(one.opens_date)}" for one in open_visits]
    if left:
        return Stops("Questionnaires", (f"From now on {left[0]} only: {'; '.join(names)}",) if names else ())
    return Stops("Visits without questionnaires from now on", tuple(names))


def _sessions(
    participant: Participant, changed: Mapping[str, bool], on: date, user: User, at: datetime
) -> Stops | None:
    """Sessions still to come, for people who may know of them."""
    if changed.get(Element.ACTIVITY, True) or not may_see_sessions(user, participant.referral):
        return None
    groups = Membership.objects.reaching(on).filter(participant=participant).values("group")
    coming = Session.objects.filter(group__in=groups, status=Session.Status.PLANNED, starts_at__gt=at)
    lines = tuple(f"Session {one.number}, {short_date(one.starts_at)}" for one in coming.order_by("starts_at", "pk"))
    return Stops("Sessions that the person will not come to", lines)
