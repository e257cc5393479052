"""The event log in words: who did what, without an arm (randomisation.md 8.6, 6.3).

Stratum, position and levels of single allocations help whoever guesses the next one: they are for holders of
VIEW_RESTRICTED. A reason was typed freely, so blinded readers do not see it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from randomisation.models import AllocationFlag, CodeBreak, EventLog

DIGEST_SHOWN = 16
_PLAIN = {
    "revision": "Revision",
    "site": "Site",
    "batch": "Batch",
    "rows_per_stratum": "Rows in each list",
    "ceiling": "Ceiling",
    "factor": "Factor",
    "level": "New level",
    "analysis": "Signed analysis",
}
_RESTRICTED = {"stratum": "Stratum", "position": "Position"}


@dataclass(frozen=True)
class LogLine:
    """One entry. `details` are terms and values that the reader may see."""

    n: int
    at: datetime
    event: str
    seq: int | None
    who: str
    approved_by: str
    details: list[tuple[str, str]]
    digest: str

    @property
    def words(self) -> str:
        """The details in one line."""
        return "; ".join(f"{term}: {value}" for term, value in self.details)


def line_of(entry: EventLog, *, restricted: bool, reads_texts: bool) -> LogLine:
    """One entry for a reader.

    Args:
        restricted: whether stratum, position and levels are shown.
        reads_texts: whether what was typed freely is shown.
    """
    approvers = [str(person) for person in (entry.first_approver, entry.second_approver) if person]
    return LogLine(
        n=entry.n,
        at=entry.at,
        event=EventLog.Event(entry.event).label,
        seq=entry.seq,
        who=str(entry.actor),
        approved_by=", ".join(approvers),
        details=_details(entry.facts, restricted=restricted, reads_texts=reads_texts),
        digest=entry.digest[:DIGEST_SHOWN],
    )


def _details(facts: Mapping[str, Any], *, restricted: bool, reads_texts: bool) -> list[tuple[str, str]]:
    found = [(term, str(facts[key])) for key, term in _PLAIN.items() if facts.get(key) not in (None, "")]
    found += [("Commitment", facts["commitment"][:DIGEST_SHOWN])] if facts.get("commitment") else []
    found += [("Revisions", ", ".join(str(n) for n in facts["revisions"]))] if facts.get("revisions") else []
    found += [("Why", _category(facts["category"]))] if "category" in facts else []
    found += [("Refused for", ", ".join(facts["codes"]))] if "codes" in facts else []
    found += [("Lists", str(len(facts["fingerprints"])))] if facts.get("fingerprints") else []
    found += [("Reason", str(facts["reason"]))] if reads_texts and facts.get("reason") else []
    return [*found, *_of_allocation(facts)] if restricted else found


def _of_allocation(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(term, str(facts[key])) for key, term in _RESTRICTED.items() if facts.get(key) not in (None, "")]
    members = [", ".join(f"{code}={level}" for code, level in levels.items()) for levels in facts.get("members", [])]
    return [*found, *(("Levels", levels) for levels in members if levels)]


def _category(code: str) -> str:
    labels = {**dict(AllocationFlag.Category.choices), **dict(CodeBreak.Category.choices)}
    return str(labels.get(code, code))
