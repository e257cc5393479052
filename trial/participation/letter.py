"""The letter that confirms a participation change: what stops, what goes on, in plain words (BR-60)."""

import hashlib
from datetime import datetime

from django.db import transaction

from trial.access.models import User
from trial.base.documents import Block, Facts, Heading, Text, document
from trial.base.errors import TrialError
from trial.base.models import role_of
from trial.base.words import local_day, long_date
from trial.messages import actions as messages
from trial.messages.models import OutboxMessage
from trial.participants import identity
from trial.participation import reads, rules
from trial.participation.models import Element, ParticipationChange, ParticipationLetter
from trial.protocol.spec import ProtocolSpec

KIND = "participation_letter"


class NoLetter(TrialError):
    """Nobody who died, lost capacity or asked not to be contacted is sent a letter."""


def why_not(change: ParticipationChange, how: str) -> str:
    """Why no letter may go like this, in words for the coordinator; empty where it may."""
    participant = change.participant
    if reads.is_silent(participant):
        return "No letter is sent. Speak with the family or the consultee, with care."
    contact = rules.takes_part(participant.participation_changes.all(), Element.CONTACT, change.effective_date)
    if how == ParticipationLetter.How.EMAIL and not contact:
        return "This person asked not to be contacted. Print the letter only if they asked for one."
    return ""


def said(change: ParticipationChange, spec: ProtocolSpec) -> list[Block]:
    """The letter's words, without anybody's name."""
    state = rules.elements_on(change.participant.participation_changes.all(), change.effective_date)
    labels = {str(one.code): one.label for one in spec.participation_elements}
    changed = [labels[code] for code, on in change.elements.items() if code in labels and not on]
    resumed = [labels[code] for code, on in change.elements.items() if code in labels and on]
    going_on = [labels[code] for code, on in state.items() if on and code in labels]
    blocks: list[Block] = [
        Text(f"You told us about a change in how you take part. It holds from {long_date(change.effective_date)}."),
    ]
    for heading, found in (("What stops", changed), ("What you take up again", resumed), ("What goes on", going_on)):
        if found:
            blocks += [Heading(heading), Text("\n".join(f"• {one}" for one in found))]
    return [
        *blocks,
        Text(
            "You do not have to give a reason. Your care does not change. Answers that you gave before are kept and"
            " used, as the information sheet says."
        ),
        Text("You can change your mind at any time. Tell the study team, and they will change this for you."),
        Text("Thank you for the part you have taken."),
    ]


def words_of(blocks: list[Block]) -> str:
    """The same as plain text, for an e-mail."""
    return "\n\n".join(block.text for block in blocks if isinstance(block, Heading | Text)) + "\n"


@transaction.atomic
def send(*, change: ParticipationChange, by: User, at: datetime) -> OutboxMessage:
    """Write the letter to the outbox, once for each change, and log that it goes by e-mail.

    Raises:
        NoLetter: see there.
    """
    if problem := why_not(change, ParticipationLetter.How.EMAIL):
        raise NoLetter(problem)
    key = f"{KIND}:{change.pk}"
    written = OutboxMessage.objects.filter(key=key).first()
    if written is not None:
        return written
    body = words_of(said(change, change.participant.referral.protocol_version.spec))
    _log(change, ParticipationLetter.How.EMAIL, body, by, at)
    return messages.write_message(
        key=key,
        kind=KIND,
        heading="How you take part in the study",
        body=body,
        referral=change.participant.referral,
        at=at,
        by=by,
    )


@transaction.atomic
def printed(*, change: ParticipationChange, by: User, at: datetime) -> bytes:
    """The letter as PDF with name and address; that it was made, and the address shown, is logged.

    Raises:
        NoLetter: see there.
        SealBroken: the address cannot be opened.
    """
    if problem := why_not(change, ParticipationLetter.How.PRINT):
        raise NoLetter(problem)
    referral = change.participant.referral
    spec = referral.protocol_version.spec
    who = identity.show(referral=referral, by=by, at=at, reason="Letter about participation")
    blocks = said(change, spec)
    _log(change, ParticipationLetter.How.PRINT, words_of(blocks), by, at)
    address = "\n".join(line for line in (who.name, who.address, who.postcode) if line)
    return document(
        title="How you take part in the study",
        head=spec.study.short_name,
        blocks=[
            Text(address),
            Facts([("Date", long_date(at)), ("Study number", change.participant.study_id)]),
            *blocks,
            Text(f"{by.name}\n{referral.site}"),
        ],
        foot=f"{spec.study.short_name}, {change.participant.study_id}, {long_date(local_day(at))}",
    )


def _log(change: ParticipationChange, how: str, words: str, by: User, at: datetime) -> None:
    digest = hashlib.sha256(words.encode()).hexdigest()
    ParticipationLetter(change=change, how=how, sha256=digest, by=by, role=role_of(by), at=at).save()
