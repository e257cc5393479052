"""Acceptance tests as pages and reports show them: outcomes and signatures, never a restricted value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from randomisation.drafts import open_document
from randomisation.errors import SealError
from randomisation.models import AcceptanceSignature, DraftDocument, Revision, Scheme, State
from trial.access.models import User
from trial.access.policy import Action
from trial.allocation.acceptance.case import Outcome, Status

ACCEPTANCE, SIMULATION = DraftDocument.Kind.ACCEPTANCE, DraftDocument.Kind.SIMULATION


@dataclass(frozen=True)
class Tested:
    """One kept test. `outcomes` is empty where it belongs to an earlier design, whose key is gone."""

    document: DraftDocument
    found: dict[str, Any]
    outcomes: tuple[Outcome, ...]
    signature: AcceptanceSignature | None

    @property
    def failed(self) -> list[Outcome]:
        """The cases that failed."""
        return [one for one in self.outcomes if one.status == Status.FAILED]

    @property
    def n_covered(self) -> int:
        """Cases that point to an automated test."""
        return sum(one.status == Status.COVERED for one in self.outcomes)

    @property
    def is_of_this_design(self) -> bool:
        """Whether the draft is still the one that was tested."""
        return bool(self.outcomes) and self.document.at >= self.document.revision.configured_at

    def requirements(self) -> Iterator[tuple[str, str, str]]:
        """Requirement, its cases, and how they ended, in the order of the cases."""
        by_requirement: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            for part in outcome.requirement.split(", "):
                by_requirement.setdefault(part, []).append(outcome)
        for requirement, found in sorted(by_requirement.items(), key=lambda pair: _in_text_order(pair[0])):
            yield requirement, ", ".join(one.id for one in found), _together([one.status for one in found]).value


def _together(statuses: list[Status]) -> Status:
    """Failed as soon as one failed; covered only where none was run."""
    return next(status for status in (Status.FAILED, Status.PASSED, Status.COVERED) if status in statuses)


def _in_text_order(requirement: str) -> tuple[bool, list[int], str]:
    numbers = [int(part) for part in requirement.split(".") if part.isdigit()]
    return (not numbers, numbers, requirement)


def tests_of(scheme: Scheme) -> list[DraftDocument]:
    """Every acceptance test of a scheme, newest first."""
    found = DraftDocument.objects.filter(revision__scheme=scheme, kind=ACCEPTANCE)
    return list(found.select_related("revision__scheme", "by", "signature__by"))


def test_or_404(pk: int) -> DraftDocument:
    """One acceptance test.

    Raises:
        Http404: there is none.
    """
    found = DraftDocument.objects.filter(pk=pk, kind=ACCEPTANCE).select_related("revision__scheme", "by").first()
    if found is None:
        raise Http404
    return found


def tested(document: DraftDocument) -> Tested:
    """A test with what it found."""
    found = opened(document)
    signature = AcceptanceSignature.objects.filter(document=document).select_related("by").first()
    return Tested(document, found, tuple(Outcome.from_json(one) for one in found.get("cases", ())), signature)


def opened(document: DraftDocument) -> dict[str, Any]:
    """What was kept; empty where the draft was configured again since, which is another key."""
    try:
        return dict(open_document(document))
    except SealError:
        return {}


def simulation_of(revision: Revision) -> DraftDocument | None:
    """The newest simulation of a revision."""
    return revision.documents.filter(kind=SIMULATION).select_related("by").first()


def may_sign(user: User, test: Tested) -> bool:
    """Whether this person can sign the test now: the newest one of a simulated design, run by somebody else."""
    revision = test.document.revision
    newest = revision.documents.filter(kind=ACCEPTANCE).first()
    return (
        user.access.may(Action.CONFIGURE_SCHEME)
        and revision.state == State.SIMULATED
        and test.is_of_this_design
        and newest is not None
        and newest.pk == test.document.pk
        and test.document.by_id != user.pk
    )
