"""Who lives together: recorded whether they are randomised together or each alone (randomisation.md 5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import Household, HouseholdMember
from trial.participants.models import Participant

FEWEST = 2


def households_for(user: User, *actions: Action) -> QuerySet[Household]:
    """Households of the sites at which this person may do one of `actions`, by their code."""
    found = Household.objects.none()
    for action in actions:
        if user.access.may(action):
            found = found | Household.objects.filter(user.access.sites(action))
    return found.distinct().select_related("site").prefetch_related("members__participant__referral").order_by("code")


@transaction.atomic
def make_household(*, site: Site, people: Sequence[Participant], by: User, at: datetime) -> Household:
    """Record that people of a site live together.

    Raises:
        AllocationRefused: fewer than two people, somebody of another site, or somebody who has a household.
    """
    if len({person.pk for person in people}) < FEWEST:
        raise AllocationRefused("A household has at least two people. Give each study number once.")
    Site.objects.select_for_update().get(pk=site.pk)
    last = Household.objects.filter(site=site).aggregate(last=Max("sequence"))["last"] or 0
    household = Household(site=site, sequence=last + 1, code=f"H-{site.code}-{last + 1:03d}", made_at=at).save_by(by)
    _add(household, people, by)
    return household


@transaction.atomic
def add_members(*, household: Household, people: Iterable[Participant], by: User) -> None:
    """Record that more people live in a household. Where households go together, who joins later is not randomised.

    Raises:
        AllocationRefused: somebody of another site, or somebody who has a household.
    """
    _add(household, people, by)


def _add(household: Household, people: Iterable[Participant], by: User) -> None:
    for person in people:
        if person.number_site_id != household.site_id:
            raise AllocationRefused(f"{person.study_id} belongs to another site.")
        if HouseholdMember.objects.filter(participant=person).exists():
            raise AllocationRefused(f"{person.study_id} belongs to a household already.")
        HouseholdMember(household=household, participant=person).save_by(by)
