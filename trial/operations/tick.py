"""What the system does by itself, every minute. Each job may be run as often as one likes: nothing happens twice."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session

from trial.access import drafts
from trial.allocation import notices
from trial.allocation.exceptions import guesses
from trial.allocation.exceptions import notices as code_breaks
from trial.attendance import overdue
from trial.base import audit
from trial.interest import actions as interest
from trial.journey import importing
from trial.messages import sending
from trial.operations import due, statuses
from trial.rights import breaches, retention
from trial.rights import requests as data_requests
from trial.safety import actions as safety
from trial.screening import removal
from trial.selfcompletion import sending as questionnaires

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What one job did: a count, or that it failed. Nothing else may be printed."""

    job: str
    n: int
    has_failed: bool = False


def _send(*, at: datetime) -> int:
    sent, _ = sending.send_due(at=at)
    return sent


def _seal(*, at: datetime) -> int:
    made = audit.seal(at=at)
    return made.n_leaves if made else 0


def _end_sessions(*, at: datetime) -> int:
    n_deleted, _ = Session.objects.filter(expire_date__lt=at).delete()
    return n_deleted


JOBS: dict[str, Callable[..., int]] = {
    "alerts escalated": safety.escalate_unacknowledged,
    "statuses advanced": statuses.advance,
    "lists of referrals finished": importing.go_on_with_confirmed,
    "questionnaire messages written": questionnaires.write_due,
    "randomisation notices written": notices.write_due,
    "notices of code breaks written": code_breaks.write_due,
    "assessors asked about the group": guesses.open_tasks,
    "visits to collect": due.visit_tasks,
    "registers overdue": overdue.open_tasks,
    "sites with old queries": due.query_tasks,
    "duties ending": due.delegation_tasks,
    "consents to ask for again": due.reconsent_tasks,
    "requests about data overdue": data_requests.overdue_tasks,
    "breaches running": breaches.warn,
    "backups with destroyed keys": retention.tasks,
    "messages sent": _send,
    "drafts deleted": drafts.forget_old,
    "identifiers removed after closure": removal.remove_due,
    "entries of interest closed": interest.forget_old,
    "lists of referrals discarded": importing.forget_old,
    "sessions deleted": _end_sessions,
    "audit entries sealed": _seal,
}
"""In this order: safety first; messages after what writes them; the seal over everything last."""


def run(*, at: datetime) -> list[Result]:
    """Run every job. One that fails is logged and keeps no other from running."""
    return [_run_one(name, job, at) for name, job in JOBS.items()]


def _run_one(name: str, job: Callable[..., int], at: datetime) -> Result:
    try:
        return Result(name, job(at=at))
    except Exception:  # whatever went wrong, the other jobs still run; the command exits 1
        log.exception("The job “%s” failed", name)
        return Result(name, 0, has_failed=True)
