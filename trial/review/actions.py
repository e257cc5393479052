"""Queries raised, answered and closed; participants signed off (ux.md 4.4, BR-64)."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from trial.access.models import User
from trial.access.policy import Action, Role
from trial.access.signing import Proof, is_stale, sign
from trial.assessments.models import Administration
from trial.base.errors import TrialError
from trial.base.models import role_of
from trial.base.words import local_day
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.participants import identity
from trial.participants.models import Participant
from trial.protocol.working_time import add_working_days
from trial.review import rules
from trial.review.models import Query, QueryMessage, SignOff

ANSWER_WITHIN_WORKING_DAYS = 5
TASK_DETAIL = "Read the question beside the stored value"
"""The question itself stays sealed with the query."""


class QueryRefused(TrialError):
    """The query is not in the state that this needs, or has no text."""


class SignOffRefused(TrialError):
    """A participant's data cannot be signed by this person."""


@transaction.atomic
def raise_query(
    *,
    participant: Participant,
    text: str,
    by: User | None,
    at: datetime,
    administration: Administration | None = None,
    field: str = "",
    rule: str = "",
    value_asked: str = "",
) -> Query:
    """Ask a question about a stored value. A rule never asks twice about the same value.

    Args:
        by: None when a rule asks.

    Raises:
        QueryRefused: there is no text.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    if not text.strip():
        raise QueryRefused("Write the question.")
    same = Query.objects.filter(
        participant=participant, administration=administration, field=field, rule=rule, value_asked=value_asked
    )
    if rule and (asked := same.first()):
        return asked
    try:
        with transaction.atomic():
            query = Query(
                participant=participant,
                administration=administration,
                field=field,
                rule=rule,
                value_asked=value_asked,
                raised_at=at,
                raised_by=by,
            ).save_by(by)
    except IntegrityError:
        return same.get()
    _say(query, text, Query.State.OPEN, by, at)
    _open_task(query, at, by)
    return query


def _open_task(query: Query, at: datetime, by: User | None) -> None:
    referral = query.participant.referral
    messages.open_task(
        key=f"query:{query.pk}",
        kind="query",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title="Answer a query",
        detail=TASK_DETAIL,
        link=f"/queries/{query.pk}/",
        due_date=add_working_days(referral.protocol_version.spec, local_day(at), ANSWER_WITHIN_WORKING_DAYS),
        at=at,
        by=by,
    )


def _say(query: Query, text: str, state: Query.State, by: User | None, at: datetime) -> None:
    sealed = identity.seal_text(query.participant.referral.person, text)
    QueryMessage(query=query, by=by, role=role_of(by), at=at, text_sealed=sealed, new_state=state).save()


def _move(query: Query, *, sources: Iterable[str], target: Query.State, text: str, by: User, at: datetime) -> Query:
    require_unlocked()
    query = Query.objects.select_for_update().get(pk=query.pk)
    if query.state not in sources:
        raise QueryRefused(f"This query is {query.get_state_display().lower()} already. Check the thread.")
    if not text.strip():
        raise QueryRefused("Write what you found or decided.")
    query.state = target
    query.closed_at = at if target == Query.State.CLOSED else None
    query.save_by(by, target.label)
    _say(query, text, target, by, at)
    return query


@transaction.atomic
def answer(*, query: Query, text: str, by: User, at: datetime) -> Query:
    """Answer an open query. A changed value is a correction of its form, with its own reason.

    Raises:
        QueryRefused: it is not open, or there is no text.
    """
    moved = _move(query, sources=[Query.State.OPEN], target=Query.State.ANSWERED, text=text, by=by, at=at)
    messages.close_task(key=f"query:{query.pk}", by=by, at=at)
    return moved


@transaction.atomic
def close(*, query: Query, text: str, by: User, at: datetime) -> Query:
    """Close a query that is answered, or open.

    Raises:
        QueryRefused: it is closed already, or there is no text.
    """
    states = [Query.State.OPEN, Query.State.ANSWERED]
    moved = _move(query, sources=states, target=Query.State.CLOSED, text=text, by=by, at=at)
    messages.close_task(key=f"query:{query.pk}", by=by, at=at)
    return moved


@transaction.atomic
def reopen(*, query: Query, text: str, by: User, at: datetime) -> Query:
    """Open an answered or closed query again.

    Raises:
        QueryRefused: it is open already, or there is no text.
    """
    states = [Query.State.ANSWERED, Query.State.CLOSED]
    moved = _move(query, sources=states, target=Query.State.OPEN, text=text, by=by, at=at)
    referral = moved.participant.referral
    due = add_working_days(referral.protocol_version.spec, local_day(at), ANSWER_WITHIN_WORKING_DAYS)
    messages.reopen_task(key=f"query:{query.pk}", detail=TASK_DETAIL, due_date=due, at=at, by=by)
    return moved


def signed_data(participant: Participant) -> list[dict[str, object]]:
    """What a sign-off of this participant covers, as it is now."""
    forms = Administration.objects.filter(participant=participant).select_related("visit")
    return rules.signed_content((form.visit.code, form) for form in forms)


@transaction.atomic
def sign_off(*, participant: Participant, proof: Proof, by: User, at: datetime) -> SignOff:
    """Endorse a participant's data (BR-64, R-21). A later change makes the signature stale.

    Raises:
        SignOffRefused: open queries, or the person may not sign at this site, or entered these data.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    if not by.access.may(Action.SIGN_OFF, participant.site):
        raise SignOffRefused("Your role does not let you sign off data here.")
    if participant.queries.exclude(state=Query.State.CLOSED).exists():
        raise SignOffRefused("Close the open queries of this participant first.")
    if participant.administrations.filter(entered_by=by).exists():
        raise SignOffRefused("You entered some of these data, so somebody else must sign them off.")
    existing = SignOff.objects.select_for_update().filter(participant=participant).first()
    row = existing or SignOff(participant=participant)
    row.signature = sign(
        proof=proof,
        by=by,
        meaning="I have reviewed these data.",
        record=participant,
        content=signed_data(participant),
        at=at,
    )
    return row.save_by(by, "Signed off")


def is_signed_off(participant: Participant) -> bool:
    """Whether a sign-off exists and still covers the data as they are."""
    row = SignOff.objects.filter(participant=participant).select_related("signature").first()
    return row is not None and not is_stale(row.signature, participant, signed_data(participant))
