"""What the pages of exceptions look up: somebody's own records, an allocation with what is said of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404

from randomisation import proposals
from randomisation.models import Allocation, AllocationFlag, AllocationMember, Proposal, Revision, Scheme
from randomisation.preconditions import factors_of
from randomisation.requests import HOUSEHOLD, SINGLE, UNIT_FACTOR
from trial.access.models import Site, User
from trial.access.policy import Action
from trial.allocation.reads import allocation_of
from trial.participants.models import Participant
from trial.participants.reads import participant_for
from trial.protocol.spec import ProtocolSpec

SITE_FACTOR = "site"
"""Like the factor unit it is set by the system: where and whether alone are facts, not judgements (5, 9.13)."""


def participant_by_any(user: User, number: str, *actions: Action) -> Participant:
    """One participant at a site where `user` may do one of `actions`.

    Raises:
        Http404: there is none, or not at such a site.
    """
    for action in actions:
        try:
            return participant_for(user, number, action)
        except Http404:
            continue
    raise Http404


def allocated(participant: Participant) -> Allocation:
    """The participant's allocation by the protocol's scheme.

    Raises:
        Http404: nobody randomised this person.
    """
    made = allocation_of(participant)
    if made is None:
        raise Http404
    return made


def at_own_sites(user: User, action: Action, field: str = "site") -> Q:
    """A condition on a column that holds a site's code: the sites at which `user` may do `action`."""
    ids = user.access.site_ids(action)
    if ids is None:
        return Q()
    return Q(**{f"{field}__in": list(Site.objects.filter(pk__in=ids).values_list("code", flat=True))})


def proposals_for(user: User, action: Action = Action.VIEW_EXCEPTIONS) -> QuerySet[Proposal]:
    """Every request that this person may read about, newest first."""
    if not user.access.may(action):
        return Proposal.objects.none()
    found = Proposal.objects.filter(at_own_sites(user, action)).select_related("scheme", "allocation", "asked_by")
    return found.prefetch_related("approvals__by")


def label_of(proposal: Proposal) -> str:
    """What was asked for, in a few words that hold nothing typed."""
    if proposal.kind == proposals.FLAG:
        return AllocationFlag.Category(proposal.facts["category"]).label
    return proposals.KINDS[proposal.kind].label


@dataclass(frozen=True, slots=True)
class FactorWords:
    """A stratification factor as forms and tables show it, with the levels added since the lock."""

    code: str
    label: str
    choices: tuple[tuple[str, str], ...]

    def word(self, level: str) -> str:
        """The label of one level; its code where the protocol has no word for it."""
        return dict(self.choices).get(level, level)


def factor_words(revision: Revision, spec: ProtocolSpec) -> list[FactorWords]:
    """The factors of a revision in the protocol's words; a scheme of its own shows its codes."""
    known = {factor.code: factor for factor in spec.randomisation.factors}
    found = []
    for factor in factors_of(revision):
        ours = known.get(factor.code)
        labels = {level.code: level.label for level in ours.levels} if ours else {}
        if factor.code == SITE_FACTOR:
            labels |= dict(Site.objects.values_list("code", "name"))
        if factor.code == UNIT_FACTOR:
            labels |= {SINGLE: "Alone", HOUSEHOLD: "With the household"}
        choices = tuple((level, labels.get(level, level)) for level in factor.levels)
        name = "Randomised" if factor.code == UNIT_FACTOR else factor.code.capitalize()
        found.append(FactorWords(factor.code, ours.label if ours else name, choices))
    return found


def factor_words_of(scheme: Scheme | None, spec: ProtocolSpec) -> list[FactorWords]:
    """The factors of the revision in force of a scheme; none while there is none."""
    revision = scheme.revision_in_force if scheme else None
    return factor_words(revision, spec) if revision else []


def has_site(spec: ProtocolSpec) -> bool:
    """Whether the protocol stratifies by site."""
    return any(factor.code == SITE_FACTOR for factor in spec.randomisation.factors)


def typed_again(factors: Sequence[FactorWords]) -> list[FactorWords]:
    """The factors that a person chooses; the others are facts that the system knows."""
    return [factor for factor in factors if factor.code not in (SITE_FACTOR, UNIT_FACTOR)]


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One factor of one person: as frozen at the allocation, and as corrected since, if it was (9.3)."""

    person: str
    factor: str
    frozen: str
    corrected: str


def level_rows(made: Allocation, spec: ProtocolSpec) -> list[LevelRow]:
    """Frozen and corrected levels side by side, for every member in the order of the allocation."""
    factors = factor_words(made.revision, spec)
    return [row for member in members_of(made) for row in _rows_of(member, factors)]


def members_of(made: Allocation) -> list[AllocationMember]:
    """The people of an allocation in its order."""
    return list(made.members.select_related("participant").prefetch_related("corrections").order_by("place"))


def _rows_of(member: AllocationMember, factors: Sequence[FactorWords]) -> list[LevelRow]:
    corrections = list(member.corrections.all())
    now = corrections[-1].factors if corrections else member.factors
    number = member.participant.study_id
    return [
        LevelRow(
            number,
            factor.label,
            factor.word(member.factors.get(factor.code, "")),
            factor.word(now[factor.code]) if now.get(factor.code) != member.factors.get(factor.code) else "",
        )
        for factor in factors
    ]


def current_levels(made: Allocation) -> list[dict[str, str]]:
    """The levels on record of each member: corrected ones once they are approved."""
    found = []
    for member in members_of(made):
        corrections = list(member.corrections.all())
        found.append(dict(corrections[-1].factors if corrections else member.factors))
    return found


def arm_choices(spec: ProtocolSpec) -> list[tuple[str, str]]:
    """Every arm of the protocol by its number, whoever was given which."""
    return [(str(number), arm.label) for number, arm in enumerate(spec.arms)]


def scheme_named(spec: ProtocolSpec) -> Scheme | None:
    """The protocol's own scheme, once it exists."""
    return Scheme.objects.filter(code=spec.randomisation.scheme).first()
