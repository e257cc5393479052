"""Registers that were not finished in time are asked for (BR-42)."""

from datetime import datetime

from trial.access.policy import Role
from trial.activities.models import Session
from trial.attendance import rules
from trial.base.words import local_day, long_date
from trial.messages import actions as messages
from trial.protocol.versions import version_in_force


def task_key(session: Session) -> str:
    """Key of the task about a register that was not finished in time."""
    return f"register-due/{session.pk}"


def open_tasks(*, at: datetime) -> int:
    """Open a task for each register that is overdue (BR-42); called by the tick. Returns how many are."""
    over = Session.objects.filter(status=Session.Status.PLANNED, ends_at__lt=at).select_related("group__site")
    n_due = 0
    for session in over.order_by("pk"):
        spec = version_in_force(site=session.group.site, on=local_day(session.starts_at)).spec
        if not rules.is_late(at, session.ends_at, spec.registers.due_hours):
            continue
        n_due += 1
        messages.open_task(
            key=task_key(session),
            kind="register_due",
            role=Role.COORDINATOR,
            site=session.group.site,
            referral=None,
            title="Ask for a register",
            detail=f"{session} was on {long_date(session.starts_at)}. Its register is not finished"[:200],
            link=f"/sessions/{session.pk}/",
            due_date=local_day(rules.due_at(session.ends_at, spec.registers.due_hours)),
            reveals_arm=True,
            at=at,
        )
    return n_due
