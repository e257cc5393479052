"""Entering a paper form a second time, and deciding where the two entries differ (BR-36, BR-50)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

import instruments
from instruments import Instrument
from trial.access.models import User
from trial.access.policy import Role
from trial.assessments import actions as assessments
from trial.assessments import rules as assessment_rules
from trial.assessments.errors import AnswersRefused, NothingAnswered
from trial.assessments.models import Administration, MissingCode
from trial.assessments.rules import COMPLETED_DATE, Difference, Problems
from trial.assessments.wording import Wording, require_licence, wording_of
from trial.base.words import local_day, long_date
from trial.double_entry import reads, rules
from trial.double_entry.errors import (
    EnteredTwice,
    NotAwaited,
    NothingToDecide,
    NotYours,
    OtherWindow,
    SamePerson,
    UnknownValue,
)
from trial.double_entry.models import Adjudication, SecondEntry
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.protocol.working_time import add_working_days
from trial.review import actions as review
from trial.review.models import Query
from trial.safety import actions as safety

RULE = "double_entry"
"""Code under which differences are asked about as queries."""
ENTER_WITHIN_WORKING_DAYS = 5


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
    given, reasons = _cleaned(answers), _cleaned(missing)
    _refuse_problems(form, definition, given, reasons, completed_date, at, submit)
    given = {code: int(value) for code, value in given.items()}
    if row.is_complete:
        return _same_again(row, given, _with_blanks(definition, given, reasons), completed_date)
    if row.revision != expected_revision and not _holds(row, given, reasons, completed_date):
        raise OtherWindow
    reasons = _with_blanks(definition, given, reasons) if submit else reasons
    if not submit and row.pk and _holds(row, given, reasons, completed_date):
        return row
    before = dict(row.answers)
    row.answers, row.missing, row.completed_date = given, reasons, completed_date
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


def _same_again(
    row: SecondEntry, answers: Mapping[str, Any], missing: Mapping[str, str], completed: date | None
) -> SecondEntry:
    """A button pressed twice changes nothing; anything else than what is complete is refused."""
    if not _holds(row, answers, missing, completed):
        raise EnteredTwice("You")
    return row


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    return {code: value for code, value in values.items() if value not in (None, "")}


def _refuse_problems(
    form: Administration,
    definition: Instrument,
    answers: Mapping[str, Any],
    missing: Mapping[str, str],
    completed: date | None,
    at: datetime,
    submit: bool,
) -> None:
    findings = instruments.score(definition, answers, submitted=submit).errors
    problems: Problems = assessment_rules.answer_problems(definition, {one.item: one.code for one in findings})
    problems |= assessment_rules.missing_problems(definition, answers, missing)
    problems |= {code: "Select a reason" for code, why in missing.items() if why not in MissingCode.values}
    if completed:
        consented = form.participant.consented_date
        text = assessment_rules.date_problem(completed, consented=consented, today=local_day(at))
        problems |= {COMPLETED_DATE: text} if text else {}
    elif submit:
        problems[COMPLETED_DATE] = "Enter the date it was completed"
    if problems:
        raise AnswersRefused(problems)
    if submit and not answers and not missing:
        raise NothingAnswered


def _holds(row: SecondEntry, answers: Mapping[str, Any], missing: Mapping[str, str], completed: date | None) -> bool:
    return (row.answers, row.missing, row.completed_date) == (answers, missing, completed)


def _with_blanks(definition: Instrument, answers: Mapping[str, Any], missing: Mapping[str, str]) -> dict[str, str]:
    """Required items without answer or reason are left blank (BL), as in the first entry."""
    wanted = instruments.required_items(definition, answers)
    return {**{code: MissingCode.BL.value for code in wanted if code not in answers}, **missing}


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


def label(wording: Wording, key: str) -> str:
    """A question with its number, or the name of the day."""
    item = wording.instrument.items_by_code.get(key)
    return f"{item.number}. {wording.text(item)}" if item else "Completed on"


def said(wording: Wording, key: str, value: Any) -> str:
    """A value of either entry in words: "Several days (1)", "Left blank", "6 July 2026"."""
    if value is None:
        return "No answer"
    if key == COMPLETED_DATE:
        return long_date(date.fromisoformat(value))
    if isinstance(value, str):
        return MissingCode(value).label
    words = wording.label(wording.instrument.items_by_code[key], value)
    return words if words == str(value) else f"{words} ({value})"


# -- where they differ


def allowed(form: Administration, difference: Mapping[str, Any]) -> list[Any]:
    """What may be decided of one difference: either entry's value, or another answer of the same question."""
    item = instruments.get(form.instrument, form.instrument_version).items_by_code.get(difference["key"])
    if item is None:
        return rules.choices(difference, [])
    return rules.choices(difference, [*(option.value for option in item.options), "BL", "IL", "RF"])


