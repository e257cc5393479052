"""The one action that writes answers, with their scores and risk alert; and "Not done" (BR-30 to BR-36, BR-50)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

import instruments
from instruments import Instrument, Result
from trial.access.models import User
from trial.assessments import checking, hooks, rules
from trial.assessments.check_rules import CheckState
from trial.assessments.entered import Entry, entry_problems, given, stored_fields
from trial.assessments.errors import (
    AnswersRefused,
    AnswersStored,
    ChangedMeanwhile,
    FormComplete,
    FormNotExpected,
    NothingAnswered,
    ReasonsMissing,
)
from trial.assessments.in_use import confirm_unchanged
from trial.assessments.models import Administration, MissingCode
from trial.assessments.warning_actions import record_warnings
from trial.assessments.wording import require_licence
from trial.locking.rules import require_unlocked
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ELIGIBILITY, ExpectedForm, InstrumentUse
from trial.safety import actions as safety
from trial.schedule.models import Visit
from trial.schedule.rules import local_date

Status = Administration.Status
Mode = Administration.Mode
INTERVIEWS = frozenset({Mode.INTERVIEW_PHONE, Mode.INTERVIEW_IN_PERSON})
"""Ways in which a member of staff reads the questions out."""


@transaction.atomic
def save_form(
    *,
    participant: Participant,
    visit: Visit,
    instrument: str,
    answers: Mapping[str, Any],
    missing: Mapping[str, str],
    mode: str,
    respondent: str,
    completed_date: date | None,
    by: User | None,
    at: datetime,
    expected_revision: int,
    submit: bool,
    reasons: Mapping[str, str] | None = None,
    assessor: User | None = None,
    language: str = "en-GB",
    shown_at: datetime | None = None,
    seconds_active: int = 0,
    accepted: Mapping[str, str] | None = None,
    known: Mapping[str, int] | None = None,
) -> Administration:
    """Store a draft, a completed form or a correction, with scores, counts and any risk alert, in one transaction.

    Args:
        answers: whole numbers by item code; absent and None both mean not answered.
        missing: why an item has no answer, by item code (MissingCode).
        mode, completed_date: may be empty in a draft.
        by: who enters it; None for the participant through a link.
        expected_revision: the revision the person saw; 0 when nothing was stored.
        submit: True completes the form. Required items without answer or reason are stored as left blank.
        reasons: why each changed field of a completed form changes, by item code or key of `rules` (BR-63).
        shown_at, seconds_active: when the answered question was shown to the participant, and for how many seconds.
        accepted: why an answer that a soft check warned about was kept, by code of the check (R-10).
        assessor: who held an interview; whoever enters it first unless it is said.
        known: answers of a second entry, which raised their alert already: the same again is no rise (BR-50).

    Returns:
        The form as stored. The same content sent again changes nothing and is no conflict.

    Raises:
        AnswersRefused: fields that cannot be stored, by key; nothing is stored (BR-32, BR-33). So does a hard check
            of the protocol refuse a form that is submitted.
        ChangedMeanwhile: somebody saved another content since; it carries both.
        ReasonsMissing: a correction without a reason.
        FormNotExpected, FormComplete, NothingAnswered, LicenceMissing, DefinitionChanged, DatasetLocked.
    """
    require_unlocked()
    visit, use, form = _place(participant, visit, instrument)
    stored = Administration.objects.select_for_update().filter(visit=visit, instrument=instrument).first()
    interviewer = _assessor_of(stored, mode, assessor, by)
    entry = Entry(given(answers), given(missing), mode, respondent, completed_date, language, interviewer)
    definition = instruments.get(instrument, stored.instrument_version if stored else use.version)
    require_licence(definition)
    result = instruments.score(definition, entry.answers, submitted=submit)
    _refuse(entry_problems(entry, result, definition, use, form, participant, submit, local_date(at)))
    if submit and not entry.answers and not entry.missing:
        raise NothingAnswered
    entry = entry.with_whole_numbers()
    if stored and stored.revision != expected_revision:
        _refuse_other_content(stored, entry, by, at)
    entry = entry.with_blanks(definition) if submit else entry
    states = _checked(participant, visit, definition, entry)
    if stored and _is_same(stored, entry, submit):
        if submit and accepted:
            record_warnings(stored, states, accepted, by, at)
        return stored
    confirm_unchanged(definition, at=at)
    if submit:
        _refuse(checking.hard_problems(states))
    row = stored or _new(participant, visit, definition, at, by)
    row.participant, row.visit = participant, visit  # as they are known here: hooks need not read them again
    before = dict(row.answers)
    row.first_opened_at = row.first_opened_at or shown_at
    row.seconds_active += seconds_active
    _write(row, entry, result, definition, submit=submit, reasons=reasons or {}, by=by, at=at)
    if submit:
        record_warnings(row, states, accepted or {}, by, at)
    _raise_alert(row, definition, result, (before, known or before), by, at)
    _call_hooks(row, by, at)
    return row


def _write(
    row: Administration,
    entry: Entry,
    result: Result,
    definition: Instrument,
    *,
    submit: bool,
    reasons: Mapping[str, str],
    by: User | None,
    at: datetime,
) -> None:
    reason = _reason_for(row, entry, submit, reasons)
    _fill(row, entry, result, definition, at, submit)
    row.save_by(by, reason)


def _refuse(problems: rules.Problems) -> None:
    if problems:
        raise AnswersRefused(problems)


def _checked(participant: Participant, visit: Visit, definition: Instrument, entry: Entry) -> list[CheckState]:
    return checking.check_states(
        participant=participant,
        visit=visit,
        definition=definition,
        answers=entry.answers,
        missing=entry.missing,
        completed_date=entry.completed_date,
    )


def _place(participant: Participant, visit: Visit, instrument: str) -> tuple[Visit, InstrumentUse, ExpectedForm]:
    """The visit, locked so that two first saves wait for each other, and what the protocol says of the form.

    Raises:
        FormNotExpected: the form does not belong to this visit, or the visit to this person.
    """
    visit = Visit.objects.select_for_update(of=("self",)).select_related("protocol_version").get(pk=visit.pk)
    spec = visit.protocol_version.spec
    try:
        form = protocol_rules.form(spec, visit.code, instrument)
        if visit.participant_id != participant.pk or instrument == ELIGIBILITY:
            raise FormNotExpected
        return visit, protocol_rules.instrument(spec, instrument), form
    except protocol_rules.UnknownCode:
        raise FormNotExpected from None


def _refuse_other_content(stored: Administration, entry: Entry, by: User | None, at: datetime) -> None:
    """Stop when the form holds something else than the person sends; blanks that completion added do not count."""
    blank = {code for code, why in stored.missing.items() if why == MissingCode.BL and code not in entry.fields}
    found = [one for one in rules.differences(stored_fields(stored), entry.fields) if one.key not in blank]
    if found:
        raise ChangedMeanwhile(stored, found, by, at)


def _is_same(stored: Administration, entry: Entry, submit: bool) -> bool:
    reached = stored.status == (Status.COMPLETE if submit else Status.DRAFT)
    return reached and stored_fields(stored) == entry.fields


def _new(
    participant: Participant, visit: Visit, definition: Instrument, at: datetime, by: User | None
) -> Administration:
    return Administration(
        participant=participant,
        visit=visit,
        protocol_version=visit.protocol_version,
        instrument=definition.code,
        instrument_version=definition.version,
        first_entered_at=at,
        entered_by=by,
    )


def _reason_for(row: Administration, entry: Entry, submit: bool, reasons: Mapping[str, str]) -> str:
    """The reason of the whole save; for a correction, each changed field keeps its own in `row.reasons`.

    Raises:
        FormComplete: a completed form cannot become a draft again.
        ReasonsMissing: a changed field of a completed form has no reason.
    """
    said = {key: text.strip() for key, text in reasons.items() if text.strip()}
    if row.status != Status.COMPLETE:
        row.reasons = {**row.reasons, **said}
        return "Completed" if submit else "Draft saved"
    if not submit:
        raise FormComplete
    changed = [one.key for one in rules.differences(stored_fields(row), entry.fields)]
    if lacking := [key for key in changed if key not in said]:
        raise ReasonsMissing(lacking)
    row.reasons = {**row.reasons, **{key: said[key] for key in changed}}
    return "; ".join(dict.fromkeys(said[key] for key in changed))


def _fill(
    row: Administration, entry: Entry, result: Result, definition: Instrument, at: datetime, submit: bool
) -> None:
    """Write the entry into the row. A draft has no scores; raw answers are never touched by scoring (BR-34)."""
    row.answers, row.missing = entry.answers, entry.missing
    row.mode, row.respondent = entry.mode, entry.respondent
    row.completed_date, row.language = entry.completed_date, entry.language
    row.assessor = entry.assessor
    row.n_answered, row.n_expected = instruments.completeness(definition, entry.answers, entry.missing)
    row.not_done_reason = ""
    row.revision += 1
    row.status = Status.COMPLETE if submit else Status.DRAFT
    if submit:
        row.submitted_at = row.submitted_at or at
        row.scores, row.scoring_version = result.as_dict()["scores"], result.algorithm_version


def _assessor_of(stored: Administration | None, mode: str, given: User | None, by: User | None) -> User | None:
    """Who held the interview. A save by somebody else leaves it as it was; other ways of answering have nobody."""
    if mode not in INTERVIEWS:
        return None
    is_complete = stored is not None and stored.status == Status.COMPLETE
    return given or (stored.assessor if stored else None) or (None if is_complete else by)


def _raise_alert(
    row: Administration,
    definition: Instrument,
    result: Result,
    before: Iterable[Mapping[str, int]],
    by: User | None,
    at: datetime,
) -> None:
    """One alert for each form, raised with the first answer that asks for it, drafts included (BR-50)."""
    if result.alerts:
        safety.raise_alert(
            participant=row.participant,
            trigger="answer",
            severity=rules.severity_of(definition, result.alerts),
            codes=result.alerts,
            administration_id=row.pk,
            has_risen=all(rules.has_risen(definition, one, row.answers, result.alerts) for one in before),
            by=by,
            at=at,
        )


def _call_hooks(row: Administration, by: User | None, at: datetime) -> None:
    for hook in hooks.after_save:
        hook(row, by, at)


@transaction.atomic
def mark_not_done(
    *,
    participant: Participant,
    visit: Visit,
    instrument: str,
    reason_code: str,
    by: User,
    at: datetime,
) -> Administration:
    """Record that a form was not done, with a reason of the protocol's list. The same again changes nothing.

    Raises:
        FormNotExpected: the form does not belong to this visit.
        AnswersStored: some of it was answered.
        AnswersRefused: the reason is not in the protocol's list.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    visit, use, _ = _place(participant, visit, instrument)
    known = {one.code for one in protocol_rules.reasons(visit.protocol_version.spec, "not_done")}
    if reason_code not in known:
        raise AnswersRefused({"reason": "Select why it was not done"})
    stored = Administration.objects.select_for_update().filter(visit=visit, instrument=instrument).first()
    if stored and stored.not_done_reason == reason_code:
        return stored
    if stored and (stored.status == Status.COMPLETE or stored.answers):
        raise AnswersStored
    row = stored or _new(participant, visit, instruments.get(instrument, use.version), at, by)
    row.status, row.not_done_reason = Status.NOT_DONE, reason_code
    row.revision += 1
    row.save_by(by, "Not done")
    _call_hooks(row, by, at)
    return row
