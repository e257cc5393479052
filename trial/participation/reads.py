"""Whether a person may be written to at all: asked at the moment a message would leave (BR-62)."""

from django.utils import timezone

from trial.base.words import local_day
from trial.messages.models import OutboxMessage
from trial.participants.models import Participant
from trial.participation import rules
from trial.participation.models import Element, ParticipationChange


def is_silent(participant: Participant) -> bool:
    """Whether the person died or lost capacity: nothing is ever sent to them."""
    has_lost = participant.participation_changes.exclude(cause=ParticipationChange.Cause.CHOICE).exists()
    return participant.died_date is not None or has_lost


def goes_to_the_person(message: OutboxMessage) -> bool:
    """Whether a message is for the person it is about, and not for staff, a referrer or a GP."""
    return message.referral is not None and message.to_user is None and not message.address


def may_still_go(message: OutboxMessage) -> bool:
    """Nothing goes to somebody who died, lost capacity, or asked not to be contacted; registered in trial.wiring."""
    if message.referral is None or not goes_to_the_person(message):
        return True
    participant = Participant.objects.filter(referral=message.referral).first()
    if participant is None:
        return True
    today = local_day(timezone.now())
    return not is_silent(participant) and rules.takes_part(
        participant.participation_changes.all(), Element.CONTACT, today
    )
