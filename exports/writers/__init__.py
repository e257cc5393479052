"""Formats of a release: each is one module, and one line in WRITERS."""

from collections.abc import Mapping

from exports.writers.base import Writer, Written
from exports.writers.codebook import CodebookWriter
from exports.writers.csv_tables import CsvWriter
from exports.writers.derivations import DerivationsWriter

WRITERS: Mapping[str, Writer] = {
    "csv": CsvWriter(),
    "codebook": CodebookWriter(),
    "derivations": DerivationsWriter(),
}

__all__ = ["WRITERS", "Writer", "Written"]
