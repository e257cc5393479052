"""visits: one row for each scheduled visit, attended or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from exports.datasets import records
from exports.datasets.common import (
    SUBJID,
    VISIT_LABEL,
    VISITNUM,
    YES_NO,
    TableSource,
    code,
    coding,
    day,
    days_between,
    days_since_randomisation,
    flag,
    identifier,
    integer,
    iso,
    reason_for,
    text_codes,
    yes_no,
)
from exports.datasets.definition import Definition, questionnaires
from exports.datasets.missingness import Due, absent
from exports.datasets.records import ChangeRecord, FormRecord, VisitRecord
from exports.datasets.snapshot import Person, Snapshot
from exports.missing_codes import NOT_ASKED, NOT_DONE, WITHDRAWN
from exports.model import Level, Row, Source, Table
from trial.participants.models import Status
from trial.participation.rules import collects_answers
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ExpectedForm, VisitSpec
from trial.schedule.rules import VisitStatus, visit_status

DIED = "died"
VISIT_STATUS = coding(
    "visit_status",
    (0, VisitStatus.NOT_DUE.value, "Not due yet"),
    (1, VisitStatus.OPEN.value, "Open"),
    (2, VisitStatus.OVERDUE.value, "Overdue"),
    (3, VisitStatus.DONE.value, "Done"),
    (4, VisitStatus.DONE_EARLY.value, "Done early"),
    (5, VisitStatus.DONE_LATE.value, "Done late"),
    (6, VisitStatus.MISSED.value, "Missed"),
    (7, VisitStatus.NOT_EXPECTED.value, "Not expected"),
    (8, DIED, "Died before it was due"),
)
ABSENT_CODES = (WITHDRAWN, NOT_DONE, NOT_ASKED)


@dataclass(frozen=True)
class Diary:
    """One person's visits with what explains them."""

    snapshot: Snapshot
    person: Person
    visits: Sequence[VisitRecord]
    changes: Sequence[ChangeRecord]
    status: str

    def spec_of(self, visit: VisitRecord) -> VisitSpec:
        """The visit as its own version of the protocol describes it."""
        return protocol_rules.visit(self.snapshot.definition.specs[visit.version], visit.code)

    def missed_from(self, visit: VisitRecord) -> date | None:
        """The day on which the next visit's window opens (BR-31)."""
        if self.spec_of(visit).before_randomisation:
            return None
        return next((one.opens for one in self.visits if one.number > visit.number), None)

    def is_over(self, visit: VisitRecord) -> bool:
        """Its window has closed, or the next one's has opened, on the last day of the data."""
        through, missed_from = self.snapshot.through, self.missed_from(visit)
        closed = visit.closes is not None and visit.closes < through
        return closed or (missed_from is not None and missed_from <= through)

    def died_before(self, visit: VisitRecord) -> bool:
        """The person died before it was due."""
        return self.person.died is not None and (visit.target or visit.opens) > self.person.died

    def had_stopped(self, visit: VisitRecord) -> bool:
        """All questionnaires were off on the last day of its window, or the person left before randomisation."""
        until = min(visit.closes or self.snapshot.through, self.snapshot.through)
        left = self.status == Status.WITHDRAWN_BEFORE_RANDOMISATION
        return left or not collects_answers(self.changes, until)

    def was_asked(self, form: ExpectedForm | None, earlier: FormRecord | None) -> bool:
        """The protocol asked for the form: it is not one that an earlier, fresh one stands for."""
        if form is None or self.status == Status.SCREEN_FAILED:
            return False
        answered = earlier.completed if earlier and earlier.is_complete else None
        on = self.person.randomised or self.snapshot.through
        return protocol_rules.is_expected(form, earlier_on=answered, on=on)

    def due(self, visit: VisitRecord, *, was_asked: bool, recorded_not_done: bool) -> Due:
        """What explains that a form of the visit was not answered."""
        return Due(
            was_asked=was_asked,
            recorded_not_done=recorded_not_done,
            died_before=self.died_before(visit),
            had_stopped=self.had_stopped(visit),
            is_over=self.is_over(visit),
        )

    def in_window(self, visit: VisitRecord, on: date | None) -> int | None:
        """1 when the day lies in the visit's window, both ends included; None where one is not known."""
        if on is None or visit.closes is None:
            return None
        return flag(visit.opens <= on <= visit.closes)


def diaries(snapshot: Snapshot, ids: list[int], people: list[Person]) -> Iterator[Diary]:
    """The diaries of some people, in three lookups."""
    visits, changes = records.visits(snapshot, ids), records.changes(snapshot, ids)
    statuses = records.statuses(snapshot, [person.referral for person in people])
    for person in people:
        status = statuses[person.referral].status
        yield Diary(snapshot, person, visits.get(person.pk, ()), changes.get(person.pk, ()), status)


