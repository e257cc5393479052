"""The tables of the inspection pack: heads first, then rows, none with an arm."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from randomisation.models import (
    Allocation,
    ArmAccessLog,
    CodeBreak,
    EnvelopeCount,
    EnvelopePrint,
    EventLog,
    Purpose,
    Revision,
    Scheme,
)
from randomisation.proposals import KINDS
from trial.access.models import Delegation, Duty, RoleAssignment, Site, User
from trial.access.policy import POLICY, Action, Role
from trial.allocation.exceptions.reads import at_own_sites
from trial.allocation.models import BlindingEvent
from trial.participants.models import Participant

Rows = Iterator[list[Any]]
_OF_RANDOMISATION = frozenset(
    {
        Action.RANDOMISE,
        Action.CONFIGURE_SCHEME,
        Action.VIEW_RESTRICTED,
        Action.TEST_SCHEME,
        Action.APPROVE_LOCK,
        Action.OPERATE_SCHEME,
        Action.APPROVE_EXCEPTION,
        Action.PRINT_ENVELOPES,
        Action.USE_BACKUP,
        Action.CODE_BREAK,
        Action.VIEW_BALANCE,
        Action.VERIFY_REVEAL,
    }
)
"""What the steps of section 10 take: whoever holds a role with one of them is named with its dates."""


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


class _Numbers:
    """Participant numbers that one reader may see: people of the sites at which they view records."""

    def __init__(self, reader: User) -> None:
        ids = reader.access.site_ids(Action.VIEW_RECORD)
        self._all = ids is None
        self._codes = set(Site.objects.filter(pk__in=ids or ()).values_list("code", flat=True))

    def may_see(self, site: str) -> bool:
        """Whether people of this site are theirs to see."""
        return self._all or site in self._codes

    def of(self, allocation: Allocation) -> str:
        """The members' numbers, or nothing."""
        if not self.may_see(allocation.site):
            return ""
        return " ".join(member.participant.study_id for member in allocation.members.all())

    def of_participant(self, participant: Participant) -> str:
        """One person's number, or nothing."""
        return participant.study_id if self.may_see(participant.number_site.code) else ""


def allocations(scheme: Scheme, reader: User) -> Rows:
    """Every allocation: number, where its row came from, who made it, when; the token's digest stands in the log."""
    numbers = _Numbers(reader)
    yield [
        *("seq", "revision", "source", "participants", "site", "stratum", "position", "made_at", "entered_at", "by"),
        *("engine", "software"),
    ]
    found = scheme.allocations.select_related("revision", "by").prefetch_related("members__participant")
    for one in found.order_by("seq"):
        yield [
            one.seq,
            one.revision.number,
            one.source,
            numbers.of(one),
            one.site,
            one.stratum_key,
            one.position,
            _utc(one.at),
            _utc(one.entered_at),
            one.by,
            one.engine_version,
            one.software_version,
        ]


def events(scheme: Scheme, reader: User) -> Rows:
    """The log with its digests. Entries hold reasons as they were typed, so blinded readers get the digests alone."""
    yield ["n", "time", "event", "seq", "digest", "entry"]
    for one in scheme.events.order_by("n"):
        yield [one.n, _utc(one.at), one.event, one.seq, one.digest, "" if reader.access.blinded else one.entry]


def exceptions(scheme: Scheme, reader: User) -> Rows:
    """Every request that took a second person: about the reader's sites, or about none."""
    yield ["request", "kind", "seq", "site", "asked_by", "asked_at", "state", "decided_by", "ended_at", "reason"]
    theirs = at_own_sites(reader, Action.VIEW_EXCEPTIONS)
    found = scheme.proposals.filter(theirs | Q(site="") if theirs else Q()).select_related("asked_by", "allocation")
    for one in found.prefetch_related("approvals__by").order_by("pk"):
        decided = "; ".join(
            f"{a.by} {'approved' if a.approves else 'refused'} {_utc(a.at)}" for a in one.approvals.all()
        )
        yield [
            one.pk,
            KINDS[one.kind].label,
            one.allocation.seq if one.allocation else None,
            one.site,
            one.asked_by,
            _utc(one.asked_at),
            one.get_state_display(),
            decided,
            _utc(one.ended_at),
            "" if reader.access.blinded else one.reason,
        ]


