"""A revision with its tokens opened, for the length of one action (randomisation.md 6.2)."""

import json

from randomisation.engine.labels import fingerprint
from randomisation.engine.lists import rows_for
from randomisation.engine.parameters import Parameters, read_parameters
from randomisation.engine.source import commitment, derive_seed
from randomisation.errors import SealError
from randomisation.models import Allocation, Revision, SealedRow, StratumCursor
from randomisation.sealing import ALLOCATION, Seal, arm_context, unwrap


class Unsealed:
    """Parameters, seed and seal of one revision. Its repr is constant; it is never stored."""

    __slots__ = ("parameters", "seal", "seed")

    def __init__(self, parameters: Parameters, seed: bytes, seal: Seal) -> None:
        self.parameters = parameters
        self.seed = seed
        self.seal = seal

    def __repr__(self) -> str:
        return "<Unsealed>"

    def list_arms(self, *, purpose: str, key: str, n_rows: int) -> list[int]:
        """Arm indices of one list from the seed, whole blocks, at least `n_rows` of them."""
        return [row.arm for row in rows_for(self.parameters, self.seed, purpose=purpose, key=key, n_rows=n_rows)]

    def row_context(self, *, purpose: str, key: str, position: int) -> str:
        """The place of one row of a list."""
        return arm_context(
            scheme=self.parameters.scheme,
            revision=self.parameters.revision,
            purpose=purpose,
            key=key,
            position=position,
        )

    def open_row(self, row: SealedRow) -> int:
        """The arm index of one stored row.

        Raises:
            SealError: E_SEAL_CONTEXT.
        """
        context = self.row_context(purpose=row.purpose, key=row.key, position=row.position)
        return self.seal.open_arm(row.token, context)

    def allocation_context(self, *, unit: str, seq: int) -> str:
        """The place of one allocation's arm."""
        return self.row_context(purpose=ALLOCATION, key=unit, position=seq)

    def open_allocation(self, allocation: Allocation) -> int:
        """The arm index of one allocation.

        Raises:
            SealError: E_SEAL_CONTEXT.
        """
        context = self.allocation_context(unit=allocation.unit, seq=allocation.seq)
        return self.seal.open_arm(allocation.arm_sealed, context)

    def fingerprint_of(self, cursor: StratumCursor, arms: list[int]) -> str:
        """The keyed fingerprint of a list whose rows hold `arms` (6.4)."""
        return fingerprint(
            self.seed,
            scheme=self.parameters.scheme,
            revision=self.parameters.revision,
            key=cursor.fingerprint_key,
            codes=[self.parameters.arms[arm] for arm in arms],
        )


def unseal(revision: Revision) -> Unsealed:
    """Open a revision whose contribution is known.

    Raises:
        SealError: E_SEAL_KEY, no usable key; E_SEAL_CONTEXT, secret or parameters were altered.
    """
    seal = unwrap(revision.data_key_wrapped)
    secret, canonical = seal.open(revision.secret_sealed), seal.open(revision.params_sealed)
    if commitment(secret, canonical) != revision.commitment:
        raise SealError("E_SEAL_CONTEXT", "The locked parameters failed their check. Tell the trial manager.")
    seed = derive_seed(secret, seal.open(revision.contribution_sealed).decode("utf-8"))
    return Unsealed(read_parameters(json.loads(canonical)), seed, seal)
