"""Links on their way: made as a message leaves, reminded of by plan, stopped, revoked (BR-37, BR-62, rule 8)."""

import secrets
from collections.abc import Iterator
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trial.access.models import User
from trial.base import keys
from trial.base.words import local_day
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage
from trial.participants import identity
from trial.participants.models import Participant, Status
from trial.protocol import rules as protocol_rules
from trial.protocol.working_time import LONDON
from trial.schedule.models import Visit
from trial.selfcompletion import reads, rules, texts
from trial.selfcompletion.errors import CannotSend
from trial.selfcompletion.models import SelfCompletion, SelfCompletionLink
from trial.selfcompletion.pack import pack_of
from trial.selfcompletion.rules import LinkState

TOKEN_BYTES = 24
"""192 random bits in 32 characters."""
IN_TRIAL = (Status.RANDOMISED, Status.IN_ACTIVITY, Status.FOLLOW_UP)
KINDS = (texts.INVITATION, texts.REMINDER)


def make_link(
    *, of: SelfCompletion, by: User | None, at: datetime, message: OutboxMessage | None = None, token: str = ""
) -> str:
    """Store a new link and return its address; the token is nowhere else from then on.

    Args:
        token: only the demonstration gives one, so that it can be told again.
    """
    token = token or secrets.token_urlsafe(TOKEN_BYTES)
    SelfCompletionLink(self_completion=of, token_hash=reads.hash_of(token), message=message, made_at=at).save_by(by)
    return f"{settings.SITE_URL}/q/{token}/"


def self_completion_of(visit: Visit, by: User | None) -> SelfCompletion:
    """The row that the links of a visit hang on, made with the first of them."""
    found = SelfCompletion.objects.select_for_update().filter(visit=visit).first()
    return found or SelfCompletion(visit=visit).save_by(by)


# -- as a message leaves


def visit_of(message: OutboxMessage) -> Visit:
    """The visit that a message is about."""
    found = Visit.objects.select_related(
        "protocol_version", "participant__referral__site", "participant__referral__person"
    )
    return found.get(pk=int(message.key.split(":")[1]))


def may_still_go(message: OutboxMessage) -> bool:
    """Asked before any message leaves: one with a link only while the person may answer and be written to."""
    if message.kind not in KINDS:
        return True
    visit, now = visit_of(message), timezone.now()
    mine: SelfCompletion | None = getattr(visit, "self_completion", None)
    allowed = reads.may_be_contacted if message.key.endswith(BY_HAND) else reads.may_be_written_to
    return (
        mine is not None
        and mine.bounced_at is None
        and mine.submitted_at is None
        and allowed(visit.participant, local_day(now))
        and reads.state_of(visit, now) == LinkState.OPEN
    )


def filled_in(message: OutboxMessage, at: datetime) -> str:
    """The body with a link made at this moment, in the transaction of the sending."""
    mine = self_completion_of(visit_of(message), None)
    return message.body.replace(texts.LINK, make_link(of=mine, by=None, at=at, message=message))


# -- by plan


def write_due(*, at: datetime) -> int:
    """Write the message that each open visit's plan has for today, once. Returns how many were written (BR-37)."""
    return sum(_write_planned(visit, at) for visit in _waiting(local_day(at)))


def _waiting(today: date) -> Iterator[Visit]:
    """Visits after randomisation whose window is open and which nobody has sent."""
    visits = (
        Visit.objects.open_on(today)
        .filter(
            participant__referral__status__in=IN_TRIAL,
            self_completion__submitted_at__isnull=True,
        )
        .select_related(
            "self_completion",
            "protocol_version",
            "participant__referral__site",
            "participant__referral__person",
        )
        .prefetch_related("self_completion__links", "participant__participation_changes")
    )
    for visit in visits.order_by("pk"):
        if not protocol_rules.visit(visit.protocol_version.spec, visit.code).before_randomisation:
            yield visit


@transaction.atomic
def _write_planned(visit: Visit, at: datetime) -> bool:
    today, spec = local_day(at), visit.protocol_version.spec
    _note_bounce(visit, at)
    day = rules.message_due(spec, visit.opens_date, visit.closes_date or today, today)
    key = f"questionnaires:{visit.pk}:{day}"
    written = OutboxMessage.objects.filter(key=key)
    if day is None or written.exists() or not _may_write(visit, at):
        return False
    Visit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
    if written.exists():  # the job ran twice at once
        return False
    _write(visit, key, at, by=None, send_after=max(at, _morning(visit, today)))
    return True


def _may_write(visit: Visit, at: datetime) -> bool:
    mine: SelfCompletion | None = getattr(visit, "self_completion", None)
    return (
        (mine is None or reads.is_reached_by_link(visit))
        and reads.may_be_written_to(visit.participant, local_day(at))
        and reads.state_of(visit, at) == LinkState.OPEN
        and not _lacking(visit)
    )


def _morning(visit: Visit, day: date) -> datetime:
    """When the study's day starts: nobody gets a message at midnight."""
    return datetime.combine(day, visit.protocol_version.spec.calendar.day_starts, LONDON)


