"""What the database says of one request, read under the scheme's lock (randomisation.md 7 and 8.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from randomisation import high_water, statements
from randomisation.models import Scheme

_SQL = """
SELECT EXISTS (SELECT 1 FROM randomisation_allocation a WHERE a.request_key = %s),
       EXISTS (SELECT 1 FROM randomisation_allocation a WHERE a.scheme_id = s.id AND a.unit = %s),
       EXISTS (SELECT 1 FROM randomisation_allocationmember m
               WHERE m.scheme_id = s.id AND m.participant_id IN ({people})),
       EXISTS (SELECT 1 FROM randomisation_eventlog e WHERE e.scheme_id = s.id AND e.n = %s AND e.digest = %s),
       r.id, r.state, (SELECT count(*) FROM randomisation_addedlevel l WHERE l.revision_id = r.id),
       t.state, t.ceiling
FROM randomisation_scheme s
LEFT JOIN randomisation_revision r ON r.scheme_id = s.id AND r.state IN ('open', 'paused')
LEFT JOIN randomisation_schemesite t ON t.scheme_id = s.id AND t.site = %s
WHERE s.id = %s
"""


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
    asked: tuple[int | str, ...] = (key, unit, *participant_ids, *place, site, scheme.pk)
    with statements.cursor() as cursor:
        cursor.execute(_SQL.format(people=people), asked)
        has_key, has_unit, has_member, holds_mark, *in_force = cursor.fetchone()
    revision_id, revision_state, n_levels, site_state, site_ceiling = in_force
    return Situation(
        is_known=bool(has_key or has_unit),
        has_member=bool(has_member),
        standing=high_water.standing(scheme, mark, is_held=bool(holds_mark)),
        revision_id=revision_id,
        revision_state=revision_state or "",
        n_levels=n_levels,
        site_state=site_state or "",
        site_ceiling=site_ceiling,
    )
