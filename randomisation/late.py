"""Allocations that the database learns of afterwards: from an envelope, or lost with a restored backup (9.7, 9.15)."""

import logging
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from randomisation import codes, high_water
from randomisation.drawing import draw_from_list
from randomisation.errors import LateEntryRefused
from randomisation.models import Allocation, AllocationMember, EnvelopePrint, Purpose, Revision, Scheme, State
from randomisation.preconditions import cursor_of, factors_of
from randomisation.recording import Recorded, Source, draw_next, write
from randomisation.requests import UnitRequest
from randomisation.states import locked
from randomisation.unsealed import unseal

logger = logging.getLogger(__name__)


@sensitive_variables()
@transaction.atomic
def enter_envelope(
    *,
    scheme: Scheme,
    request: UnitRequest,
    key: str,
    position: int,
    code: str,
    approver: AbstractBaseUser,
    entered_at: datetime,
) -> Recorded:
    """Enter the allocation of an opened emergency envelope; the system opens the sealed row itself (9.7).

    Args:
        request: `at` is when the envelope was opened; `by` is the person who enters it.
        key: of the emergency list, such as `site=01`.
        position: the envelope's number.
        code: the code inside it, which must fit the row.

    Raises:
        LateEntryRefused: an envelope before it is not entered, it was never printed, the code does not fit, or the
            levels are none of the scheme's.
        SealError, ListMismatch: the row failed its check.
    """
    scheme = locked(scheme)
    revision = _revision_for(scheme)
    _check_people(scheme, revision, request)
    cursor = revision.cursors.select_for_update().filter(purpose=Purpose.BACKUP, key=key).first()
    if cursor is None or not EnvelopePrint.objects.filter(revision=revision, key=key).exists():
        raise LateEntryRefused("No envelopes were printed for this site.")
    if position != cursor.next_position or position > cursor.n_rows:
        raise LateEntryRefused(f"The next envelope of this site is number {cursor.next_position}. Enter them in order.")
    unsealed = unseal(revision)
    drawn = draw_from_list(unsealed, cursor)
    _check_code(code, codes.envelope_code(unsealed, key=key, position=position, arm=drawn.sealed_arm), scheme)
    return write(
        scheme, revision, unsealed, request, drawn, source=Source.BACKUP, entered_at=entered_at, approver=approver
    )


@sensitive_variables()
@transaction.atomic
def recover(
    *, scheme: Scheme, request: UnitRequest, code: str, approver: AbstractBaseUser, entered_at: datetime
) -> Recorded:
    """Enter again an allocation that a restored backup lost; the arm is derived, and compared by its code (9.15).

    Args:
        request: as it was; `at` is the time on the certificate.
        code: the code on the certificate.

    Raises:
        LateEntryRefused: nothing is missing, or the code does not fit the next allocation: they go in order.
        SealError, ListMismatch: the row or the margins failed their check.
    """
    scheme = locked(scheme)
    if high_water.n_lost(scheme) == 0:
        raise LateEntryRefused("No allocation is missing from the database.")
    revision = _revision_for(scheme)
    _check_people(scheme, revision, request)
    cursor = cursor_of(revision, factors_of(revision), request.levels, lock=True)
    unsealed = unseal(revision)
    drawn = draw_next(scheme, revision, unsealed, cursor, request)
    arm = unsealed.design().arm_of(drawn.sealed_arm) if drawn.purpose == Purpose.MIN else drawn.sealed_arm
    expected = codes.expected_certificate_code(unsealed, unit=request.unit, seq=scheme.next_seq, arm=arm)
    _check_code(code, expected, scheme)
    return write(
        scheme, revision, unsealed, request, drawn, source=Source.RECOVERED, entered_at=entered_at, approver=approver
    )


def _revision_for(scheme: Scheme) -> Revision:
    revision = scheme.revision_last_in_force
    if revision is None or revision.state == State.REVEALED:
        raise LateEntryRefused("Randomisation was never open, or its secret is revealed.")
    return revision


def _check_people(scheme: Scheme, revision: Revision, request: UnitRequest) -> None:
    request.check()
    known = {factor.code: factor.levels for factor in factors_of(revision)}
    for levels in request.levels:
        if set(levels) != set(known) or any(levels[code] not in known[code] for code in known):
            raise LateEntryRefused("Give every stratification factor one of its values.")
    if AllocationMember.objects.filter(scheme=scheme, participant_id__in=request.participant_ids).exists():
        raise LateEntryRefused("This person has been randomised already.")
    if Allocation.objects.filter(Q(request_key=request.key) | Q(scheme=scheme, unit=request.unit)).exists():
        raise LateEntryRefused("This allocation has been entered already.")


def _check_code(typed: str, expected: str, scheme: Scheme) -> None:
    if not codes.matches(typed, expected):
        logger.critical("A paper document does not fit scheme %s", scheme.code)
        raise LateEntryRefused(
            "The code does not fit what the sealed list says. Check each letter. If it is right, stop: pause"
            " randomisation and tell the independent statistician."
        )
