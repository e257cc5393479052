"""Entering what the database does not know: an opened envelope, an allocation lost with a restore (9.7, 9.15)."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from randomisation import high_water, proposals
from randomisation.errors import Refusal
from randomisation.models import ENDED, AllocationMember, Proposal, Revision, Scheme
from randomisation.requests import SINGLE, UNIT_FACTOR
from trial import __version__
from trial.access.models import User
from trial.allocation import checks
from trial.allocation.errors import AllocationRefused
from trial.allocation.exceptions import envelopes, reads
from trial.allocation.exceptions.texts import refuse_arms
from trial.allocation.schemes import told
from trial.participants.models import Participant

NOT_ASKED = frozenset({"E_SCHEME_STATE", "E_SITE_CLOSED"})
"""Whether the system was open, and who may randomise in it, says nothing of an allocation made on paper."""


def revision_of(participant: Participant) -> Revision:
    """The revision that a late entry of this person belongs to.

    Raises:
        AllocationRefused: randomisation was never open.
    """
    scheme = _scheme(participant)
    found = scheme.revision_in_force or scheme.revisions.filter(state__in=ENDED).order_by("-number").first()
    if found is None:
        raise AllocationRefused("Randomisation was never open.")
    return found


def problems(*, participant: Participant, by: User, at: datetime) -> list[Refusal]:
    """Why nothing can be entered late for this person as of `at`; none when all is well (section 7)."""
    found = [one for one in checks.refusals(participant=participant, levels=None, by=by, at=at) if _counts(one)]
    scheme = reads.scheme_named(participant.referral.protocol_version.spec)
    if scheme is None:
        return [*found, Refusal("E_SCHEME_STATE", "Randomisation has not been set up.")]
    if AllocationMember.objects.filter(scheme=scheme, participant=participant).exists():
        return [Refusal("E_DUPLICATE", "This person has been randomised already.")]
    return found


def _counts(one: Refusal) -> bool:
    return one.code not in NOT_ASKED


def n_missing(scheme: Scheme) -> int:
    """How many allocations the database lacks, without naming anybody."""
    return high_water.n_lost(scheme)


def ask_envelope(
    *,
    participant: Participant,
    number: int,
    opened_at: datetime,
    caller: str,
    opened_by: str,
    levels: Mapping[str, str],
    reason: str,
    code: str,
    by: User,
    at: datetime,
) -> Proposal:
    """Ask that the allocation of an opened envelope be entered; the system then opens the sealed row itself (9.7).

    Args:
        number: of the envelope.
        opened_at: the actual time.
        levels: typed again; the site and the kind of unit are facts.

    Raises:
        AllocationRefused: a precondition, envelopes that were never printed, another number than the next, or a text
            that tells an arm.
    """
    _refuse_unless_ready(participant, by, opened_at, at)
    refuse_arms([reason, caller, opened_by], participant.referral.protocol_version.spec)
    site = participant.number_site.code
    own = envelopes.list_for(_scheme(participant), site)
    if own is None:
        raise AllocationRefused("No envelopes were printed for this site.")
    if number != own.cursor.next_position or number > own.cursor.n_rows:
        raise AllocationRefused(
            f"The next envelope of this site is number {own.cursor.next_position}. Enter them in order."
        )
    facts = {
        **_unit_facts(participant, levels, opened_at),
        "list_key": own.key,
        "position": number,
        "code": code.strip(),
        "caller": caller.strip(),
        "opened_by": opened_by.strip(),
    }
    return _ask(participant, proposals.BACKUP, facts, reason, by, at)


def ask_recovery(
    *,
    participant: Participant,
    made_at: datetime,
    levels: Mapping[str, str],
    code: str,
    reason: str,
    by: User,
    at: datetime,
) -> Proposal:
    """Ask that an allocation be entered again that a restored backup lost; the system derives the arm (9.15).

    Args:
        made_at: the time on the certificate.
        code: the code on the certificate.

    Raises:
        AllocationRefused: nothing is missing, a precondition, or a text that tells an arm.
    """
    if n_missing(_scheme(participant)) == 0:
        raise AllocationRefused("No allocation is missing from the database.")
    _refuse_unless_ready(participant, by, made_at, at)
    refuse_arms([reason], participant.referral.protocol_version.spec)
    facts = {**_unit_facts(participant, levels, made_at), "code": code.strip()}
    return _ask(participant, proposals.RECOVERED, facts, reason, by, at)


def _scheme(participant: Participant) -> Scheme:
    scheme = reads.scheme_named(participant.referral.protocol_version.spec)
    if scheme is None:
        raise AllocationRefused("Randomisation has not been set up.")
    return scheme


def _refuse_unless_ready(participant: Participant, by: User, made_at: datetime, at: datetime) -> None:
    if made_at > at:
        raise AllocationRefused("The time must not be in the future.")
    if found := problems(participant=participant, by=by, at=made_at):
        raise AllocationRefused(" ".join(one.text for one in found), tuple(found))


def _unit_facts(participant: Participant, levels: Mapping[str, str], made_at: datetime) -> dict[str, Any]:
    """What `randomisation.proposals.unit_of` reads."""
    facts_of_system = {reads.SITE_FACTOR: participant.number_site.code, UNIT_FACTOR: SINGLE}
    codes = [factor["code"] for factor in revision_of(participant).params_public["factors"]]
    whole = {code: levels.get(code, facts_of_system.get(code, "")) for code in codes}
    return {
        "unit": participant.study_id,
        "members": [{"participant_id": participant.pk, "levels": whole}],
        "key": str(uuid.uuid4()),
        "site": participant.number_site.code,
        "made_at": made_at.isoformat(),
        "software_version": __version__,
    }


def _ask(participant: Participant, kind: str, facts: dict[str, Any], reason: str, by: User, at: datetime) -> Proposal:
    """One request at a time for each person: the key differs each time, so equal facts are looked for without it."""
    scheme = _scheme(participant)
    waiting = Proposal.objects.filter(scheme=scheme, state=Proposal.State.ASKED, facts__unit=participant.study_id)
    if waiting.exists():
        raise AllocationRefused("An entry for this person waits for approval.")
    with told():
        return proposals.ask(
            scheme=scheme, kind=kind, facts=facts, reason=reason, by=by, at=at, site=participant.number_site.code
        )
