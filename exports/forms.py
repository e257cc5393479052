"""Forms about releases: they read and validate, they do not save."""

import re
from collections.abc import Iterable

from django import forms

from exports.variants import VARIANTS
from trial.base.fields import ChoiceField, TextField
from trial.locking.forms import secret_field
from trial.locking.models import DatasetLock

HASH = re.compile(r"[0-9a-f]{64}")


def purpose_field(label: str) -> TextField:
    """What for, kept with the release or the download."""
    return TextField(label=label, what="the purpose", max_length=300, help_text="For example, main analysis, plan 1.0")


class ReleaseForm(forms.Form):
    """Which data, which variant, what for."""

    lock = ChoiceField(label="Which cut or lock?", what="a cut or lock")
    variant = ChoiceField(label="Which variant?", what="a variant")
    purpose = purpose_field("What is it for?")

    def __init__(self, data: object = None, *, locks: Iterable[DatasetLock], variants: Iterable[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # Django takes any mapping of lists
        self.by_code = {lock.code: lock for lock in locks}
        self.fields["lock"].choices = [(lock.code, _described(lock)) for lock in self.by_code.values()]  # type: ignore[attr-defined]
        self.fields["variant"].choices = [(code, VARIANTS[code].label) for code in variants]  # type: ignore[attr-defined]

    @property
    def chosen_lock(self) -> DatasetLock:
        """The cut or lock that was chosen."""
        return self.by_code[self.cleaned_data["lock"]]


def _described(lock: DatasetLock) -> str:
    what = "final lock" if lock.kind == DatasetLock.Kind.FINAL else f"data cut, {lock.name}"
    return f"{lock.code}: {what}"


class DownloadForm(forms.Form):
    """What a download is for."""

    purpose = purpose_field("What will you use it for?")


class CompareForm(forms.Form):
    """The hash of one's own copy."""

    sha256 = TextField(label="SHA-256 of your copy", what="the SHA-256 of your copy", max_length=200)

    def clean_sha256(self) -> str:
        """64 hexadecimal digits, whatever spaces and capitals were typed, or a line of sha256sum."""
        typed = str(self.cleaned_data["sha256"]).lower()
        digits = re.sub(r"[^0-9a-f]", "", typed) if " " not in typed.strip() else _first_hash(typed)
        if not HASH.fullmatch(digits):
            raise forms.ValidationError("Enter the 64 digits that sha256sum prints, spaces do not matter")
        return digits


def _first_hash(typed: str) -> str:
    """The hash of a line `hash  name`, or of groups with spaces between."""
    first = typed.split()[0]
    return first if HASH.fullmatch(first) else re.sub(r"\s", "", typed)


class UnblindingForm(forms.Form):
    """An unblinding asked for."""

    plan = TextField(
        label="Which signed analysis plan?",
        what="the signed analysis plan",
        max_length=200,
        help_text="Title, version and date of signature",
    )
    reason = TextField(label="Why now?", what="why arms are released now", rows=3, max_length=300)
    secret = secret_field()
