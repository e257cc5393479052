"""Where a consent on a screen stands: what a link opens, how often the second check may be tried, what waits."""

import hashlib
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from trial.access.models import User
from trial.access.policy import Action
from trial.econsent.models import ConsentLink, ConsentSession
from trial.locking.rules import current_lock
from trial.participants.models import AFTER_RANDOMISATION, Participant, Referral, Status
from trial.selfcompletion import rules
from trial.selfcompletion.rules import Tries

MAY_CONSENT = frozenset({Status.INFORMED, Status.CONSENTED, Status.ELIGIBLE, Status.BASELINE_DONE}) | (
    AFTER_RANDOMISATION - {Status.COMPLETED, Status.ENDED_EARLY}
)
PATH = (
    "form",
    "information__document",
    "referral__person",
    "referral__site",
    "referral__protocol_version",
    "referral__participant",
)


class State(StrEnum):
    """What somebody finds who opens a link, or sits at the pages."""

    OPEN = "open"
    SIGNED = "signed"
    COPY = "copy"
    CLOSED = "closed"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


def hash_of(token: str) -> str:
    """SHA-256 of a token (64 hex digits). The token is random and long, so it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(token: str) -> ConsentLink | None:
    """The link that a token opens, whatever has become of it."""
    found = ConsentLink.objects.select_related(*(f"session__{one}" for one in PATH))
    return found.filter(token_hash=hash_of(token)).first()


def link_with(pk: int) -> ConsentLink | None:
    """A link by the number that a session remembers."""
    return ConsentLink.objects.select_related(*(f"session__{one}" for one in PATH)).filter(pk=pk).first()


def session_with(pk: int) -> ConsentSession | None:
    """A consent on its way by its number."""
    return ConsentSession.objects.select_related(*PATH).filter(pk=pk).first()


def state_of(session: ConsentSession) -> State:
    """Whether the person may still answer and sign."""
    if session.state == ConsentSession.State.SIGNED or session.state == ConsentSession.State.FINISHED:
        return State.SIGNED
    is_wanted = session.referral.status in MAY_CONSENT and current_lock() is None
    return State.OPEN if is_wanted and session.state == ConsentSession.State.OPEN else State.CLOSED


def state_of_link(link: ConsentLink, at: datetime) -> State:
    """What a link answers now; the first reason that holds."""
    if link.revoked_at is not None:
        return State.REVOKED
    if at > link.expires_at:
        return State.EXPIRED
    if link.purpose == ConsentLink.Purpose.COPY:
        return State.COPY if link.session.consent_id and not has_died(link.session.referral) else State.CLOSED
    return state_of(link.session)


def has_died(referral: Referral) -> bool:
    """Whether a death is recorded: then nothing about the person opens from outside."""
    participant: Participant | None = getattr(referral, "participant", None)
    return participant is not None and participant.died_date is not None


def tries_of(session: ConsentSession, at: datetime) -> Tries:
    """Whether the second check may be tried now (R-32)."""
    limits = session.referral.protocol_version.spec.self_completion
    return rules.tries(limits, session.n_failed, session.last_failed_at, at)


def waiting_for(user: User) -> QuerySet[ConsentSession]:
    """Consents that wait for a countersignature at the user's sites, the oldest first."""
    found = ConsentSession.objects.filter(state=ConsentSession.State.SIGNED)
    site_ids = user.access.site_ids(Action.RECORD_CONSENT)
    found = found if site_ids is None else found.filter(referral__site__in=site_ids)
    return found.select_related(*PATH, "started_by").order_by("signed_at", "pk")


def on_its_way(referral: Referral) -> ConsentSession | None:
    """The consent of a person that is open or waits for the countersignature."""
    states = (ConsentSession.State.OPEN, ConsentSession.State.SIGNED)
    return ConsentSession.objects.select_related(*PATH).filter(referral=referral, state__in=states).first()
