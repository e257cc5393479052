"""What must hold before a scheme opens, as far as the database knows (randomisation.md section 10)."""

from randomisation import high_water
from randomisation.high_water import Standing
from randomisation.models import Revision, Scheme, State
from trial.allocation.seals import sealing_keys_work
from trial.base.words import long_date


def checklist_of(scheme: Scheme) -> list[tuple[str, str]]:
    """Each condition with how it stands."""
    revision = scheme.revisions.filter(state=State.LOCKED).order_by("-number").first() or scheme.revision_in_force
    return [
        ("Revision", _revision(revision)),
        ("Lists", "Made" if revision and revision.contribution_sealed else "Not made: the contribution is awaited"),
        *records_of(scheme),
    ]


def records_of(scheme: Scheme) -> list[tuple[str, str]]:
    """Whether the sealing key works and the database fits its high-water mark."""
    level = high_water.compare(scheme) is Standing.LEVEL
    return [
        ("Sealing key", "Works" if sealing_keys_work() else "Does not open this scheme"),
        ("Records", "Fit together" if level else "Do not fit the high-water mark"),
    ]


def _revision(revision: Revision | None) -> str:
    if revision is None or revision.locked_at is None:
        return "None is locked"
    return f"{revision.number}, locked on {long_date(revision.locked_at)}"
