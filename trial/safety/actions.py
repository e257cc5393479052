"""Risk alerts: raised with the answer that causes them, assessed, closed, never withdrawn (BR-50 to BR-52)."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from trial.access.models import Duty, RoleAssignment, User
from trial.access.permissions import is_delegated
from trial.access.policy import POLICY, Role
from trial.base.errors import TrialError
from trial.base.words import clock_time, date_and_time, long_date
from trial.messages import actions as messages
from trial.messages.models import Task
from trial.participants import identity
from trial.participants.models import Participant
from trial.safety import rules
from trial.safety.models import RiskAlert
from trial.schedule.rules import local_date


class NotDelegated(TrialError):
    """The delegation log does not give this person the duty on this day (R-15)."""


class AlertClosed(TrialError):
    """A closed alert is not assessed again; a later answer would open it."""


class NotAssessed(TrialError):
    """An alert closes only with a grade and an action (BR-51)."""


class SecondPersonNeeded(TrialError):
    """The protocol has a second person close an alert with this grade."""


class AssessmentIncomplete(TrialError):
    """The grade, the action or a date is missing or cannot be."""


@transaction.atomic
def raise_alert(
    *,
    participant: Participant,
    trigger: str,
    severity: str,
    by: User | None,
    at: datetime,
    codes: Collection[str] = (),
    administration_id: int | None = None,
    has_risen: bool = False,
) -> RiskAlert:
    """Open an alert, or escalate the one that the form already has (BR-50).

    Args:
        severity: the worst among the codes, `urgent` or `review`.
        codes: alert codes of the instrument definition that hold now; those stored before stay (BR-52).
        administration_id: the form whose answers raise it; None for a concern of a person.
        has_risen: an answer is worse than it was, even under the same codes.

    An escalation undoes acknowledgement, grade and closure: somebody looks again. History keeps what was there.
    """
    alert = (
        RiskAlert.objects.select_for_update().filter(administration_id=administration_id).first()
        if administration_id is not None
        else None
    )
    if alert is None:
        alert = RiskAlert(
            participant=participant,
            administration_id=administration_id,
            trigger=trigger,
            codes=sorted(codes),
            severity=severity,
            raised_at=at,
        ).save_by(by)
        _tell(alert, at, by)
    elif has_risen or not set(codes) <= set(alert.codes):
        _escalate(alert, codes, severity, at, by)
    return alert


@transaction.atomic
def raise_concern(
    *, participant: Participant, text: str, by: User, at: datetime, trigger: str = RiskAlert.Trigger.LEADER
) -> RiskAlert:
    """Open an urgent alert about what an activity leader or another member of staff saw (BR-51).

    The words stay sealed from blinded roles, which the duty clinician is, so the coordinator is asked as well. The
    same words again, while the alert is open, are the same concern.
    """
    person = participant.referral.person
    for alert in RiskAlert.objects.open().select_for_update().filter(participant=participant, trigger=trigger):
        if identity.open_text(person, alert.concern_sealed) == text:
            return alert
    alert = RiskAlert(
        participant=participant,
        trigger=trigger,
        severity=RiskAlert.Severity.URGENT,
        concern_sealed=identity.seal_text(person, text),
        raised_at=at,
    ).save_by(by)
    _tell(alert, at, by)
    detail = f"Raised {date_and_time(at)}. Read it, and tell the duty clinician what they need to know."
    _open_task(alert, Role.COORDINATOR, "Read a concern about", detail, local_date(at), at, by)
    return alert


def _escalate(alert: RiskAlert, codes: Collection[str], severity: str, at: datetime, by: User | None) -> None:
    _close_tasks(alert, at, by)
    alert.codes = sorted({*alert.codes, *codes})
    alert.severity = rules.worst([alert.severity, severity])
    alert.escalated_at = at
    alert.acknowledged_at = alert.acknowledged_by = None
    alert.level, alert.assessed_at, alert.assessed_by = "", None, None
    alert.closed_at = alert.closed_by = None
    alert.save_by(by, "A later answer raised it again")
    _tell(alert, at, by)


def _raised_last(alert: RiskAlert) -> datetime:
    return alert.escalated_at or alert.raised_at


def _task_key(alert: RiskAlert, role: Role) -> str:
    """One task for each role and each time the alert was raised."""
    return f"risk-alert:{alert.pk}:{role}:{_raised_last(alert).isoformat()}"


def _open_task(
    alert: RiskAlert, role: Role, title: str, detail: str, due_date: date, at: datetime, by: User | None
) -> None:
    referral = alert.participant.referral
    messages.open_task(
        key=_task_key(alert, role),
        kind="risk_alert",
        role=role,
        site=referral.site if POLICY[role].per_site else None,
        referral=referral,
        title=f"{title} {alert.participant}",
        detail=detail,
        link=alert.get_absolute_url(),
        due_date=due_date,
        is_urgent=alert.severity == RiskAlert.Severity.URGENT,
        at=at,
        by=by,
    )


def _close_tasks(alert: RiskAlert, at: datetime, by: User | None) -> None:
    for role in (Role.DUTY_CLINICIAN, Role.COORDINATOR, Role.PRINCIPAL_INVESTIGATOR, Role.CHIEF_INVESTIGATOR):
        messages.close_task(key=_task_key(alert, role), by=by, at=at)


def _tell(alert: RiskAlert, at: datetime, by: User | None) -> None:
    """A task for the duty clinician of the site, and for an urgent alert a message to each of them (BR-51, R-45)."""
    due = rules.alert_clock(alert.participant.referral.protocol_version.spec, alert.severity, at).contact_due
    is_urgent = alert.severity == RiskAlert.Severity.URGENT
    verb, what = ("Assess", "First contact attempt") if is_urgent else ("Review", "Review it")
    detail = f"Raised {date_and_time(at)}. {what} by {clock_time(due)} on {long_date(due)}."
    _open_task(alert, Role.DUTY_CLINICIAN, f"{verb} a risk alert for", detail, local_date(due), at, by)
    if is_urgent:
        _write_to(alert, Role.DUTY_CLINICIAN, "A risk alert needs you today", at, by)


def _write_to(alert: RiskAlert, role: Role, heading: str, at: datetime, by: User | None) -> None:
    """A message to everyone who holds the role for the alert's site today. It names nobody."""
    today = local_date(at)
    holders = RoleAssignment.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=today),
        Q(site__isnull=True) | Q(site=alert.participant.site),
        role=role,
        from_date__lte=today,
        user__is_active=True,
    ).select_related("user")
    for user in {one.user for one in holders}:
        messages.write_message(
            key=f"risk-alert:{alert.pk}:{role}:{user.pk}:{at.isoformat()}",
            kind="risk_alert",
            heading=heading,
            body="Sign in and open Safety. The alert stands at the top of the page.",
            to_user=user,
            at=at,
            by=by,
        )


