"""Forms of approved documents: their file, their dates at a site, a new version."""

from typing import Any

from django import forms
from django.conf import settings

from trial.base.fields import ChoiceField, DateField, TextField, YesNoField
from trial.consent.models import DocumentVersion


class FileForm(forms.Form):
    """The approved file of a version."""

    file = forms.FileField(
        label="The approved file, as PDF",
        help_text="People are shown exactly these bytes. Once somebody was given the version, the file stays",
        widget=forms.FileInput(attrs={"accept": ".pdf"}),
        error_messages={
            "required": "Choose a file",
            "missing": "Choose a file",
            "invalid": "Choose a file",
            "empty": "This file is empty. Choose the approved PDF",
        },
    )

    def clean_file(self) -> bytes:
        """A file that is not too large to look at."""
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(f"The file must be {settings.UPLOAD_MAX_BYTES // 1024**2} MB or smaller")
        data: bytes = file.read()
        return data


class DatesForm(forms.Form):
    """From when to when a site uses a version."""

    from_date = DateField(label="First day of use at this site", what="first day")
    to_date = DateField(label="Last day of use", what="last day", required=False)
    reason = TextField(label="Why are you setting this?", max_length=200, help_text="For example, amendment 2 approved")


class NewVersionForm(FileForm):
    """A new version that supersedes one that is there."""

    field_order = ("supersedes", "version", "document_date", "rec_reference", "approved_date", "requires_reconsent")

    supersedes = ChoiceField(label="Which document is this a new version of?", what="the document")
    version = TextField(label="New version number", max_length=20)
    document_date = DateField(label="Date on the document", what="date on the document", not_in_future=True)
    rec_reference = TextField(label="REC reference of the approval", what="REC reference", max_length=60)
    approved_date = DateField(label="Approved on", what="date of approval", not_in_future=True)
    requires_reconsent = YesNoField(
        label="Must people who are in the study consent again?", what="consent again", help_text="As the REC decided"
    )
    statements = TextField(
        label="Statements, if the consent form's words have changed",
        required=False,
        rows=8,
        help_text="Leave empty to keep them. One a line: CODE | mandatory or optional | purpose | text",
    )

    def __init__(self, newest: list[DocumentVersion], *args: Any) -> None:
        super().__init__(*args)
        self.newest = {str(one.pk): one for one in newest}
        choices = [(key, f"{one.title} {one.version}, {one.language}") for key, one in self.newest.items()]
        self.fields["supersedes"].choices = choices  # type: ignore[attr-defined]

    def clean_statements(self) -> list[dict[str, Any]]:
        """Statements, one a line."""
        lines = [line for line in (self.cleaned_data["statements"] or "").splitlines() if line.strip()]
        return [_statement(number, line) for number, line in enumerate(lines, start=1)]


def _statement(number: int, line: str) -> dict[str, Any]:
    parts = [part.strip() for part in line.split("|", 3)]
    if len(parts) != 4 or not all(parts) or parts[1] not in ("mandatory", "optional"):
        raise forms.ValidationError(f"Line {number}: write CODE | mandatory or optional | purpose | text")
    return {"code": parts[0], "mandatory": parts[1] == "mandatory", "purpose": parts[2], "text": parts[3]}
