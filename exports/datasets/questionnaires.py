"""One table for each instrument of the protocol: a row for each administration that was due or done (BR-34).

Everything comes from the instrument's definition: a new instrument is a table without a line of code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import instruments
from exports.datasets import records
from exports.datasets.common import (
    YES_NO,
    TableSource,
    days_between,
    iso,
)
from exports.datasets.definition import Definition
from exports.datasets.missingness import absent, item_values, unscored
from exports.datasets.questionnaire_columns import (
    COMPLETED_BY,
    FORM_STATUS,
    MODE,
    SCORE_STATUS,
    Columns,
    is_unsafe,
)
from exports.datasets.records import FormRecord, VisitRecord
from exports.datasets.snapshot import Snapshot
from exports.datasets.visits import Diary, diaries
from exports.missing_codes import NOT_APPLICABLE
from exports.model import Row, Table, Value
from instruments import Score


def sources(definition: Definition) -> Iterator[TableSource]:
    """One table for each instrument, in the order of their codes."""
    for instrument_code, versions in definition.instruments.items():
        yield Questionnaire(definition, Columns(definition, instrument_code, versions)).source()


@dataclass(frozen=True)
class Questionnaire:
    """The table of one instrument: its columns, and its rows from visits, forms and participation."""

    definition: Definition
    columns: Columns

    @property
    def code(self) -> str:
        """Code of the instrument, which names the table."""
        return self.columns.code

    def source(self) -> TableSource:
        """The table."""
        table = Table(
            name=self.code,
            label=f"{self.columns.newest.short_title}: one row for each administration",
            row="a questionnaire that was due or done at a visit",
            key=("subjid", "visitnum"),
            variables=tuple(self.columns.variables()),
            instrument=self.code,
        )
        fixed = (FORM_STATUS, MODE, COMPLETED_BY, SCORE_STATUS)
        lists = (YES_NO, self.definition.visitnums, *(each.codelist for each in fixed), *self.columns.option_lists())
        return TableSource(table, self.rows, lists)

    def rows(self, snapshot: Snapshot) -> Iterator[Row]:
        """A row for each form that a visit expects, answered or not, and for any other that was answered."""
        for ids, people in snapshot.batches():
            forms = records.forms(snapshot, ids, self.code)
            for diary in diaries(snapshot, ids, people):
                stored = {form.visit: form for form in forms.get(diary.person.pk, ())}
                yield from self._of_person(diary, stored)

    def _of_person(self, diary: Diary, stored: Mapping[int, FormRecord]) -> Iterator[Row]:
        by_code = {visit.code: stored.get(visit.pk) for visit in diary.visits}
        for visit in diary.visits:
            expected = self.definition.form(visit.version, visit.code, self.code)
            form = stored.get(visit.pk)
            if expected is None and form is None:
                continue
            repeats = expected.repeat_of if expected else None
            was_asked = diary.was_asked(expected, by_code.get(repeats.visit) if repeats else None)
            if form is not None and form.has_answers:
                yield [
                    diary.person.study_id,
                    visit.number,
                    diary.spec_of(visit).name,
                    *self._answered(diary, visit, form),
                ]
            else:
                not_done = form is not None and form.is_not_done
                reason = absent(diary.due(visit, was_asked=was_asked, recorded_not_done=not_done))
                status = "not_done" if not_done else "absent"
                yield [diary.person.study_id, visit.number, diary.spec_of(visit).name, *self._absent(status, reason)]

    def _absent(self, status: str, reason: int | None) -> list[Value]:
        cells: list[Value] = [FORM_STATUS.code(status), None, reason, *([reason] * 6), None, reason]
        cells += [reason] * len(self.columns.items)
        for score in self.columns.scores.values():
            cells += [None, reason, reason] if is_unsafe(score) else [reason, reason]
        return cells

    def _answered(self, diary: Diary, visit: VisitRecord, form: FormRecord) -> list[Value]:
        definition = instruments.get(self.code, form.instrument_version)
        settled = form.is_complete or diary.is_over(visit)
        items = item_values(definition, self.columns.items, form.answers, form.missing, is_settled=settled)
        cells: list[Value] = [
            FORM_STATUS.code(form.status),
            iso(form.completed),
            None,
            days_between(diary.person.randomised, form.completed),
            days_between(visit.target, form.completed),
            diary.in_window(visit, form.completed),
            MODE.code(form.mode),
            COMPLETED_BY.code(form.respondent),
            NOT_APPLICABLE if form.assessor_unblinded is None else int(form.assessor_unblinded),
            form.instrument_version,
            form.n_answered,
            *items.values(),
        ]
        for score in self.columns.scores.values():
            cells += _score_cells(score, form, items, settled)
        return cells


def _score_cells(score: Score, form: FormRecord, items: Mapping[str, int | None], settled: bool) -> Iterator[Value]:
    """Value, reason where it has a column of its own, and status of one score of a form with answers."""
    stored = form.scores.get(score.code, {})
    value, status = stored.get("value"), str(stored.get("status", "")) if settled else ""
    behind = [items.get(item) for item in score.items]
    reason = unscored(status, behind) if value is None else None
    if not is_unsafe(score):
        yield int(value) if value is not None and settled else reason
    else:
        yield _written(score, value) if value is not None and settled else None
        yield reason
    yield SCORE_STATUS.code(status)


def _written(score: Score, value: Any) -> str:
    if score.method == "concat":
        return str(value)
    return f"{Decimal(str(value)):.{score.precision}f}"
