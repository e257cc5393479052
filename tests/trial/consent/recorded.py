"""Consents recorded with their proof, for tests."""

from datetime import timedelta

from tests.factories import NOW, Trial, proof
from trial.consent.actions import documents_on
from trial.consent.models import Consent
from trial.journey import consenting


def spoken(trial: Trial, *, at=NOW, **changes) -> Consent:
    """A consent by telephone before a witness."""
    referral = trial.informed(at=at - timedelta(days=3))
    data = trial.consent_data(at=at - timedelta(minutes=10))
    given = {
        "referral": referral,
        "form": documents_on(kind="consent", site=trial.site, on=at.date())[0],
        "information": referral.information_given.get(),
        "data": data.__class__(**{**data.__dict__, "method": "telephone_witnessed", "witness_name": "Bo Witness"}),
        "spoken_name": "Carol Tester",
        "heard_at": at - timedelta(minutes=9),
        "interpreter_name": "",
        "file_hashes": ("", ""),
        "proof": proof(trial.coordinator, at),
        "by": trial.coordinator,
        "at": at,
    }
    return consenting.by_telephone(**given | changes)
