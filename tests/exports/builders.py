"""A small trial in the database, and its canonical file."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from exports.canonical import Canonical, opened
from exports.freezing import Moment, Stored, freeze
from exports.model import Row
from tests.factories import LIBRARY, NOW, TODAY, Trial, make_user
from trial.allocation.reads import arms_for_release, letters_for_release

MOMENT = Moment(
    lock_id="L001",
    kind="final",
    at=NOW + timedelta(hours=1),
    through=TODAY,
    audit_head={"id": 1, "sha256": "0" * 64},
    locked_by="data_manager user 1",
    authorised_by=("chief_investigator user 2",),
    schema_version={"trial": "0001_initial"},
)


def small_trial(**more: Any) -> Trial:
    """Two people randomised today and one only consented."""
    trial = Trial(**more).open_randomisation()
    for _ in range(2):
        trial.randomised()
    trial.consented()
    return trial


def moment(code: str = "L001", *, days: int = 0, kind: str = "final") -> Moment:
    """A lock or cut some days after today, with the data up to then."""
    step = timedelta(days=days)
    return replace(MOMENT, lock_id=code, kind=kind, at=MOMENT.at + step, through=TODAY + step)


def frozen(at: Moment = MOMENT, *, arms: Mapping[int, str] | None = None, previous: Path | None = None) -> Stored:
    """The canonical file of what the database holds; the real arms unless others are given."""
    return freeze(
        at,
        read_arms=lambda: real_arms() if arms is None else arms,
        read_letters=letters_for_release,
        previous=previous,
    )


def real_arms() -> dict[int, str]:
    """Arms as the allocation feature opens them."""
    return arms_for_release(by=make_user("Release"), at=NOW, reason="test")


def rows_of(stored: Stored, table: str, *, blinded: bool = False) -> list[dict[str, Any]]:
    """The rows of one table by column name."""
    with opened(stored.path, "" if blinded else stored.wrapped_key) as canonical:
        return named_rows(canonical, table, blinded=blinded)


def named_rows(canonical: Canonical, table: str, *, blinded: bool = False) -> list[dict[str, Any]]:
    """As rows_of, of an open file."""
    model = canonical.model.blinded() if blinded else canonical.model
    rows: list[Row] = list(canonical.open_rows(table) if blinded else canonical.all_rows(table))
    return [dict(zip(model.table(table).names, row, strict=True)) for row in rows]


SENTINELS = {"nature": "qqarmone", "indoor": "qqarmtwo", "Nature group": "Qqlabelone", "Indoor group": "Qqlabeltwo"}


def sentinel_changes() -> dict[str, Any]:
    """GREENRX-F with arms whose codes and labels occur nowhere else (dataset_release.md 13.5)."""
    text = (LIBRARY / "greenrx_f.json").read_text()
    for word, sentinel in SENTINELS.items():
        text = text.replace(f'"{word}"', f'"{sentinel}"')
    changed: dict[str, Any] = json.loads(text)
    return changed
