"""Adverse events: reported, changed with a reason, reviewed beside the site's judgement (BR-53 to BR-58)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Max

from trial.access.models import Duty, User
from trial.access.permissions import is_delegated
from trial.access.policy import POLICY, Action, Role
from trial.access.signing import Proof, is_stale, sign
from trial.base.errors import TrialError
from trial.base.models import role_of
from trial.base.words import long_date
from trial.messages import actions as messages
from trial.participants import identity
from trial.participants.models import Participant
from trial.protocol.versions import version_in_force
from trial.safety import rules
from trial.safety.actions import NotDelegated
from trial.safety.models import AdverseEvent, EventReview
from trial.schedule.rules import local_date

OTHER = "OTHER"
"""The category of an event that the protocol does not list."""


class EventDatesWrong(TrialError):
    """Onset, awareness and end of an event are not in an order that can be."""


class RelatednessLowered(TrialError):
    """A reviewer may raise the site's judgement of relatedness, never lower it (BR-58)."""


@dataclass(frozen=True)
class EventData:
    """What the site says of an event. `seriousness` holds the ticked criteria; the description is stored sealed."""

    onset_date: date
    aware_date: date
    category: str
    description: str
    severity: str
    seriousness: tuple[str, ...]
    related_to_activity: str
    related_to_procedures: str
    outcome: str
    resolved_date: date | None = None


