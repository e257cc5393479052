"""Every kind of request: who asks, who decides, and its facts in words (randomisation.md 6.1, 9 and 10).

A new kind of request is a function and a line here, beside its line in `randomisation.proposals.KINDS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from randomisation import proposals
from randomisation.models import AllocationFlag, CodeBreak, Proposal
from trial.access.models import Site, User
from trial.access.policy import Action
from trial.base.words import date_and_time

Facts = list[tuple[str, str]]


def _nothing(proposal: Proposal) -> Facts:
    return []


@dataclass(frozen=True, slots=True)
class KindOfRequest:
    """One kind of request as the pages know it.

    Attributes:
        asks: who may ask for it.
        approves: who may decide it.
        facts: what is asked, in words: no arm, no restricted parameter, and nothing that somebody typed freely.
        texts: what somebody typed freely beside the reason; for roles that are not blinded.
        outside_site: whoever decides holds no role at the site that it is about (section 10).
    """

    asks: Action
    approves: Action
    facts: Callable[[Proposal], Facts] = _nothing
    texts: Callable[[Proposal], Facts] = _nothing
    outside_site: bool = False


def _revision(proposal: Proposal) -> Facts:
    return [("Revision", str(proposal.facts["revision"]))]


def _extension(proposal: Proposal) -> Facts:
    return [("New length of each list", f"{proposal.facts['rows_per_stratum']:,} rows at least")]


def _level(proposal: Proposal) -> Facts:
    return [("Factor", proposal.facts["factor"]), ("New level", proposal.facts["level"])]


def _ceiling(proposal: Proposal) -> Facts:
    where = f"Site {proposal.facts['site']}" if proposal.facts.get("site") else "All sites together"
    return [("For", where), ("New highest number of allocations", f"{proposal.facts['ceiling']:,}")]


def _flag(proposal: Proposal) -> Facts:
    left_out = "Yes" if proposal.facts.get("excludes") else "No"
    category = AllocationFlag.Category(proposal.facts["category"]).label
    return [("What went wrong", category), ("Left out of the balance from now on", left_out)]


def _levels(proposal: Proposal) -> Facts:
    members = proposal.facts["members"]
    return [(_person("True levels", number, members), _in_words(levels)) for number, levels in enumerate(members, 1)]


def _person(term: str, number: int, members: Sequence[object]) -> str:
    return f"{term}, person {number}" if len(members) > 1 else term


def _in_words(levels: Mapping[str, str]) -> str:
    return ", ".join(f"{factor}: {level}" for factor, level in levels.items())


def _code_break(proposal: Proposal) -> Facts:
    stays = "Yes" if proposal.facts.get("stays_in_follow_up", True) else "No"
    return [("Why", CodeBreak.Category(proposal.facts["category"]).label), ("Stays in follow-up", stays)]


def _who_is_told(proposal: Proposal) -> Facts:
    told = [("Who will know", proposal.facts["who_knows"]), ("Told only to", proposal.facts.get("third_party", ""))]
    return [(term, value) for term, value in told if value]


def _unit(proposal: Proposal) -> Facts:
    facts = proposal.facts
    made_at = datetime.fromisoformat(facts["made_at"])
    members = facts["members"]
    levels = [
        (_person("Levels", number, members), _in_words(member["levels"])) for number, member in enumerate(members, 1)
    ]
    return [("Participant", facts["unit"]), ("Site", facts["site"]), ("Made", date_and_time(made_at)), *levels]


def _envelope(proposal: Proposal) -> Facts:
    return [*_unit(proposal), ("Envelope number", str(proposal.facts["position"]))]


def _reveal(proposal: Proposal) -> Facts:
    return [("After", "recruitment is closed and the blinded primary analysis is signed off")]


def _analysis(proposal: Proposal) -> Facts:
    return [("Signed analysis", str(proposal.facts["analysis"]))]


_A = Action
REQUESTS: dict[str, KindOfRequest] = {
    proposals.LOCK: KindOfRequest(_A.OPERATE_SCHEME, _A.APPROVE_LOCK, _revision),
    proposals.EXTEND: KindOfRequest(_A.OPERATE_SCHEME, _A.APPROVE_LOCK, _extension),
    proposals.ADD_LEVEL: KindOfRequest(_A.OPERATE_SCHEME, _A.APPROVE_LOCK, _level),
    proposals.REOPEN: KindOfRequest(_A.OPERATE_SCHEME, _A.APPROVE_LOCK),
    proposals.REVEAL: KindOfRequest(_A.VERIFY_REVEAL, _A.APPROVE_LOCK, _reveal, _analysis),
    proposals.CLOSE: KindOfRequest(_A.OPERATE_SCHEME, _A.APPROVE_EXCEPTION, outside_site=True),
    proposals.RAISE_CEILING: KindOfRequest(_A.OPERATE_SCHEME, _A.APPROVE_EXCEPTION, _ceiling, outside_site=True),
    proposals.FLAG: KindOfRequest(_A.ASK_EXCEPTION, _A.APPROVE_EXCEPTION, _flag, outside_site=True),
    proposals.CORRECT: KindOfRequest(_A.ASK_EXCEPTION, _A.APPROVE_EXCEPTION, _levels, outside_site=True),
    proposals.BACKUP: KindOfRequest(_A.USE_BACKUP, _A.APPROVE_EXCEPTION, _envelope, outside_site=True),
    proposals.RECOVERED: KindOfRequest(_A.USE_BACKUP, _A.APPROVE_EXCEPTION, _unit, outside_site=True),
    proposals.CODE_BREAK: KindOfRequest(_A.CODE_BREAK, _A.CODE_BREAK, _code_break, _who_is_told),
}


def facts_in_words(proposal: Proposal) -> Facts:
    """What is asked for, in words that whoever may see the request may read: no arm, nothing typed freely."""
    return REQUESTS[proposal.kind].facts(proposal)


def texts_in_words(proposal: Proposal) -> Facts:
    """What was typed freely, the reason included: it may hint at an arm, so blinded roles do not see it (6.3)."""
    return [("Reason", proposal.reason), *REQUESTS[proposal.kind].texts(proposal)]


def may_decide(user: User, proposal: Proposal) -> bool:
    """Whether this person may approve or refuse the request; whoever asked never may (sections 9 and 10)."""
    kind = REQUESTS[proposal.kind]
    site = Site.objects.filter(code=proposal.site).first() if proposal.site else None
    if proposal.asked_by_id == user.pk or not user.access.may(kind.approves, site):
        return False
    return not (kind.outside_site and site is not None and _works_at(user, site))


def _works_at(user: User, site: Site) -> bool:
    return any(assignment.site_id == site.pk for assignment in user.access.assignments)
