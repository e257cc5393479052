"""Deviations as one person may see them: those that reveal an arm do not exist for blinded roles (BR-26)."""

from django.db.models import QuerySet
from django.http import Http404

from trial.access.models import User
from trial.access.policy import Action
from trial.deviations.models import Deviation


def deviations_for(user: User, action: Action = Action.VIEW_DEVIATIONS) -> QuerySet[Deviation]:
    """Deviations of the sites at which this person may do `action`."""
    if not user.access.may(action):
        return Deviation.objects.none()
    found = Deviation.objects.filter(user.access.sites(action)).select_related(
        "site", "participant", "recorded_by", "reviewed_by"
    )
    return found.filter(reveals_arm=False) if user.access.blinded else found


def deviation_for(user: User, pk: int, action: Action = Action.VIEW_DEVIATIONS) -> Deviation:
    """One deviation.

    Raises:
        Http404: there is none, or it is not for this person.
    """
    deviation = deviations_for(user, action).filter(pk=pk).first()
    if deviation is None:
        raise Http404
    return deviation
