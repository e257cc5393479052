"""Emergency envelopes: printed once for each site, counted each quarter (randomisation.md 9.7)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.http import Http404
from django.views.decorators.debug import sensitive_variables

from randomisation import codes
from randomisation.allocate import alarm
from randomisation.errors import ListMismatch, RandomisationError, SealError
from randomisation.models import (
    ArmAccessLog,
    EnvelopeCount,
    EnvelopePrint,
    Purpose,
    Revision,
    Scheme,
    SealedRow,
    State,
    StratumCursor,
)
from randomisation.states import locked
from randomisation.unsealed import Unsealed, unseal
from trial.access.models import Site, User
from trial.access.signing import Proof, ProofRefused
from trial.allocation.errors import AllocationRefused
from trial.allocation.exceptions.envelope_pdf import Envelope, Stack, draw
from trial.allocation.exceptions.reads import factor_words
from trial.base.words import local_day
from trial.protocol.spec import ProtocolSpec

PRINTABLE = (State.LOCKED, State.OPEN, State.PAUSED)
COUNT_EVERY = timedelta(days=92)
"""A quarter: unopened envelopes are counted at the latest so long after the last count, or after they were printed."""


@dataclass(frozen=True, slots=True)
class EmergencyList:
    """The envelopes of one site as the pages show them. It holds no arm.

    Attributes:
        n_rows: how many there are.
        next_number: the one to open next.
        due_date: when the unopened ones are to be counted; None before they are printed.
    """

    cursor: StratumCursor
    site: str
    printed: EnvelopePrint | None
    last_count: EnvelopeCount | None

    @property
    def key(self) -> str:
        """The key of the list, such as `site=01`."""
        return self.cursor.key

    @property
    def revision(self) -> Revision:
        """The revision it belongs to."""
        return self.cursor.revision

    @property
    def n_unopened(self) -> int:
        """How many are unopened by what was entered."""
        return self.cursor.n_rows - (self.cursor.next_position - 1)

    @property
    def may_be_printed(self) -> bool:
        """Whether they are made and were never printed."""
        return self.printed is None and self.cursor.n_rows > 0 and self.revision.state in PRINTABLE

    @property
    def due_date(self) -> date | None:
        """When the unopened ones are to be counted."""
        if self.printed is None:
            return None
        return local_day(self.last_count.at if self.last_count else self.printed.at) + COUNT_EVERY


def emergency_lists() -> list[EmergencyList]:
    """The envelopes of every site, the newest revision first."""
    cursors = StratumCursor.objects.filter(purpose=Purpose.BACKUP).select_related("revision__scheme")
    return [_list_of(cursor) for cursor in cursors.order_by("revision__scheme__code", "-revision__number", "key")]


def emergency_list(pk: int) -> EmergencyList:
    """The envelopes of one site.

    Raises:
        Http404: there are none.
    """
    cursor = StratumCursor.objects.filter(purpose=Purpose.BACKUP, pk=pk).select_related("revision__scheme").first()
    if cursor is None:
        raise Http404
    return _list_of(cursor)


def list_for(scheme: Scheme, site_code: str) -> EmergencyList | None:
    """The envelopes that a site uses now: its own, or the one list of a scheme without the factor site."""
    found = [one for one in emergency_lists() if one.revision.scheme_id == scheme.pk and one.printed]
    return next((one for one in found if one.key in (f"site={site_code}", "all")), None)


def _list_of(cursor: StratumCursor) -> EmergencyList:
    about = {"revision": cursor.revision, "key": cursor.key}
    return EmergencyList(
        cursor,
        _site_name(cursor.key),
        EnvelopePrint.objects.filter(**about).select_related("by").first(),
        EnvelopeCount.objects.filter(**about).select_related("by").first(),
    )


def _site_name(key: str) -> str:
    code = key.partition("=")[2]
    site = Site.objects.filter(code=code).first() if code else None
    return f"{site.code} {site.name}" if site else code or "All sites"


@sensitive_variables()
def print_once(*, envelopes: EmergencyList, spec: ProtocolSpec, proof: Proof, by: User, at: datetime) -> bytes:
    """The envelopes of one site as one PDF, made in memory; a second time it is refused.

    Every row is decrypted and derived again; both must agree (6.2). Where they do not, nothing is printed, and the
    custodian is alarmed and the scheme paused as by an allocation.

    Raises:
        ProofRefused: the proof is another person's.
        AllocationRefused: they were printed, are not made yet, or a row failed its check.
    """
    if proof.user_id != by.pk:
        raise ProofRefused
    try:
        return _print(envelopes, spec, by, at)
    except (SealError, ListMismatch) as failed:
        alarm(envelopes.revision.scheme, failed, by=by, at=at)
        raise AllocationRefused(failed.text) from None
    except RandomisationError as error:
        raise AllocationRefused(error.text) from error


@sensitive_variables()
@transaction.atomic
def _print(envelopes: EmergencyList, spec: ProtocolSpec, by: User, at: datetime) -> bytes:
    locked(envelopes.revision.scheme)
    fresh = emergency_list(envelopes.cursor.pk)
    if not fresh.may_be_printed:
        raise AllocationRefused("These envelopes were printed already, or are not made yet. They are printed once.")
    revision, n_rows = fresh.revision, fresh.cursor.n_rows
    EnvelopePrint.objects.create(revision=revision, key=fresh.key, n_envelopes=n_rows, by=by, at=at)
    ArmAccessLog.objects.create(
        scheme=revision.scheme, by=by, at=at, reason=f"Emergency envelopes printed, {fresh.key}", n_arms=n_rows
    )
    return draw(_stack(fresh, spec, at))


@sensitive_variables()
def _stack(envelopes: EmergencyList, spec: ProtocolSpec, at: datetime) -> Stack:
    revision = envelopes.revision
    unsealed = unseal(revision)
    rows = SealedRow.objects.filter(revision=revision, purpose=Purpose.BACKUP, key=envelopes.key).order_by("position")
    labels = {arm.code: arm.label for arm in spec.arms}
    made = [_envelope(unsealed, row, labels) for row in rows]
    if len(made) != envelopes.cursor.n_rows:
        raise ListMismatch
    return Stack(
        study=spec.study.short_name,
        scheme=revision.scheme.code,
        site=envelopes.site,
        office=f"{spec.study.office_phone}, {spec.study.office_hours}",
        factors=tuple((f.label, tuple(label for _, label in f.choices)) for f in factor_words(revision, spec)),
        printed_at=at,
        envelopes=tuple(made),
    )


@sensitive_variables()
def _envelope(unsealed: Unsealed, row: SealedRow, labels: dict[str, str]) -> Envelope:
    arm = unsealed.open_row(row)
    if arm != unsealed.derived_arm(row):
        raise ListMismatch
    code = unsealed.parameters.arms[arm]
    proof = codes.envelope_code(unsealed, key=row.key, position=row.position, arm=arm)
    return Envelope(row.position, labels.get(code, code), f"{proof[:4]} {proof[4:]}")


@transaction.atomic
def count(*, envelopes: EmergencyList, n_unopened: int, note: str, by: User, at: datetime) -> EnvelopeCount:
    """Record how many unopened envelopes somebody counted beside what the list says.

    Raises:
        AllocationRefused: they were never printed, or a difference is not explained.
    """
    if envelopes.printed is None:
        raise AllocationRefused("These envelopes were never printed.")
    n_expected = emergency_list(envelopes.cursor.pk).n_unopened
    if n_unopened != n_expected and not note.strip():
        raise AllocationRefused(f"By what was entered there are {n_expected}. Count again, or explain the difference.")
    return EnvelopeCount.objects.create(
        revision=envelopes.revision,
        key=envelopes.key,
        n_unopened=n_unopened,
        n_expected=n_expected,
        note=note.strip(),
        by=by,
        at=at,
    )
