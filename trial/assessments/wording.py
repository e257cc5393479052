"""What may be shown of an instrument: wording behind its licence gate, and who holds it."""

import re
from dataclasses import dataclass

from django.conf import settings

from instruments import Instrument, Item
from trial.assessments.models import InstrumentLicence
from trial.base.errors import TrialError

INTERVENTION = "the activity"
"""Stands where a published wording leaves room for the intervention's name; the same in both arms (BR-26)."""

WITHHELD = "Wording withheld: ask the question from your licensed copy."


class LicenceMissing(TrialError):
    """The holder asks for registration, and none is recorded for this study."""


@dataclass(frozen=True)
class Wording:
    """The words of one instrument as this study may show them. Scoring never depends on them."""

    instrument: Instrument
    is_withheld: bool
    copyright: str

    def text(self, item: Item) -> str:
        """The question in its published words, or its short name where they are withheld."""
        if self.is_withheld or not item.text:
            return item.short.replace("_", " ").capitalize()
        return _with_intervention(item.text, item.placeholder) if item.placeholder else item.text

    def label(self, item: Item, answer: int) -> str:
        """The words of an answer, or the number itself."""
        return (None if self.is_withheld else item.label(answer)) or str(answer)

    @property
    def stem(self) -> str:
        """What stands above the questions."""
        return WITHHELD if self.is_withheld else self.instrument.instructions or ""


def _with_intervention(text: str, placeholder: str) -> str:
    """The words with the intervention named, whichever case its place was written in."""
    named = re.sub(re.escape(placeholder), INTERVENTION, text, flags=re.IGNORECASE)
    return named[:1].upper() + named[1:]


def needs_licence(instrument: Instrument) -> bool:
    """Whether the holder asks studies to register before they open the form."""
    return instrument.licence.registration_required


def require_licence(instrument: Instrument) -> InstrumentLicence | None:
    """The recorded licence, None where none is needed.

    Raises:
        LicenceMissing: it is needed and not recorded.
    """
    if not needs_licence(instrument):
        return None
    licence = InstrumentLicence.objects.filter(instrument=instrument.code).first()
    if licence is None:
        raise LicenceMissing(
            f"{instrument.short_title} may be used only after the study has recorded its licence."
            " Ask the trial manager to record it."
        )
    return licence


def wording_of(instrument: Instrument) -> Wording:
    """The wording as it may be shown: withheld by its file, or by the setting WITHHELD_WORDING.

    Raises:
        LicenceMissing: the form may not be opened yet.
    """
    licence = require_licence(instrument)
    withheld = instrument.wording_withheld or instrument.code in settings.WITHHELD_WORDING
    return Wording(instrument, withheld, licence.copyright_line if licence else instrument.copyright)
