"""The scripted cases of section 12. Importing this package adds each to the list of `case`."""

from trial.allocation.acceptance.cases import (
    allocation,
    exceptions,
    imports,
    life,
    refusals,
    restore,
    reveal,
    seals,
    together,
    vectors,
)

__all__ = [
    "allocation",
    "exceptions",
    "imports",
    "life",
    "refusals",
    "restore",
    "reveal",
    "seals",
    "together",
    "vectors",
]
