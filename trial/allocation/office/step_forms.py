"""Forms of single steps: a reason, a signature, a number. They read and validate, they do not save."""

from typing import Any

from django import forms

from trial.base.fields import ChoiceField, NumberField, TextField
from trial.base.widgets import CheckBoxes

NO_ARM = "Do not write what anybody was allocated to"


def reason_field(label: str, *, required: bool = True, max_length: int = 1000) -> TextField:
    """Why, kept with the step."""
    return TextField(label=label, what="the reason", rows=3, max_length=max_length, required=required, help_text=NO_ARM)


def secret_field() -> TextField:
    """Password or code, entered again to sign (R-19)."""
    return TextField(
        label="Your password, or the code from your authenticator app",
        what="your password or code",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ApproveForm(forms.Form):
    """An approval."""

    note = reason_field("Note", required=False, max_length=500)
    secret = secret_field()


class RefuseForm(forms.Form):
    """A refusal."""

    note = reason_field("Why do you refuse?", max_length=500)
    secret = secret_field()


class ConfirmForm(forms.Form):
    """Nothing to fill in: the button is the answer."""


class ReasonForm(forms.Form):
    """A step with its reason."""

    reason = reason_field("Why?")


CHECKLIST = (
    ("published", "The commitment stands where its date cannot be altered: protocol, registry entry or master file"),
    ("green_light", "The green-light checklist of the sites is complete"),
)


class OpenForm(forms.Form):
    """What must hold before anybody is randomised."""

    checks = forms.MultipleChoiceField(
        label="Confirm each of these",
        choices=CHECKLIST,
        widget=CheckBoxes,
        error_messages={"required": "Confirm each of these", "invalid_choice": "Confirm each of these"},
    )

    def clean_checks(self) -> list[str]:
        """Both of them."""
        given: list[str] = self.cleaned_data["checks"]
        if len(given) < len(CHECKLIST):
            raise forms.ValidationError("Confirm each of these")
        return given


class SiteStateForm(forms.Form):
    """Randomisation at one site.

    Args:
        states: (code, label) of the states that can be chosen.
    """

    state = ChoiceField(label="What should happen at this site?", what="what should happen")
    reason = reason_field("Why?")

    def __init__(self, *args: Any, states: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = states  # type: ignore[attr-defined]


class ExtendForm(forms.Form):
    """Longer lists."""

    rows_per_stratum = NumberField(
        label="New length of each list",
        what="new length",
        unit="rows",
        min_value=1,
        max_value=10_000,
        help_text="In every stratum. Lists that are longer already stay as they are",
    )
    reason = reason_field("Why?")


class LevelForm(forms.Form):
    """A level added at the end of a factor.

    Args:
        factors: (code, label) of the factors.
    """

    factor = ChoiceField(label="Factor")
    level = TextField(
        label="Code of the new level",
        what="the code of the new level",
        max_length=32,
        help_text="For a new site, its number, such as 03. Lower-case letters, digits, _ or -",
    )
    reason = reason_field("Why?")

    def __init__(self, *args: Any, factors: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["factor"].choices = factors  # type: ignore[attr-defined]


ALL_SITES = "all"


class CeilingForm(forms.Form):
    """More people.

    Args:
        sites: (code, label) of each site.
    """

    site = ChoiceField(label="For which sites?", what="for which sites")
    ceiling = NumberField(
        label="New highest number of allocations", what="new highest number", min_value=1, max_value=100_000
    )
    reason = reason_field("Why?")

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"site": ALL_SITES})
        super().__init__(*args, **kwargs)
        choices = [(ALL_SITES, "All sites together"), *sites]
        self.fields["site"].choices = choices  # type: ignore[attr-defined]

    def clean_site(self) -> str:
        """The site's code, empty for all sites together."""
        chosen: str = self.cleaned_data["site"]
        return "" if chosen == ALL_SITES else chosen


class ContributionForm(forms.Form):
    """One of the two texts that become part of the seed (3.2). Kept exactly as typed."""

    text = TextField(
        label="Your text",
        what="your text",
        max_length=200,
        help_text="Anything short that nobody could know before today, such as the closing line of today's newspaper."
        " Up to 200 characters. It is kept as typed and stays sealed until the reveal",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = secret_field()

    def clean_text(self) -> str:
        """Short enough that both texts fit into 512 bytes together."""
        text: str = self.cleaned_data["text"]
        if len(text.encode("utf-8")) > 255:
            raise forms.ValidationError("Your text must be shorter: up to 255 bytes, accents count as 2")
        return text
