"""Absences without contact in a row lead to a call the same day (BR-44)."""

from datetime import datetime

from trial.access.models import User
from trial.access.policy import Role
from trial.activities.models import Session
from trial.attendance import rules
from trial.attendance.models import Mark
from trial.base.words import day_and_month, local_day
from trial.messages import actions as messages
from trial.messages.models import Task
from trial.participation.models import Element
from trial.participation.rules import takes_part

KIND = "welfare_call"


def review(new: Mark, n_absences: int) -> None:
    """After a mark: open the coordinator's task when enough absences follow each other, close one that lost its ground.

    Args:
        new: the mark that was just stored.
        n_absences: how many in a row make a call, by the protocol.
    """
    held = _marks_in_order(new)
    rows = rules.absences_in_a_row([mark.status for mark in held])
    reached = {_key(mark): (mark, row) for mark, row in zip(held, rows, strict=True) if row >= n_absences}
    waiting = Task.objects.open().filter(kind=KIND, referral=new.participant.referral)
    for task in waiting:
        if task.key not in reached:  # the mark was corrected; nobody did anything yet
            messages.close_task(key=task.key, by=None, at=new.received_at)
    wanted = reached.get(_key(new)) or _later(reached, new)
    if wanted and not waiting.all().exists() and _may_be_rung(new):
        last, row = wanted
        absent = held[: held.index(last) + 1][-row:]
        _open(last, absent, new.marked_by, new.received_at)


def _marks_in_order(new: Mark) -> list[Mark]:
    """The person's current marks, by session; cancelled sessions and other groups' do not count."""
    marks = Mark.objects.current().filter(participant=new.participant).exclude(status=Mark.Status.OTHER_ARM)
    held = marks.exclude(session__status=Session.Status.CANCELLED).select_related("session__group__site")
    return list(held.order_by("session__starts_at", "session_id"))


def _later(reached: dict[str, tuple[Mark, int]], new: Mark) -> tuple[Mark, int] | None:
    """A row that a register entered late has completed."""
    later = [found for found in reached.values() if found[0].session.starts_at > new.session.starts_at]
    return later[0] if later and new.status == Mark.Status.ABSENT else None


def _key(mark: Mark) -> str:
    return f"welfare/{mark.participant_id}/{mark.session_id}"


def _may_be_rung(new: Mark) -> bool:
    changes = new.participant.participation_changes.all()
    return takes_part(changes, Element.CONTACT, local_day(new.received_at))


def _open(last: Mark, absent: list[Mark], by: User, at: datetime) -> None:
    days = [day_and_month(mark.session.starts_at) for mark in absent]
    listed = " and ".join(filter(None, [", ".join(days[:-1]), days[-1]]))
    detail = f"Absent without contact on {listed}. Welfare call"
    stored = Task.objects.filter(key=_key(last)).first()
    if stored is not None and stored.done_at is not None and stored.done_by_id is None:
        messages.reopen_task(key=stored.key, detail=detail, due_date=local_day(at), at=at, by=by)
        return
    messages.open_task(
        key=_key(last),
        kind=KIND,
        role=Role.COORDINATOR,
        site=last.session.group.site,
        referral=last.participant.referral,
        title=f"Ring about {len(days)} missed session{'s' if len(days) > 1 else ''}",
        detail=detail[:200],
        link=f"/people/{last.participant.study_id}/contact/",
        due_date=local_day(at),
        reveals_arm=True,
        at=at,
        by=by,
    )
