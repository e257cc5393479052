"""Storing the wording that the study received under its own licence (instruments, rule 3)."""

from django.db import transaction

from instruments import Instrument
from trial.access.models import User
from trial.assessments.models import Administration, StudyWording
from trial.assessments.wording import is_withheld, require_licence
from trial.assessments.wording_reading import Content
from trial.base.errors import TrialError


class WordingComesWithSoftware(TrialError):
    """The wording of this instrument is not withheld, so there is nothing to upload."""


class WordingInUse(TrialError):
    """Answers were given under the wording as it is; a change is a new version."""


@transaction.atomic
def store_wording(*, instrument: Instrument, content: Content, by: User | None) -> StudyWording:
    """Keep the wording for this study's pages. The same again changes nothing.

    Args:
        content: as `read_wording` gives it.

    Raises:
        LicenceMissing: the licence under which the study received it is not recorded.
        WordingComesWithSoftware: it is not withheld.
        WordingInUse: another wording is stored, and answers were given under it.
    """
    require_licence(instrument)
    if not is_withheld(instrument):
        raise WordingComesWithSoftware(f"The wording of {instrument.short_title} comes with the software.")
    key = {"instrument": instrument.code, "version": instrument.version}
    stored = StudyWording.objects.select_for_update().filter(**key).first()
    if stored is not None and stored.content == content:
        return stored
    if stored is not None and _is_answered(instrument):
        raise WordingInUse(
            f"Answers are stored under this wording of {instrument.short_title}, so it never changes."
            " Another wording needs a definition with a new version."
        )
    row = stored or StudyWording(**key)
    row.content = content
    return row.save_by(by, "Wording uploaded")


def _is_answered(instrument: Instrument) -> bool:
    forms = Administration.objects.filter(instrument=instrument.code, instrument_version=instrument.version)
    return forms.exists()
