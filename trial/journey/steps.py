"""The steps of one person's journey: each calls a feature's action and moves the status with it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial

from django.db import transaction

from trial.access.models import User
from trial.access.policy import Role
from trial.access.signing import Proof
from trial.allocation import actions as allocation
from trial.allocation import notices
from trial.allocation.actions import Allocation, AllocationOutcome
from trial.assessments.models import Administration
from trial.base.words import local_day, long_date
from trial.consent import actions as consents
from trial.consent import consultee
from trial.consent.models import Consent, DocumentVersion, InformationGiven
from trial.journey import ending
from trial.journey.actions import OPEN_AFTER_LOCK, close, missing_for, move
from trial.journey.transitions import between
from trial.locking.rules import current_lock
from trial.messages import actions as messages
from trial.participants.models import AFTER_RANDOMISATION, Participant, Referral, Status
from trial.participation import actions as participation
from trial.participation import rules as participation_rules
from trial.participation.models import ParticipationChange
from trial.protocol import rules as protocol_rules
from trial.protocol.working_time import add_working_days
from trial.schedule import actions as schedule
from trial.screening import actions as screening
from trial.screening.models import ContactAttempt, Eligibility

AFTER_CONSENT = AFTER_RANDOMISATION | {Status.CONSENTED, Status.ELIGIBLE, Status.BASELINE_DONE}
"""Who is in one of these consents again, to a newer version."""


@transaction.atomic
def contact(
    *,
    referral: Referral,
    contacted_at: datetime,
    channel: str,
    outcome: str,
    by: User,
    at: datetime,
    duration_min: int | None = None,
    note: str = "",
    parties: str = ContactAttempt.Parties.TEAM_PERSON,
    next_step: str = "",
    next_date: date | None = None,
) -> ContactAttempt:
    """Record a contact; the first of the team with the person in both directions makes the status CONTACTED (T02)."""
    attempt = screening.record_contact(
        referral=referral,
        contacted_at=contacted_at,
        channel=channel,
        outcome=outcome,
        by=by,
        at=at,
        duration_min=duration_min,
        note=note,
        parties=parties,
        next_step=next_step,
        next_date=next_date,
    )
    _ask_for_next(attempt, by, at)
    if parties != ContactAttempt.Parties.TEAM_PERSON:
        return attempt
    if outcome == ContactAttempt.Outcome.TWO_WAY:
        messages.close_tasks_of(referral=referral, by=by, at=at, kinds=("welcome_call", "welfare_call"))
    if outcome == ContactAttempt.Outcome.TWO_WAY and referral.status == Status.REFERRED:
        move(referral=referral, target=Status.CONTACTED, by=by, at=at, effective_date=local_day(contacted_at))
        messages.close_task(key=f"first-contact:{referral.pk}", by=by, at=at)
    if referral.information_given.exists():
        _informed(referral, by, at)
    return attempt


def _ask_for_next(attempt: ContactAttempt, by: User, at: datetime) -> None:
    """What comes next is a task for its day; it takes the place of what an earlier contact said."""
    referral = attempt.referral
    messages.close_tasks_of(referral=referral, by=by, at=at, kinds=("next_contact",))
    if attempt.next_date is None:
        return
    messages.open_task(
        key=f"next-contact:{attempt.pk}",
        kind="next_contact",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title=attempt.get_next_step_display(),
        detail=f"Agreed on {long_date(local_day(attempt.at))}",
        link=f"/people/{referral.number}/contact/",
        due_date=attempt.next_date,
        at=at,
        by=by,
    )


@transaction.atomic
def inform(
    *, referral: Referral, document: DocumentVersion, given_at: datetime, how: str, by: User, at: datetime
) -> InformationGiven:
    """Record that an information sheet was given; the first makes the status INFORMED (T04)."""
    given = consents.give_information(referral=referral, document=document, given_at=given_at, how=how, by=by, at=at)
    _informed(referral, by, at)
    return given


def _informed(referral: Referral, by: User, at: datetime) -> None:
    """INFORMED follows once there was a contact and a sheet, in whichever order they came."""
    current = Referral.objects.get(pk=referral.pk)
    if current.status == Status.CONTACTED:
        given = current.information_given.latest("given_at")
        day = max(local_day(given.given_at), current.status_date)
        move(referral=current, target=Status.INFORMED, by=by, at=at, effective_date=day)


@transaction.atomic
def consent(
    *,
    referral: Referral,
    form: DocumentVersion,
    information: InformationGiven,
    data: consents.ConsentData,
    by: User,
    at: datetime,
) -> Consent:
    """Record consent; the first one gives the study number and the first visits (T07).

    Raises:
        MoveRefused: nobody has been in contact yet, or the referral is closed.
    """
    is_first = Referral.objects.get(pk=referral.pk).status not in AFTER_CONSENT
    given = consents.record_consent(referral=referral, form=form, information=information, data=data, by=by, at=at)
    participant = given.participant
    if is_first:
        day = local_day(data.signed_at)
        move(referral=referral, target=Status.CONSENTED, by=by, at=at, effective_date=day)
        version = referral.protocol_version
        schedule.create_before_randomisation(participant=participant, version=version, by=by, on=day)
    messages.close_task(key=f"reconsent:{participant.pk}:{form.pk}", by=by, at=at)
    return given


@transaction.atomic
def sign_eligibility(*, eligibility: Eligibility, proof: Proof, by: User, at: datetime) -> Eligibility:
    """Sign that every criterion is met, and fix the strata (T09)."""
    signed = screening.sign_eligibility(eligibility=eligibility, proof=proof, by=by, at=at)
    move(referral=signed.participant.referral, target=Status.ELIGIBLE, by=by, at=at)
    advance_baseline(signed.participant, by, at)
    return signed


def form_saved(administration: Administration, by: User | None, at: datetime) -> None:
    """Called after every saved questionnaire (trial.wiring): the last baseline form makes T10."""
    advance_baseline(administration.participant, by, at)


def advance_baseline(participant: Participant, by: User | None, at: datetime) -> None:
    """Move to BASELINE_DONE once every required baseline form is complete."""
    referral = Referral.objects.select_related("protocol_version", "site").get(pk=participant.referral_id)
    ready = referral.status == Status.ELIGIBLE and not missing_for(referral, Status.BASELINE_DONE, on=local_day(at))
    if not ready:
        return
    move(referral=referral, target=Status.BASELINE_DONE, by=None, at=at)
    closes = local_day(at) + timedelta(days=_baseline_days(participant))
    messages.open_task(
        key=f"randomise:{participant.pk}",
        kind="randomise",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title="Randomise",
        detail=f"Baseline complete. Baseline window closes {long_date(closes)}",
        link=f"/people/{participant.study_id}/randomise/",
        due_date=min(add_working_days(referral.protocol_version.spec, local_day(at), 1), closes),
        at=at,
        by=by,
    )


def _baseline_days(participant: Participant) -> int:
    """Days for which the oldest baseline form still lies inside its window (BR-20)."""
    spec = participant.referral.protocol_version.spec
    return min(visit.days_before for visit in protocol_rules.baseline_visits(spec))


def randomise(
    *, participant: Participant, levels: Mapping[str, str], request_key: str, proof: Proof, by: User, at: datetime
) -> AllocationOutcome:
    """Allocate, and in the same transaction: status, day 0, visits, tasks (T12)."""

    return allocation.randomise(
        participant=participant,
        levels=levels,
        request_key=request_key,
        proof=proof,
        by=by,
        at=at,
        then=partial(follow, by=by, mover=by, at=at),
    )


def after_late_allocation(participant: Participant, made: Allocation, by: User, at: datetime) -> None:
    """What follows from an allocation that the database learns of later, by the protocol's own scheme (9.7, 9.15).

    The system moves the status: who enters an envelope may not randomise, and two people stand behind the entry.
    """
    if made.scheme.code == participant.referral.protocol_version.spec.randomisation.scheme:
        follow(participant, made, by=by, mover=None, at=at)


def follow(participant: Participant, made: Allocation, *, by: User, mover: User | None, at: datetime) -> None:
    """Status, visits and tasks; day 0 is the day the allocation was made, on paper too."""
    day0 = local_day(made.at)
    participant.randomised_date = day0
    participant.save_by(by, "Randomised")
    referral = participant.referral
    move(referral=referral, target=Status.RANDOMISED, by=mover, at=at, effective_date=day0)
    version = referral.protocol_version
    schedule.create_after_allocation(participant=participant, version=version, day0=day0, by=by)
    _plan_after_allocation(participant, day0, by, at)
    notices.write_allocated(participant=participant, allocation=made, by=by, at=at)


def _plan_after_allocation(participant: Participant, day0: date, by: User, at: datetime) -> None:
    """Tasks and the notice that follow an allocation. None of them names the arm."""
    referral, spec = participant.referral, participant.referral.protocol_version.spec
    messages.close_task(key=f"randomise:{participant.pk}", by=by, at=at)
    deadline = protocol_rules.first_session_deadline(spec, day0)
    for key, kind, title, detail, due in (
        (
            "group",
            "choose_group",
            "Choose a group",
            f"First session by {long_date(deadline)}",
            add_working_days(spec, day0, 1),
        ),
        (
            "welcome",
            "welcome_call",
            "Welcome call",
            f"Randomised on {long_date(day0)}",
            add_working_days(spec, day0, spec.session_plan.welcome_call_working_days),
        ),
    ):
        messages.open_task(
            key=f"{key}:{participant.pk}",
            kind=kind,
            role=Role.COORDINATOR,
            site=referral.site,
            referral=referral,
            title=title,
            detail=detail,
            link=f"/people/{participant.study_id}/{'group' if key == 'group' else 'contact'}/",
            due_date=due,
            at=at,
            by=by,
            reveals_arm=key == "group",
        )


@transaction.atomic
def change_participation(
    *,
    participant: Participant,
    effective_date: date,
    decided_by: str,
    elements: dict[str, bool],
    by: User,
    at: datetime,
    cause: str = ParticipationChange.Cause.CHOICE,
    reason_code: str = "",
    how_learned: str = "",
) -> ParticipationChange:
    """Record a participation change, and move the status where it ends the activity or the trial (T11, T14, T16)."""
    change = participation.record_change(
        participant=participant,
        effective_date=effective_date,
        decided_by=decided_by,
        elements=elements,
        cause=cause,
        reason_code=reason_code,
        how_learned=how_learned,
        by=by,
        at=at,
        today=local_day(at),
        has_consultee=consultee.may_go_on(participant, effective_date),
    )
    _leave_before_randomisation(change, by, at)
    settle(participant, by=by, at=at, on=effective_date)
    return change


def _leave_before_randomisation(change: ParticipationChange, by: User, at: datetime) -> None:
    """Who dies, loses capacity or stops all questionnaires before randomisation leaves the trial (T11)."""
    target = Status.WITHDRAWN_BEFORE_RANDOMISATION
    referral = Referral.objects.select_related("protocol_version").get(pk=change.participant.referral_id)
    changes = change.participant.participation_changes.all()
    may_go_on = change.cause == ParticipationChange.Cause.CHOICE or (
        change.cause == ParticipationChange.Cause.LOSS_OF_CAPACITY
        and consultee.may_go_on(change.participant, change.effective_date)
    )
    goes_on = may_go_on and participation_rules.collects_answers(changes, change.effective_date)
    if goes_on or between(Status(referral.status), target) is None:
        return
    means = "death" if change.cause == ParticipationChange.Cause.DEATH else "none_given"
    listed = protocol_rules.reasons(referral.protocol_version.spec, "withdrawal")
    offered = [reason.code for reason in listed if reason.code == change.reason_code]
    reasons = offered or [reason.code for reason in listed if reason.means == means]
    close(referral=referral, target=target, reasons=reasons[:1], by=by, at=at, effective_date=change.effective_date)


def settle(participant: Participant, *, by: User | None, at: datetime, on: date) -> None:
    """Make every transition whose guard holds now and that follows from facts: T13 to T16.

    While the dataset is locked only those that stay open: the others wait for an unlock (R-40).
    """
    targets = [Status.ENDED_EARLY, Status.IN_ACTIVITY, Status.FOLLOW_UP, Status.COMPLETED]
    if current_lock():
        targets = [target for target in targets if target in OPEN_AFTER_LOCK]
    for _ in range(4):
        referral = Referral.objects.select_related("protocol_version", "site").get(pk=participant.referral_id)
        reachable = (t for t in targets if not missing_for(referral, t, on=on))
        target = next(reachable, None)
        if target is None:
            return
        moved = move(referral=referral, target=target, by=by, at=at, effective_date=max(on, referral.received_date))
        if target == Status.ENDED_EARLY:
            ending.ask_for_confirmation(moved, by=by, at=at)
