"""Who lives together, who is randomised together."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from trial.access.models import Site
from trial.base.fields import ChoiceField, TextField
from trial.base.widgets import CheckBoxes
from trial.participants.models import Participant

BATCH_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
MOST = 60
"""Most people of one batch: one page must show who is in it."""


class StudyNumbersField(TextField):
    """Study numbers, one on each line. Gives them in capitals, each once, in the order typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(rows=4, max_length=1000, **kwargs)

    def clean(self, value: Any) -> list[str]:
        """Lines, commas and spaces part them."""
        text = super().clean(value) or ""
        return list(dict.fromkeys(re.split(r"[\s,;]+", text.strip().upper())))


class HouseholdForm(forms.Form):
    """The people of a site who live together."""

    site = ChoiceField(label="Which site?", what="the site")
    numbers = StudyNumbersField(
        label="Study numbers of the people who live together",
        what="the study numbers",
        help_text="One on each line, at least two",
    )

    def __init__(self, sites: Sequence[Site], data: Any = None) -> None:
        super().__init__(data)
        self.fields["site"].choices = [(site.code, f"{site.code} {site.name}") for site in sites]  # type: ignore[attr-defined]


class BatchForm(forms.Form):
    """Who is in a batch, and its code."""

    code = TextField(
        label="Code of the batch",
        what="the code of the batch",
        max_length=40,
        help_text="Letters, digits, hyphens, such as cohort-03. It decides the order, so it is chosen before",
    )
    people = forms.MultipleChoiceField(
        label="Who is in it?",
        widget=CheckBoxes(),
        error_messages={
            "required": "Select at least one person",
            "invalid_choice": "Somebody you selected is no longer ready. Look at the list again",
        },
    )

    def __init__(self, ready: Sequence[Participant], data: Any = None) -> None:
        super().__init__(data)
        self.fields["people"].choices = [(one.study_id, one.study_id) for one in ready]  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        """A code that can stand in an address and in the log."""
        code = str(self.cleaned_data["code"]).strip()
        if not BATCH_CODE.fullmatch(code):
            raise ValidationError("Code of the batch must be letters, digits and hyphens, such as cohort-03")
        return code

    def clean_people(self) -> list[str]:
        """No more than a page can show."""
        chosen = list(self.cleaned_data["people"])
        if len(chosen) > MOST:
            raise ValidationError(f"Select at most {MOST} people")
        return chosen