def open_differences(second: SecondEntry) -> list[dict[str, Any]]:
    """Differences that nobody has decided."""
    decided = set(second.adjudications.values_list("field", flat=True))
    return [one for one in second.differences if one["key"] not in decided]


@transaction.atomic
def adjudicate(
    *, second: SecondEntry, chosen: Mapping[str, Any], reason: str, by: User, at: datetime
) -> Administration:
    """Decide every open difference with a reason; the form is corrected where it says otherwise, queries close.

    Args:
        chosen: by key of the difference, one of the values that allowed() gives.

    Raises:
        NotYours: the person entered the form the first or the second time.
        NothingToDecide: no difference is open.
        UnknownValue: a difference is left out, or a value is not among those allowed.
        ReasonsMissing, AnswersRefused, DatasetLocked: from the correction.
    """
    require_unlocked()
    form = (
        Administration.objects.select_for_update(of=("self",)).select_related("visit").get(pk=second.administration_id)
    )
    second = SecondEntry.objects.select_for_update().get(pk=second.pk)
    if by.pk in (second.entered_by_id, form.entered_by_id):
        raise NotYours
    waiting = open_differences(second)
    if not waiting:
        raise NothingToDecide
    values = {one["key"]: _decided(form, one, chosen) for one in waiting}
    stored = _correct(form, second, values, reason, by, at)
    for key, value in values.items():
        Adjudication(second_entry=second, field=key, value=value, reason=reason, by=by, at=at).save()
        _close_query(form, key, reason, by, at)
    return stored


def _decided(form: Administration, difference: Mapping[str, Any], chosen: Mapping[str, Any]) -> Any:
    key = difference["key"]
    if key not in chosen or chosen[key] not in allowed(form, difference):
        raise UnknownValue
    return chosen[key]


def _correct(
    form: Administration, second: SecondEntry, values: Mapping[str, Any], reason: str, by: User, at: datetime
) -> Administration:
    """Save the form with what was decided: a correction with its reason, scored and looked at for risk as any other."""
    items = {key: value for key, value in values.items() if key != COMPLETED_DATE}
    answers = {code: value for code, value in form.answers.items() if code not in items}
    missing = {code: value for code, value in form.missing.items() if code not in items}
    day = values.get(COMPLETED_DATE)
    return assessments.save_form(
        participant=form.participant,
        visit=form.visit,
        instrument=form.instrument,
        answers=answers | {code: value for code, value in items.items() if isinstance(value, int)},
        missing=missing | {code: value for code, value in items.items() if isinstance(value, str)},
        mode=form.mode,
        respondent=form.respondent,
        completed_date=date.fromisoformat(day) if day else form.completed_date,
        by=by,
        at=at,
        expected_revision=form.revision,
        submit=True,
        reasons=dict.fromkeys(values, f"Double entry: {reason}"),
        assessor=form.assessor,
        language=form.language,
        known=second.answers,
    )


def _close_query(form: Administration, key: str, reason: str, by: User, at: datetime) -> None:
    asked = Query.objects.filter(administration=form, field=key, rule=RULE)
    for query in asked.exclude(state=Query.State.CLOSED):
        review.close(query=query, text=reason, by=by, at=at)
