"""Opening a link, answering a question, sending everything off. Answers themselves are written by save_form()."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.crypto import constant_time_compare

from trial.access.policy import Role
from trial.assessments import actions as assessments
from trial.assessments.models import Administration, MissingCode
from trial.base.words import date_and_time, local_day
from trial.messages import actions as messages
from trial.participants import identity
from trial.safety.models import RiskAlert
from trial.schedule.models import Visit
from trial.selfcompletion import reads, rules
from trial.selfcompletion.errors import CheckPaused, NotOpen, StillToAnswer, TakenOver
from trial.selfcompletion.models import SelfCompletion, SelfCompletionLink
from trial.selfcompletion.pack import SELF_WEB, Pack, pack_of
from trial.selfcompletion.rules import LinkState


@dataclass(frozen=True)
class Answer:
    """What somebody gave for one question: a whole number, or why there is none (RF declined, BL skipped)."""

    value: int | None = None
    missing: str = ""


@transaction.atomic
def check_person(*, link: SelfCompletionLink, given: str, at: datetime) -> bool:
    """Compare the second check with what is known. Each wrong answer is counted and stays in the history (R-32).

    Args:
        given: as `rules.known_answer` writes it.

    Raises:
        CheckPaused: too many wrong ones before; this one was not looked at.
        SealBroken: the identity record cannot be opened.
    """
    mine = _locked(link)
    tries = reads.tries_of(mine, at)
    if not tries.may_try:
        raise CheckPaused(tries.until)
    known = rules.known_answer(
        reads.limits_of(mine).second_check, identity.read(mine.visit.participant.referral.person)
    )
    is_right = bool(known) and constant_time_compare(known, given)
    if not is_right:
        _count_failure(mine, at)
    elif mine.n_failed or mine.opened_at is None:
        mine.n_failed, mine.last_failed_at = 0, None
        mine.opened_at = mine.opened_at or at
        mine.save_by(None, "Second check passed")
    return is_right


def _locked(link: SelfCompletionLink) -> SelfCompletion:
    """The row of the link's visit, locked for this transaction with all that is read through it."""
    return (
        SelfCompletion.objects.select_for_update(of=("self",))
        .select_related(*reads.PATH)
        .get(pk=link.self_completion_id)
    )


def _count_failure(mine: SelfCompletion, at: datetime) -> None:
    mine.n_failed, mine.last_failed_at = mine.n_failed + 1, at
    mine.save_by(None, "Second check failed")
    if mine.n_failed < reads.limits_of(mine).max_tries:
        return
    participant = mine.visit.participant
    messages.open_task(
        key=f"link-locked:{mine.pk}:{at.isoformat()}",
        kind="link_locked",
        role=Role.COORDINATOR,
        site=participant.site,
        referral=participant.referral,
        title="Help with a questionnaire link",
        detail=f"Locked on {date_and_time(at)} after too many wrong second checks. Ring, then send another link",
        link=f"/people/{participant.study_id}/{mine.visit.code}/link/",
        due_date=local_day(at),
        at=at,
    )


@transaction.atomic
def save_answer(
    *,
    link: SelfCompletionLink,
    part: int,
    item: int,
    answer: Answer,
    at: datetime,
    shown_at: datetime | None = None,
) -> Administration:
    """Store one answer as a draft of its questionnaire, leaving every other answer as it is.

    Two tabs therefore never overwrite each other's questions. Any alert is raised by save_form().

    Args:
        part, item: numbers of the question, as in its address.
        shown_at: when its page was shown.

    Raises:
        NotOpen: the link takes no answers now.
        TakenOver: the form is complete, or begun by the team.
        AnswersRefused, LicenceMissing: as save_form().
    """
    visit, pack = _open_visit(link, at, part)
    here = next((one for one in pack.parts if one.number == part), None)
    code = next((one.code for one in here.definition.items if one.number == item), None) if here else None
    if here is None or code is None:
        raise TakenOver
    others = {key: value for key, value in here.answers.items() if key != code}
    reasons = {key: value for key, value in here.missing.items() if key != code}
    return assessments.save_form(
        participant=visit.participant,
        visit=visit,
        instrument=here.use.code,
        answers=others if answer.value is None else {**others, code: answer.value},
        missing={**reasons, code: answer.missing} if answer.missing else reasons,
        mode=SELF_WEB,
        respondent=Administration.Respondent.PARTICIPANT,
        completed_date=None,
        by=None,
        at=at,
        expected_revision=here.stored.revision if here.stored else 0,
        submit=False,
        shown_at=shown_at,
        seconds_active=rules.seconds_spent(shown_at, at),
    )


def _open_visit(link: SelfCompletionLink, at: datetime, part: int = 0) -> tuple[Visit, Pack]:
    """The link's visit, locked, so that two pages that are sent at once wait for each other; and its questions.

    Args:
        part: the one part that is asked for; 0 for all of them.

    Raises:
        NotOpen: the link takes no answers now.
        TakenOver: the part is no longer open.
    """
    pk = link.self_completion.visit_id
    visit = (
        Visit.objects.select_for_update(of=("self",))
        .select_related("protocol_version", "participant__referral__site", "participant__referral__person")
        .get(pk=pk)
    )
    fresh = SelfCompletionLink.objects.select_related("self_completion").get(pk=link.pk)  # as it is behind the lock
    pack = pack_of(visit, local_day(at), part)
    if part and not pack.parts:
        raise TakenOver
    if (state := reads.state_of(visit, at, fresh, pack)) != LinkState.OPEN:
        raise NotOpen(state)
    return visit, pack


@transaction.atomic
def submit(*, link: SelfCompletionLink, at: datetime) -> bool:
    """Complete every questionnaire of the pack, all or none, and close the link.

    Returns:
        Whether the answers together raised an urgent alert that no single one had: then help is shown at once.

    Raises:
        NotOpen: the link takes no answers now; sent twice, its state is SENT.
        StillToAnswer: a question was neither answered nor passed.
        LicenceMissing, AnswersRefused: as save_form().
    """
    visit, pack = _open_visit(link, at)
    if pack.first_open():
        raise StillToAnswer
    before = _urgent_alerts(visit)
    _complete(visit, pack, at)
    mine = _locked(link)
    mine.submitted_at = at
    mine.opened_at = mine.opened_at or at
    mine.save_by(None, "Sent by the participant")
    return _urgent_alerts(visit) != before


def _urgent_alerts(visit: Visit) -> set[tuple[int, datetime | None]]:
    alerts = RiskAlert.objects.filter(administration__visit=visit, severity=RiskAlert.Severity.URGENT)
    return set(alerts.values_list("pk", "escalated_at"))


def _complete(visit: Visit, pack: Pack, at: datetime) -> None:
    for part in pack.parts:
        assessments.save_form(
            participant=visit.participant,
            visit=visit,
            instrument=part.use.code,
            answers=part.answers,
            missing=part.missing,
            mode=SELF_WEB,
            respondent=Administration.Respondent.PARTICIPANT,
            completed_date=local_day(at),
            by=None,
            at=at,
            expected_revision=part.stored.revision if part.stored else 0,
            submit=True,
        )


SKIPPED = Answer(missing=MissingCode.BL)
DECLINED = Answer(missing=MissingCode.RF)
