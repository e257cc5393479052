"""What outcome assessors believe, asked at the end and read at the end; and whose outcomes carry a flag (BR-27)."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.views.decorators.debug import sensitive_variables

from randomisation.errors import SealError
from randomisation.models import ENDED, Allocation, Scheme
from randomisation.sealing import arm_context, unwrap
from trial.access.models import Site, User
from trial.access.policy import Action, Role
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import BlindingEvent, BlindingGuess
from trial.allocation.reads import allocation_of
from trial.assessments.models import Administration
from trial.base.parts import Fact
from trial.base.words import local_day
from trial.messages import actions as messages
from trial.messages.models import Task
from trial.participants.models import Participant
from trial.protocol.spec import Arm
from trial.schedule.models import Visit

UNKNOWN = 255
"""Stands for “I do not know” inside the token, where an arm has its number."""
_PURPOSE = "guess"
FLAG = "The assessor had learned the allocation before this interview"
KIND = "guess"
"""The kind of the task that asks."""


@sensitive_variables()
def record_guess(
    *,
    participant: Participant,
    arm_number: int | None,
    certainty: int,
    basis: str,
    visit: str,
    by: User,
    at: datetime,
) -> BlindingGuess:
    """Keep what an assessor believes, sealed: nobody reads it before the end (RECORD_GUESS).

    Who was told or saw something is blinded no longer for this participant; that is recorded with it.

    Args:
        arm_number: position in the protocol's list of arms; None for “I do not know”.
        certainty: from 1, not sure at all, to 5, certain.
        visit: code of the visit it was asked at; empty if at none.

    Raises:
        AllocationRefused: not randomised, or said already at this visit.
        SealError: no usable key.
    """
    made = allocation_of(participant)
    if made is None:
        raise AllocationRefused("This person has not been randomised.")
    if BlindingGuess.objects.filter(participant=participant, assessor=by, visit=visit).exists():
        raise AllocationRefused("You have said so at this visit already. It is kept as you said it first.")
    guess = BlindingGuess(
        participant=participant,
        assessor=by,
        visit=visit,
        guess_sealed=_seal(made, by, visit, UNKNOWN if arm_number is None else arm_number),
        certainty=certainty,
        basis=basis,
        guessed_at=at,
    ).save_by(by)
    _note_exposure(guess, arm_number, by, at)
    messages.close_task(key=_task_key(participant), by=by, at=at)
    return guess


def _note_exposure(guess: BlindingGuess, arm_number: int | None, by: User, at: datetime) -> None:
    if arm_number is None or guess.basis == BlindingGuess.Basis.HUNCH:
        return
    BlindingEvent(
        participant=guess.participant,
        person=by,
        kind=BlindingEvent.Kind.ACCIDENTAL,
        route=guess.get_basis_display(),
        happened_date=local_day(at),
        recorded_at=at,
    ).save_by(by)


def _seal(made: Allocation, by: User, visit: str, number: int) -> str:
    return unwrap(made.revision.data_key_wrapped).seal_arm(number, _place(made, by.pk, visit))


def _place(made: Allocation, assessor_id: int, visit: str) -> str:
    """Where the token belongs: it opens for this person, assessor and visit only."""
    return arm_context(
        scheme=made.scheme.code,
        revision=made.revision.number,
        purpose=_PURPOSE,
        key=f"{made.unit}|{visit}",
        position=assessor_id,
    )


@dataclass(frozen=True, slots=True)
class OpenedGuess:
    """One belief in the clear, for the report at the end. Its repr is constant.

    Attributes:
        arm: what was believed; None for “I do not know”.
    """

    participant: Participant
    assessor: User
    arm: Arm | None
    certainty: int
    basis: str

    def __repr__(self) -> str:
        return "<OpenedGuess>"


@sensitive_variables()
def opened_guesses(*, scheme: Scheme, by: User) -> list[OpenedGuess]:
    """Every belief about people of a scheme, once recruitment is closed.

    Raises:
        AllocationRefused: the scheme is not closed, or this person may not see the balance.
        SealError: no usable key, or a token was altered.
    """
    if not by.access.may(Action.VIEW_BALANCE):
        raise AllocationRefused("Your role does not let you read what assessors believe.")
    if scheme.state not in ENDED:
        raise AllocationRefused("What assessors believe is read once randomisation is closed.")
    found = BlindingGuess.objects.select_related("participant__referral__protocol_version", "assessor")
    return [one for guess in found if (one := _opened(guess, scheme))]


def _opened(guess: BlindingGuess, scheme: Scheme) -> OpenedGuess | None:
    made = allocation_of(guess.participant)
    if made is None or made.scheme_id != scheme.pk:
        return None
    seal = unwrap(made.revision.data_key_wrapped)
    number = seal.open_arm(guess.guess_sealed, _place(made, guess.assessor_id, guess.visit))
    arms = guess.participant.referral.protocol_version.spec.arms
    if number != UNKNOWN and number >= len(arms):
        raise SealError("E_SEAL_CONTEXT", "A sealed value failed its check. Tell the trial manager.")
    arm = None if number == UNKNOWN else arms[number]
    return OpenedGuess(guess.participant, guess.assessor, arm, guess.certainty, guess.basis)


# -- whose outcomes carry a flag


def was_unblinded(*, assessor: User, participant: Participant, on: date) -> bool:
    """Whether an assessor had learned, or may have learned, this participant's arm by a day, that day included."""
    return BlindingEvent.objects.filter(participant=participant, person=assessor, happened_date__lte=on).exists()


