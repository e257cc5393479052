"""Requests that wait for a decision or were decided, as one person may see them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.http import Http404

from randomisation.models import Proposal
from randomisation.proposals import KINDS
from trial.access.models import Site, User
from trial.access.policy import Action
from trial.allocation.kinds import REQUESTS, facts_in_words, may_decide, texts_in_words
from trial.base.parts import Fact


@dataclass(frozen=True)
class Decision:
    """One person's approval or refusal. `note` is empty for blinded readers: it was typed freely."""

    who: str
    word: str
    at: datetime
    note: str


def requests_for(user: User) -> QuerySet[Proposal]:
    """Their own, those of kinds that they ask for or decide, and all where they oversee exceptions; at their sites."""
    wanted = Q(asked_by=user) | _at_sites(user, Action.VIEW_EXCEPTIONS)
    for code, kind in REQUESTS.items():
        wanted |= Q(kind=code) & (_at_sites(user, kind.asks) | _at_sites(user, kind.approves))
    return Proposal.objects.filter(wanted).select_related("scheme", "allocation", "asked_by")


def _at_sites(user: User, action: Action) -> Q:
    """The requests about sites at which the action is allowed, or about no site."""
    if not user.access.may(action):
        return Q(pk__in=[])  # an empty Q would be left out of an "or", and so mean nothing rather than all
    ids = user.access.site_ids(action)
    if ids is None:
        return Q(pk__isnull=False)
    return Q(site="") | Q(site__in=list(Site.objects.filter(pk__in=ids).values_list("code", flat=True)))


def request_for(user: User, pk: int) -> Proposal:
    """One request.

    Raises:
        Http404: there is none, or this person may not see it.
    """
    found = requests_for(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def waiting_for(user: User) -> list[Proposal]:
    """Requests that this person may decide now and has not, oldest first."""
    waiting = requests_for(user).filter(state=Proposal.State.ASKED).order_by("asked_at", "pk")
    return [one for one in waiting if may_decide(user, one) and not one.approvals.filter(by=user).exists()]


def label_of(proposal: Proposal) -> str:
    """What is asked, in a few words."""
    return KINDS[proposal.kind].label


def facts_of(proposal: Proposal) -> list[Fact]:
    """The strip under the title."""
    n_needed = KINDS[proposal.kind].n_approvals
    n_given = proposal.approvals.filter(approves=True).count()
    return [
        Fact("State", proposal.get_state_display()),
        Fact("Approvals", f"{n_given} of {n_needed}"),
        Fact("Asked by", str(proposal.asked_by)),
        Fact("Scheme", str(proposal.scheme)),
    ]


def rows_of(proposal: Proposal, user: User) -> list[tuple[str, str]]:
    """What is asked for, term by term; texts that were typed freely only for who is not blinded, or wrote them."""
    about = [("Participant", proposal.allocation.unit)] if proposal.allocation else []
    about += [("Site", proposal.site)] if proposal.site and not proposal.facts.get("site") else []
    may_read = not user.access.blinded or proposal.asked_by_id == user.pk
    texts = texts_in_words(proposal) if may_read else []
    return [*about, *facts_in_words(proposal), *texts]


def decisions_of(proposal: Proposal, user: User) -> list[Decision]:
    """Who approved or refused, in order."""
    return [
        Decision(
            str(one.by), "Approved" if one.approves else "Refused", one.at, "" if user.access.blinded else one.note
        )
        for one in proposal.approvals.select_related("by")
    ]
