"""Recording what somebody no longer takes part in. Reminders stop in the same transaction (BR-62)."""

from datetime import date, datetime

from django.db import transaction

from trial.access.models import User
from trial.base.errors import TrialError
from trial.messages import actions as messages
from trial.participants import identity
from trial.participants.models import Participant
from trial.participation import rules
from trial.participation.models import Element, ParticipationChange


class NothingChanges(TrialError):
    """The change would leave everything as it is."""


class ChangeDateWrong(TrialError):
    """The change would take effect before consent or after today."""


@transaction.atomic
def record_change(
    *,
    participant: Participant,
    effective_date: date,
    decided_by: str,
    elements: dict[str, bool],
    by: User,
    at: datetime,
    today: date,
    cause: str = ParticipationChange.Cause.CHOICE,
    reason_code: str = "",
    how_learned: str = "",
    has_consultee: bool = False,
) -> ParticipationChange:
    """Store a participation change and stop the messages it ends (BR-60 to BR-62).

    Death and loss of capacity switch everything off; the person gets no further message.

    Args:
        has_consultee: a consultee advised, under approved arrangements, that the person would want to go on (BR-16).

    Raises:
        NothingChanges: no element would change.
        ChangeDateWrong: the day is before consent or in the future.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if not participant.consented_date <= effective_date <= today:
        raise ChangeDateWrong("The date must be on or after the day of consent and not in the future.")
    elements = rules.wanted_elements(elements, cause, has_consultee=has_consultee)
    now = rules.elements_on(participant.participation_changes.all(), effective_date)
    changed = {code: is_on for code, is_on in elements.items() if now[code] != is_on}
    if not changed:
        raise NothingChanges("Nothing would change. Choose what the person stops or takes up again.")
    change = ParticipationChange(
        participant=participant,
        effective_date=effective_date,
        decided_by=decided_by,
        cause=cause,
        elements=changed,
        reason_code=reason_code,
        how_learned_sealed=identity.seal_text(participant.referral.person, how_learned),
        recorded_at=at,
        recorded_by=by,
    ).save_by(by)
    if cause == ParticipationChange.Cause.DEATH and participant.died_date is None:
        participant.died_date = effective_date
        participant.save_by(by, "Death recorded")
    _stop_what_ends(participant, changed, by, at)
    return change


MESSAGES_OF: dict[str, tuple[str, ...]] = {}
"""Kinds of message that belong to an element, by its code: stopped with it. Set in trial.wiring."""


def _stop_what_ends(participant: Participant, changed: dict[str, bool], by: User, at: datetime) -> None:
    """Messages and tasks that the change ends, in its transaction (BR-62)."""
    ends_contact = any(not changed.get(code, True) for code in (Element.REMINDERS, Element.CONTACT))
    if ends_contact:
        messages.stop_messages(referral=participant.referral, at=at, by=by)
    kinds = [kind for code, kinds in MESSAGES_OF.items() if not changed.get(code, True) for kind in kinds]
    if kinds:
        messages.stop_messages(referral=participant.referral, at=at, by=by, kinds=kinds)
    if not changed.get(Element.CONTACT, True):
        messages.close_tasks_of(referral=participant.referral, by=by, at=at, kinds=CHASING)


CHASING = ("first_contact", "visit_due", "link_locked", "welfare_call", "welcome_call", "information", "consent_call")
"""Kinds of task that mean getting in touch with the person."""
