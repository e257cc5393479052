"""Every instrument that this installation finds: its licence, its wording, and where it is used."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

import instruments
from instruments import Instrument
from trial.assessments.models import Administration, InstrumentLicence, StudyWording
from trial.assessments.wording import is_withheld, needs_licence
from trial.base.words import short_date
from trial.protocol.models import ProtocolVersion
from trial.protocol.versions import active_version

Version = tuple[str, str]
"""(instrument code, version)."""


@dataclass(frozen=True)
class InventoryLine:
    """One version of one instrument, in words."""

    code: str
    version: str
    licence: str
    wording: str
    used: str


def inventory() -> list[InventoryLine]:
    """Every version of every instrument, by code and then version, oldest first.

    Raises:
        DefinitionError: a definition file cannot be used.
    """
    licences = {one.instrument: one for one in InstrumentLicence.objects.all()}
    own = set(StudyWording.objects.values_list("instrument", "version"))
    at, stored = _visits(active_version()), _stored()
    return [
        InventoryLine(
            code=one.code,
            version=one.version,
            licence=_licence(one, licences.get(one.code)),
            wording=_wording(one, (one.code, one.version) in own),
            used=_used(at.get((one.code, one.version), []), stored.get((one.code, one.version), 0)),
        )
        for one in instruments.all_instruments()
    ]


def _visits(version: ProtocolVersion | None) -> Mapping[Version, list[str]]:
    """The visits of the active protocol that expect each instrument."""
    if version is None:
        return {}
    return {
        (use.code, use.version): [
            visit.code for visit in version.spec.visits if use.code in {form.form for form in visit.forms}
        ]
        for use in version.spec.instruments
    }


def _stored() -> Mapping[Version, int]:
    rows = Administration.objects.values_list("instrument", "instrument_version").order_by("instrument")
    return {(code, version): n for code, version, n in rows.annotate(n=Count("pk"))}


def _licence(instrument: Instrument, licence: InstrumentLicence | None) -> str:
    if not needs_licence(instrument):
        return "none needed"
    return f"recorded {short_date(licence.licence_date)}" if licence else "NOT RECORDED"


def _wording(instrument: Instrument, has_own: bool) -> str:
    if not is_withheld(instrument):
        return "with the software"
    return "uploaded by the study" if has_own else "withheld"


def _used(visits: list[str], n_forms: int) -> str:
    said = [f"visits {', '.join(visits)}"] if visits else []
    said += [f"{n_forms:,} form{'' if n_forms == 1 else 's'} stored"] if n_forms else []
    return "; ".join(said) or "not used"
