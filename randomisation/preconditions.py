"""What a scheme itself requires before an allocation (randomisation.md section 7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from randomisation.engine.parameters import Factor, stratum_key
from randomisation.errors import Refusal, SealError
from randomisation.models import AllocationMember, Purpose, Revision, Scheme, State, StratumCursor
from randomisation.sealing import unwrap


def preconditions(
    *,
    scheme: Scheme,
    levels: Mapping[str, str],
    participant_ids: Sequence[int],
    at: datetime,
) -> list[Refusal]:
    """The reasons known here why this unit cannot be allocated now, for the page with the button.

    Looks at no row of any list. allocate() asks again, inside its transaction.
    """
    revision = scheme.revision_in_force
    cursor = cursor_of(revision, levels) if revision else None
    return refusals_of(scheme, revision, cursor, participant_ids, at)


def refusals_of(
    scheme: Scheme,
    revision: Revision | None,
    cursor: StratumCursor | None,
    participant_ids: Sequence[int],
    at: datetime,
) -> list[Refusal]:
    """The same, of rows already read: `cursor` is None when the levels are none of the scheme's."""
    found = [*_state_refusals(scheme, revision, at), *_duplicates(scheme, participant_ids)]
    if revision is None:
        return found
    return [*found, *_list_refusals(cursor), *_key_refusals(revision)]


def _state_refusals(scheme: Scheme, revision: Revision | None, at: datetime) -> list[Refusal]:
    found = []
    today = timezone.localdate(at)
    is_within_dates = (scheme.opens_date or today) <= today <= (scheme.closes_date or today)
    if revision is None or revision.state != State.OPEN or not is_within_dates:
        found.append(Refusal("E_SCHEME_STATE", "Randomisation is not open."))
    if scheme.ceiling is not None and scheme.next_seq > scheme.ceiling:
        found.append(Refusal("E_TARGET", "The number of people to randomise has been reached."))
    return found


def _duplicates(scheme: Scheme, participant_ids: Sequence[int]) -> list[Refusal]:
    if AllocationMember.objects.filter(scheme=scheme, participant_id__in=participant_ids).exists():
        return [Refusal("E_DUPLICATE", "This person has been randomised already.")]
    return []


def cursor_of(revision: Revision, levels: Mapping[str, str], *, lock: bool = False) -> StratumCursor | None:
    """The cursor of the stratum with these levels; None when they are not levels of the scheme."""
    factors = tuple(Factor(f["code"], tuple(f["levels"])) for f in revision.params_public["factors"])
    if set(levels) != {factor.code for factor in factors}:
        return None
    if any(levels[factor.code] not in factor.levels for factor in factors):
        return None
    cursors = revision.cursors.select_for_update() if lock else revision.cursors.all()
    return cursors.filter(purpose=Purpose.LIST, key=stratum_key(factors, dict(levels))).first()


def _list_refusals(cursor: StratumCursor | None) -> list[Refusal]:
    if cursor is None:
        return [Refusal("E_FACTORS", "Every stratification factor must have one of its values.")]
    if cursor.next_position > cursor.n_rows:
        return [Refusal("E_LIST_EXHAUSTED", "The allocation list must be extended. Tell the trial manager.")]
    return []


def _key_refusals(revision: Revision) -> list[Refusal]:
    try:
        unwrap(revision.data_key_wrapped)
    except SealError as error:
        return [Refusal(error.code, error.text)]
    return []
