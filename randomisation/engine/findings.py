"""What a verification found, in sentences that anyone can follow."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the package does not agree with what was computed from it."""

    text: str
    seq: int | None = None
    """The allocation it is about, if it is about one."""
    n: int | None = None
    """The log entry it was found at, if it was found at one."""

    def __str__(self) -> str:
        if self.seq is not None:
            return f"Allocation {self.seq}: {self.text}"
        return self.text if self.n is None else f"Log entry {self.n}: {self.text}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, and every difference in the order found."""

    n_revisions: int
    n_commitments: int
    """How many of the revisions' commitments agree with their secret and parameters."""
    n_events: int
    n_allocations: int
    digest_head: str
    """The last digest of the chain as the package states it, to compare with printed certificates."""
    differences: tuple[Difference, ...]
