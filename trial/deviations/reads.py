"""Deviations as one person may see them: those that reveal an arm do not exist for blinded roles (BR-26)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from trial.access.models import User
from trial.access.policy import Action
from trial.deviations.models import Deviation
from trial.participants import identity


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


COLUMNS = ("description_sealed", "root_cause_sealed", "corrective_action_sealed", "effect_on_analysis_sealed")


@dataclass(frozen=True, slots=True)
class Words:
    """What was written about a deviation, opened."""

    description: str
    root_cause: str
    corrective_action: str
    effect_on_analysis: str


def described(description: str, **about: Any) -> Deviation | None:
    """The deviation about this that has these words, which no query can find: they are sealed."""
    found = list(Deviation.objects.filter(**about).select_related("participant__referral__person").order_by("pk"))
    words = words_of(found)
    return next((one for one, said in zip(found, words, strict=True) if said.description == description), None)


def words_of(deviations: Sequence[Deviation]) -> list[Words]:
    """The words of each deviation: one lookup for all of them. Callers may see the deviations.

    Raises:
        SealBroken: the keys do not fit.
    """
    texts = [[getattr(one, column) for column in COLUMNS] for one in deviations]
    sealed = [
        (one.participant.referral.person, text)
        for one, row in zip(deviations, texts, strict=True)
        if one.participant
        for text in row
    ]
    opened = iter(identity.open_texts(sealed))
    return [
        Words(*(next(opened) for _ in COLUMNS) if one.participant else row)
        for one, row in zip(deviations, texts, strict=True)
    ]
