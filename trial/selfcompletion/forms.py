"""What a participant types: the second check, and one question."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from instruments import Item
from trial.assessments.models import MissingCode
from trial.assessments.wording import Wording
from trial.base.fields import ChoiceField, DayMonthField, NumberField, TextField
from trial.base.widgets import CheckBoxes, Radios
from trial.protocol.spec import SelfCompletionRules
from trial.selfcompletion import rules
from trial.selfcompletion.actions import DECLINED, Answer
from trial.selfcompletion.pack import Question

DECLINE = (MissingCode.RF.value, MissingCode.RF.label)
MOST_STEPS = 11
"""A scale with so many steps is chosen from; a longer one is typed."""


class CheckForm(forms.Form):
    """The second check, as the protocol names it (R-32)."""

    def __init__(self, data: Mapping[str, Any] | None, *, limits: SelfCompletionRules) -> None:
        super().__init__(data)
        if limits.second_check == "postcode":
            self.fields["check"] = TextField(label="Your postcode", max_length=12)
        else:
            self.fields["check"] = DayMonthField(label="Date of birth", what="the day and month you were born")

    @property
    def given(self) -> str:
        """The answer as `rules.known_answer` writes the right one."""
        value = self.cleaned_data["check"]
        return rules.plain_postcode(value) if isinstance(value, str) else "-".join(map(str, value))


class QuestionForm(forms.Form):
    """One item in its published words, with "Prefer not to answer" set apart by "or" (BR-35)."""

    answer: forms.Field
    asked = forms.CharField(required=False, widget=forms.HiddenInput())
    checked = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, data: Mapping[str, Any] | None, *, question: Question) -> None:
        item, wording = question.item, question.part.wording
        initial: dict[str, Any] = {"answer": question.answer}
        if question.missing == MissingCode.RF:
            initial = {"answer": DECLINE[0], "refuse": [DECLINE[0]]}
        self.is_typed = not _steps(item)
        if self.is_typed and question.answer is None:
            initial.pop("answer")
        super().__init__(data, initial=initial)
        self.item = item
        if self.is_typed:
            self.fields["answer"] = _number(item, wording)
            self.fields["refuse"] = forms.MultipleChoiceField(
                label=DECLINE[1],
                choices=[DECLINE],
                required=False,
                widget=CheckBoxes(or_before={DECLINE[0]}),
                error_messages=_REFUSED,
            )
        else:
            self.fields["answer"] = _choice(item, wording)

    def clean(self) -> dict[str, Any]:
        """A number and "Prefer not to answer" contradict each other."""
        if self.cleaned_data.get("refuse") and self.cleaned_data.get("answer") is not None:
            raise ValidationError({"answer": "Enter a number, or select “Prefer not to answer”. Not both"})
        return self.cleaned_data

    @property
    def given(self) -> Answer | None:
        """What the person gave; None where the question is left blank."""
        value = self.cleaned_data.get("answer")
        if self.cleaned_data.get("refuse") or value == DECLINE[0]:
            return DECLINED
        return None if value in (None, "") else Answer(int(value))

    @property
    def unlikely(self) -> int | None:
        """A number above what is usual that the person has not been asked about yet."""
        given, limit = self.given, self.item.soft_max
        if given is None or given.value is None or limit is None or given.value <= limit:
            return None
        return None if self.cleaned_data["checked"] == str(given.value) else given.value


_REFUSED = {"invalid_choice": "Select “Prefer not to answer”, or leave it empty"}


def _steps(item: Item) -> list[int]:
    """The values of an item that is answered by choosing."""
    if item.type == "choice":
        return [option.value for option in item.options]
    is_short = item.type == "scale" and item.max - item.min < MOST_STEPS
    return list(range(item.min, item.max + 1)) if is_short else []


def _choice(item: Item, wording: Wording) -> ChoiceField:
    words = {"invalid_choice": "Select one of the answers, or “Prefer not to answer”"}
    options = [(str(value), _label(item, wording, value)) for value in _steps(item)]
    return ChoiceField(
        label=wording.text(item),
        choices=[*options, DECLINE],
        required=False,
        widget=Radios(or_before={DECLINE[0]}),
        error_messages=words,
    )


def _label(item: Item, wording: Wording, value: int) -> str:
    label = wording.label(item, value)
    return label if item.type == "choice" or label == str(value) else f"{value}, {label}"


def _number(item: Item, wording: Wording) -> NumberField:
    return NumberField(
        label=wording.text(item),
        what="your answer",
        min_value=item.min,
        max_value=item.max,
        help_text=f"Number of {item.unit}" if item.unit else "",
        required=False,
    )
