"""What may be shown of an instrument: wording behind its licence gate, and who holds it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from instruments import Instrument, Item
from trial.assessments.models import InstrumentLicence, StudyWording
from trial.base.errors import TrialError

INTERVENTION = "the activity"
"""Stands where a published wording leaves room for the intervention's name; the same in both arms (BR-26)."""

WITHHELD = "Wording withheld: ask the question from your licensed copy."


class LicenceMissing(TrialError):
    """The holder asks for registration, and none is recorded for this study."""


@dataclass(frozen=True)
class Wording:
    """The words of one instrument as this study may show them. Scoring never depends on them.

    `own` is the content of the wording that the study received under its licence and uploaded (StudyWording).
    """

    instrument: Instrument
    is_withheld: bool
    copyright: str
    own: Mapping[str, Any] | None = None

    def text(self, item: Item) -> str:
        """The question in its published words, or its short name where they are withheld."""
        if self.own is not None:
            return str(self.own["items"][item.code]["text"])
        if self.is_withheld or not item.text:
            return item.short.replace("_", " ").capitalize()
        return _with_intervention(item.text, item.placeholder) if item.placeholder else item.text

    def label(self, item: Item, answer: int) -> str:
        """The words of an answer, or the number itself."""
        if self.own is not None:
            return str(self.own["items"][item.code]["options"].get(str(answer)) or answer)
        return (None if self.is_withheld else item.label(answer)) or str(answer)

    def anchors(self, item: Item) -> Mapping[int, str]:
        """The words at the points of a scale; none where they are withheld."""
        if self.own is not None:
            return {int(value): label for value, label in self.own["items"][item.code]["options"].items()}
        return {} if self.is_withheld else item.anchors

    @property
    def stem(self) -> str:
        """What stands above the questions."""
        if self.own is not None:
            return str(self.own["instructions"] or "")
        return WITHHELD if self.is_withheld else self.instrument.instructions or ""


def is_withheld(instrument: Instrument) -> bool:
    """Whether the software shows no wording of its own: it has none, or the setting WITHHELD_WORDING names it."""
    return instrument.wording_withheld or instrument.code in settings.WITHHELD_WORDING


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
    """The wording as it may be shown: the study's own where the software's is withheld, else that of the software.

    Raises:
        LicenceMissing: the form may not be opened yet.
    """
    return known_wording(instrument, require_licence(instrument))


def known_wording(instrument: Instrument, licence: InstrumentLicence | None = None) -> Wording:
    """The wording for pages about answers that are stored, which a licence came before."""
    withheld = is_withheld(instrument)
    own = None
    if withheld:
        stored = StudyWording.objects.filter(instrument=instrument.code, version=instrument.version)
        own = stored.values_list("content", flat=True).first()
    line = licence.copyright_line if licence else instrument.copyright
    return Wording(instrument, withheld and own is None, line, own)
