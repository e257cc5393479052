"""What the record page says of requests about data and of disposals."""

from collections.abc import Iterator

from trial.access.models import User
from trial.access.policy import Action
from trial.base.parts import Fact
from trial.base.words import long_date
from trial.journey.timeline import Moment, moment
from trial.participants.models import Disposal, Referral
from trial.protocol.spec import ProtocolSpec
from trial.rights import requests
from trial.rights.models import SubjectRequest


def restricted(referral: Referral) -> Fact | None:
    """First on the page: nothing may be done with the data now but keep them."""
    if referral.person.is_disposed:
        return Fact("Protected details", strong="Destroyed")
    if requests.is_restricted(referral):
        return Fact("Processing", strong="Stopped", detail="The person asked for it. Do not write or ring")
    return None


def events(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    """Requests and what became of them, and disposals."""
    if user.access.may(Action.HANDLE_REQUEST, referral.site):
        for one in SubjectRequest.objects.filter(referral=referral).select_related("recorded_by", "decided_by"):
            url, kind = f"/data-requests/{one.pk}/", one.get_kind_display().lower()
            due = f"Due by {long_date(one.due_date)}"
            yield moment(
                one.recorded_at, f": {kind}", strong="Request about data", who=one.recorded_by, more=due, url=url
            )
            if one.decided_at:
                text = f"Request {one.number} decided: {one.get_decision_display().lower()}"
                yield moment(one.decided_at, text, who=one.decided_by, url=url)
            if one.lifted_at:
                yield moment(one.lifted_at, f"Request {one.number}: processing goes on", url=url)
    for done in Disposal.objects.filter(person=referral.person, state=Disposal.State.DONE).select_related("decided_by"):
        if done.decided_at:
            yield moment(done.decided_at, strong="Protected details destroyed", who=done.decided_by)
