"""T16: an investigator confirms that a participant ended early. Nothing waits for it: messages stop with the fact."""

from datetime import datetime

from django.db import transaction

from trial.access.models import User
from trial.access.policy import Action, Role
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.journey.models import EndConfirmation
from trial.messages import actions as messages
from trial.participants.models import Referral, Status


class NothingToConfirm(TrialError):
    """The participant has not ended early, or it was confirmed already, or this person may not."""


def awaits_confirmation(referral: Referral) -> bool:
    """Whether somebody ended early and no investigator has confirmed it."""
    return referral.status == Status.ENDED_EARLY and not EndConfirmation.objects.filter(referral=referral).exists()


def ask_for_confirmation(referral: Referral, *, by: User | None, at: datetime) -> None:
    """Put it among the investigator's tasks."""
    messages.open_task(
        key=f"confirm-end:{referral.pk}",
        kind="confirm_end",
        role=Role.PRINCIPAL_INVESTIGATOR,
        site=referral.site,
        referral=referral,
        title="Confirm that a participant ended early",
        detail=f"Recorded on {long_date(at)}. Messages have stopped",
        link=f"/people/{referral.number}/ended-early/",
        due_date=local_day(at),
        at=at,
        by=by,
    )


@transaction.atomic
def confirm_end(*, referral: Referral, by: User, at: datetime) -> EndConfirmation:
    """Confirm an early end, once. It stays open after a dataset lock, as the end itself does (R-40).

    Raises:
        NothingToConfirm: see there.
    """
    referral = Referral.objects.select_for_update().get(pk=referral.pk)
    if not by.access.may(Action.CONFIRM_END, referral.site):
        raise NothingToConfirm("Your role does not let you do this here.")
    if not awaits_confirmation(referral):
        raise NothingToConfirm("There is no early end to confirm. Check the record.")
    messages.close_task(key=f"confirm-end:{referral.pk}", by=by, at=at)
    confirmation = EndConfirmation(referral=referral, by=by, at=at)
    confirmation.save()
    return confirmation
