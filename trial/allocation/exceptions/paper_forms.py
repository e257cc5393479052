"""What is copied from an opened envelope, a certificate, or a count by hand."""

from typing import Any

from django import forms

from trial.allocation.exceptions.forms import WITHOUT_ARM, LevelsAgainForm, reason_field
from trial.base.fields import DateTimeField, NumberField, TextField

CODE_HELP = "8 letters and digits. Spaces and small letters do not matter"


class StudyNumberForm(forms.Form):
    """Whose envelope or certificate it is."""

    number = TextField(label="Study number of the participant", what="the study number", max_length=20)


class EnvelopeForm(LevelsAgainForm):
    """An opened emergency envelope, as its two pages say (9.7)."""

    free = ("reason", "caller", "opened_by")

    envelope = NumberField(label="Number of the envelope", what="number of the envelope", min_value=1, max_value=500)
    opened_at = DateTimeField(
        label="When was it opened?",
        what="time of opening",
        not_in_future=True,
        help_text="The actual time written on the envelope",
    )
    caller = TextField(label="Who called?", what="who called", max_length=200, help_text="Name and role")
    opened_by = TextField(
        label="Who opened it?", what="who opened it", max_length=200, help_text="Somebody who does not recruit"
    )
    reason = reason_field("Why was the system not used?")
    code = TextField(label="Code inside the envelope", what="the code", max_length=20, help_text=CODE_HELP)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        levels = [name for name in self.fields if name.startswith("level_")]
        self.order_fields(["envelope", "opened_at", "caller", "opened_by", *levels, "reason", "code"])


class RecoveryForm(LevelsAgainForm):
    """An allocation that the database lost, as its certificate or the e-mail about it says (9.15)."""

    made_at = DateTimeField(
        label="When was it made?", what="time of the allocation", not_in_future=True, help_text="The time on the paper"
    )
    reason = reason_field("Which paper is it copied from?")
    code = TextField(label="Code on the certificate", what="the code", max_length=20, help_text=CODE_HELP)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        levels = [name for name in self.fields if name.startswith("level_")]
        self.order_fields(["made_at", *levels, "reason", "code"])


class CountForm(forms.Form):
    """Unopened envelopes, counted by hand."""

    n_unopened = NumberField(
        label="How many unopened envelopes are there?",
        what="number of unopened envelopes",
        min_value=0,
        max_value=500,
        help_text="Count them by hand. Check that every seal is whole",
    )
    note = TextField(
        label="Anything that differs",
        rows=3,
        max_length=500,
        required=False,
        help_text=f"Needed when the number is another than expected. {WITHOUT_ARM}",
    )
