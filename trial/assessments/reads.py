"""Forms and visits of one person as they stand: for the record page, the task list of a visit and the guards."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from trial.assessments import rules
from trial.assessments.models import Administration
from trial.base import statuses
from trial.base.parts import VisitCell, VisitColumn, VisitRow
from trial.base.words import day_and_month, short_date
from trial.participants.models import RE_REFERRABLE, Participant
from trial.participation.rules import collects_answers
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ExpectedForm, ProtocolSpec, VisitSpec
from trial.schedule.models import Visit
from trial.schedule.rules import VisitStatus, WindowStatus, visit_status, window_status

FormKey = tuple[str, str]
"""(visit code, form code)."""


@dataclass(frozen=True)
class FormState:
    """One expected form of one visit. `status` is a code of `statuses.FORM`."""

    visit: VisitSpec
    form: ExpectedForm
    label: str
    status: str
    detail: str
    url: str
    stored: Administration | None = None

    @property
    def is_settled(self) -> bool:
        """Complete, or recorded as not done."""
        return self.stored is not None and self.stored.status != Administration.Status.DRAFT


@dataclass(frozen=True)
class VisitState:
    """One visit of one person. `row` is None until the visit exists, after allocation."""

    spec: VisitSpec
    row: Visit | None
    status: VisitStatus
    forms: Mapping[str, FormState]


@dataclass(frozen=True)
class Grid:
    """The visit grid, for templates/components/_visit_grid.html, and the visits it is drawn from."""

    columns: list[VisitColumn]
    rows: list[VisitRow]
    key_note: str
    visits: list[VisitState]

    @property
    def key(self) -> list[statuses.Status]:
        """Every status a cell can have."""
        return list(statuses.FORM.values())


def visit_states(
    participant: Participant,
    spec: ProtocolSpec,
    today: date,
    *,
    open_queries: Collection[FormKey] = frozenset(),
    is_locked: bool = False,
) -> list[VisitState]:
    """Every visit of the protocol with its expected forms, in order, by three database reads.

    Args:
        open_queries: forms with an open query.
        is_locked: the person's data are signed or frozen.
    """
    visits = {row.code: row for row in participant.visits.all()}
    stored = {(_code_of(visits, one), one.instrument): one for one in participant.administrations.all()}
    changes = list(participant.participation_changes.all())
    reader = _Reader(participant, spec, today, visits, stored, open_queries, is_locked)

    def takes_part(row: Visit | None) -> bool:
        until = min(row.closes_date or today, today) if row else today
        return participant.referral.status not in RE_REFERRABLE and collects_answers(changes, until)

    return [reader.state(one, takes_part(visits.get(one.code))) for one in spec.visits]


def _code_of(visits: Mapping[str, Visit], one: Administration) -> str:
    return next(row.code for row in visits.values() if row.pk == one.visit_id)


@dataclass(frozen=True)
class _Reader:
    """What is known of one person while the states are worked out."""

    participant: Participant
    spec: ProtocolSpec
    today: date
    visits: Mapping[str, Visit]
    stored: Mapping[FormKey, Administration]
    open_queries: Collection[FormKey]
    is_locked: bool

    @property
    def facts(self) -> rules.Facts:
        answered = {
            key: one.completed_date
            for key, one in self.stored.items()
            if one.completed_date and one.status == Administration.Status.COMPLETE
        }
        return rules.Facts(self.participant.randomised_date or self.today, answered)

    def state(self, visit: VisitSpec, takes_part: bool) -> VisitState:
        row = self.visits.get(visit.code)
        expected = rules.expected_forms(visit, self.facts) if takes_part else []
        wanted = [
            one
            for one in visit.forms
            if rules.is_instrument(one) and (one in expected or (visit.code, one.form) in self.stored)
        ]
        forms = {one.form: self._form(visit, row, one) for one in wanted}
        return VisitState(visit, row, self._status(visit, row, forms, takes_part), forms)

    def _status(
        self, visit: VisitSpec, row: Visit | None, forms: Mapping[str, FormState], takes_part: bool
    ) -> VisitStatus:
        if row is None:
            return VisitStatus.NOT_DUE if takes_part else VisitStatus.NOT_EXPECTED
        following = protocol_rules.next_visit(self.spec, visit.code)
        next_row = self.visits.get(following.code) if following and not visit.before_randomisation else None
        answered = [one.stored.completed_date for one in forms.values() if one.stored and one.stored.completed_date]
        needed = [one for one in forms.values() if one.form.required] or list(forms.values())
        return visit_status(
            today=self.today,
            opens=row.opens_date,
            closes=row.closes_date,
            missed_from=next_row.opens_date if next_row else None,
            answered_on=answered,
            is_complete=bool(needed) and all(one.is_settled for one in needed),
            is_expected=takes_part,
        )

    def _form(self, visit: VisitSpec, row: Visit | None, form: ExpectedForm) -> FormState:
        stored = self.stored.get((visit.code, form.form))
        if stored is not None:
            status, detail = self._stored(visit, stored)
        else:
            status, detail = self._waiting(row)
        url = form_url(self.participant, visit.code, form.form) if row else ""
        label = protocol_rules.form_label(self.spec, form.form)
        return FormState(visit, form, label, status, detail, url, stored)

    def _stored(self, visit: VisitSpec, stored: Administration) -> tuple[str, str]:
        on = _day(stored.completed_date, self.today) if stored.completed_date else ""
        if (visit.code, stored.instrument) in self.open_queries:
            return "query_open", on
        if stored.status == Administration.Status.NOT_DONE:
            return "not_done", protocol_rules.reason(self.spec, "not_done", stored.not_done_reason).label
        if self.is_locked:
            return "locked", on
        if stored.status == Administration.Status.COMPLETE:
            return "complete", on
        row = self.visits[visit.code]
        if row.closes_date and self.today > row.closes_date:
            return "overdue", f"{stored.n_answered} of {stored.n_expected}"
        return "in_progress", f"{stored.n_answered} of {stored.n_expected}"

    def _waiting(self, row: Visit | None) -> tuple[str, str]:
        if row is None:
            return "not_due", ""
        if self.today < row.opens_date:
            return "not_due", f"from {_day(row.opens_date, self.today)}"
        if row.closes_date is None:
            return "due", ""
        if self.today <= row.closes_date:
            return "due", f"by {_day(row.closes_date, self.today)}"
        return "overdue", _day(row.closes_date, self.today)


def form_url(participant: Participant, visit: str, form: str) -> str:
    """The page of one form."""
    return reverse("assessments:form", args=[participant.study_id, visit, form])


def _day(day: date, today: date) -> str:
    """ "23 Jul", with its year where that is not the present one: the key of the grid says the year once."""
    return day_and_month(day) if day.year == today.year else short_date(day)


def visit_grid(
    participant: Participant,
    spec: ProtocolSpec,
    today: date,
    *,
    open_queries: Collection[FormKey] = frozenset(),
    is_locked: bool = False,
    other_cells: Mapping[FormKey, VisitCell] | None = None,
) -> Grid:
    """The visit grid of one person: rows are forms, columns visits (ux.md section 3).

    Args:
        other_cells: cells of forms that are no questionnaire, such as eligibility.
    """
    states = visit_states(participant, spec, today, open_queries=open_queries, is_locked=is_locked)
    others = dict(other_cells or {})
    cells = {
        (one.spec.code, code): VisitCell(form.status, form.detail, form.url)
        for one in states
        for code, form in one.forms.items()
    } | others
    codes = dict.fromkeys(one.form for visit in spec.visits for one in visit.forms)
    rows = [
        VisitRow(protocol_rules.form_label(spec, code), [cells.get((one.spec.code, code)) for one in states])
        for code in codes
        if any((one.spec.code, code) in cells for one in states)
    ]
    columns = [VisitColumn(one.spec.name, _window(one, today), one.status == VisitStatus.OPEN) for one in states]
    return Grid(columns, rows, f"All dates are {today.year} unless they say another year", states)


def _window(state: VisitState, today: date) -> str:
    """ "14 to 28 May"; before randomisation, the day on which the visit's forms were answered last."""
    row = state.row
    if row is None:
        return "after randomisation"
    if state.spec.before_randomisation:
        days = [f.stored.completed_date for f in state.forms.values() if f.stored and f.stored.completed_date]
        return _day(max(days), today) if days else ""
    if row.closes_date is None:
        return ""
    opens = str(row.opens_date.day) if _same_month(row.opens_date, row.closes_date) else day_and_month(row.opens_date)
    return f"{opens} to {_day(row.closes_date, today)}"


