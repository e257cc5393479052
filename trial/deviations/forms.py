"""What people enter about departures from the protocol."""

from typing import Any

from django import forms

from trial.base.fields import ChoiceField, DateField, TextField, YesNoField
from trial.deviations.models import Deviation

NO_NAMES = "Do not write names, addresses or telephone numbers."


class DeviationForm(forms.Form):
    """One departure from the protocol."""

    occurred_date = DateField(label="When did it happen?", what="date it happened", quick=True, not_in_future=True)
    kind = ChoiceField(
        label="What was it about?",
        choices=Deviation.Kind.choices,
        error_messages={"required": "Select what it was about"},
    )
    severity = ChoiceField(
        label="How serious is it?",
        choices=Deviation.Severity.choices,
        error_messages={"required": "Select how serious it is"},
    )
    description = TextField(
        label="What happened?",
        help_text=NO_NAMES,
        rows=5,
        max_length=4000,
        error_messages={"required": "Enter what happened"},
    )
    reveals_arm = YesNoField(
        label="Do your words say or hint which activity group the person is in?",
        help_text="If so, blinded colleagues do not see this deviation.",
        error_messages={"required": "Select yes or no: do your words say which group it is?"},
    )


class ReviewForm(forms.Form):
    """The review of a deviation."""

    severity = ChoiceField(
        label="How serious is it?",
        choices=Deviation.Severity.choices,
        error_messages={"required": "Select how serious it is"},
    )
    root_cause = TextField(
        label="Why did it happen?", rows=3, max_length=4000, error_messages={"required": "Enter why it happened"}
    )
    corrective_action = TextField(
        label="What was done about it?",
        rows=3,
        max_length=4000,
        error_messages={"required": "Enter what was done about it"},
    )
    effect_on_analysis = TextField(label="What does it mean for the analysis?", rows=2, max_length=2000, required=False)
    sponsor_told_date = DateField(
        label="When was the sponsor told?",
        what="date the sponsor was told",
        required=False,
        quick=True,
        not_in_future=True,
    )


class FilterForm(forms.Form):
    """What the list shows; anything unknown shows everything."""

    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "All kinds"), *Deviation.Kind.choices])
    reviewed = forms.ChoiceField(
        label="Review", required=False, choices=[("", "All"), ("no", "Not reviewed"), ("yes", "Reviewed")]
    )
    mark_optional = False

    def conditions(self) -> dict[str, Any]:
        """Conditions of a lookup."""
        if not self.is_valid():
            return {}
        found: dict[str, Any] = {"kind": self.cleaned_data["kind"]} if self.cleaned_data["kind"] else {}
        if self.cleaned_data["reviewed"]:
            found["reviewed_at__isnull"] = self.cleaned_data["reviewed"] == "no"
        return found
