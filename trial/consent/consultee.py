"""Loss of capacity: nobody goes on without a consultee's advice under approved arrangements (BR-16)."""

from datetime import date, datetime

from django.db import transaction

from trial.access.models import User
from trial.base.words import local_day
from trial.consent.errors import ConsentRefused
from trial.consent.evidence_models import ConsulteeAdvice
from trial.participants import identity
from trial.participants.models import Participant


@transaction.atomic
def record_advice(
    *,
    participant: Participant,
    kind: str,
    advice: str,
    rec_reference: str,
    name: str,
    advised_date: date,
    by: User,
    at: datetime,
) -> ConsulteeAdvice:
    """Record what a consultee advised.

    Raises:
        ConsentRefused: no REC approval is named, or the day is before consent or in the future.
    """
    if not rec_reference.strip():
        raise ConsentRefused("Name the REC's approval of consultee arrangements. Without it, nobody goes on.")
    if not participant.consented_date <= advised_date <= local_day(at):
        raise ConsentRefused("The date must be on or after the day of consent and not in the future.")
    return ConsulteeAdvice(
        participant=participant,
        kind=kind,
        advice=advice,
        rec_reference=rec_reference.strip(),
        advised_date=advised_date,
        name_sealed=identity.seal_text(participant.referral.person, name),
        recorded_at=at,
        recorded_by=by,
    ).save_by(by)


def may_go_on(participant: Participant, on: date) -> bool:
    """Whether the newest advice up to that day is that the person would want to go on."""
    newest = ConsulteeAdvice.objects.filter(participant=participant, advised_date__lte=on).first()
    return newest is not None and newest.advice == ConsulteeAdvice.Advice.CONTINUE
