"""Entering a paper form a second time, by another person who sees nothing of the first entry (BR-36, BR-50)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

import instruments
from instruments import Instrument
from trial.access.models import User
from trial.access.policy import Role
from trial.assessments import rules as assessment_rules
from trial.assessments.errors import AnswersRefused, NothingAnswered
from trial.assessments.models import Administration, MissingCode
from trial.assessments.rules import COMPLETED_DATE, Difference, Problems
from trial.assessments.wording import Wording, require_licence, wording_of
from trial.base.words import local_day
from trial.double_entry import reads, rules
from trial.double_entry.errors import (
    EnteredTwice,
    NotAwaited,
    OtherWindow,
    SamePerson,
)
from trial.double_entry.models import FirstEntrySeen, SecondEntry
from trial.double_entry.words import label, said
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.protocol.working_time import add_working_days
from trial.review import actions as review
from trial.safety import actions as safety

RULE = "double_entry"
"""Code under which differences are asked about as queries."""
ENTER_WITHIN_WORKING_DAYS = 5


@dataclass(frozen=True)
class Typed:
    """What one person typed from the paper."""

    answers: Mapping[str, Any]
    missing: Mapping[str, str]
    completed_date: date | None

    def is_in(self, row: SecondEntry) -> bool:
        """Whether the row holds the same."""
        return (row.answers, row.missing, row.completed_date) == (self.answers, self.missing, self.completed_date)


def ask_for_second(form: Administration, by: User | None, at: datetime) -> None:
    """After each save of a form: the site gets a task once it waits for a second entry. Set in trial.wiring."""
    if not reads.is_awaited(form):
        return
    referral = form.participant.referral
    messages.open_task(
        key=_task_key(form),
        kind="second_entry",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title="Enter a paper form a second time",
        detail=f"{form.visit.code} {form.instrument}, by somebody else than {by.name if by else 'the first person'}",
        link=reads.entry_url(form),
        due_date=add_working_days(referral.protocol_version.spec, local_day(at), ENTER_WITHIN_WORKING_DAYS),
        at=at,
        by=by,
    )


def note_shown(form: Administration, to: User, at: datetime) -> None:
    """After a page showed the first entry to somebody: they are no second person any more. Set in trial.wiring."""
    if not reads.may_wait(form) or reads.knows_first(form, to):
        return
    with suppress(IntegrityError), transaction.atomic():  # the same page opened twice at once
        FirstEntrySeen(administration=form, seen_by=to, seen_at=at).save()


def _task_key(form: Administration) -> str:
    return f"second-entry:{form.pk}"


@transaction.atomic
def save_second_entry(
    *,
    form: Administration,
    answers: Mapping[str, Any],
    missing: Mapping[str, str],
    completed_date: date | None,
    by: User,
    at: datetime,
    expected_revision: int,
    submit: bool,
) -> SecondEntry:
    """Store a draft of the second entry, or complete it: then it is compared, and differences become queries.

    Risk answers raise their alert at once, drafts included, even where the first entry has none (BR-50).

    Args:
        answers, missing: as in save_form().
        expected_revision: the revision of the person's own draft that they saw; 0 when there was none.

    Raises:
        AnswersRefused: fields that cannot be stored, by key; nothing is stored.
        NotAwaited, SamePerson, EnteredTwice: this person cannot make the second entry of this form now.
        OtherWindow: their own draft has another content since; nothing is stored.
        NothingAnswered, LicenceMissing, DatasetLocked.
    """
    require_unlocked()
    form = Administration.objects.select_for_update(of=("self",)).select_related("visit").get(pk=form.pk)
    definition = instruments.get(form.instrument, form.instrument_version)
    require_licence(definition)
    row = _own_row(form, by, at)
    typed = _read(form, definition, Typed(_cleaned(answers), _cleaned(missing), completed_date), at, submit)
    if row.is_complete:
        return _same_again(row, typed)
    if row.revision != expected_revision and not typed.is_in(row):
        raise OtherWindow
    if not submit and row.pk and typed.is_in(row):
        return row
    before = dict(row.answers)
    row.answers, row.missing, row.completed_date = typed.answers, typed.missing, typed.completed_date
    row.revision += 1
    found = _compare(form, row, at) if submit else ()
    row.save_by(by, "Completed" if submit else "Draft saved")
    _raise_alert(form, definition, before, row.answers, by, at)
    if submit:
        _ask_about(form, found, wording_of(definition), at)
        messages.close_task(key=_task_key(form), by=by, at=at)
    return row


def _own_row(form: Administration, by: User, at: datetime) -> SecondEntry:
    """The person's own row: complete, a draft, or a new one."""
    done = reads.second_of(form)
    if done is not None and done.entered_by_id == by.pk:
        return done
    if done is not None:
        raise EnteredTwice(done.entered_by.name)
    if not reads.is_for_double_entry(form):
        raise NotAwaited
    if reads.knows_first(form, by):
        raise SamePerson
    own = form.second_entries.select_for_update().filter(entered_by=by).first()
    return own or SecondEntry(participant=form.participant, administration=form, entered_by=by, started_at=at)


