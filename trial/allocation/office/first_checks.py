"""The first allocations of a scheme and of each site: replayed from the log and looked at (randomisation.md 10)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.views.decorators.debug import sensitive_variables

from randomisation import checking
from randomisation.models import BEFORE_LOCK, AllocationMember, Scheme
from trial.access.models import Site, User
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import FirstCheck
from trial.allocation.office.scheme_reads import factor_words
from trial.allocation.schemes import told

DUE_AFTER = 5
"""Allocations after which the check is due; it should be done by the tenth (section 10)."""


@dataclass(frozen=True)
class Place:
    """The whole scheme (site "") or one site of it, with its number of allocations."""

    site: str
    name: str
    n: int

    @property
    def words(self) -> str:
        """For sentences."""
        return f"{self.name} ({self.n} allocations)"


def places_of(scheme: Scheme) -> list[Place]:
    """The scheme, then every site with allocations."""
    counts = Counter(scheme.allocations.values_list("site", flat=True))
    names = dict(Site.objects.values_list("code", "name"))
    own = [Place(site, names.get(site, f"Site {site}"), counts[site]) for site in sorted(counts)]
    return [Place("", "the whole scheme", sum(counts.values())), *own]


def due_in(scheme: Scheme) -> list[Place]:
    """Where the check is due: enough allocations, and no check yet."""
    done = set(FirstCheck.objects.filter(scheme=scheme.code).values_list("site", flat=True))
    return [place for place in places_of(scheme) if place.n >= DUE_AFTER and place.site not in done]


def levels_of(scheme: Scheme, site: str) -> list[tuple[str, list[tuple[str, int]]]]:
    """People by level of each factor, all arms together, to see whether they look as expected."""
    members = AllocationMember.objects.filter(scheme=scheme)
    if site:
        members = members.filter(allocation__site=site)
    counts: dict[str, Counter[str]] = {}
    for factors in members.order_by("pk").values_list("factors", flat=True):
        for code, level in factors.items():
            counts.setdefault(code, Counter())[level] += 1
    return [_in_words(code, levels) for code, levels in counts.items()]


def _in_words(code: str, levels: Counter[str]) -> tuple[str, list[tuple[str, int]]]:
    label, labels = factor_words(code)
    return label, [(labels.get(level, level), number) for level, number in sorted(levels.items())]


@sensitive_variables()
def check(*, scheme: Scheme, site: str, plausible: bool, note: str, by: User, at: datetime) -> FirstCheck:
    """Replay the log, compare with what was allocated, and record what was found (CONFIGURE_SCHEME).

    Raises:
        AllocationRefused: nobody was allocated, or something is wrong and the note does not say what.
    """
    numbers = set(scheme.allocations.filter(**({"site": site} if site else {})).values_list("seq", flat=True))
    if not numbers:
        raise AllocationRefused("Nobody has been randomised there yet.")
    revisions = list(scheme.revisions.exclude(state__in=BEFORE_LOCK).order_by("number"))
    with told():
        found = checking.replay_differences(scheme, revisions)
    n_differences = sum(1 for seq in found if seq is None or seq in numbers)
    if (n_differences or not plausible) and not note.strip():
        raise AllocationRefused(_explain(n_differences))
    return FirstCheck(
        scheme=scheme.code,
        site=site,
        n_checked=len(numbers),
        n_differences=n_differences,
        plausible=plausible,
        note=note.strip(),
        checked_by=by,
        checked_at=at,
    ).save_by(by)


def _explain(n_differences: int) -> str:
    if n_differences:
        return f"The replay differs in {n_differences} allocations. Pause the scheme, and say in the note what you do."
    return "Say in the note what does not look as expected."
