"""The table of transitions drawn for docs/journey.md, so that the page cannot drift from the code."""

from trial.journey.transitions import RE_REFERRED, REVERSED, TRANSITIONS
from trial.participants.models import RE_REFERRABLE


def markdown() -> str:
    """The whole page: a Mermaid state diagram, then every transition with its guard and who makes it."""
    return "\n".join([_HEAD, *_diagram(), "```", "", *_table(), ""])


_HEAD = """# The participant's journey

Written by `manage.py draw_journey` from `trial/journey/transitions.py`; a test compares the two.
Any pair that is not drawn is refused, by the action and by a trigger in the database.

```mermaid
stateDiagram-v2"""


def _diagram() -> list[str]:
    lines = [f"  {source} --> {t.target}: {t.number}" for t in TRANSITIONS for source in (t.sources or ("[*]",))]
    return lines + [f"  {status} --> [*]" for status in sorted({*RE_REFERRABLE, "COMPLETED", "ENDED_EARLY"})]


def _table() -> list[str]:
    rows = ["| # | From | To | What must hold | By |", "|---|---|---|---|---|"]
    for t in TRANSITIONS:
        sources = ", ".join(t.sources) or "(none)"
        rows.append(f"| {t.number} | {sources} | {t.target} | {t.guard} | {t.action or 'the system'} |")
    closed = ", ".join(sorted(RE_REFERRABLE))
    rows.append(
        f"| {RE_REFERRED} | {closed} | (new record) REFERRED | never randomised; a new record linked to the old one |"
        " trial.add_referral |"
    )
    rows.append(
        f"| {REVERSED} | any status reached before RANDOMISED | the one before |"
        " entered in error: asked by one person, approved by another |"
        " trial.ask_reversal, trial.approve_reversal |"
    )
    return rows