def _same_month(one: date, other: date) -> bool:
    return (one.year, one.month) == (other.year, other.month)


# -- before randomisation


@dataclass(frozen=True)
class Unmet:
    """A required baseline form that stands in the way: what to do, and where."""

    text: str
    url: str


def unmet_baseline(participant: Participant, spec: ProtocolSpec, on: date) -> list[Unmet]:
    """Required baseline forms that are not complete, or outside their window for a randomisation on `on` (T10, BR-20).

    Empty when every one is complete and inside.
    """
    codes = [visit.code for visit in protocol_rules.baseline_visits(spec)]
    states = [one for one in visit_states(participant, spec, on) if one.spec.code in codes]
    return [
        Unmet(text, form.url)
        for state in states
        for form in state.forms.values()
        if form.form.required and (text := _unmet_text(form, on))
    ]


def _unmet_text(form: FormState, on: date) -> str:
    stored = form.stored
    if stored is None or stored.status != Administration.Status.COMPLETE or stored.completed_date is None:
        return f"{form.label} is not complete"
    window = protocol_rules.window(form.visit, on)
    placed = window_status(stored.completed_date, window.opens, window.closes)
    if placed is WindowStatus.IN_WINDOW:
        return ""
    return f"{form.label} was completed on {short_date(stored.completed_date)}, outside the {form.visit.label} window"