@transaction.atomic
def report_event(*, participant: Participant, data: EventData, by: User, at: datetime) -> AdverseEvent:
    """Store an adverse event; a serious one opens its tasks with their clocks (BR-53). Sent again, it is the same one.

    Raises:
        EventDatesWrong: an event before consent or in the future, or known or over before it began.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    same = {"reported_by": by, "onset_date": data.onset_date, "category": data.category}
    for earlier in participant.adverse_events.filter(**same):
        if description_of(earlier) == data.description:
            return earlier
    last = participant.adverse_events.aggregate(last=Max("sequence"))["last"] or 0
    event = AdverseEvent(participant=participant, sequence=last + 1, reported_at=at, reported_by=by)
    return _store(event, data, by=by, at=at, reason="")


@transaction.atomic
def change_event(*, event: AdverseEvent, data: EventData, reason: str, by: User, at: datetime) -> AdverseEvent:
    """Change what the site says of an event. Earlier versions stay in its history, reviews become stale.

    Raises:
        ReasonMissing: there is no reason (BR-63).
        EventDatesWrong: as report_event().
    """
    event = AdverseEvent.objects.select_for_update().get(pk=event.pk)
    return _store(event, data, by=by, at=at, reason=reason)


def _store(event: AdverseEvent, data: EventData, *, by: User, at: datetime, reason: str) -> AdverseEvent:
    participant = event.participant
    _check_dates(participant, data, local_date(at))
    listed = version_in_force(site=participant.site, on=data.onset_date).spec
    event.onset_date, event.aware_date = data.onset_date, data.aware_date
    event.category, event.severity = data.category, data.severity
    event.seriousness = sorted(data.seriousness)
    if data.description != description_of(event):  # each seal differs, and would make reviews stale
        event.description_sealed = identity.seal_text(participant.referral.person, data.description)
    event.related_to_activity = data.related_to_activity
    event.related_to_procedures = data.related_to_procedures
    event.expected = rules.is_expected(listed, data.category)
    event.expected_list_version = listed.expected_events.version
    event.outcome, event.resolved_date = data.outcome, data.resolved_date
    event.save_by(by, reason)
    _open_tasks(event, at, by)
    for one in listed.expected_events.events:
        if one.code == data.category and one.check_after_days is not None:
            _open_check(event, data.onset_date + timedelta(days=one.check_after_days), at, by)
    return event


def description_of(event: AdverseEvent) -> str:
    """The description, opened. Never for blinded roles (BR-26)."""
    return identity.open_text(event.participant.referral.person, event.description_sealed)


def _check_dates(participant: Participant, data: EventData, today: date) -> None:
    if data.onset_date < participant.consented_date:
        raise EventDatesWrong(
            f"The event must have started on or after {long_date(participant.consented_date)}, the day of consent."
        )
    if not data.onset_date <= data.aware_date <= today:
        raise EventDatesWrong("The team must have become aware on or after the day it started, and not in the future.")
    if data.resolved_date and not data.onset_date <= data.resolved_date <= today:
        raise EventDatesWrong("The event must have ended on or after the day it started, and not in the future.")


def _open_tasks(event: AdverseEvent, at: datetime, by: User) -> None:
    """Sponsor and investigator within 24 hours of awareness; the REC within 15 days where it must be told (BR-53)."""
    if not event.is_serious:
        return
    due = rules.sponsor_due(event.aware_date)
    detail = f"The team became aware on {long_date(event.aware_date)}. Due by {long_date(due)}."
    for role in (Role.SPONSOR_REVIEWER, Role.PRINCIPAL_INVESTIGATOR):
        _open_task(event, role, "Review a serious adverse event of", detail, due, at, by)
    _open_rec_task(event, at, by)


def _open_rec_task(event: AdverseEvent, at: datetime, by: User) -> None:
    if goes_to_rec(event):
        due = rules.rec_due(event.aware_date)
        detail = f"Serious, related and unexpected. The report is due by {long_date(due)}."
        title = "Report to the ethics committee the event of"
        _open_task(event, Role.CHIEF_INVESTIGATOR, title, detail, due, at, by)


def goes_to_rec(event: AdverseEvent) -> bool:
    """Serious, and related and unexpected in the judgement of the site or of any reviewer (BR-53, BR-58)."""
    judged: list[AdverseEvent | EventReview] = [event, *event.reviews.all()]
    return rules.goes_to_rec(
        seriousness=event.seriousness,
        is_related=any(rules.is_related(one.related_to_activity, one.related_to_procedures) for one in judged),
        is_expected=all(one.expected for one in judged),
    )


def _task_key(event: AdverseEvent, what: str) -> str:
    return f"adverse-event:{event.pk}:{what}"


def _open_task(
    event: AdverseEvent, role: Role, title: str, detail: str, due: date, at: datetime, by: User, what: str = ""
) -> None:
    referral = event.participant.referral
    messages.open_task(
        key=_task_key(event, what or role),
        kind="adverse_event",
        role=role,
        site=referral.site if POLICY[role].per_site else None,
        referral=referral,
        title=f"{title} {event.participant}",
        detail=detail,
        link=event.get_absolute_url(),
        due_date=due,
        is_urgent=event.is_serious,
        at=at,
        by=by,
    )


def _open_check(event: AdverseEvent, due: date, at: datetime, by: User) -> None:
    """A later look at an event such as a tick bite (BR-56)."""
    detail = f"It started on {long_date(event.onset_date)}. Record what you find on the event."
    _open_task(event, Role.COORDINATOR, "Check again on the adverse event of", detail, due, at, by, "check")


@transaction.atomic
def review_event(
    *,
    event: AdverseEvent,
    related_to_activity: str,
    related_to_procedures: str,
    expected: bool,
    comment: str,
    proof: Proof,
    by: User,
    at: datetime,
) -> EventReview:
    """Sign a judgement of an event beside the site's own; both are kept (BR-58).

    Raises:
        RelatednessLowered: the judgement is below the site's.
        NotDelegated: `by` reviews for the site, and the safety duty is not delegated to them there today (R-15).
        ProofRefused: the proof is another person's.
    """
    event = AdverseEvent.objects.select_for_update().get(pk=event.pk)
    _check_delegated(event, by, local_date(at))
    for judged, site in (
        (related_to_activity, event.related_to_activity),
        (related_to_procedures, event.related_to_procedures),
    ):
        if rules.is_lower(judged, site):
            raise RelatednessLowered(
                f"The site judged this {AdverseEvent.Relatedness(site).label.lower()}. A review may raise that, not"
                " lower it. The site itself can change its judgement."
            )
    signature = sign(
        proof=proof,
        by=by,
        meaning="I have reviewed this adverse event.",
        record=event,
        content=signed_content(event),
        at=at,
    )
    review = EventReview(
        event=event,
        reviewed_by=by,
        role=role_of(by),
        at=at,
        related_to_activity=related_to_activity,
        related_to_procedures=related_to_procedures,
        expected=expected,
        comment_sealed=identity.seal_text(event.participant.referral.person, comment),
        signature=signature,
    )
    review.save()
    _open_rec_task(event, at, by)
    for role in {a.role for a in by.access.assignments} & {Role.SPONSOR_REVIEWER, Role.PRINCIPAL_INVESTIGATOR}:
        messages.close_task(key=_task_key(event, role), by=by, at=at)
    return review


def _check_delegated(event: AdverseEvent, by: User, today: date) -> None:
    """Site staff review while the log gives them the duty; the sponsor and the chief investigator stand in no log."""
    reviewing = {Role(a.role) for a in by.access.assignments if Action.REVIEW_EVENT in POLICY[Role(a.role)].actions}
    for_site = all(POLICY[role].per_site for role in reviewing)
    if for_site and not is_delegated(by, Duty.SAFETY, event.participant.site, today):
        raise NotDelegated(
            "The delegation log does not let you assess safety here today. Ask the principal investigator."
        )


def signed_content(event: AdverseEvent) -> dict[str, object]:
    """What a review signs: everything the site says of the event. A later change makes the review stale (BR-64)."""
    fields = (
        "onset_date",
        "aware_date",
        "category",
        "description_sealed",
        "severity",
        "seriousness",
        "related_to_activity",
        "related_to_procedures",
        "outcome",
        "resolved_date",
    )
    return {name: getattr(event, name) for name in fields}


def is_reviewed(event: AdverseEvent) -> bool:
    """Whether somebody has signed the event as it stands now. Reads `reviews` with their signatures."""
    content = signed_content(event)
    return any(not is_stale(review.signature, event, content) for review in event.reviews.all())
