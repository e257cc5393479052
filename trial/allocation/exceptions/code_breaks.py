"""One participant's arm, told to one person for a short while after two have agreed (randomisation.md 6.6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404
from django.views.decorators.debug import sensitive_variables

from randomisation.arms import reveal_arm
from randomisation.models import ArmAccessLog, CodeBreak
from trial.access.models import AccessEvent, User
from trial.access.policy import Action
from trial.access.signing import Proof, ProofRefused
from trial.allocation.errors import AllocationRefused
from trial.allocation.exceptions.reads import at_own_sites
from trial.allocation.models import BlindingEvent
from trial.base.words import clock_time, date_and_time, local_day
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import Arm

OPEN_FOR = timedelta(minutes=60)
"""How long after the authorisation the arm can be shown; later a new request is needed."""
URGENT = (CodeBreak.Category.EMERGENCY, CodeBreak.Category.SAFETY)


def code_breaks_for(user: User) -> QuerySet[CodeBreak]:
    """Every code break at the sites where this person may see exceptions or break codes, newest first."""
    may = [action for action in (Action.VIEW_EXCEPTIONS, Action.CODE_BREAK) if user.access.may(action)]
    ids = {found.pk for action in may for found in _at_sites_of(user, action)}
    found = CodeBreak.objects.filter(pk__in=ids)
    found = found.select_related("allocation", "requested_by", "authorised_by")
    return found.prefetch_related("allocation__members__participant")


def _at_sites_of(user: User, action: Action) -> QuerySet[CodeBreak]:
    return CodeBreak.objects.filter(at_own_sites(user, action, "allocation__site"))


def is_reader(broken: CodeBreak, user: User) -> bool:
    """Whether this is the one person who may be shown it: who asked, or who reads it to the named clinician."""
    reader = broken.authorised_by_id if broken.third_party else broken.requested_by_id
    return bool(reader == user.pk)


def code_break_for(user: User, pk: int) -> CodeBreak:
    """One code break for its reader.

    Raises:
        Http404: there is none, it is another person's to read, or it is at another site.
    """
    broken = code_breaks_for(user).filter(pk=pk).first()
    if broken is None or not is_reader(broken, user):
        raise Http404
    return broken


def participant_of(broken: CodeBreak) -> Participant:
    """The participant whom a code break is about: the first of a household that was randomised together."""
    member = broken.allocation.members.select_related("participant__referral__protocol_version").order_by("place")
    return member[0].participant


def closes_at(broken: CodeBreak) -> datetime:
    """Until when it can be shown."""
    return broken.at + OPEN_FOR


@sensitive_variables()
@transaction.atomic
def show(*, broken: CodeBreak, proof: Proof, by: User, at: datetime) -> Arm:
    """The arm of one participant, for one person to look at now; logged each time, and the blinding with it.

    Raises:
        ProofRefused: the proof is another person's.
        AllocationRefused: it is for somebody else to read, or the time is over.
    """
    if proof.user_id != by.pk:
        raise ProofRefused
    if not is_reader(broken, by):
        raise AllocationRefused("This is for another person to read.")
    if not broken.at <= at <= closes_at(broken):
        raise AllocationRefused("The time to read it is over. Ask again if it is still needed.")
    participant = participant_of(broken)
    AccessEvent(
        user=by,
        role=by.role_code,
        kind=AccessEvent.Kind.ARM_VIEWED,
        record=participant.study_id,
        detail=_name(broken),
        at=at,
    ).save()
    _note_blinding(broken, participant, by, at)
    code = reveal_arm(broken.allocation, by=by, at=at, reason=_name(broken))
    return protocol_rules.arm(participant.referral.protocol_version.spec, code)


def _name(broken: CodeBreak) -> str:
    return f"Code break {broken.pk}"


def _note_blinding(broken: CodeBreak, participant: Participant, by: User, at: datetime) -> None:
    """A blinded person who is shown an arm is blinded no longer for this participant (BR-27); noted once."""
    known = BlindingEvent.objects.filter(participant=participant, person=by, route=_name(broken))
    if not by.access.blinded or known.exists():
        return
    kind = BlindingEvent.Kind.EMERGENCY if broken.category in URGENT else BlindingEvent.Kind.PLANNED
    BlindingEvent(
        participant=participant,
        person=by,
        kind=kind,
        route=_name(broken),
        happened_date=local_day(at),
        recorded_at=at,
    ).save_by(by)


@dataclass(frozen=True, slots=True)
class CodeBreakRow:
    """One line of the unblinding log. Nothing in it tells an arm."""

    number: int
    participant: str
    site: str
    at: str
    why: str
    asked_by: str
    authorised_by: str
    told: str
    who_knows: str
    follow_up: str
    n_shown: int
    url: str


def rows(found: list[CodeBreak], user: User) -> list[CodeBreakRow]:
    """Lines of the unblinding log; what somebody typed only for those who are not blinded."""
    shown = dict(
        ArmAccessLog.objects.filter(reason__in=[_name(one) for one in found])
        .values_list("reason")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [_row(one, user, shown.get(_name(one), 0)) for one in found]


def _row(one: CodeBreak, user: User, n_shown: int) -> CodeBreakRow:
    may_read = not user.access.blinded
    return CodeBreakRow(
        number=one.pk,
        participant=", ".join(member.participant.study_id for member in one.allocation.members.all()),
        site=one.allocation.site,
        at=date_and_time(one.at),
        why=one.get_category_display(),
        asked_by=one.requested_by.name,
        authorised_by=one.authorised_by.name,
        told="A clinician outside the study" if one.third_party else "Who asked",
        who_knows=one.who_knows if may_read else "",
        follow_up="Stays" if one.stays_in_follow_up else "Does not stay",
        n_shown=n_shown,
        url=f"/randomisation/code-breaks/{one.pk}/" if is_reader(one, user) else "",
    )


def until(broken: CodeBreak) -> str:
    """Until when it can be opened, in words."""
    return clock_time(closes_at(broken))
