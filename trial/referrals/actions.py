"""Messages back made due by facts of the journey, and sent, or not sent with a reason."""

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from trial.access.models import User
from trial.access.policy import Role
from trial.base.errors import ReasonMissing, TrialError
from trial.base.words import local_day
from trial.consent.actions import documents_on
from trial.consent.models import DocumentVersion
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage
from trial.participants import identity
from trial.participants.choices import SourceType
from trial.participants.models import Participant
from trial.protocol.spec import ProtocolSpec
from trial.protocol.working_time import add_working_days
from trial.referrals import document
from trial.referrals.document import Recipient
from trial.referrals.models import MessageBack, Practice

GOVERNING = frozenset({"safety", "gp", "informing the gp"})
"""Purposes of consent statements that decide whether GP and referrer are told."""
DUE_WORKING_DAYS = 5
EMAIL = "message_back"
To, Kind, State = MessageBack.To, MessageBack.Kind, MessageBack.State


class NotAgreed(TrialError):
    """The person did not agree that GP and referrer are told."""


class AlreadySettled(TrialError):
    """The message was sent, or it was decided not to send it."""


class ContentGone(TrialError):
    """What was sent was redacted, or died with the person's key; the log of the sending stays."""


class NotSecure(TrialError):
    """The address is not one of the secure domains."""


class NamesAnArm(TrialError):
    """A message back never says in which group somebody is."""


def may_tell(participant: Participant) -> bool:
    """Whether the person agreed, where a statement of their latest consent governs it; where none does, yes."""
    consent = participant.consents.exclude(state="void").select_related("form").order_by("-signed_at", "-id").first()
    if consent is None:
        return False
    governing = [s["code"] for s in consent.form.statements if str(s["purpose"]).casefold() in GOVERNING]
    return all(consent.statements.get(code) for code in governing)


def recipients(participant: Participant) -> list[str]:
    """Who is told: the GP, and the referrer unless that is the GP or the person."""
    own = (SourceType.GP_PRACTICE, SourceType.SELF)
    return [To.GP] if participant.referral.source_type in own else [To.GP, To.REFERRER]


@transaction.atomic
def make_due(*, participant: Participant, kind: str, cause: str, by: User | None, at: datetime) -> list[MessageBack]:
    """The messages of one fact, once; none where the person did not agree."""
    if not may_tell(participant):
        return []
    return [_due(participant, kind, to, cause, "", by, at) for to in recipients(participant)]


def _due(
    participant: Participant, kind: str, to: str, cause: str, text: str, by: User | None, at: datetime
) -> MessageBack:
    found = MessageBack.objects.filter(participant=participant, recipient=to, cause=cause).first()
    spec = participant.referral.protocol_version.spec
    days = 0 if kind == Kind.SAFETY else DUE_WORKING_DAYS
    return found or MessageBack(
        participant=participant,
        kind=kind,
        recipient=to,
        cause=cause,
        caused_at=at,
        due_date=add_working_days(spec, local_day(at), days),
        text_sealed=identity.seal_text(participant.referral.person, text),
    ).save_by(by)


@transaction.atomic
def ask_for_safety(*, participant: Participant, text: str, by: User, at: datetime) -> list[MessageBack]:
    """Messages for safety, in words of the team, due the same day.

    Raises:
        ReasonMissing: nothing to say.
        NotAgreed: the person did not agree that GP and referrer are told.
        NamesAnArm: the words say in which group the person is.
    """
    if not text.strip():
        raise ReasonMissing
    if not may_tell(participant):
        raise NotAgreed("This person did not agree that their GP is told. Speak with the principal investigator.")
    refuse_arms(text, participant.referral.protocol_version.spec)
    cause = f"safety:{at:%Y%m%d%H%M%S}"
    made = [_due(participant, Kind.SAFETY, to, cause, text.strip(), by, at) for to in recipients(participant)]
    for one in made:
        outbox.open_task(
            key=f"message-back:{one.pk}",
            kind="message_back",
            role=Role.COORDINATOR,
            site=participant.site,
            referral=participant.referral,
            title=f"Send a safety message to the {one.get_recipient_display()}",
            detail="Written today",
            link=f"/messages-back/{one.pk}/",
            due_date=one.due_date,
            is_urgent=True,
            at=at,
            by=by,
        )
    return made


def refuse_arms(text: str, spec: ProtocolSpec) -> None:
    """Refuse words that name an arm.

    Raises:
        NamesAnArm: they do.
    """
    names = [name for arm in spec.arms for name in (arm.code, arm.label)]
    found = [name for name in names if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)]
    if found:
        raise NamesAnArm("Leave out which group the person is in: a message back never says it.")


def letter_for(message: MessageBack, at: datetime) -> DocumentVersion | None:
    """The approved letter that the site may use today, the newest first."""
    kind = DocumentVersion.Kind.GP_LETTER if message.recipient == To.GP else DocumentVersion.Kind.REFERRER_LETTER
    found = documents_on(kind=kind, site=message.participant.site, on=local_day(at))
    return found[0] if found else None


