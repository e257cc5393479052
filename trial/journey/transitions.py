"""The transitions of the journey, T01 to T18, as one table (domain.md section 3).

Actions, triggers, tests and the drawing in docs/journey.md all read it. Any pair that is not listed is refused.
"""

from dataclasses import dataclass

from trial.access.policy import Action
from trial.participants.models import AFTER_RANDOMISATION, RE_REFERRABLE, Status

S = Status


@dataclass(frozen=True)
class Transition:
    """One row of the table.

    Attributes:
        number: T01 to T18.
        sources: statuses it leaves; empty for a new record.
        target: the status it reaches.
        guard: what must hold, in words; trial.journey.guards checks it.
        action: the permission of the person who makes it; None where the system does.
    """

    number: str
    sources: tuple[S, ...]
    target: S
    guard: str
    action: Action | None


TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        "T01",
        (),
        S.REFERRED,
        "source, site, received date and basis for contact are recorded; the duplicate check has run",
        Action.ADD_REFERRAL,
    ),
    Transition("T02", (S.REFERRED,), S.CONTACTED, "a two-way contact is recorded", Action.RECORD_CONTACT),
    Transition(
        "T03",
        (S.REFERRED, S.CONTACTED, S.INFORMED),
        S.NOT_CONTACTABLE,
        "enough attempts on enough days by enough channels (protocol)",
        Action.CLOSE_REFERRAL,
    ),
    Transition(
        "T04",
        (S.CONTACTED,),
        S.INFORMED,
        "an information sheet approved and current at the site that day was given",
        Action.RECORD_CONTACT,
    ),
    Transition(
        "T05",
        (S.REFERRED, S.CONTACTED, S.INFORMED),
        S.PRESCREEN_INELIGIBLE,
        "at least one criterion coded from the referral",
        Action.CLOSE_REFERRAL,
    ),
    Transition("T06", (S.CONTACTED, S.INFORMED), S.DECLINED, "a reason code", Action.CLOSE_REFERRAL),
    Transition("T07", (S.INFORMED,), S.CONSENTED, "a valid consent (BR-10 to BR-16)", Action.RECORD_CONSENT),
    Transition(
        "T08",
        (S.CONSENTED,),
        S.SCREEN_FAILED,
        "every criterion answered, at least one failed",
        Action.ASSESS_ELIGIBILITY,
    ),
    Transition(
        "T09",
        (S.CONSENTED,),
        S.ELIGIBLE,
        "every criterion met and signed by a delegated investigator",
        Action.SIGN_ELIGIBILITY,
    ),
    Transition("T10", (S.ELIGIBLE,), S.BASELINE_DONE, "every mandatory baseline form complete, in its window", None),
    Transition(
        "T11",
        (S.CONSENTED, S.ELIGIBLE, S.BASELINE_DONE),
        S.WITHDRAWN_BEFORE_RANDOMISATION,
        "a reason code",
        Action.CHANGE_PARTICIPATION,
    ),
    Transition("T12", (S.BASELINE_DONE,), S.RANDOMISED, "an allocation (BR-20 to BR-24)", Action.RANDOMISE),
    Transition(
        "T13", (S.RANDOMISED,), S.IN_ACTIVITY, "in a group of the allocated arm whose first session has come", None
    ),
    Transition(
        "T14",
        (S.RANDOMISED, S.IN_ACTIVITY),
        S.FOLLOW_UP,
        "the activity period is over, or the activity was stopped",
        Action.CHANGE_PARTICIPATION,
    ),
    Transition(
        "T15",
        (S.FOLLOW_UP,),
        S.COMPLETED,
        "the last visit is done or its window closed, and questionnaires were not stopped",
        None,
    ),
    Transition(
        "T16",
        (S.RANDOMISED, S.IN_ACTIVITY, S.FOLLOW_UP),
        S.ENDED_EARLY,
        "activity and all data collection stopped, or death, or loss of capacity",
        Action.CHANGE_PARTICIPATION,
    ),
)

RE_REFERRED = "T17"
REVERSED = "T18"
TERMINAL = RE_REFERRABLE | {S.COMPLETED, S.ENDED_EARLY}


def between(source: S, target: S) -> Transition | None:
    """The transition from one status to another, or None when the pair is refused."""
    return next((t for t in TRANSITIONS if source in t.sources and t.target == target), None)


def reversible(source: S, target: S) -> bool:
    """Whether T18 may take `target` back to `source`: any transition before randomisation."""
    return target not in AFTER_RANDOMISATION and between(source, target) is not None


def trigger_guards() -> tuple[tuple[str, str, str, str], ...]:
    """The same table for the database: a status changes only along it, or back by T18."""
    forward = {f"{s}>{t.target}" for t in TRANSITIONS for s in t.sources}
    back = {f"{t.target}>{s}" for t in TRANSITIONS for s in t.sources if reversible(s, t.target)}
    pairs = ", ".join(f"'{pair}'" for pair in sorted(forward | back))
    moved = "NEW.status IS DISTINCT FROM OLD.status"
    return (
        (
            "journey",
            "UPDATE",
            f"{moved} AND OLD.status || '>' || NEW.status NOT IN ({pairs})",
            "This change of status is not in the table of transitions",
        ),
        ("first_status", "INSERT", "NEW.status IS DISTINCT FROM 'REFERRED'", "A referral starts as REFERRED"),
        (
            "screening_number",
            "UPDATE",
            "NEW.screening_number IS DISTINCT FROM OLD.screening_number"
            " OR NEW.person_id IS DISTINCT FROM OLD.person_id",
            "A screening number never changes",
        ),
    )
