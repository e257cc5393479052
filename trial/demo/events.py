"""What happens to single people: risk alerts, adverse events, deviations, and changes of what they take part in."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from trial.access.policy import Role
from trial.activities import actions as activities
from trial.activities.models import Session
from trial.allocation import actions as allocation
from trial.attendance.models import Mark
from trial.demo import words
from trial.demo.agenda import Entry
from trial.demo.answers import SELF_HARM, Filled
from trial.demo.calendar import local_moment
from trial.demo.plan import Part
from trial.demo.stage import Case, Stage
from trial.deviations import actions as deviations
from trial.deviations.models import Deviation
from trial.journey import steps
from trial.participation.models import Element, ParticipationChange
from trial.safety import actions as alerts
from trial.safety import event_actions as events
from trial.safety.models import AdverseEvent, RiskAlert

FORMS = (Element.QUESTIONNAIRES_WEB, Element.QUESTIONNAIRES_PHONE_POST)
STOPS: dict[Part, tuple[int, tuple[str, ...]]] = {
    Part.STOPPED_ACTIVITY: (40, (Element.ACTIVITY,)),
    Part.FEWER_FORMS: (60, (Element.QUESTIONNAIRES_PHONE_POST,)),
    Part.STOPPED_FORMS: (95, FORMS),
    Part.STOPPED_ALL: (52, (Element.ACTIVITY, *FORMS, Element.REMINDERS, Element.CONTACT, Element.RECORDS)),
    Part.DIED_LATER: (45, (Element.ACTIVITY, *FORMS, Element.REMINDERS)),
}
"""Days after randomisation, and what is stopped."""
DIED_AFTER_DAYS = 118
REVIEW_AFTER_DAYS = 35
"""After the end of an event: then its review covers how it ended."""


def play_part(case: Case, day0: date) -> None:
    """Write down what a person's part adds to their story after allocation."""
    agenda, calendar, part = case.stage.agenda, case.stage.calendar, case.plan.part
    if part in STOPS:
        after, elements = STOPS[part]
        day = calendar.next_working(min(day0 + timedelta(days=after), calendar.today - timedelta(days=4)))
        agenda.at(local_moment(day, 11, 20), lambda at: _stop(case, elements, at))
    if part == Part.DIED_LATER:
        day = calendar.next_working(day0 + timedelta(days=DIED_AFTER_DAYS))
        agenda.at(local_moment(day, 10, 5), lambda at: _die(case, at))
    if part == Part.HOSPITAL:
        agenda.at(
            local_moment(calendar.working(calendar.today - timedelta(days=1)), 9, 40), lambda at: _admit(case, at)
        )
    if part == Part.CONCERN:
        day = calendar.working(calendar.today - timedelta(days=1))
        agenda.at(local_moment(day, 12, 25), lambda at: _worry(case, at))
    if part == Part.SEEN_ARM:
        agenda.at(local_moment(calendar.next_working(day0 + timedelta(days=38)), 15, 10), lambda at: _see_arm(case, at))
    if part in (Part.LATE_FORM, Part.COPY_MISSING):
        is_late = part == Part.LATE_FORM
        day = calendar.working(day0 + timedelta(days=103) if is_late else calendar.today - timedelta(days=9))
        agenda.at(local_moment(day, 14, 45), lambda at: _deviate(case, at))


# -- participation


def _stop(case: Case, elements: tuple[str, ...], at: datetime) -> None:
    """W1 to W4: some things stop, the rest goes on (BR-60)."""
    participant, day = case.participant, case.stage.calendar.day_of(at)
    if Element.ACTIVITY in elements:
        for membership in participant.memberships.filter(to_date__isnull=True, from_date__lte=day):
            activities.end_membership(
                membership=membership, to_date=day, reason="Stopped the activity", by=case.coordinator
            )
    reasons = words.STOPPING[str(case.plan.part)]
    steps.change_participation(
        participant=participant,
        effective_date=day,
        decided_by=ParticipationChange.DecidedBy.PARTICIPANT,
        elements=dict.fromkeys(elements, False),
        reason_code=reasons[case.plan.number % len(reasons)],
        how_learned="Said so on the telephone",
        by=case.coordinator,
        at=at,
    )


