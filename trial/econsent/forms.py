"""What the person answers and signs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from trial.base.fields import ChoiceField, TextField, YesNoField
from trial.base.widgets import CheckBoxes
from trial.consent.errors import SignatureRefused
from trial.consent.evidence_models import SignatureKind
from trial.consent.pictures import signature_png
from trial.consent.sealing import Mark

DRAW, TYPE = SignatureKind.DRAWN.value, SignatureKind.TYPED.value
WAYS = [(DRAW, "Draw it with a finger, a pen or the mouse"), (TYPE, "Type my name instead")]


class StatementsForm(forms.Form):
    """Each statement with its own Yes or No; nothing is chosen in advance (BR-12)."""

    mark_optional = False

    def __init__(self, statements: Sequence[Mapping[str, Any]], data: Any = None, answers: Any = None) -> None:
        given = answers or {}
        super().__init__(
            data,
            initial={f"statement_{n}": given[s["code"]] for n, s in enumerate(statements, 1) if s["code"] in given},
        )
        self.statements = statements
        for number, one in enumerate(statements, start=1):
            self.fields[f"statement_{number}"] = YesNoField(
                label=f"{number}. {one['text']}",
                what=f"statement {number}",
                help_text="" if one["mandatory"] else "You can say no to this and still take part",
            )

    def clean(self) -> dict[str, Any]:
        """A mandatory statement that is not agreed to ends the way here, in words that press nobody."""
        for number, one in enumerate(self.statements, start=1):
            if one["mandatory"] and self.cleaned_data.get(f"statement_{number}") is False:
                self.add_error(
                    f"statement_{number}",
                    "Taking part needs a yes here. If you do not agree, choose “I do not want to take part”,"
                    " or talk to the study team",
                )
        return self.cleaned_data

    def answers(self) -> dict[str, bool]:
        """Answers by statement code."""
        return {one["code"]: self.cleaned_data[f"statement_{n}"] for n, one in enumerate(self.statements, start=1)}


class SignatureFields(forms.Form):
    """A drawn signature, or the name typed instead; staff sign with the same fields."""

    way = ChoiceField(label="How do you want to sign?", what="how you want to sign", choices=WAYS)
    drawn = forms.CharField(required=False, widget=forms.HiddenInput())
    typed = TextField(label="Type your full name as your signature", max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        """The picture is a picture with ink; the typed name has two parts."""
        data = self.cleaned_data
        if data.get("way") == DRAW:
            try:
                self.png = signature_png(data.get("drawn") or "")
            except SignatureRefused as refused:
                self.add_error("way", str(refused))
        if data.get("way") == TYPE and len((data.get("typed") or "").split()) < 2:
            self.add_error("typed", "Type your first and last name")
        return data

    def mark(self) -> Mark:
        """The signature as it was made."""
        if self.cleaned_data["way"] == DRAW:
            return Mark(DRAW, png=self.png)
        return Mark(TYPE, typed=self.cleaned_data["typed"].strip())


class SignForm(SignatureFields):
    """Name and signature of the person."""

    mark_optional = False
    name = TextField(label="Your full name", max_length=120)
    field_order = ("name", "way", "drawn", "typed")

    def __init__(self, data: Any = None, *, may_type: bool = True, name: str = "") -> None:
        super().__init__(data, initial={"name": name})
        if not may_type:
            self.fields["way"].choices = WAYS[:1]  # type: ignore[attr-defined]
            del self.fields["typed"]

    def clean_name(self) -> str:
        """First and last name."""
        name = str(self.cleaned_data["name"] or "").strip()
        if len(name.split()) < 2:
            raise forms.ValidationError("Enter your first and last name")
        return name


class CertifyForm(forms.Form):
    """The person says that everything shown again is what they agreed to."""

    certify = forms.MultipleChoiceField(
        label="Is this right?",
        choices=[("yes", "I certify that this is what I agreed to")],
        widget=CheckBoxes(),
        error_messages={
            "required": "Tick the box if this is what you agreed to, or change what is wrong",
            "invalid_choice": "Tick the box if this is what you agreed to, or change what is wrong",
        },
    )


class HandBackForm(forms.Form):
    """The member of staff who handed the tablet over proves who they are."""

    mark_optional = False
    secret = forms.CharField(
        label="Your password, or the code from your app",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter your password, or the code from your authenticator app"},
    )
