"""A whole questionnaire as one form, built from its definition: what was typed comes out as answers and reasons."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from instruments import Item, ItemRule
from trial.access.models import User
from trial.assessments.models import Administration
from trial.assessments.rules import ASSESSOR, COMPLETED_DATE, MODE, RESPONDENT
from trial.assessments.wording import Wording
from trial.base.fields import ChoiceField, DateField, NumberField
from trial.base.parts import FastOption, FastRow
from trial.base.widgets import Radios
from trial.protocol.spec import ExpectedForm, InstrumentUse

NO_ANSWER: Mapping[str, tuple[str, str]] = {
    "BL": ("b", "Left blank"),
    "RF": ("r", "Declined"),
    "IL": ("i", "Cannot be read"),
    "NK": ("k", "Not known"),
    "NA": ("n", "Not applicable"),
    "ND": ("d", "Not done"),
}
"""Codes offered beside each item, with the key and the words of fast entry. A whole form is "Not done" on its page."""

Options = list[tuple[str, str]]
"""(value, label) of each answer, in published order."""
MOST_AT_HEAD = 5

STAFF_MODES = (
    Administration.Mode.SELF_PAPER,
    Administration.Mode.INTERVIEW_PHONE,
    Administration.Mode.INTERVIEW_IN_PERSON,
)
"""Ways of answering that a member of staff enters; online answers come from the participant."""


INTERVIEWS = frozenset({Administration.Mode.INTERVIEW_PHONE.value, Administration.Mode.INTERVIEW_IN_PERSON.value})


def box_of(item: Item) -> str:
    """Name of the text box of an item that is answered with a number; its reasons for no answer keep the code."""
    return f"{item.code}_value"


class EntryForm(forms.Form):
    """One questionnaire in paper order. Nothing is required here: what must not be missing stops completion only.

    Args:
        data: what was posted, or what is stored as `initial_of()` gives it.
    """

    revision = forms.CharField(required=False, max_length=9, widget=forms.HiddenInput())
    mark_optional = False

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        wording: Wording,
        use: InstrumentUse,
        form: ExpectedForm,
        initial: Mapping[str, Any] | None = None,
        assessors: Sequence[User] = (),
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.wording, self.instrument = wording, wording.instrument
        self.fields[COMPLETED_DATE] = DateField(
            label="Completed on", what="date it was completed", required=False, compact=True, quick=True
        )
        self.fields[MODE] = ChoiceField(
            label="How was it completed?",
            choices=[(mode.value, mode.label) for mode in STAFF_MODES if mode.value in form.modes],
            widget=Radios(inline=True),
            required=False,
            error_messages={"invalid_choice": "Select how it was completed"},
        )
        self.assessors = {str(one.pk): one for one in assessors} if INTERVIEWS & {*form.modes} else {}
        if self.assessors:
            self.fields[ASSESSOR] = forms.ChoiceField(
                label="Who held the interview?",
                choices=[
                    ("", "Nobody: it was not an interview"),
                    *((pk, one.name) for pk, one in self.assessors.items()),
                ],
                required=False,
                error_messages={"invalid_choice": "Select who held the interview"},
            )
        if not use.self_report:
            self.fields[RESPONDENT] = ChoiceField(
                label="Who answered?",
                choices=Administration.Respondent.choices,
                widget=Radios(inline=True),
                required=False,
                error_messages={"invalid_choice": "Select who answered"},
            )
        for item in self.instrument.items:
            self._add(item)

    def _add(self, item: Item) -> None:
        reasons = [(code, words) for code, (_, words) in NO_ANSWER.items()]
        words = {"invalid_choice": f"Select an answer to question {item.number}"}
        text = f"{item.number}. {self.wording.text(item)}"
        if item.type != "choice":
            self.fields[box_of(item)] = NumberField(
                label=text,
                what=f"question {item.number}",
                min_value=item.min,
                max_value=item.max,
                unit=item.unit or "",
                required=False,
            )
            self.fields[box_of(item)].widget.attrs["aria-labelledby"] = f"fast_{item.code}"
        options = _options(self.wording, item)
        self.fields[item.code] = ChoiceField(
            label=text, choices=[*options, *reasons], required=False, error_messages=words, widget=forms.RadioSelect()
        )

    def clean_revision(self) -> int:
        """The revision that the person saw; anything else agrees with none that is stored."""
        text = self.cleaned_data["revision"]
        return int(text) if text.isascii() and text.isdigit() else -1

    def clean(self) -> dict[str, Any]:
        """A number and a reason for none contradict each other. What is wrong with a number is said at its box."""
        for item in self.instrument.items:
            if item.type != "choice" and item.code in self.errors:
                del self.errors[item.code]
                self.add_error(box_of(item), f"Enter a number for question {item.number}")
            value = self.cleaned_data.get(box_of(item))
            if value is not None and self.cleaned_data.get(item.code):
                self.add_error(box_of(item), f"Question {item.number} has an answer and a reason for none. Keep one")
        return self.cleaned_data

    @property
    def answers(self) -> dict[str, int]:
        """Whole numbers by item code."""
        numbers = {item.code: self.cleaned_data.get(box_of(item)) for item in self.instrument.items}
        chosen = {
            item.code: int(value)
            for item in self.instrument.items
            if (value := self.cleaned_data.get(item.code)) and value not in NO_ANSWER
        }
        return {**{code: value for code, value in numbers.items() if value is not None}, **chosen}

    @property
    def missing(self) -> dict[str, str]:
        """Reasons for no answer, by item code."""
        chosen = {item.code: self.cleaned_data.get(item.code) or "" for item in self.instrument.items}
        return {code: value for code, value in chosen.items() if value in NO_ANSWER}

    @property
    def entered(self) -> dict[str, Any]:
        """What save_form() takes of it."""
        return {
            "answers": self.answers,
            "missing": self.missing,
            "mode": self.cleaned_data.get(MODE) or "",
            "respondent": self.cleaned_data.get(RESPONDENT) or Administration.Respondent.PARTICIPANT,
            "completed_date": self.cleaned_data.get(COMPLETED_DATE),
            "assessor": self.assessors.get(self.cleaned_data.get(ASSESSOR) or ""),
            "expected_revision": self.cleaned_data["revision"],
        }

    def require_assessor(self) -> bool:
        """Whether it says who held the interview, where there was one; otherwise says so at the field.

        A program that does not send the field at all speaks of the person who sends it.
        """
        is_interview = self.cleaned_data.get(MODE) in INTERVIEWS and ASSESSOR in self.data
        if is_interview and self.assessors and not self.cleaned_data.get(ASSESSOR):
            self.add_error(ASSESSOR, "Select who held the interview")
            return False
        return True

    def add_problems(self, problems: Mapping[str, str]) -> None:
        """Show what an action refused at the field it belongs to."""
        boxes = {item.code: box_of(item) for item in self.instrument.items if item.type != "choice"}
        for key, text in problems.items():
            name = boxes.get(key, key)
            self.add_error(name if name in self.fields else None, text)

    # -- how it is drawn

    @property
    def ways(self) -> list[forms.BoundField]:
        """How the form was answered, for the strip above the rows."""
        return [self[name] for name in (MODE, ASSESSOR, RESPONDENT) if name in self.fields]

    @property
    def answers_at_head(self) -> list[tuple[str, str]]:
        """(label, key) of the options that stand once, above the rows; empty where the rows differ too much."""
        return [(label, _key(value, place, self.head)) for place, (value, label) in enumerate(self.head)]

    @property
    def n_entered(self) -> int:
        """Items that show an answer or a reason for none."""
        names = [[item.code] if item.type == "choice" else [item.code, box_of(item)] for item in self.instrument.items]
        return sum(any(self[name].value() not in (None, "") for name in pair) for pair in names)

    @property
    def more_keys(self) -> list[tuple[str, str]]:
        """Keys of reasons for no answer that the foot of the page does not name by itself."""
        return [(key.upper(), words.lower()) for key, words in NO_ANSWER.values() if key in "knd"]

    @property
    def first_key(self) -> str:
        """The lowest key that answers."""
        return self.answers_at_head[0][1] if self.head else ""

    @property
    def last_key(self) -> str:
        """The highest key that answers."""
        return self.answers_at_head[-1][1] if self.head else ""

    @cached_property
    def head(self) -> Options:
        """The options of most items, where most items share them and they fit side by side."""
        sets = [_options(self.wording, item) for item in self.instrument.items if item.type == "choice"]
        common = max(sets, key=sets.count) if sets else []
        return common if 2 * sets.count(common) > len(self.instrument.items) and len(common) <= MOST_AT_HEAD else []

    @property
    def rows(self) -> list[FastRow]:
        """One row for each item, in paper order."""
        return [self._row(item) for item in self.instrument.items]

    def _row(self, item: Item) -> FastRow:
        value = self[item.code].value()
        chosen = "" if value is None else str(value)
        options = _options(self.wording, item)
        at_head = item.type == "choice" and len(options) == len(self.head)
        errors = [*self[item.code].errors, *(self[box_of(item)].errors if item.type != "choice" else [])]
        return FastRow(
            number=str(item.number),
            text=self._text(item),
            name=item.code,
            options=[
                FastOption(value, label, _key(value, place, options), value == chosen)
                for place, (value, label) in enumerate(options)
                if at_head
            ],
            missing=[FastOption(code, words, key, code == chosen) for code, (key, words) in NO_ANSWER.items()],
            labelled=options != self.head,
            control=None if at_head else self._control(item, options, chosen),
            errors=[str(error) for error in errors],
            rule=_rule(item.shown_if) if item.shown_if else "",
        )

    @property
    def has_rules(self) -> bool:
        """Whether the page asks some items by rule."""
        return any(item.shown_if for item in self.instrument.items)

    def _control(self, item: Item, options: Options, chosen: str) -> Any:
        """A text box, or the radios of a row of its own; the reasons for no answer stand beside them."""
        if item.type != "choice":
            return self[box_of(item)]
        attrs = {"id": f"id_{item.code}", "class": "nhsuk-radios__input", "aria-describedby": f"fast_{item.code}"}
        return Radios(attrs, choices=options, inline=True).render(item.code, chosen, attrs)

    def _text(self, item: Item) -> str:
        points = self.wording.anchors(item) if item.type != "choice" else {}
        anchors = ", ".join(f"{n} {words}" for n, words in points.items())
        text = f"{self.wording.text(item)} ({anchors})" if anchors else self.wording.text(item)
        return f"{text} {self._asked_if(item.shown_if)}" if item.shown_if else text

    def _asked_if(self, rule: ItemRule) -> str:
        """When an item is asked, for whoever has no script that hides it."""
        numbers = " or ".join(str(self.instrument.items_by_code[code].number) for code in rule.any_of)
        words = {">=": "{value} or more", "<=": "{value} or less", "==": "{value}"}[rule.condition.op]
        return f"[Only if the answer to question {numbers} is {words.format(value=rule.condition.value)}]"


def _rule(rule: ItemRule) -> str:
    """The rule as the script of the page reads it."""
    said = {"any_of": list(rule.any_of), "op": rule.condition.op, "value": float(rule.condition.value or 0)}
    return json.dumps(said)


def _options(wording: Wording, item: Item) -> Options:
    return [(str(option.value), wording.label(item, option.value)) for option in item.options]


def _key(value: str, place: int, options: Options) -> str:
    digits = all(len(one) == 1 and one.isdigit() for one, _ in options)
    return value if digits else str(place)


def initial_of(stored: Administration | None) -> dict[str, Any]:
    """What is stored, by field of the form."""
    if stored is None:
        return {"revision": 0, RESPONDENT: Administration.Respondent.PARTICIPANT}
    boxes = {f"{code}_value": value for code, value in stored.answers.items()}
    return {
        "revision": stored.revision,
        COMPLETED_DATE: stored.completed_date,
        MODE: stored.mode,
        ASSESSOR: stored.assessor_id or "",
        RESPONDENT: stored.respondent,
        **stored.missing,
        **stored.answers,
        **boxes,
    }


def with_theirs(data: Mapping[str, Any], other: Administration, items: Sequence[Item]) -> MultiValueDict[str, Any]:
    """What somebody typed on top of another person's version: their answers where this one left a question open."""
    merged: MultiValueDict[str, Any] = MultiValueDict()
    merged.update(data)
    for item in items:
        if merged.get(item.code) or merged.get(box_of(item)):
            continue
        if item.code in other.missing:
            merged[item.code] = other.missing[item.code]
        elif item.code in other.answers:
            merged[item.code if item.type == "choice" else box_of(item)] = str(other.answers[item.code])
    merged["revision"] = str(other.revision)
    return merged
