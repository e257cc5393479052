"""The questionnaires of one visit as one row of questions, each on a page of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import instruments
from instruments import Instrument, Item
from trial.assessments import rules as form_rules
from trial.assessments.models import Administration, MissingCode
from trial.assessments.wording import LicenceMissing, Wording, wording_of
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ExpectedForm, InstrumentUse
from trial.schedule.models import Visit
from trial.selfcompletion import rules

SELF_WEB = Administration.Mode.SELF_WEB


@dataclass(frozen=True)
class Part:
    """One questionnaire of the pack. `number` is its place among the visit's forms, from 1: it stands in addresses."""

    number: int
    use: InstrumentUse
    wording: Wording
    stored: Administration | None

    @property
    def definition(self) -> Instrument:
        """The version in which it is answered."""
        return self.wording.instrument

    @property
    def answers(self) -> Mapping[str, int]:
        """Answers so far."""
        return self.stored.answers if self.stored else {}

    @property
    def missing(self) -> Mapping[str, str]:
        """Why an item was passed without an answer."""
        return self.stored.missing if self.stored else {}

    @cached_property
    def asked(self) -> list[Item]:
        """Its questions as the answers stand."""
        return rules.asked(self.definition, self.answers, self.missing)


@dataclass(frozen=True)
class Question:
    """One question of the pack.

    Attributes:
        place, n_places: its place among the questions of its part.
        part_place, n_parts: the part's place in the pack.
    """

    part: Part
    item: Item
    place: int
    n_places: int
    part_place: int
    n_parts: int

    @property
    def position(self) -> str:
        """ "Question 4 of 9", with the part where there are several."""
        words = f"Question {self.place} of {self.n_places}"
        return f"Part {self.part_place} of {self.n_parts}. {words}" if self.n_parts > 1 else words

    @property
    def answer(self) -> int | None:
        """The stored answer."""
        return self.part.answers.get(self.item.code)

    @property
    def missing(self) -> str:
        """The stored reason for none."""
        return self.part.missing.get(self.item.code, "")

    @property
    def is_passed(self) -> bool:
        """Answered, declined or skipped."""
        return self.answer is not None or bool(self.missing)

    @property
    def words(self) -> str:
        """The stored answer as the person reads it again."""
        if self.answer is None:
            return MissingCode.RF.label if self.missing == MissingCode.RF else "Not answered"
        label = self.part.wording.label(self.item, self.answer)
        if self.item.unit:
            return f"{self.answer} {self.item.unit}"
        return label if self.item.type == "choice" or label == str(self.answer) else f"{self.answer}, {label}"


@dataclass(frozen=True)
class Pack:
    """What is still open of one visit, in the protocol's order."""

    parts: tuple[Part, ...]

    @cached_property
    def questions(self) -> list[Question]:
        """Every question that is asked as things stand."""
        return [
            Question(part, item, place, len(part.asked), part_place, len(self.parts))
            for part_place, part in enumerate(self.parts, start=1)
            for place, item in enumerate(part.asked, start=1)
        ]

    def question(self, part: int, item: int) -> Question | None:
        """The question that an address names, by number of its part and of its item."""
        return next((q for q in self.questions if (q.part.number, q.item.number) == (part, item)), None)

    def with_form(self, form: Administration) -> "Pack":
        """The pack after one of its questionnaires was saved."""
        return Pack(tuple(replace(one, stored=form) if one.use.code == form.instrument else one for one in self.parts))

    def first_open(self) -> Question | None:
        """The first question neither answered nor passed."""
        return next((q for q in self.questions if not q.is_passed), None)

    def after(self, part: int, item: int) -> Question | None:
        """The question after this one, whether or not this one is still asked."""
        order = [one.number for one in self.parts]
        if part not in order:
            return self.first_open()
        here = (order.index(part), item)
        return next((q for q in self.questions if (order.index(q.part.number), q.item.number) > here), None)

    def before(self, part: int, item: int) -> Question | None:
        """The question before this one."""
        order = [one.number for one in self.parts]
        here = (order.index(part) if part in order else 0, item)
        earlier = [q for q in self.questions if (order.index(q.part.number), q.item.number) < here]
        return earlier[-1] if earlier else None


def pack_of(visit: Visit, on: date, only: int = 0) -> Pack:
    """What the participant of a visit may still answer online; with `only`, that part of it alone.

    Left to the team are forms that are complete or not done, that somebody of the team has begun in another way, and
    those whose words may not be shown: a question without its published words is another question.
    """
    forms = protocol_rules.visit(visit.protocol_version.spec, visit.code).forms
    stored = {one.instrument: one for one in visit.administrations.all()}
    parts = (
        _part(visit, number, form, stored.get(form.form))
        for number, form in enumerate(forms, start=1)
        if only in (0, number)
        and form_rules.is_instrument(form)
        and SELF_WEB in form.modes
        and (form.form in stored or _is_expected(visit.participant, form, on))
    )
    return Pack(tuple(part for part in parts if part is not None))


def _part(visit: Visit, number: int, form: ExpectedForm, stored: Administration | None) -> Part | None:
    if stored and (stored.status != Administration.Status.DRAFT or stored.mode not in ("", SELF_WEB)):
        return None
    use = protocol_rules.instrument(visit.protocol_version.spec, form.form)
    try:
        wording = wording_of(instruments.get(use.code, stored.instrument_version if stored else use.version))
    except LicenceMissing:
        return None
    return None if wording.is_withheld else Part(number, use, wording, stored)


def _is_expected(participant: Participant, form: ExpectedForm, on: date) -> bool:
    """Whether a form is expected; one that may stand over from an earlier visit needs that visit's day."""
    if form.repeat_of is None:
        return True
    earlier = participant.administrations.filter(
        visit__code=form.repeat_of.visit, instrument=form.form, status=Administration.Status.COMPLETE
    ).first()
    day = earlier.completed_date if earlier else None
    answered = {(form.repeat_of.visit, form.form): day} if day else {}
    return form_rules.is_expected(form, form_rules.Facts(participant.randomised_date or on, answered))
