"""Which packs a person's record offers."""

from trial.access.models import User
from trial.access.policy import Action
from trial.base.parts import Link
from trial.paper.packs import visits_on_paper
from trial.participants.models import Participant


def paper_packs(participant: Participant, user: User) -> list[Link]:
    """The packs of the visits that the person has, for people who enter forms here."""
    if not user.access.may(Action.ENTER_FORM, participant.site):
        return []
    there = {row.code for row in participant.visits.all()}
    visits = visits_on_paper(participant.referral.protocol_version.spec)
    base = f"/people/{participant.study_id}/"
    return [Link(visit.name, f"{base}{visit.code}/pack.pdf") for visit in visits if visit.code in there]