def _die(case: Case, at: datetime) -> None:
    """Long after leaving the study; the team learns of it from the GP."""
    steps.change_participation(
        participant=case.participant,
        effective_date=case.stage.calendar.day_of(at) - timedelta(days=6),
        decided_by=ParticipationChange.DecidedBy.ADMINISTRATIVE,
        elements={},
        cause=ParticipationChange.Cause.DEATH,
        reason_code="DIED",
        how_learned="Letter from the GP",
        by=case.coordinator,
        at=at,
    )


def _see_arm(case: Case, at: datetime) -> None:
    """A blinded assessor hears by accident which group somebody is in (BR-27)."""
    person = case.by(Role.OUTCOME_ASSESSOR)
    allocation.report_unblinding(
        participant=case.participant,
        person=person,
        kind="accidental",
        route="The participant talked about the sessions on the telephone",
        happened_date=case.stage.calendar.day_of(at),
        by=person,
        at=at,
    )


def _deviate(case: Case, at: datetime) -> None:
    """A departure from the protocol. The consent one waits for its review."""
    is_form = case.plan.part == Part.LATE_FORM
    found = deviations.record_deviation(
        site=case.site,
        occurred_date=case.stage.calendar.day_of(at) - timedelta(days=3),
        kind=Deviation.Kind.VISIT if is_form else Deviation.Kind.CONSENT,
        severity=Deviation.Severity.MINOR,
        description=words.DEVIATIONS[str(case.plan.part)],
        reveals_arm=False,
        participant=case.participant,
        by=case.coordinator,
        at=at,
    )
    if is_form:
        day = case.stage.calendar.next_working(case.stage.calendar.day_of(at) + timedelta(days=6))
        case.stage.agenda.at(local_moment(day, 11), lambda later: _review(case, found, later))


def _review(case: Case, found: Deviation, at: datetime) -> None:
    deviations.review_deviation(
        deviation=found,
        severity=Deviation.Severity.MINOR,
        root_cause="The new address had not been passed on.",
        corrective_action="Address checked at each call from now on.",
        effect_on_analysis="None: the answers are kept and flagged late.",
        by=case.by(Role.PRINCIPAL_INVESTIGATOR),
        at=at,
    )


# -- risk alerts


def worrying(case: Case, visit: str, instrument: str, filled: Filled) -> Filled:
    """The answers of the two people who think of harming themselves; everybody else's stay as they are."""
    parts = (Part.ALERT_TODAY, Part.ALERT_CLOSED)
    if (visit, instrument) != ("V2", "phq9") or case.plan.part not in parts:
        return filled
    return replace(filled, answers={**filled.answers, SELF_HARM: 1})


def look_after(case: Case, at: datetime) -> None:
    """The duty clinician answers the earlier alert within the hour of the next working morning and closes it."""
    calendar = case.stage.calendar
    day = calendar.next_working(calendar.day_of(at) + timedelta(days=1))
    clinician = case.by(Role.DUTY_CLINICIAN)

    def run(moment: datetime) -> None:
        for alert in RiskAlert.objects.open().filter(participant=case.participant_id):
            seen = alerts.acknowledge(alert=alert, by=clinician, at=moment - timedelta(minutes=25))
            graded = alerts.assess(
                alert=seen,
                level=RiskAlert.Level.LOW,
                actions_taken=words.CLOSED_ALERT,
                gp_informed_date=calendar.day_of(moment),
                by=clinician,
                at=moment - timedelta(minutes=4),
            )
            alerts.close(alert=graded, by=clinician, at=moment)

    case.stage.agenda.at(local_moment(day, 9, 45), run)


def _worry(case: Case, at: datetime) -> None:
    """A leader is worried; the clinician has seen it and has not graded it yet."""
    membership = case.participant.memberships.select_related("group__leader").first()
    if membership is None:
        return
    alerts.raise_concern(participant=case.participant, text=words.CONCERN, by=membership.group.leader, at=at)
    alert = RiskAlert.objects.open().get(participant=case.participant_id)
    seen = at + timedelta(minutes=50)
    case.stage.agenda.at(seen, lambda later: _see(case, alert, later))