@transaction.atomic
def acknowledge(*, alert: RiskAlert, by: User, at: datetime) -> RiskAlert:
    """Say that somebody is looking at the alert. The first to do so stays."""
    alert = RiskAlert.objects.select_for_update().get(pk=alert.pk)
    if alert.acknowledged_at is None:
        alert.acknowledged_at, alert.acknowledged_by = at, by
        alert.save_by(by, "Acknowledged")
        messages.close_task(key=_task_key(alert, Role.CHIEF_INVESTIGATOR), by=by, at=at)
    return alert


@transaction.atomic
def assess(
    *,
    alert: RiskAlert,
    level: str,
    actions_taken: str,
    by: User,
    at: datetime,
    gp_informed_date: date | None = None,
) -> RiskAlert:
    """Grade an alert and say what was done. Until it is closed it may be assessed again.

    Raises:
        NotDelegated: the safety duty is not delegated to this person at the site today.
        AlertClosed: the alert is closed.
        AssessmentIncomplete: there is no such grade, no action, or the GP was told before the alert or in the future.
    """
    alert = _open_for(alert, by, at)
    if level not in RiskAlert.Level.values or not actions_taken.strip():
        raise AssessmentIncomplete("Select a grade and say what was done.")
    if gp_informed_date and not local_date(alert.raised_at) <= gp_informed_date <= local_date(at):
        raise AssessmentIncomplete(f"The date the GP was told must be between {long_date(alert.raised_at)} and today.")
    alert = acknowledge(alert=alert, by=by, at=at)
    alert.level, alert.gp_informed_date = level, gp_informed_date
    person = alert.participant.referral.person
    if identity.open_text(person, alert.actions_sealed) != actions_taken:
        alert.actions_sealed = identity.seal_text(person, actions_taken)
    alert.assessed_at, alert.assessed_by = at, by
    alert.save_by(by, f"Assessed: {alert.get_level_display()}")
    if needs_second_person(alert):
        detail = f"Assessed by {by.name} on {date_and_time(at)}. A second person closes it."
        _open_task(
            alert, Role.PRINCIPAL_INVESTIGATOR, "Read and close a risk alert for", detail, local_date(at), at, by
        )
    return alert


