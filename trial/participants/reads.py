"""Records of people, for one user: absent and not yours answer alike."""

from django.db.models import QuerySet
from django.http import Http404

from trial.access.models import User
from trial.access.policy import Action
from trial.participants.models import Participant, Referral


def referrals_for(user: User, action: Action = Action.VIEW_PEOPLE) -> QuerySet[Referral]:
    """Referrals of the sites at which `user` may do `action`, with their participants."""
    return Referral.objects.visible_to(user, action).select_related("site", "participant", "person")


def referral_for(user: User, number: str, action: Action = Action.VIEW_RECORD) -> Referral:
    """One referral by study number or screening number.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    found = referrals_for(user, action)
    referral = found.filter(participant__study_id=number).first() or found.filter(screening_number=number).first()
    if referral is None:
        raise Http404
    return referral


def participant_for(user: User, number: str, action: Action = Action.VIEW_RECORD) -> Participant:
    """One participant by study number.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    referral = referral_for(user, number, action)
    participant: Participant | None = getattr(referral, "participant", None)
    if participant is None:
        raise Http404
    return participant
