"""Small forms beside a questionnaire: why it changes, why it was not done, why an answer is right, its licence."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from trial.base.fields import ChoiceField, DateField, TextField
from trial.protocol.spec import Reason


class CorrectionForm(forms.Form):
    """Why a completed questionnaire changes: a reason of the protocol's list, and words (BR-63)."""

    why = ChoiceField()
    words = TextField(label="In your words", help_text="For example: paper shows 2", required=False, max_length=200)

    def __init__(self, data: Mapping[str, Any] | None = None, *, reasons: Sequence[Reason]) -> None:
        super().__init__(data)
        self.labels = {one.code: one.label for one in reasons}
        self.fields["why"] = ChoiceField(
            label="Why are you changing it?",
            choices=list(self.labels.items()),
            error_messages={
                "required": "Select why you are changing it",
                "invalid_choice": "Select why you are changing it",
            },
        )

    @property
    def text(self) -> str:
        """The reason as it is kept."""
        label, words = self.labels[self.cleaned_data["why"]], self.cleaned_data["words"]
        return f"{label}: {words}" if words else label


class NotDoneForm(forms.Form):
    """Why a questionnaire was not done, by the protocol's list."""

    reason = ChoiceField()

    def __init__(self, data: Mapping[str, Any] | None = None, *, reasons: Sequence[Reason]) -> None:
        super().__init__(data)
        self.fields["reason"] = ChoiceField(
            label="Why was it not done?",
            choices=[(one.code, one.label) for one in reasons],
            error_messages={"required": "Select why it was not done", "invalid_choice": "Select why it was not done"},
        )


class UnlikelyForm(forms.Form):
    """Why unlikely answers are right (ux.md, soft limits)."""

    high_reason = TextField(
        label="Why is this right?", max_length=200, error_messages={"required": "Enter why this is right, or change it"}
    )


class LicenceForm(forms.Form):
    """The study's licence for one instrument."""

    reference = TextField(label="Licence or registration reference", max_length=100)
    holder = TextField(label="Who holds it", what="name of the holder", max_length=200)
    licence_date = DateField(label="Date of the licence", not_in_future=True)
    copyright_line = TextField(
        label="Copyright line",
        error_messages={"required": "Enter the copyright line"},
        help_text="As on the form that the holder issued. It is shown wherever the wording is shown.",
        max_length=300,
    )


class WordingFileForm(forms.Form):
    """A file of wording, to be checked; nothing is stored yet."""

    file = forms.FileField(
        label="JSON or CSV file",
        widget=forms.FileInput(attrs={"accept": ".json,.csv"}),
        error_messages={
            "required": "Choose a file",
            "missing": "Choose a file",
            "invalid": "Choose a file",
            "empty": "The file is empty. Choose the one that holds the wording.",
        },
    )
