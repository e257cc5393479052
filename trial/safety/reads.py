"""Alerts and adverse events as one person may see them: no arm, no free text for blinded roles (BR-26)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404

import instruments
from trial.access.models import User
from trial.access.policy import Action
from trial.access.signing import is_stale
from trial.base.words import clock_time, day_and_month, short_date
from trial.participants.identity import open_text
from trial.participants.models import Participant
from trial.participants.reads import participant_for
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec
from trial.safety import rules
from trial.safety.event_actions import OTHER, is_reviewed
from trial.safety.models import AdverseEvent, AlertQuerySet, EventQuerySet, EventReview, RiskAlert
from trial.schedule.rules import local_date

may_report_on: list[Callable[[User, Participant], bool]] = []
"""Questions that higher features ask before somebody reports an event; set in trial.wiring (BR-40)."""

_PERSON = "participant__referral__site", "participant__referral__protocol_version"


def alerts_for(user: User) -> AlertQuerySet:
    """Alerts of the sites whose safety this person looks after."""
    return RiskAlert.objects.visible_to(user).select_related(
        *_PERSON, "administration__visit", "acknowledged_by", "assessed_by", "closed_by"
    )


def alert_for(user: User, pk: int, action: Action = Action.VIEW_SAFETY) -> RiskAlert:
    """One alert.

    Raises:
        Http404: there is none, or it is not this person's to look at or, for another action, to act on.
    """
    alert = alerts_for(user).filter(pk=pk).first()
    if alert is None or not user.access.may(action, alert.participant.site):
        raise Http404
    return alert


def events_for(user: User) -> EventQuerySet:
    """Adverse events of the sites whose safety this person looks after."""
    return (
        AdverseEvent.objects.visible_to(user)
        .select_related(*_PERSON, "reported_by")
        .prefetch_related("reviews__signature", "reviews__reviewed_by")
    )


def event_for(user: User, pk: int, action: Action = Action.VIEW_SAFETY) -> AdverseEvent:
    """One adverse event.

    Raises:
        Http404: as alert_for().
    """
    event = events_for(user).filter(pk=pk).first()
    if event is None or not user.access.may(action, event.participant.site):
        raise Http404
    return event


def event_to_change(user: User, pk: int) -> AdverseEvent:
    """One adverse event that this person may change.

    Raises:
        Http404: as alert_for(), and for blinded roles, who may not read what it says (BR-26).
    """
    if user.access.blinded:
        raise Http404
    return event_for(user, pk, Action.REPORT_EVENT)


def reportable(user: User, number: str) -> Participant:
    """The participant on whom this person may report an event.

    Raises:
        Http404: there is none, or not for this person.
    """
    participant = participant_for(user, number, Action.REPORT_EVENT)
    if not all(may(user, participant) for may in may_report_on):
        raise Http404
    return participant


def alert_status(alert: RiskAlert, now: datetime) -> str:
    """A code of `statuses.ALERT`."""
    if alert.closed_at:
        return "closed"
    if alert.level:
        return "assessed"
    if alert.acknowledged_at:
        return "acknowledged"
    return "overdue" if now > clock_of(alert).contact_due else "open"


def clock_of(alert: RiskAlert) -> rules.AlertClock:
    """The clock that runs since the alert was raised, or raised again."""
    spec = alert.participant.referral.protocol_version.spec
    return rules.alert_clock(spec, alert.severity, alert.escalated_at or alert.raised_at)


@dataclass(frozen=True)
class AlertRow:
    """One line of a list of alerts."""

    alert: RiskAlert
    status: str
    age: str
    clock: str
    source: str


def alert_row(alert: RiskAlert, now: datetime) -> AlertRow:
    """A line with age and what is due next."""
    since = alert.escalated_at or alert.raised_at
    return AlertRow(
        alert, alert_status(alert, now), rules.age_words(since, now), _clock_words(alert, now), source(alert)
    )


def _clock_words(alert: RiskAlert, now: datetime) -> str:
    if alert.closed_at:
        return f"Closed {short_date(alert.closed_at)}"
    if alert.level:
        return "Waits to be closed"
    due = clock_of(alert).contact_due
    verb = "First contact attempt" if alert.severity == RiskAlert.Severity.URGENT else "Review"
    day = "today" if local_date(due) == local_date(now) else f"on {day_and_month(due)}"
    return f"{verb} {'was due' if now > due else 'by'} {clock_time(due)} {day}"


def source(alert: RiskAlert) -> str:
    """What raised it, in words: "PHQ-9, V3 week 12"."""
    form = alert.administration
    if form is None:
        return alert.get_trigger_display()
    spec = alert.participant.referral.protocol_version.spec
    visit = protocol_rules.visit(spec, form.visit.code)
    return f"{protocol_rules.form_label(spec, form.instrument)}, {visit.name}"


@dataclass(frozen=True)
class EventRow:
    """One line of a list of adverse events. `category` is empty for blinded roles: a tick bite says where it was."""

    event: AdverseEvent
    category: str
    seriousness: str
    due: str
    is_reviewed: bool


def event_row(event: AdverseEvent, user: User) -> EventRow:
    """A line as this person may see it."""
    return EventRow(
        event,
        "" if user.access.blinded else category_label(event.participant.referral.protocol_version.spec, event.category),
        ", ".join(AdverseEvent.Serious(one).label for one in event.seriousness),
        due_words(event) if event.is_serious else "",
        is_reviewed(event),
    )


@dataclass(frozen=True)
class ReviewRow:
    """One signed judgement. `is_stale`: the event changed after it was signed."""

    review: EventReview
    comment: str
    is_stale: bool


def review_row(review: EventReview, content: dict[str, object], may_read: bool) -> ReviewRow:
    """A review with its comment, where the person may read free text."""
    person = review.event.participant.referral.person
    comment = open_text(person, review.comment_sealed) if may_read else ""
    return ReviewRow(review, comment, is_stale(review.signature, review.event, content))


def due_words(event: AdverseEvent) -> str:
    """The 24 hours of a serious event, and whether it was reported within them (BR-53)."""
    due = rules.sponsor_due(event.aware_date)
    if local_date(event.reported_at) > due:
        return f"Reported late: was due by {short_date(due)}"
    return f"Sponsor by {short_date(due)}"


def category_choices(spec: ProtocolSpec) -> list[tuple[str, str]]:
    """Events that the protocol lists as foreseeable, then anything else."""
    return [*((one.code, one.label) for one in spec.expected_events.events), (OTHER, "Something else")]


def category_label(spec: ProtocolSpec, code: str) -> str:
    """A category in words."""
    return dict(category_choices(spec)).get(code, code)


def alert_messages(alert: RiskAlert) -> list[str]:
    """What each code of an alert means, in the words of the instrument definition."""
    form = alert.administration
    if form is None:
        return []
    definition = instruments.get(form.instrument, form.instrument_version)
    return [definition.alerts_by_code[code].message for code in alert.codes]


def actions_of(alert: RiskAlert) -> str:
    """What was done after an alert, in the assessor's words; whoever may see the alert may read it."""
    return open_text(alert.participant.referral.person, alert.actions_sealed)


def concern_of(alert: RiskAlert, user: User) -> str:
    """What the person who raised it wrote; blinded roles are told whom to ask instead (BR-26)."""
    if not alert.concern_sealed:
        return ""
    if user.access.blinded:
        return "Ring the coordinator, who can read what was written."
    return open_text(alert.participant.referral.person, alert.concern_sealed)
