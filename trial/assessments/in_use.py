"""A definition under which answers are stored never changes (instruments, rule 4)."""

from collections.abc import Iterator
from datetime import datetime

import instruments
from instruments import Instrument
from trial.assessments.models import InstrumentInUse
from trial.base.errors import TrialError


class DefinitionChanged(TrialError):
    """The file of an instrument says something else than when answers were first stored under its version."""

    def __init__(self, definition: str) -> None:
        super().__init__(
            f"The definition of {definition} was changed after answers were stored under it, so nothing was saved."
            " The file must be put back as it was; a change needs a file with a new version."
        )


def confirm_unchanged(definition: Instrument, *, at: datetime) -> None:
    """Remember what a definition says at its first use, and hold every later use to it.

    Raises:
        DefinitionChanged: the file was edited in place since.
    """
    used, _ = InstrumentInUse.objects.get_or_create(
        instrument=definition.code,
        version=definition.version,
        defaults={"checksum": definition.checksum, "first_used_at": at},
    )
    if used.checksum != definition.checksum:
        raise DefinitionChanged(str(definition))


def definitions_changed() -> Iterator[str]:
    """One sentence for each definition in use whose file was edited in place, or is gone."""
    for used in InstrumentInUse.objects.order_by("instrument", "version"):
        try:
            definition = instruments.get(used.instrument, used.version)
        except instruments.UnknownInstrument:
            yield f"Answers are stored under {used}, and its definition file is gone."
            continue
        if definition.checksum != used.checksum:
            yield f"The definition file of {used} was edited after answers were stored under it."
