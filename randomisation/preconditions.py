"""What a scheme itself requires before an allocation (randomisation.md section 7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from randomisation import high_water
from randomisation.engine.parameters import Factor, stratum_key
from randomisation.errors import Refusal, SealError
from randomisation.models import AllocationMember, Purpose, Revision, Scheme, SchemeSite, State, StratumCursor
from randomisation.requests import HOUSEHOLD, SINGLE, UNIT_FACTOR
from randomisation.sealing import unwrap
from randomisation.unsealed import added_levels

BEHIND = "The records of allocations do not fit together: randomisation is paused. Tell the trial manager."


def preconditions(
    *,
    scheme: Scheme,
    members: Sequence[Mapping[str, str]],
    participant_ids: Sequence[int],
    site: str,
    at: datetime,
) -> list[Refusal]:
    """The reasons known here why this unit cannot be allocated now, for the page with the button.

    Looks at no row of any list. allocate() asks again, inside its transaction.
    """
    revision = scheme.revision_in_force
    cursor = cursor_of(revision, members) if revision else None
    return refusals_of(scheme, revision, cursor, members, participant_ids, site, at)


def refusals_of(
    scheme: Scheme,
    revision: Revision | None,
    cursor: StratumCursor | None,
    members: Sequence[Mapping[str, str]],
    participant_ids: Sequence[int],
    site: str,
    at: datetime,
) -> list[Refusal]:
    """The same, of rows already read: `cursor` is None when the levels are none of the scheme's."""
    found = [
        *_state_refusals(scheme, revision, at),
        *_site_refusals(scheme, site),
        *_duplicates(scheme, participant_ids),
        *_household_refusals(scheme, members),
    ]
    if revision is None:
        return found
    return [*found, *_factor_refusals(revision, cursor, members), *_key_refusals(revision)]


def _state_refusals(scheme: Scheme, revision: Revision | None, at: datetime) -> list[Refusal]:
    found = []
    today = timezone.localdate(at)
    is_within_dates = (scheme.opens_date or today) <= today <= (scheme.closes_date or today)
    if revision is None or revision.state != State.OPEN or not is_within_dates:
        found.append(Refusal("E_SCHEME_STATE", "Randomisation is not open."))
    elif high_water.compare(scheme) is not high_water.Standing.LEVEL:
        found.append(Refusal("E_SCHEME_STATE", BEHIND))
    if scheme.ceiling is not None and scheme.next_seq > scheme.ceiling:
        found.append(Refusal("E_TARGET", "The number of people to randomise has been reached."))
    return found


def _site_refusals(scheme: Scheme, site: str) -> list[Refusal]:
    row = SchemeSite.objects.filter(scheme=scheme, site=site).first()
    if row is None:
        return []
    found = []
    if row.state != SchemeSite.State.OPEN:
        found.append(Refusal("E_SITE_CLOSED", f"Randomisation at this site is {row.get_state_display().lower()}."))
    if row.ceiling is not None and scheme.allocations.filter(site=site).count() >= row.ceiling:
        found.append(Refusal("E_TARGET", "The number of people to randomise at this site has been reached."))
    return found


def _duplicates(scheme: Scheme, participant_ids: Sequence[int]) -> list[Refusal]:
    if AllocationMember.objects.filter(scheme=scheme, participant_id__in=participant_ids).exists():
        return [Refusal("E_DUPLICATE", "This person has been randomised already.")]
    return []


def _household_refusals(scheme: Scheme, members: Sequence[Mapping[str, str]]) -> list[Refusal]:
    if len(members) > 1 and not scheme.households:
        return [Refusal("E_HOUSEHOLD", "This scheme randomises one person at a time.")]
    kind = HOUSEHOLD if len(members) > 1 else SINGLE
    if any(member.get(UNIT_FACTOR, kind) != kind for member in members):
        return [Refusal("E_HOUSEHOLD", "The kind of unit does not fit the number of people.")]
    return []


def factors_of(revision: Revision) -> tuple[Factor, ...]:
    """The factors of a revision with the levels added since its lock."""
    added = added_levels(revision)
    return tuple(
        Factor(f["code"], (*f["levels"], *added.get(f["code"], ())), f["weight"])
        for f in revision.params_public["factors"]
    )


def cursor_of(revision: Revision, members: Sequence[Mapping[str, str]], *, lock: bool = False) -> StratumCursor | None:
    """The cursor of the first member's stratum; None without a list, or when a level is none of the scheme's."""
    factors = factors_of(revision)
    if not members or not all(_has_levels(factors, member) for member in members):
        return None
    cursors = revision.cursors.select_for_update() if lock else revision.cursors.all()
    return cursors.filter(purpose=Purpose.LIST, key=stratum_key(factors, dict(members[0]))).first()


def _has_levels(factors: tuple[Factor, ...], levels: Mapping[str, str]) -> bool:
    return set(levels) == {factor.code for factor in factors} and all(
        levels[factor.code] in factor.levels for factor in factors
    )


def _factor_refusals(
    revision: Revision, cursor: StratumCursor | None, members: Sequence[Mapping[str, str]]
) -> list[Refusal]:
    factors = factors_of(revision)
    if not members or not all(_has_levels(factors, member) for member in members):
        return [Refusal("E_FACTORS", "Every stratification factor must have one of its values.")]
    if revision.params_public["method"] == "minimisation":
        return []
    if cursor is None or cursor.next_position > cursor.n_rows:
        return [Refusal("E_LIST_EXHAUSTED", "The allocation list must be extended. Tell the trial manager.")]
    return []


def _key_refusals(revision: Revision) -> list[Refusal]:
    try:
        unwrap(revision.data_key_wrapped)
    except SealError as error:
        return [Refusal(error.code, error.text)]
    return []
