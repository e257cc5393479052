"""Where a visit's links stand: what opens, what may still be sent, how far the answers are."""

import hashlib
from datetime import date, datetime

from trial.base.words import local_day, short_date
from trial.locking.rules import current_lock
from trial.participants.models import RE_REFERRABLE, Participant, Status
from trial.participation import rules as participation
from trial.participation.models import Element
from trial.protocol.spec import SelfCompletionRules
from trial.schedule.models import Visit
from trial.selfcompletion import rules
from trial.selfcompletion.models import SelfCompletion, SelfCompletionLink
from trial.selfcompletion.pack import Pack, pack_of
from trial.selfcompletion.rules import LinkState, Tries

ENDED = RE_REFERRABLE | {Status.ENDED_EARLY}
PATH = (
    "visit__protocol_version",
    "visit__participant__referral__person",
    "visit__participant__referral__site",
    "visit__participant__referral__protocol_version",
)


def hash_of(token: str) -> str:
    """SHA-256 of a token (64 hex digits). The token is random and long, so it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(token: str) -> SelfCompletionLink | None:
    """The link that a token opens, whatever has become of it."""
    found = SelfCompletionLink.objects.select_related(*(f"self_completion__{one}" for one in PATH))
    return found.filter(token_hash=hash_of(token)).first()


def link_with(pk: int) -> SelfCompletionLink | None:
    """A link by the number that a session remembers."""
    found = SelfCompletionLink.objects.select_related(*(f"self_completion__{one}" for one in PATH))
    return found.filter(pk=pk).first()


def answers_online(participant: Participant, today: date) -> bool:
    """Whether the person takes part in online questionnaires on a day, and the data are not locked."""
    return (
        participant.died_date is None
        and participant.referral.status not in ENDED
        and participation.takes_part(participant.participation_changes.all(), Element.QUESTIONNAIRES_WEB, today)
        and current_lock() is None
    )


def may_be_contacted(participant: Participant, today: date) -> bool:
    """Whether the team may get in touch with the person at all."""
    return participation.takes_part(participant.participation_changes.all(), Element.CONTACT, today)


def may_be_written_to(participant: Participant, today: date) -> bool:
    """Whether messages about questionnaires may go to the person (BR-60, BR-62)."""
    on = participation.elements_on(participant.participation_changes.all(), today)
    return answers_online(participant, today) and on[Element.REMINDERS] and on[Element.CONTACT]


def state_of(visit: Visit, at: datetime, link: SelfCompletionLink | None = None, pack: Pack | None = None) -> LinkState:
    """What a link to this visit's questionnaires answers now; without `link`, what a new one would.

    Args:
        pack: the visit's questionnaires, where the caller has read them already.
    """
    today = local_day(at)
    mine: SelfCompletion | None = link.self_completion if link else getattr(visit, "self_completion", None)
    return rules.link_state(
        is_wanted=answers_online(visit.participant, today),
        is_sent=link is not None and mine is not None and mine.submitted_at is not None,
        is_revoked=link is not None and link.revoked_at is not None,
        closes=visit.closes_date,
        has_questions=bool((pack or pack_of(visit, today)).parts),
        today=today,
    )


def limits_of(mine: SelfCompletion) -> SelfCompletionRules:
    """The protocol's rules of the second check."""
    return mine.visit.protocol_version.spec.self_completion


def tries_of(mine: SelfCompletion, at: datetime) -> Tries:
    """Whether the second check may be tried now."""
    return rules.tries(limits_of(mine), mine.n_failed, mine.last_failed_at, at)


def is_reached_by_link(visit: Visit) -> bool:
    """Whether the person was written to and nothing stands in the way: then nobody need send questionnaires."""
    mine: SelfCompletion | None = getattr(visit, "self_completion", None)
    if mine is None or mine.bounced_at is not None:
        return False
    links = list(mine.links.all())
    return not links or any(link.revoked_at is None for link in links)


def progress_words(visit: Visit) -> str:
    """How far a visit's link is, for the record page."""
    mine: SelfCompletion | None = getattr(visit, "self_completion", None)
    if mine is None:
        return "Not sent yet"
    if mine.submitted_at:
        return f"Answers sent {short_date(mine.submitted_at)}"
    if mine.bounced_at:
        return f"The e-mail came back on {short_date(mine.bounced_at)}"
    if not is_reached_by_link(visit):
        return "Links stopped"
    return f"Opened {short_date(mine.opened_at)}, answers not sent" if mine.opened_at else "Sent, not opened yet"


def has_bounced(visit: Visit) -> bool:
    """Whether a message to the person was found not to arrive."""
    mine: SelfCompletion | None = getattr(visit, "self_completion", None)
    return mine is not None and mine.bounced_at is not None