def _see(case: Case, alert: RiskAlert, at: datetime) -> None:
    alerts.acknowledge(alert=alert, by=case.by(Role.DUTY_CLINICIAN), at=at)


# -- adverse events


def _event(description: str, category: str, onset: date, aware: date, related: str) -> events.EventData:
    return events.EventData(
        onset_date=onset,
        aware_date=aware,
        category=category,
        description=description,
        severity=AdverseEvent.Severity.MILD,
        seriousness=(),
        related_to_activity=related,
        related_to_procedures=AdverseEvent.Relatedness.UNRELATED,
        outcome=AdverseEvent.Outcome.RECOVERING,
    )


def _admit(case: Case, at: datetime) -> None:
    """The one serious event: sponsor and investigator have it to review today."""
    aware = case.stage.calendar.day_of(at)
    data = _event(words.HOSPITAL, events.OTHER, aware - timedelta(days=3), aware, AdverseEvent.Relatedness.UNRELATED)
    data = replace(
        data, severity=AdverseEvent.Severity.SEVERE, seriousness=(AdverseEvent.Serious.HOSPITALISATION.value,)
    )
    events.report_event(participant=case.participant, data=data, by=case.coordinator, at=at)


def harm(stage: Stage) -> None:
    """Small mishaps at sessions of the first waves, and a tick bite whose check is due in two days."""
    for number, (category, text, related, lasts) in enumerate(words.EVENTS):
        key = (("01", "02", "03")[number % 3], 1, (number // 3 + number) % 2)
        session = stage.groups[key].sessions.get(number=2 + number)
        stage.agenda.at(_reported(stage, session), _mishap(stage, session, category, text, related, lasts))
    bitten = stage.groups["01", 2, 0].sessions.get(number=1)
    bite = _mishap(stage, bitten, "TICK_BITE", words.TICK_BITE, "probable", lasts=0)
    stage.agenda.at(_reported(stage, bitten), bite)


def _reported(stage: Stage, session: Session) -> datetime:
    """The next working day after a session, with time for a register that comes in late."""
    return local_moment(stage.calendar.next_working(stage.calendar.day_of(session.ends_at) + timedelta(days=4)), 10, 30)


def _mishap(stage: Stage, session: Session, category: str, text: str, related: str, lasts: int) -> Entry:
    def run(at: datetime) -> None:
        came = Mark.objects.current().filter(session=session, status=Mark.Status.FULL).order_by("participant__study_id")
        first = came.first()
        if first is None:
            return
        case, calendar = stage.cases[first.participant_id], stage.calendar
        onset, aware = calendar.day_of(session.starts_at), calendar.day_of(at)
        data = _event(text, category, onset, aware, related)
        ended = onset + timedelta(days=lasts)
        is_over = ended <= aware
        if is_over:
            data = replace(data, outcome=AdverseEvent.Outcome.RECOVERED, resolved_date=ended)
        event = events.report_event(participant=case.participant, data=data, by=case.coordinator, at=at)
        reviewed = local_moment(calendar.next_working(ended + timedelta(days=REVIEW_AFTER_DAYS)), 16)
        stage.agenda.at(reviewed, lambda when: _judge(case, event, when))
        if not is_over:
            over = replace(data, outcome=AdverseEvent.Outcome.RECOVERED, resolved_date=ended)
            later = local_moment(calendar.next_working(ended + timedelta(days=2)), 11)
            stage.agenda.at(later, lambda when: _recover(case, event, over, when))

    return run


def _judge(case: Case, event: AdverseEvent, at: datetime) -> None:
    """The investigator agrees with the site's judgement."""
    by = case.by(Role.PRINCIPAL_INVESTIGATOR)
    events.review_event(
        event=event,
        related_to_activity=event.related_to_activity,
        related_to_procedures=event.related_to_procedures,
        expected=event.expected,
        comment="",
        proof=case.stage.staff.proof(by, at),
        by=by,
        at=at,
    )


def _recover(case: Case, event: AdverseEvent, data: events.EventData, at: datetime) -> None:
    events.change_event(event=event, data=data, reason="Follow-up call", by=case.coordinator, at=at)
