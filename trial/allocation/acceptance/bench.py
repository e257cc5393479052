"""One open test scheme, and what a case does with it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation import proposals
from randomisation.allocate import AllocationOutcome, allocate
from randomisation.arms import reveal_arm
from randomisation.errors import NotAllocated, RandomisationError, Refusal
from randomisation.models import Allocation, Proposal, Purpose, Revision, Scheme, StratumCursor
from randomisation.proposals import Deed
from randomisation.recording import record_next
from randomisation.requests import HOUSEHOLD, SINGLE, UNIT_FACTOR, Member, UnitRequest
from trial import __version__
from trial.access.models import User
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.people import made_up_participant

_keys = count(1)
Levels = Mapping[str, str]


def agrees(_request: UnitRequest) -> list[Refusal]:
    """A caller who has nothing against it."""
    return []


class Bench:
    """A test scheme with the people who work on it. Its repr is constant."""

    def __init__(self, scheme: Scheme, *, by: User, tester: User, approvers: tuple[User, User]) -> None:
        self._pk = scheme.pk
        self.by, self.tester, self.approvers = by, tester, approvers

    def __repr__(self) -> str:
        return "<Bench>"

    @property
    def scheme(self) -> Scheme:
        """The scheme as it stands now."""
        return Scheme.objects.get(pk=self._pk)

    @property
    def revision(self) -> Revision:
        """The newest revision as it stands now."""
        newest: Revision = self.scheme.revisions.latest("number")
        return newest

    @property
    def factors(self) -> list[dict[str, Any]]:
        """The declared factors."""
        return list(self.revision.params_public["factors"])

    @property
    def levels(self) -> dict[str, str]:
        """One person's levels: the first declared of each factor."""
        return {f["code"]: SINGLE if f["code"] == UNIT_FACTOR else f["levels"][0] for f in self.factors}

    @property
    def is_list(self) -> bool:
        """Whether allocations come from lists."""
        return bool(self.revision.params_public["method"] != "minimisation")

    def cursor(self, purpose: Purpose = Purpose.LIST) -> StratumCursor:
        """The first list of a purpose: that of `levels`."""
        first: StratumCursor = self.revision.cursors.filter(purpose=purpose).order_by("pk")[0]
        return first

    def standing(self) -> tuple[object, ...]:
        """How many allocations there are, what number comes next, and how far each list is used."""
        cursors = self.revision.cursors.order_by("pk").values_list("next_position", flat=True)
        return (self.scheme.allocations.count(), self.scheme.next_seq, *cursors)

    def ask(self, levels: Levels | None = None, **changes: Any) -> UnitRequest:
        """A request for somebody new; two people where the levels say household."""
        chosen = dict(levels or self.levels)
        n_people = 2 if chosen.get(UNIT_FACTOR) == HOUSEHOLD else 1
        people = [made_up_participant() for _ in range(changes.pop("n_people", n_people))]
        given: dict[str, Any] = {
            "unit": people[0].study_id,
            "members": [Member(person.pk, chosen) for person in people],
            "key": f"request-{next(_keys)}",
            "by": self.by,
            "site": chosen.get("site", "00"),
            "at": moment(),
            "software_version": __version__,
        }
        return UnitRequest(**{**given, **changes})

    def give(
        self, request: UnitRequest | None = None, check: Callable[[UnitRequest], list[Refusal]] = agrees
    ) -> AllocationOutcome:
        """Allocate."""
        return allocate(scheme=self.scheme, request=request or self.ask(), check=check)

    def give_inside(self, request: UnitRequest) -> None:
        """Allocate inside the caller's transaction, as a guard of the database sees it."""
        record_next(Scheme.objects.select_for_update().get(pk=self._pk), request, check=list)

    def refused(
        self, request: UnitRequest | None = None, check: Callable[[UnitRequest], list[Refusal]] = agrees
    ) -> list[str]:
        """The codes with which an allocation is refused; none where it was made."""
        try:
            self.give(request, check)
        except NotAllocated as refused:
            return refused.codes
        return []

    def propose(self, kind: str, facts: dict[str, Any], allocation: Allocation | None = None) -> Proposal:
        """Ask for a step that takes others."""
        return proposals.ask(
            scheme=self.scheme,
            kind=kind,
            facts=facts,
            reason="Acceptance test",
            by=self.tester,
            at=moment(),
            allocation=allocation,
        )

    def approve(self, proposal: Proposal) -> Deed | None:
        """Every approval that the request needs."""
        deed = None
        for person in self.approvers[: proposals.KINDS[proposal.kind].n_approvals]:
            deed = proposals.approve(proposal=proposal, by=person, at=moment())
        return deed

    def approve_rest(self, proposal: Proposal) -> Deed | None:
        """The approvals that a request still lacks."""
        deed = None
        given = set(proposal.approvals.values_list("by_id", flat=True))
        for person in self.approvers:
            if person.pk not in given:
                deed = proposals.approve(proposal=proposal, by=person, at=moment())
        return deed

    def done(self, kind: str, facts: dict[str, Any], allocation: Allocation | None = None) -> Deed | None:
        """Asked for and approved."""
        return self.approve(self.propose(kind, facts, allocation))

    @sensitive_variables()
    def arm(self, allocation: Allocation) -> str:
        """The arm, for comparing only: no outcome tells it."""
        return reveal_arm(allocation, by=self.tester, at=moment(), reason="Acceptance test")


def refusal_of(step: Callable[[], object]) -> str:
    """The code with which a step is refused; empty where it was carried out."""
    try:
        step()
    except RandomisationError as refused:
        return refused.code
    return ""


def in_words(codes: Sequence[str]) -> str:
    """The codes, or that nothing was refused."""
    return ", ".join(codes) if codes else "nothing refused"


def late_facts(request: UnitRequest, *, code: str, made_at: datetime, **more: Any) -> dict[str, Any]:
    """What is written of an allocation that the database learns of later."""
    return {
        "unit": request.unit,
        "members": [{"participant_id": one.participant_id, "levels": dict(one.levels)} for one in request.members],
        "key": request.key,
        "site": request.site,
        "made_at": made_at.isoformat(),
        "software_version": request.software_version,
        "code": code,
        **more,
    }
