"""The study, its version, arms, sites, recruitment and working days."""

from typing import Annotated

from pydantic import Field

from trial.protocol.spec.fields import (
    PREFIX,
    STUDY_CODE,
    Clock,
    Day,
    Key,
    Line,
    Part,
    Phone,
    Positive,
    SiteCode,
    Text,
    VersionNumber,
)


class Study(Part):
    """Names and references of the study, and how its office is reached."""

    code: Annotated[str, Field(pattern=STUDY_CODE)]
    short_name: Annotated[Line, Field(max_length=30)]
    public_name: Line
    title: Text
    sponsor: Line
    iras: Line
    rec: Line
    registration: Line
    id_prefix: Annotated[str, Field(pattern=PREFIX)]
    office_phone: Phone
    office_hours: Line
    office_email: Line


class VersionNote(Part):
    """Which version of the protocol this file is, and what changed since the last one (CONSORT-P 3b)."""

    version: VersionNumber
    date: Day
    changes: Text | None = None


class Arm(Part):
    """One randomised condition. The order of the arms is the order of the allocation ratio."""

    code: Key
    label: Line
    description: Text
    ratio: Annotated[int, Field(ge=1, le=60)]


class SiteSpec(Part):
    """One site: when it opens, how many people it is to randomise, when it may use this version (R-28)."""

    code: SiteCode
    name: Annotated[Line, Field(max_length=100)]
    abbreviation: Annotated[Line, Field(max_length=10)]
    opens: Day
    target: Positive
    protocol_approved: Day | None = None
    protocol_effective: Day | None = None


class Recruitment(Part):
    """Planned first and last day of recruitment, and the number of people to randomise."""

    starts: Day
    ends: Day
    target: Positive


class WorkingCalendar(Part):
    """Working hours of the study team and the bank holidays of its nation."""

    day_starts: Clock
    day_ends: Clock
    bank_holidays: tuple[Day, ...]
