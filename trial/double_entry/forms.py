"""The second entry as a form, and what is decided where two entries differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from trial.assessments.forms import EntryForm
from trial.assessments.rules import ASSESSOR, COMPLETED_DATE, MODE, RESPONDENT
from trial.base.fields import ChoiceField, TextField
from trial.double_entry.models import SecondEntry


class SecondEntryForm(EntryForm):
    """The questionnaire in paper order again. How it was answered and by whom is known: the form is on paper."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (MODE, RESPONDENT, ASSESSOR):
            self.fields.pop(name, None)

    @property
    def entered(self) -> dict[str, Any]:
        """What save_second_entry() takes of it."""
        return {
            "answers": self.answers,
            "missing": self.missing,
            "completed_date": self.cleaned_data.get(COMPLETED_DATE),
            "expected_revision": self.cleaned_data["revision"],
        }


def initial_of(own: SecondEntry | None) -> dict[str, Any]:
    """The person's own draft, by field of the form; never anything of the first entry."""
    if own is None:
        return {"revision": 0}
    boxes = {f"{code}_value": value for code, value in own.answers.items()}
    day = {COMPLETED_DATE: own.completed_date}
    return {"revision": own.revision, **day, **own.missing, **own.answers, **boxes}


def without_date(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was posted, without a date that is typed half-way."""
    return {key: value for key, value in data.items() if not key.startswith(COMPLETED_DATE)}


class DecisionForm(forms.Form):
    """For each open difference: what the paper says; and one reason for all.

    Args:
        questions: (key, question in words, values that may be decided, with their words).
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        questions: Sequence[tuple[str, str, Sequence[tuple[Any, str]]]],
    ) -> None:
        super().__init__(data)
        self.values: dict[str, list[Any]] = {}
        for key, words, choices in questions:
            self.values[key] = [value for value, _ in choices]
            self.fields[key] = ChoiceField(
                label=words,
                choices=[(str(place), text) for place, (_, text) in enumerate(choices)],
                error_messages={
                    "required": f"Select what the paper says for “{words}”",
                    "invalid_choice": f"Select what the paper says for “{words}”",
                },
            )
        self.fields["reason"] = TextField(
            label="Why? Say what you looked at",
            help_text="For example: paper shows 2, the first entry slipped a line",
            max_length=200,
            error_messages={"required": "Enter why you decided so"},
        )

    @property
    def chosen(self) -> dict[str, Any]:
        """The decided value of each difference, by key."""
        return {key: values[int(self.cleaned_data[key])] for key, values in self.values.items()}