@transaction.atomic
def send(*, message: MessageBack, to: Recipient, how: str, by: User, at: datetime) -> MessageBack:
    """Write the document, seal and hash it, and log to whom it goes; by e-mail it leaves with the next `tick`.

    Raises:
        AlreadySettled: it was sent, or was not to be sent.
        NotAgreed: the person's consent does not cover it.
        NotSecure: an e-mail to an address outside the secure domains.
    """
    message = _due_one(message)
    participant = message.participant
    if not may_tell(participant):
        raise NotAgreed("This person did not agree that GP and referrer are told.")
    if how == MessageBack.How.EMAIL:
        _require_secure(to.email)
    letter = letter_for(message, at)
    text = document.canonical(document.build(message, to=to, letter=letter, on=local_day(at)))
    person = participant.referral.person
    message.state, message.how, message.letter = State.SENT, how, letter
    message.sent_to_sealed = identity.seal_text(person, to.as_text())
    message.content_sealed = identity.seal_text(person, text)
    message.sha256 = hashlib.sha256(text.encode()).hexdigest()
    _remember(participant, to, by)
    _settle(message, by, at, "Sent")
    if how == MessageBack.How.EMAIL:
        _write_email(message, to.email, by, at)
    return message


def _require_secure(email: str) -> None:
    domain = email.rpartition("@")[2].casefold()
    if not any(domain == one or domain.endswith(f".{one}") for one in settings.SECURE_MAIL_DOMAINS):
        raise NotSecure(f"Use an address at {' or '.join(settings.SECURE_MAIL_DOMAINS)}, or print the message.")


def _write_email(message: MessageBack, email: str, by: User, at: datetime) -> None:
    """The words are filled in as it leaves: neither they nor a name lie in the outbox."""
    written = OutboxMessage(
        key=f"{EMAIL}:{message.pk}",
        kind=EMAIL,
        address=email,
        heading="Message about a person you know",
        body="Filled in as it is sent.",
        written_at=at,
        send_after=at,
    )
    written.save_by(by)


def filled_in(mail: OutboxMessage, at: datetime) -> str:
    """The words of an e-mail as it leaves (trial.wiring)."""
    message = MessageBack.objects.get(pk=mail.key.partition(":")[2])
    return document.plain(content_of(message))


def content_of(message: MessageBack) -> dict[str, Any]:
    """The document of a message that was sent, opened. Callers log that they showed it.

    Raises:
        SealBroken: the keys do not fit.
        ContentGone: it was redacted or destroyed.
    """
    text = identity.open_text(message.participant.referral.person, message.content_sealed)
    if not text.startswith("{"):
        raise ContentGone(f"What was sent can no longer be shown: {text}")
    found: dict[str, Any] = json.loads(text)
    return found


@transaction.atomic
def leave_out(*, message: MessageBack, why: str, by: User, at: datetime) -> MessageBack:
    """Decide not to send a message, with the reason.

    Raises:
        AlreadySettled: it was sent, or decided before.
        ReasonMissing: nobody said why.
    """
    if not why.strip():
        raise ReasonMissing
    message = _due_one(message)
    message.state, message.why_not = State.NOT_SENT, why.strip()
    return _settle(message, by, at, "Not sent")


def _due_one(message: MessageBack) -> MessageBack:
    found = MessageBack.objects.select_for_update(of=("self",)).select_related("participant__referral__person")
    message = found.get(pk=message.pk)
    if message.state != State.DUE:
        raise AlreadySettled("This message was sent already, or is not to be sent.")
    return message


def _settle(message: MessageBack, by: User, at: datetime, why: str) -> MessageBack:
    message.settled_at, message.settled_by = at, by
    message.save_by(by, why)
    outbox.close_task(key=f"message-back:{message.pk}", by=by, at=at)
    return message


def _remember(participant: Participant, to: Recipient, by: User) -> None:
    """Keep how a practice is reached for the next message; nothing about the person."""
    found = Practice.objects.filter(site=participant.site, name=to.name).first()
    practice = found or Practice(site=participant.site, name=to.name)
    known = (practice.ods_code, practice.secure_email, practice.address)
    new = (to.ods_code or known[0], to.email or known[1], to.address or known[2])
    if found is None or known != new:
        practice.ods_code, practice.secure_email, practice.address = new
        practice.save_by(by, "As the last message went")


def suggested(message: MessageBack) -> Recipient:
    """Whom a message goes to, from the vault or the referral, with what is known of that practice."""
    referral = message.participant.referral
    if message.recipient == To.GP:
        who = identity.read(referral.person)
        name, code = who.gp_practice, who.gp_code
    else:
        name, code = referral.referrer, referral.referrer_ods
    known = Practice.objects.filter(site=referral.site, name=name).first() if name else None
    if known is None:
        return Recipient(name, code)
    return Recipient(name, code or known.ods_code, known.address, known.secure_email)
