"""Marks that contradict: what is said on the card, and the task for the coordinator (ux.md 4.2)."""

from trial.access.models import User
from trial.access.policy import Role
from trial.attendance.models import Mark
from trial.base.words import clock_time, day_and_month, local_day
from trial.messages import actions as messages


def in_words(current: Mark, aside: Mark, reader: User | None = None) -> str:
    """What two people marked and when, and who decides: shown on the card."""

    def said(m: Mark, who: str) -> str:
        return f"{who} marked {m.get_status_display()} at {clock_time(m.received_at)}."

    def name(m: Mark) -> str:
        return "You" if m.marked_by_id == (reader or aside.marked_by).pk else str(m.marked_by)

    return f"{said(current, name(current))} {said(aside, name(aside))} The coordinator will check."


def task_key(aside: Mark) -> str:
    """Key of the coordinator's task about a contradiction."""
    return f"register-conflict/{aside.pk}"


def ask_coordinator(aside: Mark, current: Mark) -> None:
    """One task for each person at a session, however many marks contradict."""
    session, participant = aside.session, aside.participant
    waiting = Mark.objects.undecided().filter(session=session, participant=participant).exclude(pk=aside.pk)
    if waiting.exists():
        return
    words = [f"marked {m.get_status_display()} by {m.marked_by}" for m in (current, aside)]
    messages.open_task(
        key=task_key(aside),
        kind="register_conflict",
        role=Role.COORDINATOR,
        site=session.group.site,
        referral=participant.referral,
        title="Decide between 2 register marks",
        detail=f"{local_day(session.starts_at):%A} {day_and_month(session.starts_at)}: {', '.join(words)}"[:200],
        link=f"/sessions/{session.pk}/decide/{participant.study_id}/",
        due_date=local_day(aside.received_at),
        reveals_arm=True,
        at=aside.received_at,
        by=aside.marked_by,
    )
