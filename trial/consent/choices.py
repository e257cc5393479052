"""What somebody agreed to beside taking part, and the messages that need it: optional statements drive behaviour."""

from trial.base.words import local_day
from trial.consent.models import Consent
from trial.messages.models import OutboxMessage
from trial.participants.models import Participant

FUTURE_CONTACT, INTERVIEW, SHARING, SAFETY = (
    "future contact",
    "interview",
    "anonymised data sharing",
    "safety",
)
"""Purposes as the protocol's statements name them."""

NEEDS: dict[str, str] = {
    "future_research": FUTURE_CONTACT,
    "results_letter": FUTURE_CONTACT,
    "interview_invitation": INTERVIEW,
    "gp_letter": SAFETY,
    "referrer_letter": SAFETY,
}
"""Kinds of message by the purpose that must be agreed to before one leaves."""


def consents_to(participant: Participant, purpose: str) -> bool:
    """Whether the consent in force agrees to every statement of a purpose.

    A purpose that no statement of the signed form names was not asked about: it is not agreed to.
    """
    consent = Consent.objects.filter(participant=participant, state="valid").select_related("form").first()
    if consent is None:
        return False
    asked = [one["code"] for one in consent.form.statements if one["purpose"] == purpose]
    return bool(asked) and all(consent.statements.get(code) is True for code in asked)


def may_still_go(message: OutboxMessage) -> bool:
    """Asked before any message leaves: one of a kind that needs a purpose goes only to who agreed to it."""
    purpose = NEEDS.get(message.kind)
    if purpose is None or message.referral is None:
        return True
    participant: Participant | None = getattr(message.referral, "participant", None)
    return participant is not None and participant.died_date is None and consents_to(participant, purpose)


def optional_words(consent: Consent) -> list[tuple[str, bool]]:
    """The optional statements of a consent as purpose and answer, in the form's order."""
    return [
        (one["purpose"], consent.statements.get(one["code"]) is True)
        for one in consent.form.statements
        if not one["mandatory"]
    ]


def signed_words(consent: Consent) -> str:
    """ "Consent form 1.0, 9 July 2026": what may be said about a consent without saying whose it is."""
    day = local_day(consent.signed_at)
    return f"{consent.form} signed on {day:%-d %B %Y}"
