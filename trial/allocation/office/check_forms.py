"""The form of the first-allocations check."""

from typing import Any

from django import forms

from trial.base.fields import ChoiceField, TextField, YesNoField

ALL = "all"


class FirstCheckForm(forms.Form):
    """What the statistician found.

    Args:
        places: (site code, words), the code `all` for the whole scheme.
    """

    site = ChoiceField(label="Which allocations?", what="which allocations")
    plausible = YesNoField(label="Do the factors look as expected?")
    note = TextField(
        label="Note",
        rows=3,
        max_length=500,
        required=False,
        help_text="Needed where something is not as expected. Do not write what anybody was allocated to",
    )

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"site": ALL})
        super().__init__(*args, **kwargs)
        self.fields["site"].choices = places  # type: ignore[attr-defined]

    def clean_site(self) -> str:
        """The site's code, empty for the whole scheme."""
        chosen: str = self.cleaned_data["site"]
        return "" if chosen == ALL else chosen
