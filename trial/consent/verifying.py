"""Whether a file is ours and unaltered: only its hash is compared, and nothing is said that it does not say itself."""

import hashlib
from dataclasses import dataclass

from trial.base.words import long_date
from trial.consent.evidence_models import SealedForm
from trial.consent.models import Consent, DocumentFile
from trial.consent.sealing import is_unaltered

MOST_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True)
class Verdict:
    """What the page says. `is_ours` is False for anything we did not make, or that was changed by one byte."""

    is_ours: bool
    title: str
    text: str


NOT_OURS = Verdict(
    False,
    "Not ours, or altered",
    "We have not made a file like this one: it is another file, or something in it was changed. A print that was"
    " scanned, or a file that was saved again, cannot be checked here.",
)


def verdict_on(data: bytes) -> Verdict:
    """What is known of a file."""
    digest = hashlib.sha256(data).hexdigest()
    form = SealedForm.objects.filter(sha256=digest).select_related("consent__form", "consent__evidence").first()
    if form:
        return _of_consent(form.consent)
    file = DocumentFile.objects.filter(sha256=digest).defer("content").select_related("document").first()
    if file:
        approved = long_date(file.document.approved_date)
        text = f"{file.document}, approved on {approved} ({file.document.rec_reference})."
        return Verdict(True, "This is an approved document of the study", text)
    return NOT_OURS


def _of_consent(consent: Consent) -> Verdict:
    text = f"Consent form version {consent.form.version}, signed on {long_date(consent.signed_at)}."
    if consent.state == Consent.State.VOID or not is_unaltered(consent):
        return Verdict(
            False,
            "This file is ours, but the consent is void",
            f"{text} Our record of it was marked as entered in error, or no longer says what was signed."
            " Ring the study office.",
        )
    return Verdict(True, "This is ours and unaltered", text)