def source(definition: Definition) -> TableSource:
    """The table."""
    table = Table(
        name="visits",
        label="Scheduled visits",
        row="a scheduled visit of a person, attended or not",
        key=("subjid", "visitnum"),
        variables=(
            SUBJID,
            VISITNUM,
            identifier("visit", "VISITCD", "Code of the visit in the protocol", short_label="Visit code"),
            VISIT_LABEL,
            day("target_date", "TARGETDT", "Day on which it was due", source=Source.DERIVED),
            day("window_opens", "WINOPEN", "First day of its window", source=Source.DERIVED),
            day("window_closes", "WINCLOSE", "Last day of its window", source=Source.DERIVED),
            day(
                "visit_date",
                "VISITDT",
                "Last day on which one of its questionnaires was answered",
                short_label="Day of the visit",
                source=Source.DERIVED,
                missing=ABSENT_CODES,
                companion="visit_date_miss",
            ),
            reason_for("visit_date_miss", "VISITDM", "Why there is no day of the visit", ABSENT_CODES),
            days_since_randomisation("visit_date"),
            integer(
                "days_from_target",
                "DAYSTARG",
                "Days from the day on which it was due",
                unit="days",
                source=Source.DERIVED,
                derivation="visit_date minus target_date. Blank where it would fall into the block of missing codes.",
            ),
            yes_no("in_window", "INWINDOW", "Answered inside its window", source=Source.DERIVED),
            code(
                "visit_status",
                "VSTATUS",
                "What became of it by the last day of the data",
                VISIT_STATUS.codelist.name,
                short_label="Status of the visit",
                level=Level.NOMINAL,
                source=Source.DERIVED,
                derivation="From the windows and the forms answered (BR-31). Died: it was due after the death.",
            ),
            code("missed_reason", "MISSREAS", "Why it was missed", "missed_reason"),
            integer("n_forms_expected", "NEXPECT", "Questionnaires expected", source=Source.DERIVED, min=0, max=99),
            integer("n_forms_complete", "NCOMPL", "Questionnaires completed", source=Source.DERIVED, min=0, max=99),
        ),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for ids, people in snapshot.batches():
            forms = records.forms(snapshot, ids)
            for diary in diaries(snapshot, ids, people):
                yield from _rows(diary, forms.get(diary.person.pk, ()))

    reasons = text_codes("missed_reason", _reasons(definition))
    return TableSource(table, rows, (definition.visitnums, VISIT_STATUS.codelist, reasons, YES_NO))


def _reasons(definition: Definition) -> Iterator[tuple[str, str]]:
    for spec in definition.specs.values():
        yield from ((reason.code, reason.label) for reason in spec.reasons.missed_visit)


def _rows(diary: Diary, forms: Sequence[FormRecord]) -> Iterator[Row]:
    by_place = {(form.visit, form.instrument): form for form in forms}
    codes = {visit.code: visit.pk for visit in diary.visits}
    for visit in diary.visits:
        asked = []
        for form in questionnaires(diary.spec_of(visit)):
            earlier = by_place.get((codes.get(form.repeat_of.visit, 0), form.form)) if form.repeat_of else None
            stored = by_place.get((visit.pk, form.form))
            if stored is not None or diary.was_asked(form, earlier):
                asked.append((form, stored))
        yield _row(diary, visit, asked)


def _row(diary: Diary, visit: VisitRecord, asked: Sequence[tuple[ExpectedForm, FormRecord | None]]) -> Row:
    answered = [form.completed for _, form in asked if form and form.is_complete and form.completed]
    on = max(answered) if answered else None
    status = _status(diary, visit, asked, answered)
    not_done = bool(asked) and all(form is not None and form.is_not_done for _, form in asked)
    due = diary.due(visit, was_asked=bool(asked), recorded_not_done=not_done)
    return [
        diary.person.study_id,
        visit.number,
        visit.code,
        diary.spec_of(visit).name,
        iso(visit.target),
        iso(visit.opens),
        iso(visit.closes),
        iso(on),
        None if on else absent(due),
        days_between(diary.person.randomised, on),
        days_between(visit.target, on),
        diary.in_window(visit, on),
        VISIT_STATUS.code(status),
        visit.missed_reason or None,
        len(asked),
        len(answered),
    ]


def _status(
    diary: Diary,
    visit: VisitRecord,
    asked: Sequence[tuple[ExpectedForm, FormRecord | None]],
    answered: Sequence[date],
) -> str:
    if not answered and diary.died_before(visit):
        return DIED
    needed = [form for expected, form in asked if expected.required] or [form for _, form in asked]
    return visit_status(
        today=diary.snapshot.through,
        opens=visit.opens,
        closes=visit.closes,
        missed_from=diary.missed_from(visit),
        answered_on=answered,
        is_complete=bool(needed) and all(form and (form.is_complete or form.is_not_done) for form in needed),
        is_expected=not diary.had_stopped(visit) and diary.status != Status.SCREEN_FAILED,
    )
