"""What a writer is given and what it gives back."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from exports.dataset import Dataset


@dataclass(frozen=True)
class Written:
    """One file of a release, as the manifest lists it; `table`, `rows` and `columns` where it holds one table."""

    path: Path
    format: str
    table: str = ""
    rows: int | None = None
    columns: int | None = None


class Writer(Protocol):
    """Turns one dataset into the files of one format. Reads no database.

    Attributes:
        label: the format's name on pages.
        libraries: distributions whose version decides its bytes; the manifest lists them.
    """

    label: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]]

    def write(self, dataset: Dataset, folder: Path) -> list[Written]:
        """Write below `folder`, the top folder of the release."""
        ...
