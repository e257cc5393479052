"""The arm of the next allocation: from a list, checked against its seed, or by minimisation (randomisation.md 8.1)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from randomisation import statements
from randomisation.drafts import padded
from randomisation.engine.margins import Margins
from randomisation.engine.minimisation import Draw, minimise
from randomisation.engine.parameters import stratum_key
from randomisation.errors import ListMismatch
from randomisation.margins import load
from randomisation.models import Purpose, Revision, SealedRow, StratumCursor
from randomisation.unsealed import Unsealed


@dataclass(frozen=True, slots=True, repr=False)
class Drawn:
    """Where an arm came from. `sealed_arm` goes into the token; with minimisation it is the working arm."""

    purpose: Purpose
    stratum: str
    position: int | None
    sealed_arm: int
    margins: Margins | None = None
    scores: str = ""

    def __repr__(self) -> str:
        return "<Drawn>"


def draw_from_list(unsealed: Unsealed, cursor: StratumCursor) -> Drawn:
    """The next row of a list, once the stored row and its source agree on it (6.2).

    Raises:
        ListMismatch: the row is missing or differs from what the seed, or the imported file, gives.
        SealError: E_SEAL_CONTEXT, the row was altered or moved.
    """
    position = cursor.next_position
    arm = _listed_arm(unsealed, cursor, position)
    return Drawn(Purpose(cursor.purpose), cursor.key, position, arm)


def _listed_arm(unsealed: Unsealed, cursor: StratumCursor, position: int) -> int:
    place = (cursor.revision_id, cursor.purpose, cursor.key)
    if not unsealed.is_derived(cursor.purpose):
        rows = statements.rows(SealedRow, f"{statements.ONE_LIST} ORDER BY position", *place)
        arms = [unsealed.open_row(row) for row in rows]
        if len(arms) < position or unsealed.fingerprint_of(cursor, arms) != cursor.fingerprint:
            raise ListMismatch
        return arms[position - 1]
    row = statements.first(SealedRow, f"{statements.ONE_LIST} AND position = %s", *place, position)
    if row is None:
        raise ListMismatch
    arm = unsealed.open_row(row)
    if unsealed.derived_arm(row) != arm:
        raise ListMismatch
    return arm


def draw_by_minimisation(
    unsealed: Unsealed, revision: Revision, *, members: Sequence[Mapping[str, str]], seq: int
) -> Drawn:
    """The arm that minimisation gives allocation number `seq`; its margins then count the unit.

    Raises:
        ListMismatch: the margins are older than the log, or missing.
        SealError: E_SEAL_CONTEXT, the margins were altered.
    """
    margins = load(revision, unsealed)
    people = [dict(member) for member in members]
    draw = minimise(margins, members=people, seq=seq, seed=unsealed.seed)
    margins.add(draw.working_arm, people)
    stratum = stratum_key(unsealed.parameters.factors, people[0])
    return Drawn(Purpose.MIN, stratum, None, draw.working_arm, margins, unsealed.seal.seal(_snapshot(draw)))


def _snapshot(draw: Draw) -> bytes:
    """How the draw came about, for the statistician who replays it."""
    shown = {"step": draw.step, "scores": draw.scores, "tied": draw.tied, "preferred": draw.preferred}
    return padded(json.dumps(shown).encode("ascii"))
