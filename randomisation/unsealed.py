"""A revision with its tokens opened, for the length of one action (randomisation.md 6.2)."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from randomisation import statements
from randomisation.engine.labels import fingerprint
from randomisation.engine.lists import block_at, blocks_for
from randomisation.engine.margins import Design
from randomisation.engine.methods import Start
from randomisation.engine.parameters import Parameters, read_parameters
from randomisation.engine.source import commitment, derive_seed
from randomisation.errors import SealError
from randomisation.models import AddedLevel, Allocation, Purpose, Revision, SealedRow, StratumCursor
from randomisation.sealing import ALLOCATION, Seal, arm_context, unwrap


@dataclass(frozen=True, slots=True, repr=False)
class DerivedRow:
    """One row as the seed gives it: arm index, and where its block begins, None for a row of an imported list."""

    arm: int
    start: Start | None
    offset: int

    def __repr__(self) -> str:
        return "<DerivedRow>"


class Unsealed:
    """Parameters, seed and seal of one revision. Its repr is constant; it is never stored.

    `locked` are the parameters of the commitment, `parameters` the same with the levels added since.
    """

    __slots__ = ("locked", "parameters", "seal", "seed")

    def __init__(self, locked: Parameters, parameters: Parameters, seed: bytes, seal: Seal) -> None:
        self.locked = locked
        self.parameters = parameters
        self.seed = seed
        self.seal = seal

    def __repr__(self) -> str:
        return "<Unsealed>"

    @property
    def is_minimisation(self) -> bool:
        """Whether arms are drawn one by one rather than from lists."""
        return self.parameters.method == "minimisation"

    def is_derived(self, purpose: str) -> bool:
        """Whether rows of this purpose come from the seed; an imported list comes from its file."""
        return purpose == Purpose.BACKUP or self.parameters.method != "import"

    def design(self) -> Design:
        """The design of a minimisation, with the levels added since the lock."""
        return Design.of(self.parameters)

    def list_arms(self, *, purpose: str, key: str, n_rows: int) -> list[int]:
        """Arm indices of one list from the seed, whole blocks, at least `n_rows` of them."""
        return [row.arm for row in self.derived_rows(purpose=purpose, key=key, n_rows=n_rows)]

    def derived_rows(self, *, purpose: str, key: str, n_rows: int) -> list[DerivedRow]:
        """The rows of one list from the seed, each with where its block begins."""
        blocks = blocks_for(self.parameters, self.seed, purpose=purpose, key=key, n_rows=n_rows)
        return [DerivedRow(row.arm, block.start, offset) for block in blocks for offset, row in enumerate(block.rows)]

    def derived_arm(self, row: SealedRow) -> int | None:
        """The arm that the seed gives the place of `row`, from its own block alone; None where that has no such row.

        Raises:
            SealError: E_SEAL_CONTEXT, the start of its block was altered.
        """
        start, offset = self.open_start(row)
        block = block_at(self.parameters, self.seed, purpose=row.purpose, key=row.key, start=start)
        return block.rows[offset].arm if offset < len(block.rows) else None

    def open_start(self, row: SealedRow) -> tuple[Start, int]:
        """Where the block of one stored row begins, and the row's place in it.

        Raises:
            SealError: E_SEAL_CONTEXT.
        """
        return self.seal.open_start(row.resume_sealed, self.row_context(row))

    def context(self, *, purpose: str, key: str, position: int) -> str:
        """The place of one token."""
        return arm_context(
            scheme=self.parameters.scheme,
            revision=self.parameters.revision,
            purpose=purpose,
            key=key,
            position=position,
        )

    def row_context(self, row: SealedRow) -> str:
        """The place of one row of a list."""
        return self.context(purpose=row.purpose, key=row.key, position=row.position)

    def open_row(self, row: SealedRow) -> int:
        """The arm index of one stored row.

        Raises:
            SealError: E_SEAL_CONTEXT.
        """
        return self._known(self.seal.open_arm(row.token, self.row_context(row)))

    def allocation_context(self, *, unit: str, seq: int) -> str:
        """The place of one allocation's arm."""
        return self.context(purpose=ALLOCATION, key=unit, position=seq)

    def open_allocation(self, allocation: Allocation) -> int:
        """The arm index of one allocation.

        Raises:
            SealError: E_SEAL_CONTEXT.
        """
        sealed = self.open_sealed(allocation)
        return self.design().arm_of(sealed) if allocation.purpose == Purpose.MIN else self._known(sealed)

    def open_sealed(self, allocation: Allocation) -> int:
        """What the token of an allocation holds: the working arm of a minimisation, else the arm.

        Raises:
            SealError: E_SEAL_CONTEXT.
        """
        context = self.allocation_context(unit=allocation.unit, seq=allocation.seq)
        return self.seal.open_arm(allocation.arm_sealed, context)

    def arm_code(self, allocation: Allocation) -> str:
        """The arm code of one allocation.

        Raises:
            SealError: E_SEAL_CONTEXT.
        """
        return self.parameters.arms[self.open_allocation(allocation)]

    def fingerprint_of(self, cursor: StratumCursor, arms: list[int]) -> str:
        """The keyed fingerprint of a list whose rows hold `arms` (6.4)."""
        return fingerprint(
            self.seed,
            scheme=self.parameters.scheme,
            revision=self.parameters.revision,
            key=cursor.fingerprint_key,
            codes=[self.parameters.arms[arm] for arm in arms],
        )

    def _known(self, arm: int) -> int:
        if arm >= len(self.parameters.arms):
            raise SealError("E_SEAL_CONTEXT", "A sealed value failed its check. Tell the trial manager.")
        return arm


def unseal(revision: Revision, *, added: Mapping[str, list[str]] | None = None) -> Unsealed:
    """Open a revision whose contribution is known.

    Args:
        added: its added levels, where they have been read already.

    Raises:
        SealError: E_SEAL_KEY, no usable key; E_SEAL_CONTEXT, secret or parameters were altered.
    """
    seal = unwrap(revision.data_key_wrapped)
    secret, canonical = seal.open(revision.secret_sealed), seal.open(revision.params_sealed)
    if commitment(secret, canonical) != revision.commitment:
        raise SealError("E_SEAL_CONTEXT", "The locked parameters failed their check. Tell the trial manager.")
    seed = derive_seed(secret, seal.open(revision.contribution_sealed).decode("utf-8"))
    locked = read_parameters(json.loads(canonical))
    added = added_levels(revision) if added is None else added
    return Unsealed(locked, locked.with_levels(dict(added)), seed, seal)


def added_levels(revision: Revision) -> dict[str, list[str]]:
    """The levels added to each factor since the lock, in their order."""
    added: dict[str, list[str]] = defaultdict(list)
    for one in statements.rows(AddedLevel, "revision_id = %s ORDER BY id", revision.pk):
        added[one.factor].append(one.level)
    return dict(added)
