"""The world of an acceptance test: test schemes made from the draft's parameters, each with a secret of its own."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import count, product
from math import prod
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation import drafts, locks, states
from randomisation.engine.parameters import MAX_STRATA, NO_CONTRIBUTION, Parameters, stratum_keys
from randomisation.models import DraftDocument, Revision, Scheme
from trial.access.models import User
from trial.allocation.acceptance.bench import Bench
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.people import made_up_user

DERIVED = ("simple", "permuted_blocks", "big_stick")
LEAST_RECOMPUTED = 30
_COMMON = ("arms", "ratio", "factors", "contribution_source")
_NAMED = ("algorithm", "scheme", "revision")


@dataclass(frozen=True, repr=False)
class Wanted:
    """A test scheme: `changes` replace parameters of the draft."""

    rows: int = 1
    backup_rows: int = 0
    households: bool | None = None
    ceiling: int | None = None
    opens_date: date | None = None
    closes_date: date | None = None


class World:
    """What every case is given. Its repr is constant: the draft's parameters are restricted."""

    @sensitive_variables()
    def __init__(self, given: Mapping[str, Any], *, households: bool, corrections_count: bool) -> None:
        self.code = str(given["scheme"])
        self.given = {key: value for key, value in given.items() if key not in _NAMED}
        self.households = households
        self.corrections_count = corrections_count
        self.statistician, self.tester, self.randomiser = made_up_user(), made_up_user(), made_up_user()
        self.approvers = (made_up_user(), made_up_user())
        self._numbers = count(1)

    def __repr__(self) -> str:
        return "<World>"

    @property
    def method(self) -> str:
        """The draft's own method."""
        return str(self.given["method"])

    @property
    def shape(self) -> dict[str, Any]:
        """Arms, ratio, factors and source of the contribution: what every method has."""
        return {key: self.given[key] for key in _COMMON}

    @cached_property
    def main(self) -> Bench:
        """The draft itself as a test scheme: the one that is filled, corrected, closed, revealed and verified."""
        n_strata = prod(len(factor["levels"]) for factor in self.given["factors"])
        rows = max(8, -(-2 * LEAST_RECOMPUTED // n_strata))
        backup_rows = 4 if "backup_block_sizes" in self.given else 0
        return self.opened(self.given, Wanted(rows=rows, backup_rows=backup_rows), code=f"test-{self.code}"[:32])

    def own(self, wanted: Wanted | None = None) -> Bench:
        """Another test scheme with the draft's own method, without emergency lists."""
        plain = {key: value for key, value in self.given.items() if key != "backup_block_sizes"}
        return self.opened(plain, wanted or Wanted(rows=8))

    def listed(self, wanted: Wanted, **changes: Any) -> Bench:
        """A test scheme with lists from its secret: the draft's own, or a variant in blocks where it has none."""
        return self.opened({**self._list_parameters(), **changes}, wanted)

    def _list_parameters(self) -> dict[str, Any]:
        if self.method in DERIVED:
            return {key: value for key, value in self.given.items() if key != "backup_block_sizes"}
        return {
            **self.shape,
            "factors": few_strata(self.given["factors"]),
            "method": "permuted_blocks",
            "block_sizes": [2 * sum(self.given["ratio"])],
        }

    def minimised(self, wanted: Wanted) -> Bench:
        """A test scheme by minimisation: the draft's own, or a variant."""
        if self.method == "minimisation":
            return self.own(wanted)
        more = {"imbalance": "range", "p": "4/5", "burn_in": 0, "overall_weight": 1, "unequal": "pseudo_arms"}
        return self.opened({**self.shape, "method": "minimisation", **more}, wanted)

    @sensitive_variables()
    def opened(self, parameters: Mapping[str, Any], wanted: Wanted, *, code: str = "") -> Bench:
        """A test scheme, taken through every step up to its opening."""
        scheme = drafts.create_scheme(
            code=code or f"test-case-{next(self._numbers)}",
            name="TEST, not for participants",
            opens_date=wanted.opens_date,
            closes_date=wanted.closes_date,
            ceiling=wanted.ceiling,
            households=self.households if wanted.households is None else wanted.households,
            corrections_count=self.corrections_count,
        )
        self.lock(scheme, parameters, wanted)
        states.open_scheme(scheme=scheme, by=self.tester, at=moment())
        return Bench(scheme, by=self.randomiser, tester=self.tester, approvers=self.approvers)

    @sensitive_variables()
    def lock(self, scheme: Scheme, parameters: Mapping[str, Any], wanted: Wanted) -> Revision:
        """The next revision of a test scheme: configured, simulated, tested, signed, locked, with its contribution."""
        revision = drafts.configure(
            scheme=scheme, draft=_draft(scheme, parameters, wanted), by=self.statistician, at=moment()
        )
        self._keep(revision, DraftDocument.Kind.SIMULATION, self.statistician)
        test = self._keep(revision, DraftDocument.Kind.ACCEPTANCE, self.tester)
        drafts.sign_test(document=test, by=self.statistician, at=moment())
        revision.refresh_from_db()
        locks.lock(revision=revision, approvers=self.approvers, by=self.tester, at=moment())
        _contribute(revision, self.approvers)
        return revision

    @sensitive_variables()
    def draft_of(self, scheme: Scheme) -> Revision:
        """The scheme's next revision, configured and nothing more."""
        plain = {key: value for key, value in self.given.items() if key != "backup_block_sizes"}
        return drafts.configure(
            scheme=scheme, draft=_draft(scheme, plain, Wanted(rows=4)), by=self.statistician, at=moment()
        )

    def _keep(self, revision: Revision, kind: DraftDocument.Kind, by: User) -> DraftDocument:
        return drafts.keep_document(
            revision=revision, kind=kind, document={}, by=by, at=moment(), software_version="acceptance test"
        )


@sensitive_variables()
def _draft(scheme: Scheme, parameters: Mapping[str, Any], wanted: Wanted) -> drafts.Draft:
    given, file = dict(parameters), None
    if given["method"] == "import":
        file = made_up_list(drafts.parameters_for(scheme, given), rows=wanted.rows)
        given["file_sha256"] = hashlib.sha256(file).hexdigest()
    return drafts.Draft(given, wanted.rows, wanted.backup_rows, "Acceptance test", file)


def _contribute(revision: Revision, approvers: tuple[User, User]) -> None:
    """Made-up texts where a contribution is to come."""
    source = revision.params_public["contribution_source"]
    if source == locks.TWO_TEXTS:
        for part, person in enumerate(approvers, start=1):
            text = secrets.token_hex(8)
            locks.add_contribution_part(revision=revision, part=part, text=text, by=person, at=moment())
    elif source != NO_CONTRIBUTION:
        revision.refresh_from_db()
        text = secrets.token_hex(16)
        locks.record_contribution(revision=revision, contribution=text, by=approvers[0], at=moment())


@sensitive_variables()
def made_up_list(parameters: Parameters, *, rows: int) -> bytes:
    """A made-up statistician's file: whole blocks in chance order, never one run of each arm."""
    lines = [f"# salt: {secrets.token_hex(32)}", "stratum_key,position,arm"]
    for key in stratum_keys(parameters.factors):
        arms = _made_up_rows(parameters, rows)
        lines += [f"{key},{position},{parameters.arms[arm]}" for position, arm in enumerate(arms, start=1)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _made_up_rows(parameters: Parameters, rows: int) -> list[int]:
    block = [arm for arm, share in enumerate(parameters.ratio) for _ in range(share)]
    drawn = list(block)
    while len(drawn) < max(rows, 2 * len(block)):
        drawn += reversed(block) if len(drawn) == len(block) else secrets.SystemRandom().sample(block, len(block))
    return drawn


def few_strata(factors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The factors without weights, as many as make strata enough for lists."""
    kept: list[dict[str, Any]] = []
    for factor in factors:
        if prod(len(one["levels"]) for one in [*kept, factor]) <= MAX_STRATA:
            kept.append({**factor, "weight": 1})
    return kept


def combinations(factors: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Every combination of levels, the last factor changing fastest."""
    codes = [factor["code"] for factor in factors]
    return [dict(zip(codes, levels, strict=True)) for levels in product(*(factor["levels"] for factor in factors))]
