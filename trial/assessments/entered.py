"""What one person sends for one form, and why it cannot be stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import instruments
from instruments import Instrument, Result
from trial.access.models import User
from trial.assessments import rules
from trial.assessments.models import Administration, MissingCode
from trial.assessments.rules import ASSESSOR, COMPLETED_DATE, MODE, RESPONDENT, Problems
from trial.participants.models import Participant
from trial.protocol.spec import ExpectedForm, InstrumentUse


@dataclass(frozen=True)
class Entry:
    """What one person sends for one form, cleaned of empty values."""

    answers: dict[str, Any]
    missing: dict[str, str]
    mode: str
    respondent: str
    completed_date: date | None
    language: str
    assessor: User | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """Every field by key, to be compared with another version."""
        way: dict[str, Any] = {COMPLETED_DATE: self.completed_date, MODE: self.mode, RESPONDENT: self.respondent}
        way[ASSESSOR] = self.assessor.pk if self.assessor else None
        return rules.fields_of(self.answers, self.missing, way)

    def with_whole_numbers(self) -> "Entry":
        """Valid answers as they are stored: 2.0 as 2."""
        return replace(self, answers={code: int(answer) for code, answer in self.answers.items()})

    def with_blanks(self, definition: Instrument) -> "Entry":
        """Required items without answer or reason are left blank (BL) when a form is completed."""
        wanted = instruments.required_items(definition, self.answers)
        blank = {code: MissingCode.BL.value for code in wanted if code not in self.answers}
        return replace(self, missing={**blank, **self.missing})


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values without those that are empty."""
    return {code: value for code, value in values.items() if value not in (None, "")}


def stored_fields(form: Administration) -> dict[str, Any]:
    """Every field of what is stored, by key."""
    way: dict[str, Any] = {COMPLETED_DATE: form.completed_date, MODE: form.mode, RESPONDENT: form.respondent}
    way[ASSESSOR] = form.assessor_id
    return rules.fields_of(form.answers, form.missing, way)


def entry_problems(
    entry: Entry,
    result: Result,
    definition: Instrument,
    use: InstrumentUse,
    form: ExpectedForm,
    participant: Participant,
    submit: bool,
    today: date,
) -> Problems:
    """What cannot be stored, by key; what only a completed form must have is asked when it is submitted."""
    problems = rules.answer_problems(definition, {finding.item: finding.code for finding in result.errors})
    problems |= rules.missing_problems(definition, entry.answers, entry.missing)
    problems |= {code: "Select a reason" for code, why in entry.missing.items() if why not in MissingCode.values}
    problems |= rules.way_problems(use, form, mode=entry.mode, respondent=entry.respondent)
    if entry.completed_date:
        problem = rules.date_problem(entry.completed_date, consented=participant.consented_date, today=today)
        problems |= {COMPLETED_DATE: problem} if problem else {}
    elif submit:
        problems[COMPLETED_DATE] = "Enter the date it was completed"
    if submit and not entry.mode:
        problems[MODE] = "Select how it was completed"
    return problems
