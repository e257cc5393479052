"""Sending a message back, or not: the forms read and validate, they do not save."""

import re
from typing import Any

from django import forms

from trial.base.fields import ChoiceField, TextField
from trial.referrals.document import Recipient
from trial.referrals.models import MessageBack


class SendForm(forms.Form):
    """To whom a message goes, and how."""

    name = TextField(label="Name of the practice or organisation", max_length=150)
    ods_code = TextField(label="ODS code", max_length=10, required=False, help_text="Like L83012")
    address = TextField(label="Address", rows=3, max_length=300, required=False)
    how = ChoiceField(label="How does it go?", choices=MessageBack.How.choices)
    email = forms.EmailField(
        label="Secure e-mail address",
        required=False,
        help_text="Of the practice, not of a person",
        error_messages={"invalid": "Enter an e-mail address, like practice@nhs.net"},
    )

    def __init__(self, to: Recipient, data: Any = None) -> None:
        initial = {"name": to.name, "ods_code": to.ods_code, "address": to.address, "email": to.email}
        super().__init__(data, initial=initial)

    def clean_ods_code(self) -> str:
        """Letters and digits, or nothing."""
        typed = str(self.cleaned_data["ods_code"] or "").strip().upper()
        if typed and not re.fullmatch(r"[A-Z][A-Z0-9]{2,7}", typed):
            raise forms.ValidationError("Enter an ODS code of letters and digits, like L83012")
        return typed

    def clean(self) -> None:
        """An e-mail needs its address."""
        data = self.cleaned_data
        if data.get("how") == MessageBack.How.EMAIL and not data.get("email") and "email" not in self.errors:
            self.add_error("email", "Enter the secure e-mail address")

    def to(self) -> Recipient:
        """Who gets it."""
        data = self.cleaned_data
        by_email = data["how"] == MessageBack.How.EMAIL
        return Recipient(
            data["name"].strip(), data["ods_code"], data["address"] or "", data["email"] if by_email else ""
        )


class LeaveOutForm(forms.Form):
    """Why a message is not sent."""

    why = TextField(label="Why is it not sent?", what="why it is not sent", max_length=200)


class SafetyForm(forms.Form):
    """What GP and referrer must know at once."""

    text = TextField(
        label="What must they know?",
        what="what they must know",
        rows=6,
        max_length=3000,
        help_text="It is stored sealed. Leave out which group the person is in",
    )
