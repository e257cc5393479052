"""What the database says of one request, read under the scheme's lock (randomisation.md 7 and 8.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from randomisation import high_water, statements
from randomisation.models import Scheme

_RECORDED = """
SELECT EXISTS (SELECT 1 FROM randomisation_allocation WHERE request_key = %s),
       EXISTS (SELECT 1 FROM randomisation_allocation WHERE scheme_id = %s AND unit = %s),
       EXISTS (SELECT 1 FROM randomisation_allocationmember WHERE scheme_id = %s AND participant_id IN ({people})),
       EXISTS (SELECT 1 FROM randomisation_eventlog WHERE scheme_id = %s AND n = %s AND digest = %s)
"""
_IN_FORCE = """
SELECT id, state, (SELECT count(*) FROM randomisation_addedlevel l WHERE l.revision_id = r.id)
FROM randomisation_revision r WHERE scheme_id = %s AND state IN ('open', 'paused')
"""
_SITE = "SELECT state, ceiling FROM randomisation_schemesite WHERE scheme_id = %s AND site = %s"
# Three statements, and no join: for one of all tables PostgreSQL plans twice as long as it takes to run these.


@dataclass(frozen=True, slots=True)
class Situation:
    """Facts for the preconditions; what they forbid is said there."""

    is_known: bool
    """An allocation has this request key, or this unit in the scheme."""
    has_member: bool
    """Somebody of the unit has been allocated in the scheme."""
    standing: high_water.Standing
    revision_id: int | None
    """Of the revision in force."""
    revision_state: str
    n_levels: int
    """Levels added to that revision since its lock."""
    site_state: str
    """Empty for a site without a row, which is open."""
    site_ceiling: int | None


def situation_of(
    scheme: Scheme, *, unit: str = "", key: str = "", participant_ids: Sequence[int], site: str
) -> Situation:
    """How a request stands to what was recorded before it; page and transaction ask the same."""
    mark = high_water.mark_of(scheme.code)
    place: tuple[int, str] = (mark.n, mark.digest) if mark else (0, "")
    people = ", ".join(["%s"] * len(participant_ids)) or "NULL"
    asked: tuple[int | str, ...] = (key, scheme.pk, unit, scheme.pk, *participant_ids, scheme.pk, *place)
    with statements.cursor() as cursor:
        cursor.execute(_RECORDED.format(people=people), asked)
        has_key, has_unit, has_member, holds_mark = map(bool, cursor.fetchone())
        cursor.execute(_IN_FORCE, [scheme.pk])
        revision_id, revision_state, n_levels = cursor.fetchone() or (None, "", 0)
        cursor.execute(_SITE, [scheme.pk, site])
        site_state, site_ceiling = cursor.fetchone() or ("", None)
    return Situation(
        is_known=has_key or has_unit,
        has_member=has_member,
        standing=high_water.standing(scheme, mark, is_held=holds_mark),
        revision_id=revision_id,
        revision_state=revision_state,
        n_levels=n_levels,
        site_state=site_state,
        site_ceiling=site_ceiling,
    )