def exposed() -> Exists:
    """A condition on forms: their assessor had learned, or may have learned, the arm by the day of the answers."""
    return Exists(
        BlindingEvent.objects.filter(
            participant=OuterRef("participant"),
            person=OuterRef("assessor"),
            happened_date__lte=OuterRef("completed_date"),
        )
    )


def unblinded_outcomes() -> QuerySet[Administration]:
    """Forms of outcome assessors that were answered on or after the day they were exposed (BR-27)."""
    return Administration.objects.filter(exposed()).select_related("participant", "visit", "assessor")


def unblinded_outcomes_for(user: User, *actions: Action) -> QuerySet[Administration]:
    """The same at the sites where this person may do one of these, by study number."""
    sites = [user.access.site_ids(action) for action in actions]
    found = unblinded_outcomes().order_by("participant__study_id", "visit__number", "instrument")
    if None in sites:
        return found
    return found.filter(participant__referral__site__in={pk for ids in sites if ids is not None for pk in ids})


def facts(form: Administration, user: User) -> list[Fact]:
    """That a form carries the flag, for people who are not blinded and for whoever looks after the data."""
    may_know = not user.access.blinded or user.access.may(Action.VIEW_DATA, form.participant.site)
    if not may_know or form.assessor_id is None or not unblinded_outcomes().filter(pk=form.pk).exists():
        return []
    return [Fact("Blinding", FLAG)]


# -- asked at the last visit


def _task_key(participant: Participant) -> str:
    return f"guess:{participant.pk}"


def open_tasks(*, at: datetime) -> int:
    """Ask the assessors of a site at each participant's last visit what they believe; returns how many were asked."""
    today = local_day(at)
    sites = Site.objects.filter(assignments__role=Role.OUTCOME_ASSESSOR).distinct()
    last = Visit.objects.filter(participant=OuterRef("participant")).order_by("-number").values("pk")[:1]
    visits = Visit.objects.open_on(today).filter(
        pk__in=last, participant__randomised_date__isnull=False, participant__referral__site__in=sites
    )
    asked = set(Task.objects.filter(kind=KIND).values_list("key", flat=True))
    due = [
        one for one in visits.select_related("participant__referral__site") if _task_key(one.participant) not in asked
    ]
    for visit in due:
        _ask(visit, at)
    return len(due)


def _ask(visit: Visit, at: datetime) -> None:
    participant = visit.participant
    messages.open_task(
        key=_task_key(participant),
        kind=KIND,
        role=Role.OUTCOME_ASSESSOR,
        site=participant.site,
        referral=participant.referral,
        title="Say what you believe about the group",
        detail="Asked once at the last visit. Nobody reads it before the end",
        link=f"/people/{participant.study_id}/guess/?visit={visit.code}",
        due_date=visit.closes_date or visit.opens_date,
        at=at,
    )
