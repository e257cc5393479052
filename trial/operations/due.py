"""Tasks that open because a day has come, and close because their cause is gone. Each is made once."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Prefetch

from trial.access import delegation
from trial.access.models import Delegation, Site
from trial.access.policy import Role
from trial.access.reads import holders
from trial.assessments.reads import VisitState, visit_states
from trial.base.words import day_and_month, local_day, long_date
from trial.consent.models import Consent, DocumentUse, DocumentVersion
from trial.messages import actions as messages
from trial.messages.models import Task
from trial.participants.models import Participant, Status
from trial.participation import rules as participation
from trial.participation.models import Element
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ProtocolSpec
from trial.review.models import Query
from trial.schedule.models import Visit
from trial.schedule.rules import VisitStatus
from trial.selfcompletion.reads import has_bounced, is_reached_by_link

IN_TRIAL = (Status.RANDOMISED, Status.IN_ACTIVITY, Status.FOLLOW_UP)
VISIT = "visit_due"
DUTY_DAYS = 7
QUERY_DAYS = 14


# -- visits whose window is open


def visit_tasks(*, at: datetime) -> int:
    """Open a task for each visit whose window is open and whose questionnaires are not, close the others.

    First the questionnaires are to be sent, unless a link reaches the person; from the day of the reminder plan's
    call, or once a message does not arrive, somebody is to be rung (BR-37). Returns how many are open.
    """
    today = local_day(at)
    wanted: set[str] = set()
    for participant in _with_open_window(at):
        spec = participant.referral.protocol_version.spec
        for state in visit_states(participant, spec, today):
            if state.row and not state.spec.before_randomisation and state.status == VisitStatus.OPEN:
                wanted |= _open_visit(participant, spec, state, state.row, at)
    for key in Task.objects.open().filter(kind=VISIT).values_list("key", flat=True):
        if key not in wanted:
            messages.close_task(key=key, by=None, at=at)
    return len(wanted)


def _with_open_window(at: datetime) -> Iterator[Participant]:
    today = local_day(at)
    open_now = Visit.objects.open_on(today).filter(participant=OuterRef("pk"))
    people = (
        Participant.objects.filter(Exists(open_now), referral__status__in=IN_TRIAL)
        .select_related("referral__site", "referral__person")
        .prefetch_related(
            Prefetch("visits", Visit.objects.select_related("self_completion")),
            "visits__self_completion__links",
            "administrations",
            "participation_changes",
            Prefetch("referral__protocol_version", ProtocolVersion.objects.all()),
        )
    )
    yield from people.order_by("pk")


def _open_visit(participant: Participant, spec: ProtocolSpec, state: VisitState, row: Visit, at: datetime) -> set[str]:
    """Keys of the tasks that this visit needs today."""
    today = local_day(at)
    on = participation.elements_on(participant.participation_changes.all(), today)
    if row.closes_date is None or not on[Element.CONTACT]:
        return set()
    n_done = sum(form.is_settled for form in state.forms.values())
    is_started = any(form.stored is not None for form in state.forms.values())
    label = state.spec.label
    call_date = protocol_rules.phone_task_date(spec, row.opens_date, row.closes_date)
    if has_bounced(row):
        call_date = min(call_date, today)
    if today >= call_date and on[Element.QUESTIONNAIRES_PHONE_POST]:
        detail = f"{n_done} of {len(state.forms)} answered. Window closes {day_and_month(row.closes_date)}"
        return {
            _visit_task(participant, f"visit-call:{row.pk}", f"Ring for {label} questionnaires", detail, call_date, at)
        }
    if is_started or is_reached_by_link(row):
        return set()
    detail = f"Window opened {day_and_month(row.opens_date)} and closes {day_and_month(row.closes_date)}"
    page = f"{row.code}/link/"
    return {
        _visit_task(
            participant, f"visit-send:{row.pk}", f"Send {label} questionnaires", detail, row.opens_date, at, page
        )
    }


def _visit_task(
    participant: Participant, key: str, title: str, detail: str, due: date, at: datetime, page: str = ""
) -> str:
    referral = participant.referral
    messages.open_task(
        key=key,
        kind=VISIT,
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title=title,
        detail=detail,
        link=f"/people/{participant.study_id}/{page}",
        due_date=due,
        at=at,
    )
    return key


# -- queries that nobody answers


def query_tasks(*, at: datetime) -> int:
    """Once a week and site: how many queries have been open for more than 14 days. Returns for how many sites."""
    week = local_day(at).isocalendar()
    old = Query.objects.filter(state=Query.State.OPEN, raised_at__lt=at - timedelta(days=QUERY_DAYS))
    counted = old.order_by().values("participant__referral__site").annotate(n=Count("pk"))
    n_old = {row["participant__referral__site"]: row["n"] for row in counted}
    for site in Site.objects.filter(pk__in=n_old):
        n = n_old[site.pk]
        messages.open_task(
            key=f"queries-old:{site.code}:{week.year}-{week.week}",
            kind="queries_old",
            role=Role.COORDINATOR,
            site=site,
            referral=None,
            title="Answer old queries",
            detail=f"{n} quer{'y' if n == 1 else 'ies'} open for more than {QUERY_DAYS} days",
            link="/queries/",
            due_date=local_day(at),
            at=at,
        )
    for task in Task.objects.open().filter(kind="queries_old").exclude(site__in=n_old):
        messages.close_task(key=task.key, by=None, at=at)
    return len(n_old)


# -- duties that end


def delegation_tasks(*, at: datetime) -> int:
    """Ask the investigator of the site about each duty that ends within 7 days (R-15). Returns how many.

    On the day before its last, and on its last day where nobody was told, the person and the investigators are written
    to: a duty that ends tomorrow is known today.
    """
    today = local_day(at)
    ending = delegation.ending_by(today + timedelta(days=DUTY_DAYS), today=today)
    for line in ending:
        last = line.last_date or today
        messages.open_task(
            key=f"delegation:{line.pk}:{last}",
            kind="delegation_ends",
            role=Role.PRINCIPAL_INVESTIGATOR,
            site=line.site,
            referral=None,
            title="Renew a duty, or let it end",
            detail=f"{line}. Last day {long_date(last)}"[:200],
            link="/delegation/",
            due_date=last,
            at=at,
        )
        if last <= today + timedelta(days=1):
            _warn_of_ending(line, last, at)
    return len(ending)


def _warn_of_ending(line: Delegation, last: date, at: datetime) -> None:
    """Write to whoever has the duty and to the investigators of the site, once for each last day."""
    told = holders((Role.PRINCIPAL_INVESTIGATOR,), local_day(at), line.site) - {line.user}
    what = f"“{line.get_duty_display()}” at {line.site}"
    for user, body in (
        (
            line.user,
            f"Your duty {what} ends after {long_date(last)}. Until it is renewed, the step stays closed to you.",
        ),
        *(
            (user, f"The duty {what} of {line.user} ends after {long_date(last)}. Renew it, or let it end.")
            for user in told
        ),
    ):
        messages.write_message(
            key=f"delegation-ends:{line.pk}:{last}:{user.pk}",
            kind="delegation_ends",
            heading="A duty ends",
            body=f"{body}\n\nSign in and open the delegation log.\n",
            at=at,
            to_user=user,
        )


# -- consent to a later version


def reconsent_tasks(*, at: datetime) -> int:
    """Ask for consent again where a version that needs it is in use (BR-17). Returns for how many people.

    Due on the first day of the next visit's window.
    """
    today = local_day(at)
    uses = (
        DocumentUse.objects.on(today)
        .filter(
            document__kind=DocumentVersion.Kind.CONSENT,
            document__requires_reconsent=True,
            document__approved_date__lte=today,
        )
        .select_related("document")
    )
    wanted = {_reconsent_task(consent, use.document, at) for use in uses for consent in _signed_earlier(use)}
    for key in Task.objects.open().filter(kind="reconsent").values_list("key", flat=True):
        if key not in wanted:
            messages.close_task(key=key, by=None, at=at)
    return len(wanted)


def _signed_earlier(use: DocumentUse) -> list[Consent]:
    """Valid consents of people still in the trial, on an earlier version than the one in use."""
    active = (Status.CONSENTED, Status.ELIGIBLE, Status.BASELINE_DONE, *IN_TRIAL)
    consents = Consent.objects.filter(
        state=Consent.State.VALID,
        form__document_date__lt=use.document.document_date,
        participant__referral__site=use.site_id,
        participant__referral__status__in=active,
    )
    return list(consents.select_related("participant__referral__site").prefetch_related("participant__visits"))


def _reconsent_task(consent: Consent, document: DocumentVersion, at: datetime) -> str:
    participant, today = consent.participant, local_day(at)
    coming = [visit for visit in participant.visits.all() if visit.closes_date is None or visit.closes_date >= today]
    due = max(today, min((visit.opens_date for visit in coming), default=today))
    key = f"reconsent:{participant.pk}:{document.pk}"
    messages.open_task(
        key=key,
        kind="reconsent",
        role=Role.COORDINATOR,
        site=participant.site,
        referral=participant.referral,
        title=f"Ask for consent to version {document.version}",
        detail="A version that asks for it is in use. Due at the next visit",
        link=f"/people/{participant.study_id}/consent/",
        due_date=due,
        at=at,
    )
    return key
