"""Arms by factor level, site and stratum: for VIEW_BALANCE alone, and each look is logged (randomisation.md 6.1)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from django.views.decorators.debug import sensitive_variables

from randomisation.arms import arms_for_export
from randomisation.models import AllocationMember, Scheme
from trial.access.models import User
from trial.allocation.office.scheme_reads import arms_of, factor_words, newest_of
from trial.allocation.schemes import told
from trial.base.words import lower_first


@dataclass(frozen=True)
class BalanceRow:
    """People of one level or stratum by arm, in declared order, altogether, and how far from the ratio."""

    label: str
    counts: tuple[int, ...]
    total: int
    imbalance: str


@dataclass(frozen=True)
class BalanceTable:
    """Rows under one heading."""

    title: str
    rows: list[BalanceRow]


@dataclass(frozen=True)
class Balance:
    """The whole report. Frozen levels throughout; corrected ones are in the log of exceptions.

    Attributes:
        arms: in words, in declared order.
        note: what imbalance means.
    """

    arms: list[str]
    note: str
    tables: list[BalanceTable]


@sensitive_variables()
def balance_of(*, scheme: Scheme, by: User, at: datetime) -> Balance | None:
    """Count arms; one access to all of them is logged. None before anybody was allocated.

    Raises:
        AllocationRefused: no usable key, or a sealed arm was altered.
    """
    revision = newest_of(scheme)
    if revision is None or scheme.next_seq == 1:
        return None
    with told():
        arms = arms_for_export(scheme=scheme, by=by, at=at, reason="Balance report")
    declared, shares = revision.params_public["arms"], [share for _label, share in arms_of(revision)]
    # Arms of an earlier revision that are offered no more come last, with no share.
    earlier = sorted(set(arms.values()) - set(declared))
    counting = _Counting([*declared, *earlier], (*shares, *(0 for _arm in earlier)))
    people = AllocationMember.objects.filter(scheme=scheme).select_related("allocation").order_by("pk")
    carried = [(member, arms[member.participant_id]) for member in people]
    tables = [
        BalanceTable("Everybody", [counting.row("Everybody", [arm for _member, arm in carried])]),
        *_by_factor(carried, counting),
        _by(carried, "By site", lambda member: f"Site {member.allocation.site}", counting),
        _by(carried, "By stratum", lambda member: str(member.allocation.stratum_key), counting),
    ]
    # The factor "site" has a table of its own already.
    unique = {table.title: table for table in reversed(tables)}
    return Balance(
        [*(label for label, _share in arms_of(revision)), *earlier],
        counting.note,
        [table for table in tables if unique[table.title] is table],
    )


class _Counting:
    """Counts of arms as rows, with the distance from the ratio."""

    def __init__(self, arms: list[str], ratio: tuple[int, ...]) -> None:
        self._arms, self._ratio = arms, ratio

    @property
    def note(self) -> str:
        """What imbalance means."""
        if self._ratio == (1, 1):
            return "Imbalance is the difference between the two arms, in people."
        return "Imbalance is the largest distance of an arm from its share, in people."

    def row(self, label: str, arms: list[str]) -> BalanceRow:
        """One level or stratum."""
        found = Counter(arms)
        counts = tuple(found[arm] for arm in self._arms)
        return BalanceRow(label, counts, len(arms), self._imbalance(counts))

    def _imbalance(self, counts: tuple[int, ...]) -> str:
        if self._ratio == (1, 1):
            return str(abs(counts[0] - counts[1]))
        total, shares = sum(counts), sum(self._ratio)
        gap = max(abs(n - Fraction(total * share, shares)) for n, share in zip(counts, self._ratio, strict=True))
        return f"{float(gap):.1f}"


Carried = list[tuple[AllocationMember, str]]


def _by_factor(carried: Carried, counting: _Counting) -> list[BalanceTable]:
    codes = list(dict.fromkeys(code for member, _arm in carried for code in member.factors))
    return [_of_factor(code, carried, counting) for code in codes]


def _of_factor(code: str, carried: Carried, counting: _Counting) -> BalanceTable:
    label, labels = factor_words(code)

    def level(member: AllocationMember) -> str:
        given = str(member.factors.get(code, "Not recorded"))
        return labels.get(given, given)

    return _by(carried, f"By {lower_first(label)}", level, counting)


def _by(carried: Carried, title: str, label_of: Callable[[AllocationMember], str], counting: _Counting) -> BalanceTable:
    groups: dict[str, list[str]] = {}
    for member, arm in carried:
        groups.setdefault(label_of(member), []).append(arm)
    return BalanceTable(title, [counting.row(label, arms) for label, arms in sorted(groups.items())])
