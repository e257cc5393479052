"""Forms of consent for staff: on paper or by telephone, the start on a screen, the countersignature."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.datastructures import MultiValueDict

from trial.base.fields import ChoiceField, DateField, DateTimeField, TextField, YesNoField
from trial.base.widgets import CheckBoxes
from trial.consent.evidence_models import CopyHow, IdentityCheck
from trial.consent.models import Consent, DocumentVersion
from trial.econsent.forms import SignatureFields
from trial.econsent.models import ConsentSession
from trial.journey.forms import ConsentForm

ITEMS = ("name", "date of birth", "address", "NHS number", "telephone number", "GP practice")
"""What can be compared with the record to know who somebody is."""


def secret_field(*, required: bool = True) -> forms.CharField:
    """The password or code that signs."""
    return forms.CharField(
        label="Your password, or the code from your app",
        help_text="" if required else "For consent by telephone: you sign with it",
        required=required,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter your password, or the code from your authenticator app"},
    )


class RecordConsentForm(ConsentForm):
    """Consent on paper, with its scan; or by telephone, with the witness and both times."""

    spoken_name = TextField(
        label="Full name, as the person said it",
        max_length=120,
        required=False,
        help_text="For consent by telephone only",
    )
    witness_heard_at = DateTimeField(
        label="When did the witness hear it?",
        what="time the witness heard it",
        required=False,
        not_in_future=True,
        help_text="For consent by telephone only",
    )
    interpreter_name = TextField(label="Name of the interpreter", max_length=120, required=False)
    scan = forms.FileField(
        label="Scan of the signed form",
        required=False,
        help_text="PDF, PNG or JPEG, for consent on paper. Without it a task stays open until it is attached",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
        error_messages={"empty": "This file is empty. Scan the form again", "invalid": "Choose a file"},
    )

    def __init__(self, form: DocumentVersion, methods: Iterable[str], data: Any = None, files: Any = None) -> None:
        super().__init__(form, methods, data)
        self.files = files or MultiValueDict()
        self.fields["secret"] = secret_field(required=False)
        statements = [name for name in self.fields if name.startswith("statement_")]
        self.order_fields([*self.FIRST, *statements, "capacity_confirmed", "interpreter", "interpreter_name"])

    FIRST = ("signed_at", "method", "scan", "witness_name", "spoken_name", "witness_heard_at")

    def clean_scan(self) -> bytes | None:
        """A file that is not too large to look at."""
        file = self.cleaned_data["scan"]
        if file and file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(f"The file must be {settings.UPLOAD_MAX_BYTES // 1024**2} MB or smaller")
        return file.read() if file else None

    def clean(self) -> None:
        """What a telephone consent needs beside the witness's name."""
        data = self.cleaned_data
        if data.get("method") != Consent.Method.TELEPHONE_WITNESSED or not data.get("witness_name"):
            return  # without a witness's name the action says so
        for name, words in (
            ("spoken_name", "Enter the name as the person said it"),
            ("witness_heard_at", "Enter the time at which the witness heard it"),
            ("secret", "Enter your password, or the code from your authenticator app: you sign with it"),
        ):
            if not data.get(name) and name not in self.errors:
                self.add_error(name, words)


class StartForm(forms.Form):
    """Before a screen is handed over, or a link is sent."""

    interpreter = YesNoField(label="Does an interpreter help?", what="interpreter")


class CountersignForm(SignatureFields):
    """The taker's part: capacity, who it was, how the copy is given, own signature, own password."""

    capacity_confirmed = YesNoField(label="Can the person decide this for themselves?", what="capacity to consent")
    identity_check = ChoiceField(
        label="How did you check who signed?", what="how you checked who signed", choices=IdentityCheck.choices
    )
    identity_items = forms.MultipleChoiceField(
        label="What did you compare with the record?",
        choices=[(one, one[:1].upper() + one[1:]) for one in ITEMS],
        widget=CheckBoxes(),
        help_text="Two at least",
        error_messages={"required": "Select two things at least", "invalid_choice": "Select two things at least"},
    )
    identity_checked_date = DateField(label="On which day?", what="date of the check", not_in_future=True, quick=True)
    interpreter_name = TextField(label="Name of the interpreter", max_length=120)
    comment = TextField(label="Comment", rows=2, max_length=300, required=False)
    copy_how = ChoiceField(label="How do you give the copy?", what="how you give the copy", choices=CopyHow.choices)
    field_order = (
        "capacity_confirmed",
        "identity_check",
        "identity_items",
        "identity_checked_date",
        "interpreter_name",
        "comment",
        "copy_how",
    )

    def __init__(self, session: ConsentSession, data: Any = None) -> None:
        super().__init__(data)
        self.fields["secret"] = secret_field()
        if session.method != Consent.Method.ECONSENT_REMOTE:
            for name in ("identity_check", "identity_items", "identity_checked_date"):
                del self.fields[name]
        if not session.interpreter:
            del self.fields["interpreter_name"]
        self.first_fields = [name for name in self.fields if name not in ("way", "drawn", "typed", "secret")]

    def clean(self) -> dict[str, Any]:
        """Two different things were compared."""
        data = super().clean()
        if "identity_items" in self.fields and len(data.get("identity_items") or ()) == 1:
            self.add_error("identity_items", "Select two things at least")
        return data


class ScanForm(forms.Form):
    """The scan of a consent form."""

    scan = forms.FileField(
        label="PDF, PNG or JPEG file",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
        error_messages={
            "required": "Choose a file",
            "missing": "Choose a file",
            "empty": "This file is empty. Scan the form again",
            "invalid": "Choose a file",
        },
    )

    def clean_scan(self) -> bytes:
        """A file that is not too large to look at."""
        file = self.cleaned_data["scan"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(f"The file must be {settings.UPLOAD_MAX_BYTES // 1024**2} MB or smaller")
        data: bytes = file.read()
        return data
