"""One revealed revision: its seed, its lists and its margins, computed again from its secret."""

import hashlib
from dataclasses import replace

from randomisation.engine.findings import Difference
from randomisation.engine.imported import read_list
from randomisation.engine.labels import prefix_fingerprints
from randomisation.engine.ledger import Ledger
from randomisation.engine.lists import LIST, rows_for
from randomisation.engine.margins import Design
from randomisation.engine.package import RevealedList, RevealedRevision
from randomisation.engine.parameters import Parameters, stratum_key, stratum_keys
from randomisation.engine.source import commitment, derive_seed
from randomisation.errors import ImportRefused, ParametersRefused

SHOWN_DIGITS = 16
"""How much of a fingerprint the log and the certificates show (6.4)."""
_IMPORT = "import"
_MINIMISATION = "minimisation"


class Rederived:
    """A revision as its secret makes it. Levels that the log adds are added by `add_level`."""

    def __init__(self, revealed: RevealedRevision) -> None:
        self.revealed = revealed
        self.parameters = revealed.parameters
        self.seed = derive_seed(revealed.secret, revealed.contribution)
        self.commitment = commitment(revealed.secret, revealed.stated)
        self.is_locked = False
        self.ledger = Ledger(Design.of(self.parameters)) if self.parameters.method == _MINIMISATION else None
        self.differences: list[Difference] = []
        self._added: dict[str, list[str]] = {}
        self._next_position: dict[tuple[str, str], int] = {}
        self._logged: dict[str, str] = {}
        self._imported = self._read_import()
        self._arms = {(one.purpose, one.key): self._list_arms(one) for one in revealed.lists}
        self._prefixes = {one.fingerprint_key: self._prefix_fingerprints(one) for one in revealed.lists}
        self._check_parameters()
        self._check_lists()

    def code(self, arm: int) -> str:
        """The code of an arm index."""
        return self.parameters.arms[arm]

    def row(self, purpose: str, key: str, position: int) -> int | None:
        """The arm index in this place; None when the package tells of no such row."""
        arms = self._arms.get((purpose, key), [])
        return arms[position - 1] if 1 <= position <= len(arms) else None

    def take(self, purpose: str, key: str, position: int) -> bool:
        """Count a row as used; whether it was the next one of its list."""
        expected = self._next_position.get((purpose, key), 1)
        self._next_position[purpose, key] = position + 1
        return position == expected

    def accepts(self, members: list[dict[str, str]]) -> bool:
        """Every person has one level, declared or added by now, of every factor, and nothing else."""
        levels = {factor.code: factor.levels for factor in self.parameters.factors}
        return all(m.keys() == levels.keys() and all(m[f] in levels[f] for f in levels) for m in members)

    def key_of(self, purpose: str, member: dict[str, str]) -> str:
        """The key of the list that a person with these levels is allocated from."""
        factors = self.parameters.factors if purpose == LIST else self.parameters.site_factors
        return stratum_key(factors, member)

    def add_level(self, factor: str, level: str) -> None:
        """Count `level` among the factor's from now on.

        Raises:
            ParametersRefused: there is no such factor, or it has the level.
        """
        added = {**self._added, factor: [*self._added.get(factor, []), level]}
        self.parameters = self.revealed.parameters.with_levels(added)
        self._added = added
        if self.ledger is not None:
            self.ledger.extend(Design.of(self.parameters))

    def wrong_fingerprints(self, shown: dict[str, str]) -> list[str]:
        """The keys of those lists whose fingerprint in the log no list of this seed ever had."""
        self._logged.update(shown)
        known = self._prefixes
        return [key for key, digits in shown.items() if digits not in {f[:SHOWN_DIGITS] for f in known.get(key, [])}]

    def finish(self) -> None:
        """Compare, once the whole log is read, what must agree at its end."""
        for one in self.revealed.lists:
            logged = self._logged.get(one.fingerprint_key)
            if logged is not None and logged != one.fingerprint[:SHOWN_DIGITS]:
                self._find(f"the last fingerprint that the log shows of list {one.fingerprint_key} is not its own.")
        keys = {LIST: set(stratum_keys(self.parameters.factors)), "backup": set(self.parameters.backup_keys())}
        for one in self.revealed.lists:
            if self.ledger is not None and one.purpose == LIST:
                self._find("minimisation has no main lists.")
            elif one.key not in keys[one.purpose]:
                self._find(f"no stratum has the list {one.fingerprint_key}.")

    def _read_import(self) -> dict[str, list[int]]:
        if self.parameters.method != _IMPORT:
            return {}
        data = (self.revealed.import_file or "").encode("utf-8")
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.parameters.settings["file_sha256"]:
            self._find("the imported list is not the file whose SHA-256 the parameters name.")
        as_it_is = replace(self.parameters, settings={"file_sha256": digest})
        try:
            found = read_list(data, as_it_is, rows_needed=0)
        except ImportRefused as refused:
            for line, rule in refused.problems:
                self._find(f"the imported list, line {line}: {rule}" if line else f"the imported list: {rule}")
            return {}
        return {key: [row.arm for row in rows] for key, rows in found.rows.items()}

    def _list_arms(self, one: RevealedList) -> list[int]:
        """All arms of a list. One that the method or the parameters cannot make has none."""
        if one.purpose == LIST and self.parameters.method == _IMPORT:
            return self._imported.get(one.key, [])
        try:
            rows = rows_for(self.parameters, self.seed, purpose=one.purpose, key=one.key, n_rows=one.n_rows)
        except ParametersRefused:
            return []
        return [row.arm for row in rows]

    def _prefix_fingerprints(self, one: RevealedList) -> list[str]:
        return prefix_fingerprints(
            self.seed,
            scheme=self.parameters.scheme,
            revision=self.parameters.revision,
            key=one.fingerprint_key,
            codes=[self.code(arm) for arm in self._arms[one.purpose, one.key]],
        )

    def _check_parameters(self) -> None:
        revealed = self.revealed
        if self.commitment != revealed.commitment:
            self._find("the commitment does not open with this secret and these parameters.")
        if revealed.stated != revealed.parameters.canonical():
            self._find("the parameters are not written in their canonical form.")
        if revealed.number != self.parameters.revision:
            self._find("the parameters are those of another revision.")
        if self.parameters.contribution_source == "none" and revealed.contribution:
            self._find("there is a contribution, and the parameters say that there is none.")

    def _check_lists(self) -> None:
        for one in self.revealed.lists:
            name, arms = one.fingerprint_key, self._arms[one.purpose, one.key]
            if len(arms) != one.n_rows:
                self._find(f"list {name} should have {len(arms)} rows, and the package says {one.n_rows}.")
            elif arms and self._prefixes[name][-1] != one.fingerprint:
                self._find(f"list {name} has another fingerprint than its rows.")

    def _find(self, text: str) -> None:
        self.differences.append(Difference(f"Revision {self.revealed.number}: {text}"))


def check_scheme(parameters: Parameters, scheme: str) -> list[Difference]:
    """Whether the parameters are those of the scheme that the package names."""
    if parameters.scheme == scheme:
        return []
    return [Difference(f"Revision {parameters.revision}: the parameters are those of another scheme.")]
