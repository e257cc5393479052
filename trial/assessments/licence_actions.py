"""Recording that the study may use a questionnaire whose holder asks for registration."""

from datetime import date, datetime

from django.db import transaction

from instruments import Instrument
from trial.access.models import User
from trial.assessments.errors import AnswersRefused
from trial.assessments.models import InstrumentLicence
from trial.assessments.rules import Problems
from trial.base.errors import TrialError
from trial.schedule.rules import local_date


class LicenceRecorded(TrialError):
    """The study's licence for this instrument is recorded already."""


@transaction.atomic
def record_licence(
    *,
    instrument: Instrument,
    reference: str,
    holder: str,
    licence_date: date,
    by: User | None,
    at: datetime,
    copyright_line: str | None = None,
) -> InstrumentLicence:
    """Record that the study may use an instrument whose holder asks for registration.

    Args:
        copyright_line: as on the form that the holder issued; left out, that of the definition.

    Raises:
        LicenceRecorded: it is recorded already.
        AnswersRefused: the date is in the future, or reference, holder or copyright line is empty.
    """
    problems: Problems = {}
    if licence_date > local_date(at):
        problems["licence_date"] = "The date of the licence must be today or in the past"
    problems |= {
        key: f"Enter the {key} of the licence"
        for key, text in (("reference", reference), ("holder", holder))
        if not text.strip()
    }
    line = instrument.copyright[:300] if copyright_line is None else copyright_line
    if not line.strip():
        problems["copyright_line"] = "Enter the copyright line"
    if problems:
        raise AnswersRefused(problems)
    if InstrumentLicence.objects.select_for_update().filter(instrument=instrument.code).exists():
        raise LicenceRecorded(f"The licence for {instrument.short_title} is recorded already.")
    return InstrumentLicence(
        instrument=instrument.code,
        reference=reference,
        holder=holder,
        licence_date=licence_date,
        copyright_line=line,
    ).save_by(by)
