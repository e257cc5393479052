"""What a scheme itself requires before an allocation (randomisation.md section 7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from randomisation import high_water, statements
from randomisation.engine.parameters import Factor, stratum_key
from randomisation.errors import Refusal, SealError
from randomisation.models import Purpose, Revision, Scheme, SchemeSite, State, StratumCursor
from randomisation.requests import HOUSEHOLD, SINGLE, UNIT_FACTOR
from randomisation.sealing import unwrap
from randomisation.situation import Situation, situation_of
from randomisation.unsealed import added_levels

Factors = tuple[Factor, ...]
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
    factors = factors_of(revision) if revision else ()
    cursor = cursor_of(revision, factors, members) if revision else None
    situation = situation_of(scheme, participant_ids=participant_ids, site=site)
    found = refusals_of(scheme, situation, members, site, at)
    if revision is None:
        return found
    return [*found, *factor_refusals(revision, factors, cursor, members), *_key_refusals(revision)]


def refusals_of(
    scheme: Scheme, situation: Situation, members: Sequence[Mapping[str, str]], site: str, at: datetime
) -> list[Refusal]:
    """What forbids an allocation whatever the revision in force says of its levels."""
    return [
        *_state_refusals(scheme, situation, at),
        *_site_refusals(scheme, situation, site),
        *_duplicates(situation),
        *_household_refusals(scheme, members),
    ]


def _state_refusals(scheme: Scheme, situation: Situation, at: datetime) -> list[Refusal]:
    found = []
    today = timezone.localdate(at)
    is_within_dates = (scheme.opens_date or today) <= today <= (scheme.closes_date or today)
    if situation.revision_state != State.OPEN or not is_within_dates:
        found.append(Refusal("E_SCHEME_STATE", "Randomisation is not open."))
    elif situation.standing is not high_water.Standing.LEVEL:
        found.append(Refusal("E_SCHEME_STATE", BEHIND))
    if scheme.ceiling is not None and scheme.next_seq > scheme.ceiling:
        found.append(Refusal("E_TARGET", "The number of people to randomise has been reached."))
    return found


def _site_refusals(scheme: Scheme, situation: Situation, site: str) -> list[Refusal]:
    found = []
    state = SchemeSite.State(situation.site_state or SchemeSite.State.OPEN)
    if state != SchemeSite.State.OPEN:
        found.append(Refusal("E_SITE_CLOSED", f"Randomisation at this site is {state.label.lower()}."))
    ceiling = situation.site_ceiling
    if ceiling is not None and scheme.allocations.filter(site=site).count() >= ceiling:
        found.append(Refusal("E_TARGET", "The number of people to randomise at this site has been reached."))
    return found


def _duplicates(situation: Situation) -> list[Refusal]:
    if situation.has_member:
        return [Refusal("E_DUPLICATE", "This person has been randomised already.")]
    return []


def _household_refusals(scheme: Scheme, members: Sequence[Mapping[str, str]]) -> list[Refusal]:
    if len(members) > 1 and not scheme.households:
        return [Refusal("E_HOUSEHOLD", "This scheme randomises one person at a time.")]
    kind = HOUSEHOLD if len(members) > 1 else SINGLE
    if any(member.get(UNIT_FACTOR, kind) != kind for member in members):
        return [Refusal("E_HOUSEHOLD", "The kind of unit does not fit the number of people.")]
    return []


def factors_of(revision: Revision, *, added: Mapping[str, list[str]] | None = None) -> Factors:
    """The factors of a revision with the levels `added` since its lock, which are read where they are not given."""
    added = added_levels(revision) if added is None else added
    return tuple(
        Factor(f["code"], (*f["levels"], *added.get(f["code"], ())), f["weight"])
        for f in revision.params_public["factors"]
    )


def cursor_of(
    revision: Revision, factors: Factors, members: Sequence[Mapping[str, str]], *, lock: bool = False
) -> StratumCursor | None:
    """The cursor of the first member's stratum; None without a list, or when a level is none of the scheme's."""
    if not members or not all(_has_levels(factors, member) for member in members):
        return None
    key = stratum_key(factors, dict(members[0]))
    return statements.first(StratumCursor, statements.ONE_LIST, revision.pk, Purpose.LIST.value, key, lock=lock)


def _has_levels(factors: Factors, levels: Mapping[str, str]) -> bool:
    return set(levels) == {factor.code for factor in factors} and all(
        levels[factor.code] in factor.levels for factor in factors
    )


def factor_refusals(
    revision: Revision, factors: Factors, cursor: StratumCursor | None, members: Sequence[Mapping[str, str]]
) -> list[Refusal]:
    """What forbids it because of the members' levels, or because their list is used up."""
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