def _write(visit: Visit, key: str, at: datetime, *, by: User | None, send_after: datetime) -> OutboxMessage:
    self_completion_of(visit, by)
    written = OutboxMessage.objects.filter(key__startswith=f"questionnaires:{visit.pk}:")
    kind = texts.REMINDER if written.exists() else texts.INVITATION
    n_questions = len(pack_of(visit, local_day(at)).questions)
    return outbox.write_message(
        key=key,
        kind=kind,
        heading=texts.HEADINGS[kind],
        body=texts.body(kind, visit.protocol_version.spec, visit.closes_date, rules.minutes_words(n_questions)),
        referral=visit.participant.referral,
        at=at,
        send_after=send_after,
        by=by,
    )


def _lacking(visit: Visit) -> str:
    """What is not known of the person and is needed to send or to open a link; empty where nothing is."""
    try:
        who = identity.read(visit.participant.referral.person)
    except keys.SealBroken as broken:
        return str(broken)
    if not who.email:
        return "There is no e-mail address for this person. Add one to the contact details first."
    check = visit.protocol_version.spec.self_completion.second_check
    if not rules.known_answer(check, who):
        return f"Add {texts.CHECKS[check].replace('you were', 'the person was').replace('your', 'the')} first."
    return ""


# -- what does not arrive


def _note_bounce(visit: Visit, at: datetime) -> None:
    """A message that was given up means that the person is not reached: no further one is written."""
    failed = OutboxMessage.objects.filter(
        key__startswith=f"questionnaires:{visit.pk}:", state=OutboxMessage.State.FAILED
    )
    mine: SelfCompletion | None = getattr(visit, "self_completion", None)
    if mine is not None and mine.bounced_at is None and failed.exists():
        record_bounce(visit=visit, by=None, at=at)
        mine.bounced_at = at


@transaction.atomic
def record_bounce(*, visit: Visit, by: User | None, at: datetime) -> SelfCompletion:
    """Record that messages to a person do not arrive; those that wait are stopped."""
    stop_waiting(visit=visit, by=by, why="The address does not work")  # messages first, as when one is sent
    mine = self_completion_of(visit, by)
    if mine.bounced_at is None:
        mine.bounced_at = at
        mine.save_by(by, "A message did not arrive")
    return mine


def stop_waiting(*, visit: Visit, by: User | None, why: str) -> None:
    """Stop the messages of one visit that have not left."""
    waiting = OutboxMessage.objects.select_for_update().filter(
        key__startswith=f"questionnaires:{visit.pk}:", state=OutboxMessage.State.QUEUED
    )
    for message in waiting:
        message.state = OutboxMessage.State.STOPPED
        message.save_by(by, why)


# -- by the coordinator

BY_HAND = ":by-hand"
"""Ends the key of a message that a coordinator asked for."""


@transaction.atomic
def send(*, visit: Visit, by: User, at: datetime) -> OutboxMessage:
    """Send a link now, on a coordinator's word; asked twice within a minute, one message is written.

    Another link opens the second check again after it was locked, and forgets that an address did not work.

    Raises:
        CannotSend: the person does not answer online, the window is not open, nothing is left to answer, or an
            address or the answer to the second check is not known.
    """
    participant = visit.participant
    if text := why_not(visit, participant, at):
        raise CannotSend(text)
    mine = self_completion_of(visit, by)
    if (mine.n_failed, mine.bounced_at, mine.submitted_at) != (0, None, None):
        mine.n_failed, mine.last_failed_at, mine.bounced_at, mine.submitted_at = 0, None, None, None
        mine.save_by(by, "Another link is sent")
        outbox.close_tasks_of(referral=participant.referral, by=by, at=at, kinds=("link_locked",))
    return _write(visit, f"questionnaires:{visit.pk}:{at:%Y%m%d%H%M}{BY_HAND}", at, by=by, send_after=at)


def why_not(visit: Visit, participant: Participant, at: datetime) -> str:
    """Why no link can be sent now, in words for the coordinator; empty where one can."""
    today = local_day(at)
    if not reads.answers_online(participant, today):
        return "No more answers are collected online from this person."
    if not reads.may_be_contacted(participant, today):
        return "This person has asked not to be contacted."
    if today < visit.opens_date:
        return "The window of this visit is not open yet."
    if visit.closes_date is not None and today > visit.closes_date:
        return "The window of this visit has closed."
    if not pack_of(visit, today).parts:
        return "No questionnaire of this visit is left that can be answered online."
    return _lacking(visit)


@transaction.atomic
def revoke(*, visit: Visit, by: User, at: datetime) -> int:
    """Make every link of a visit stop working and stop its messages. Returns how many links there were.

    No further message goes by plan until somebody sends a link again.
    """
    links = SelfCompletionLink.objects.select_for_update().filter(self_completion__visit=visit, revoked_at__isnull=True)
    found = list(links)
    for link in found:
        link.revoked_at, link.revoked_by = at, by
        link.save_by(by, "Revoked")
    stop_waiting(visit=visit, by=by, why="Links revoked")
    return len(found)
