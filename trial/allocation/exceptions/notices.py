"""E-mail about code breaks: that one happened, and never to what (randomisation.md 6.6)."""

from datetime import datetime, timedelta

from django.conf import settings

from randomisation.models import CodeBreak
from trial.access.policy import Role
from trial.allocation.exceptions.code_breaks import participant_of
from trial.allocation.notices import holders
from trial.base.words import date_and_time, local_day
from trial.messages import actions as messages
from trial.messages.models import OutboxMessage

CODE_BROKEN = "code_break"
TOLD = (Role.TRIAL_MANAGER, Role.SPONSOR_REVIEWER, Role.SPONSOR_REPRESENTATIVE)
LOOK_BACK = timedelta(days=7)
"""How far back `tick` looks: it may be missed for days."""


def write_due(*, at: datetime) -> int:
    """Tell trial manager and sponsor of every code break, once each; returns how many messages were written now."""
    return sum(_tell(one, at) for one in CodeBreak.objects.filter(at__gte=at - LOOK_BACK).order_by("pk"))


def _tell(broken: CodeBreak, at: datetime) -> int:
    n_written = 0
    for reader in holders(TOLD, site=None, on=local_day(at)):
        key = f"{CODE_BROKEN}:{broken.pk}:{reader.pk}"
        if not OutboxMessage.objects.filter(key=key).exists():
            messages.write_message(
                key=key, kind=CODE_BROKEN, heading="A code was broken", body=_text(broken), at=at, to_user=reader
            )
            n_written += 1
    return n_written


def _text(broken: CodeBreak) -> str:
    return (
        f"The code of {participant_of(broken).study_id} was broken on {date_and_time(broken.at)}.\n\n"
        f"Why: {broken.get_category_display()}\n"
        f"Asked for by {broken.requested_by.name}, authorised by {broken.authorised_by.name}\n\n"
        f"Sign in to see the list of code breaks:\n{settings.SITE_URL}/randomisation/code-breaks/\n\n"
        "This message does not say which group it is. Do not ask for it or write it in an e-mail.\n"
    )