def needs_second_person(alert: RiskAlert) -> bool:
    """Whether the protocol has somebody else than the assessor close an alert with this grade."""
    return alert.level in alert.participant.referral.protocol_version.spec.risk_alerts.second_sign_off_grades


@transaction.atomic
def close(*, alert: RiskAlert, by: User, at: datetime) -> RiskAlert:
    """Close an assessed alert, with its tasks. Closed already, nothing changes.

    Raises:
        NotDelegated: the safety duty is not delegated to this person at the site today.
        NotAssessed: there is no grade and action yet (BR-51).
        SecondPersonNeeded: the grade needs somebody else than the assessor.
    """
    if RiskAlert.objects.get(pk=alert.pk).closed_at is not None:
        return alert
    alert = _open_for(alert, by, at)
    if not alert.level or not alert.actions_sealed:
        raise NotAssessed("Assess this alert before you close it: it needs a grade and an action.")
    if alert.assessed_by_id == by.pk and needs_second_person(alert):
        raise SecondPersonNeeded(
            f"You graded this alert {alert.get_level_display().lower()}, so somebody else must close it."
        )
    alert.closed_at, alert.closed_by = at, by
    alert.save_by(by, "Closed")
    _close_tasks(alert, at, by)
    return alert


def _open_for(alert: RiskAlert, by: User, at: datetime) -> RiskAlert:
    """The alert, locked for this transaction, if this person may assess it now."""
    alert = RiskAlert.objects.select_for_update().get(pk=alert.pk)
    if not is_delegated(by, Duty.SAFETY, alert.participant.site, local_date(at)):
        raise NotDelegated(
            "The delegation log does not let you assess risk here today. Ask the principal investigator."
        )
    if alert.closed_at is not None:
        raise AlertClosed(f"This alert was closed on {date_and_time(alert.closed_at)}.")
    return alert


def escalate_unacknowledged(*, at: datetime) -> int:
    """Tell the chief investigator of urgent alerts that nobody acknowledged in time (BR-51). Returns how many now.

    For the scheduled job: asked again, an alert is told once for each time it was raised.
    """
    waiting = RiskAlert.objects.filter(
        acknowledged_at__isnull=True, closed_at__isnull=True, severity=RiskAlert.Severity.URGENT
    ).select_related("participant__referral__site", "participant__referral__protocol_version")
    return sum(_tell_chief(alert, at) for alert in waiting)


@transaction.atomic
def _tell_chief(alert: RiskAlert, at: datetime) -> bool:
    role, since = Role.CHIEF_INVESTIGATOR, _raised_last(alert)
    spec = alert.participant.referral.protocol_version.spec
    escalates_at = rules.alert_clock(spec, alert.severity, since).escalates_at
    if escalates_at is None or at < escalates_at or Task.objects.filter(key=_task_key(alert, role)).exists():
        return False
    detail = f"Raised {date_and_time(since)} and not acknowledged."
    _open_task(alert, role, "Find out who answers a risk alert for", detail, local_date(at), at, None)
    _write_to(alert, role, "A risk alert was not acknowledged in time", at, None)
    return True
