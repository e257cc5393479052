"""A disposal that two people agreed."""

from tests.factories import NOW, make_user, proof
from trial.participants import disposal
from trial.participants.models import Person, Referral


def dispose(referral: Referral) -> Person:
    """Destroy the key of a referral's person, by two people."""
    asker, agreer = make_user(), make_user()
    asked = disposal.ask(referral=referral, why="retention", reason="Time is over", by=asker, at=NOW)
    disposal.carry_out(disposal=asked, proof=proof(agreer), by=agreer, at=NOW)
    return Person.objects.get(pk=referral.person_id)
