"""One participant of the demonstration with a questionnaire link that is open now, told with the sign-ins."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from trial.base.words import local_day
from trial.participants import identity
from trial.schedule.models import Visit
from trial.selfcompletion import reads, rules, sending
from trial.selfcompletion.models import SelfCompletionLink
from trial.selfcompletion.pack import pack_of
from trial.selfcompletion.rules import LinkState


@dataclass(frozen=True)
class Offer:
    """A link, and the day and month that it asks for."""

    path: str
    day: int
    month: int


def token_for(visit: Visit) -> str:
    """The same token for the same visit, so that it can be told again. Only a made-up study has such links."""
    digest = hashlib.sha256(f"demonstration link {visit.participant.study_id} {visit.code}".encode()).digest()
    return base64.urlsafe_b64encode(digest[: sending.TOKEN_BYTES]).decode()


@transaction.atomic
def offer(*, at: datetime) -> Offer | None:
    """A link to a visit that nobody has begun, made unless it is there; None when every visit is answered."""
    for visit in _open_visits(at):
        token = token_for(visit)
        if reads.link_of(token) is None:
            sending.make_link(of=sending.self_completion_of(visit, None), by=None, at=at, token=token)
        link: SelfCompletionLink | None = reads.link_of(token)
        born = identity.read(visit.participant.referral.person).birth_date
        if link and born and reads.state_of(visit, at, link) == LinkState.OPEN:
            return Offer(f"/q/{token}/", born.day, born.month)
    return None


def _open_visits(at: datetime) -> Iterator[Visit]:
    """Visits whose questions are all open: those whose window closes last, then baseline, which has no end yet."""
    today = local_day(at)
    visits = Visit.objects.select_related(
        "self_completion", "protocol_version", "participant__referral__site", "participant__referral__person"
    )
    later = visits.open_on(today).order_by("-closes_date", "pk")
    baseline = visits.filter(closes_date__isnull=True, opens_date__lte=today).order_by("pk")
    for visit in (*later, *baseline):
        pack = pack_of(visit, today)
        check = visit.protocol_version.spec.self_completion.second_check
        who = identity.read(visit.participant.referral.person)
        is_fresh = pack.parts and not any(question.is_passed for question in pack.questions)
        if is_fresh and check == "birth_day_month" and rules.known_answer(check, who):
            yield visit
