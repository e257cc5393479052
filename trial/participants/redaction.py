"""Replacing one sealed text by a marker, for ever: the row that holds it and its history stay (R-03)."""

from datetime import datetime

from django.db import transaction

from trial.access.models import User
from trial.base.errors import ReasonMissing, TrialError
from trial.base.models import role_of
from trial.participants import identity
from trial.participants.models import Redaction, Referral, TextKey


class CannotRedact(TrialError):
    """There is no such text of this person, or it was redacted before."""


MARKERS = {
    "third_party": "it named another person",
    "wrong_person": "it was about another person",
    "not_needed": "the study has no need of it",
    "request": "the participant asked for it",
}
"""What stands in the place of a text, by code."""


@transaction.atomic
def redact(*, referral: Referral, token: str, what: str, marker: str, reason: str, by: User, at: datetime) -> Redaction:
    """Destroy one sealed text. What stays is a marker, with who did it, when and why.

    Args:
        token: the sealed text as its row holds it.
        what: which text it was, without its words.
        marker: a code of MARKERS.

    Raises:
        ReasonMissing: nobody said why.
        CannotRedact: there is no such text of this person, or it was redacted before.
    """
    if not reason.strip():
        raise ReasonMissing
    number = identity.text_key_of(token) or 0
    key = TextKey.objects.select_for_update().filter(pk=number, person=referral.person_id).first()
    if key is None or not key.sealed_key or marker not in MARKERS:
        raise CannotRedact("This text cannot be redacted: it is gone already, or is not this person's.")
    made = Redaction(
        text=key,
        referral=referral,
        what=what[:120],
        marker=MARKERS[marker],
        reason=reason.strip()[:300],
        by=by,
        role=role_of(by),
        at=at,
    )
    made.save()
    key.sealed_key = ""
    key.save(update_fields=["sealed_key"])
    return made
