"""How long the sealed lists will last, told without a stratum or a size (randomisation.md 9.8)."""

from collections.abc import Mapping

from django.views.decorators.debug import sensitive_variables

from randomisation.models import Purpose, Scheme, StratumCursor
from randomisation.unsealed import unseal


@sensitive_variables()
def is_nearly_used(scheme: Scheme) -> bool:
    """Whether a main list of the revision in force has fewer than two of its largest blocks left, or is 80 % used.

    Raises:
        SealError: no usable key, or a sealed value was altered.
    """
    revision = scheme.revision_in_force
    if revision is None:
        return False
    cursors = list(revision.cursors.filter(purpose=Purpose.LIST))
    if not cursors:
        return False
    largest = _largest_block(unseal(revision).parameters.settings)
    return any(_runs_out(cursor, largest) for cursor in cursors)


def _largest_block(settings: Mapping[str, object]) -> int:
    """0 for a method without blocks."""
    sizes = settings.get("block_sizes", [])
    return max(sizes, default=0) if isinstance(sizes, list) else 0


def _runs_out(cursor: StratumCursor, largest_block: int) -> bool:
    n_used = cursor.next_position - 1
    return cursor.n_rows - n_used < 2 * largest_block or 5 * n_used >= 4 * cursor.n_rows
