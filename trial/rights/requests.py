"""Requests of people about their data: recorded, answered in time, decided with a reason (R-35)."""

from datetime import date, datetime

from django.db import transaction
from django.http import Http404

from trial.access.models import User
from trial.access.policy import Action, Role
from trial.base.errors import ReasonMissing, TrialError
from trial.base.words import local_day, long_date
from trial.messages import actions as messages
from trial.messages.models import OutboxMessage
from trial.participants import disposal, identity
from trial.participants.models import Disposal, Referral
from trial.rights import rules
from trial.rights.models import STOPPING, SubjectRequest


class RequestRefused(TrialError):
    """The request was decided already, or cannot be changed like this."""


def request_for(user: User, pk: int) -> SubjectRequest:
    """One request about somebody of the user's sites.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    found = SubjectRequest.objects.visible_to(user).select_related("referral__site", "referral__person", "decided_by")
    row = found.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@transaction.atomic
def record(
    *, referral: Referral, kind: str, received_date: date, identity_check: str, asked: str, by: User, at: datetime
) -> SubjectRequest:
    """Store what a person asks, with the day on which an answer is due.

    A restriction or an objection stops processing from this moment: waiting messages are cancelled.

    Raises:
        RequestRefused: it came before the person was referred, or in the future.
    """
    if not referral.received_date <= received_date <= local_day(at):
        raise RequestRefused("The day it came must be on or after the referral and not in the future.")
    same = SubjectRequest.objects.undecided().filter(referral=referral, kind=kind, received_date=received_date).first()
    if same is not None:
        return same
    made = SubjectRequest(
        referral=referral,
        kind=kind,
        received_date=received_date,
        identity_check=identity_check,
        asked_sealed=identity.seal_text(referral.person, asked),
        due_date=rules.due_date(received_date),
        recorded_at=at,
        recorded_by=by,
    ).save_by(by)
    if kind in STOPPING:
        messages.stop_messages(referral=referral, at=at, by=by)
    _open_task(made, at, by)
    return made


def _key(request: SubjectRequest) -> str:
    return f"data-request:{request.pk}:{request.due_date}"


def _open_task(request: SubjectRequest, at: datetime, by: User) -> None:
    messages.open_task(
        key=_key(request),
        kind="data_request",
        role=Role.PRINCIPAL_INVESTIGATOR,
        site=request.referral.site,
        referral=request.referral,
        title="Decide a request about data",
        detail=f"{request.number}, {request.get_kind_display().lower()}. Due by {long_date(request.due_date)}",
        link=f"/data-requests/{request.pk}/",
        due_date=request.due_date,
        at=at,
        by=by,
    )


def _open(request: SubjectRequest) -> SubjectRequest:
    """The request, locked, while it is not decided."""
    request = SubjectRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if request.decision:
        raise RequestRefused("This request was decided already.")
    return request


@transaction.atomic
def extend(*, request: SubjectRequest, reason: str, by: User, at: datetime) -> SubjectRequest:
    """Give the answer two further months, once, with the reason that the person is told (article 12(3)).

    Raises:
        RequestRefused: it was decided or extended already, or the month is over.
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing
    request = _open(request)
    if request.extended_at is not None:
        raise RequestRefused("This request was extended already. It cannot be extended again.")
    if local_day(at) > request.due_date:
        raise RequestRefused("The month is over. Decide the request now.")
    messages.close_task(key=_key(request), by=by, at=at)
    request.due_date = rules.due_date(request.received_date, is_extended=True)
    request.extended_at = at
    request.extension_sealed = identity.seal_text(request.referral.person, reason)
    request.save_by(by, "Extended by two months")
    _open_task(request, at, by)
    return request


@transaction.atomic
def decide(
    *, request: SubjectRequest, decision: str, reason: str, told_date: date | None, by: User, at: datetime
) -> SubjectRequest:
    """Decide a request, with the reason (BR-61). Granting erasure asks for the disposal, which another must agree.

    Raises:
        RequestRefused: it was decided already, somebody may not, or the person was told before it came or in future.
        ReasonMissing: nobody said why.
    """
    if not reason.strip():
        raise ReasonMissing
    request = _open(request)
    if not by.access.may(Action.DECIDE_REQUEST, request.referral.site):
        raise RequestRefused("Your role does not let you decide this.")
    if told_date and not request.received_date <= told_date <= local_day(at):
        raise RequestRefused("The day the person was told must be on or after the day it came, and not in the future.")
    request.decision, request.told_date = decision, told_date
    request.decision_sealed = identity.seal_text(request.referral.person, reason)
    request.decided_by, request.decided_at = by, at
    request.save_by(by, f"Decided: {request.get_decision_display()}")
    messages.close_task(key=_key(request), by=by, at=at)
    is_erasure = request.kind == SubjectRequest.Kind.ERASURE
    if is_erasure and decision == SubjectRequest.Decision.GRANTED and not request.referral.person.is_disposed:
        disposal.ask(
            referral=request.referral,
            why=Disposal.Why.ERASURE,
            reason=f"Request {request.number} was granted",
            by=by,
            at=at,
        )
    return request


@transaction.atomic
def lift(*, request: SubjectRequest, by: User, at: datetime) -> SubjectRequest:
    """Let processing go on: the restriction or objection is over. The person is told before (article 18(3)).

    Raises:
        RequestRefused: it stops nothing, was lifted already, or is not decided.
    """
    request = SubjectRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if request.kind not in STOPPING or request.lifted_at is not None or not request.decision:
        raise RequestRefused("There is no restriction to lift.")
    request.lifted_at, request.lifted_by = at, by
    return request.save_by(by, "Restriction lifted")


def is_restricted(referral: Referral) -> bool:
    """Whether nothing may be done with this person's data now but keep them (articles 18 and 21)."""
    return SubjectRequest.objects.stopping().filter(referral__person=referral.person_id).exists()


def may_still_go(message: OutboxMessage) -> bool:
    """Nothing about a restricted person goes to the person or anybody outside; registered in trial.wiring."""
    if message.referral is None or message.to_user is not None:
        return True
    return not is_restricted(message.referral)


def restricted_participants(using: str = "default") -> set[int]:
    """Primary keys of participants whom new cuts and releases leave out (articles 18 and 21)."""
    people = list(SubjectRequest.objects.using(using).stopping().values_list("referral__person", flat=True))
    found = Referral.objects.using(using).filter(person__in=people, participant__isnull=False)
    return set(found.values_list("participant", flat=True))


def restricted_since(at: datetime) -> bool:
    """Whether somebody's processing was stopped after a moment and still is: data read before it hold that person."""
    return SubjectRequest.objects.stopping().filter(recorded_at__gt=at, referral__participant__isnull=False).exists()


def overdue_tasks(*, at: datetime) -> int:
    """For the scheduled job: tell the trial managers of every request that nobody decided in time. Returns how many."""
    late = SubjectRequest.objects.overdue(local_day(at)).select_related("referral__site")
    for request in late:
        messages.open_task(
            key=f"data-request-late:{request.pk}:{request.due_date}",
            kind="data_request",
            role=Role.TRIAL_MANAGER,
            site=None,
            referral=request.referral,
            title="A request about data is overdue",
            detail=f"{request.number}, {request.get_kind_display().lower()}. Was due on {long_date(request.due_date)}",
            link=f"/data-requests/{request.pk}/",
            due_date=request.due_date,
            is_urgent=True,
            at=at,
        )
    return len(late)
