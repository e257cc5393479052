"""What the tests of exceptions share: who asks, who decides, and a person whose allocation is known."""

from randomisation import proposals
from randomisation.models import Proposal
from tests.factories import NOW, staff
from trial.access.policy import Role

ARMS = ("kestrel", "osprey", "merlin")
"""Arms of the protocol Northbank, in words that stand on no page of their own accord."""


def approved(proposal: Proposal, by=None, *, at=NOW, **more):
    """The request, decided by somebody who does not work at the site."""
    proposals.approve(proposal=proposal, by=by or staff(Role.CHIEF_INVESTIGATOR, blinded=False), at=at, **more)
    return Proposal.objects.get(pk=proposal.pk)


def requests():
    """What was asked for since the scheme was locked."""
    return Proposal.objects.exclude(kind=proposals.LOCK)


def asked() -> Proposal:
    """The one request there is."""
    return requests().get()


def names_an_arm(response) -> bool:
    """Whether the page holds a word for an arm."""
    text = response.content.decode().lower()
    return any(arm in text for arm in ARMS)