def unblinding(scheme: Scheme, reader: User) -> Rows:
    """Code breaks, then blinding events, at the reader's sites: who learned of an arm, when and how; never which."""
    numbers, hides = _Numbers(reader), reader.access.blinded
    yield ["kind", "category", "participant", "person", "authorised_by", "at", "who_knows_or_how", "stays_in_follow_up"]
    theirs = at_own_sites(reader, Action.VIEW_EXCEPTIONS, "allocation__site")
    broken = CodeBreak.objects.filter(theirs, allocation__scheme=scheme).select_related("allocation", "requested_by")
    for one in broken.prefetch_related("allocation__members__participant").order_by("at", "pk"):
        told = "" if hides else "; ".join(text for text in (one.who_knows, one.third_party) if text)
        yield [
            "code break",
            one.category,
            numbers.of(one.allocation),
            one.requested_by,
            one.authorised_by,
            _utc(one.at),
            told,
            "yes" if one.stays_in_follow_up else "no",
        ]
    theirs = at_own_sites(reader, Action.VIEW_EXCEPTIONS, "participant__number_site__code")
    happened = BlindingEvent.objects.filter(theirs, participant__allocation_links__scheme=scheme)
    for event in happened.select_related("participant__number_site", "person").order_by("recorded_at", "pk"):
        number = numbers.of_participant(event.participant)
        how = "" if hides else event.route
        yield ["blinding event", event.kind, number, event.person, "", event.happened_date.isoformat(), how, ""]


def envelopes(scheme: Scheme, reader: User) -> Rows:
    """Emergency documents of each list: printed, used, and every count beside what was expected."""
    yield ["revision", "list", "what", "number", "expected", "by", "at", "note"]
    for printed in (
        EnvelopePrint.objects.filter(revision__scheme=scheme).select_related("revision", "by").order_by("pk")
    ):
        place = [printed.revision.number, printed.key]
        yield [*place, "printed", printed.n_envelopes, None, printed.by, _utc(printed.at), ""]
    for cursor in _emergency_lists(scheme):
        yield [cursor.revision.number, cursor.key, "used", cursor.next_position - 1, None, "", "", ""]
    for count in EnvelopeCount.objects.filter(revision__scheme=scheme).select_related("revision", "by").order_by("pk"):
        note = "" if reader.access.blinded else count.note
        place = [count.revision.number, count.key]
        yield [*place, "counted unopened", count.n_unopened, count.n_expected, count.by, _utc(count.at), note]


def _emergency_lists(scheme: Scheme) -> list[Any]:
    found: list[Any] = []
    for revision in scheme.revisions.order_by("number"):
        found += revision.cursors.filter(purpose=Purpose.BACKUP).select_related("revision").order_by("pk")
    return found


def delegation() -> Rows:
    """Roles that take part in the randomisation, and the duty to randomise, each with its dates."""
    roles = [role for role in Role if POLICY[role].actions & _OF_RANDOMISATION]
    yield ["person", "role_or_duty", "site", "blinded", "from", "to"]
    found = RoleAssignment.objects.filter(role__in=roles).select_related("user", "site")
    for one in found.order_by("role", "from_date", "pk"):
        blinded = "yes" if one.blinded else "no"
        yield [
            one.user,
            one.get_role_display(),
            one.site.code if one.site else "all",
            blinded,
            one.from_date,
            one.to_date,
        ]
    duties = Delegation.objects.filter(duty=Duty.RANDOMISATION).select_related("user", "site")
    for line in duties.order_by("site__code", "from_date", "pk"):
        yield [line.user, line.get_duty_display(), line.site.code, "", line.from_date, line.to_date]


def arm_access(scheme: Scheme, reader: User) -> Rows:
    """Every decryption of an arm."""
    numbers = _Numbers(reader)
    yield ["at", "by", "why", "arms", "seq", "participants"]
    found = ArmAccessLog.objects.filter(scheme=scheme).select_related("by", "allocation")
    for one in found.prefetch_related("allocation__members__participant").order_by("at", "pk"):
        seq, people = (one.allocation.seq, numbers.of(one.allocation)) if one.allocation else (None, "")
        yield [_utc(one.at), one.by, one.reason, one.n_arms, seq, people]


def lock_of(revision: Revision) -> EventLog | None:
    """The entry of the log that tells of a revision's lock."""
    entries = revision.scheme.events.filter(event=EventLog.Event.LOCK).select_related(
        "first_approver", "second_approver"
    )
    return next((entry for entry in entries if entry.facts["revision"] == revision.number), None)


def fingerprints(revision: Revision) -> list[tuple[str, str]]:
    """Each list with the 16 digits that may be shown."""
    lists = revision.cursors.exclude(fingerprint="").order_by("pk")
    return [(one.fingerprint_key, one.fingerprint[:16]) for one in lists]