def _same_again(row: SecondEntry, typed: Typed) -> SecondEntry:
    """A button pressed twice changes nothing; anything else than what is complete is refused."""
    if not typed.is_in(row):
        raise EnteredTwice("You")
    return row


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    return {code: value for code, value in values.items() if value not in (None, "")}


def _read(form: Administration, definition: Instrument, typed: Typed, at: datetime, submit: bool) -> Typed:
    """What was typed, as it is stored; on completion, required items without answer or reason are left blank (BL)."""
    if problems := _problems(form, definition, typed, at, submit):
        raise AnswersRefused(problems)
    if submit and not typed.answers and not typed.missing:
        raise NothingAnswered
    answers = {code: int(value) for code, value in typed.answers.items()}
    wanted = instruments.required_items(definition, answers) if submit else ()
    blank = {code: MissingCode.BL.value for code in wanted if code not in answers}
    return Typed(answers, {**blank, **typed.missing}, typed.completed_date)


def _problems(form: Administration, definition: Instrument, typed: Typed, at: datetime, submit: bool) -> Problems:
    findings = instruments.score(definition, typed.answers, submitted=submit).errors
    problems: Problems = assessment_rules.answer_problems(definition, {one.item: one.code for one in findings})
    problems |= assessment_rules.missing_problems(definition, typed.answers, typed.missing)
    problems |= {code: "Select a reason" for code, why in typed.missing.items() if why not in MissingCode.values}
    if typed.completed_date:
        consented = form.participant.consented_date
        text = assessment_rules.date_problem(typed.completed_date, consented=consented, today=local_day(at))
        problems |= {COMPLETED_DATE: text} if text else {}
    elif submit:
        problems[COMPLETED_DATE] = "Enter the date it was completed"
    return problems


def _compare(form: Administration, row: SecondEntry, at: datetime) -> tuple[Difference, ...]:
    """Complete the row with what the comparison finds."""
    found = rules.compare(
        rules.fields_of(form.answers, form.missing, form.completed_date),
        rules.fields_of(row.answers, row.missing, row.completed_date),
    )
    row.status, row.completed_at = SecondEntry.Status.COMPLETE, at
    row.differences = [{"key": one.key, "first": one.theirs, "second": one.yours} for one in found.differences]
    row.n_differences, row.n_compared, row.n_agreed = len(row.differences), found.n_compared, found.n_agreed
    return found.differences


def _raise_alert(
    form: Administration,
    definition: Instrument,
    before: Mapping[str, int],
    answers: Mapping[str, int],
    by: User,
    at: datetime,
) -> None:
    """One alert for the form, whichever entry holds the answer; a rise over all that is known escalates it (BR-50).

    An answer that is missing in the second entry alone raises nothing: it becomes a query, and the decision about it
    is a save of the form (BR-52).
    """
    codes = instruments.score(definition, answers, submitted=False).alerts
    if not codes:
        return
    safety.raise_alert(
        participant=form.participant,
        trigger="answer",
        severity=assessment_rules.severity_of(definition, codes),
        codes=codes,
        administration_id=form.pk,
        has_risen=all(
            assessment_rules.has_risen(definition, known, answers, codes) for known in (form.answers, before)
        ),
        by=by,
        at=at,
    )


def asks_urgently(form: Administration, answers: Mapping[str, int]) -> bool:
    """Whether these answers by themselves ask for an urgent alert."""
    definition = instruments.get(form.instrument, form.instrument_version)
    codes = instruments.score(definition, answers, submitted=False).alerts
    return bool(codes) and assessment_rules.severity_of(definition, codes) == "urgent"


def _ask_about(form: Administration, found: tuple[Difference, ...], wording: Wording, at: datetime) -> None:
    """A query about each difference, asked by the rule."""
    for one in found:
        first, second = (said(wording, one.key, value) for value in (one.theirs, one.yours))
        review.raise_query(
            participant=form.participant,
            administration=form,
            field=one.key,
            rule=RULE,
            value_asked=f"{one.theirs}|{one.yours}"[:200],
            text=f"{label(wording, one.key)}: the first entry says “{first}”, the second “{second}”. Check the paper.",
            by=None,
            at=at,
        )
