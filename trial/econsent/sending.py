"""Links on their way: made as a message leaves, or shown as a code; stopped when they are no longer wanted."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trial.access.models import User
from trial.base.words import local_day
from trial.econsent import reads, texts
from trial.econsent.errors import CannotStart
from trial.econsent.models import ConsentLink, ConsentSession
from trial.econsent.reads import State
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage
from trial.participants import identity
from trial.participants.models import Participant
from trial.participation import rules as participation
from trial.participation.models import Element
from trial.selfcompletion.rules import known_answer
from trial.selfcompletion.texts import CHECKS, LINK

TOKEN_BYTES = 24
"""192 random bits in 32 characters."""
SIGN_DAYS, COPY_DAYS = 14, 30
"""How long a link works."""
KINDS = {texts.TO_SIGN: ConsentLink.Purpose.SIGN, texts.COPY: ConsentLink.Purpose.COPY}
DAYS = {ConsentLink.Purpose.SIGN: SIGN_DAYS, ConsentLink.Purpose.COPY: COPY_DAYS}


def make_link(
    *, session: ConsentSession, purpose: ConsentLink.Purpose, at: datetime, message: OutboxMessage | None = None
) -> str:
    """Store a new link and return its address; the token is nowhere else from then on."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ConsentLink(
        session=session,
        purpose=purpose,
        token_hash=reads.hash_of(token),
        message=message,
        made_at=at,
        expires_at=at + timedelta(days=DAYS[purpose]),
    ).save_by(None)
    return f"{settings.SITE_URL}/c/{token}/"


def why_not(session: ConsentSession) -> str:
    """What is not known of the person and is needed to send or to open a link; empty where nothing is."""
    referral = session.referral
    who = identity.read(referral.person)
    if not who.email:
        return "There is no e-mail address for this person. Add one to the contact details first."
    check = referral.protocol_version.spec.self_completion.second_check
    if not known_answer(check, who):
        return f"Add {CHECKS[check].replace('you were', 'the person was').replace('your', 'the')} first."
    return ""


@transaction.atomic
def send(*, session: ConsentSession, kind: str, by: User, at: datetime) -> OutboxMessage:
    """Write the message with a link to sign, or to the copy; it leaves within a minute.

    Another link to sign opens the second check again after it was locked.

    Raises:
        CannotStart: an address or the answer to the second check is not known.
    """
    if text := why_not(session):
        raise CannotStart(text)
    mine = ConsentSession.objects.select_for_update(of=("self",)).select_related(*reads.PATH).get(pk=session.pk)
    if mine.n_failed:
        mine.n_failed = 0
        mine.save_by(by, "Another link is sent")
        outbox.close_tasks_of(referral=mine.referral, by=by, at=at, kinds=("consent_link_locked",))
    spec, until = mine.referral.protocol_version.spec, local_day(at + timedelta(days=DAYS[KINDS[kind]]))
    return outbox.write_message(
        key=f"{kind}:{mine.pk}:{at:%Y%m%d%H%M}",
        kind=kind,
        heading=texts.HEADINGS[kind],
        body=(texts.to_sign if kind == texts.TO_SIGN else texts.copy)(spec, until),
        referral=mine.referral,
        at=at,
        by=by,
    )


def session_of(message: OutboxMessage) -> ConsentSession:
    """The consent that a message is about."""
    return ConsentSession.objects.select_related(*reads.PATH).get(pk=int(message.key.split(":")[1]))


def may_still_go(message: OutboxMessage) -> bool:
    """Asked before any message leaves: a link goes only while it would open, and never after a death."""
    if message.kind not in KINDS:
        return True
    session = session_of(message)
    if reads.has_died(session.referral) or not _may_be_contacted(session):
        return False
    if message.kind == texts.COPY:
        return session.consent_id is not None
    return reads.state_of(session) == State.OPEN


def _may_be_contacted(session: ConsentSession) -> bool:
    participant: Participant | None = getattr(session.referral, "participant", None)
    if participant is None:
        return True
    changes = participant.participation_changes.all()
    return participation.takes_part(changes, Element.CONTACT, timezone.localdate())


def filled_in(message: OutboxMessage, at: datetime) -> str:
    """The body with a link made at this moment, in the transaction of the sending."""
    link = make_link(session=session_of(message), purpose=KINDS[message.kind], at=at, message=message)
    return message.body.replace(LINK, link)
