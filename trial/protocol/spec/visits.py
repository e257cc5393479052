"""Instruments in use, and the visits at which their forms are expected."""

from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.fields import SUFFIX, Code, Days, Line, Name, Part, VersionNumber

ELIGIBILITY = "eligibility"
"""The one form that is no instrument: the criteria, answered one by one."""

Mode = Literal["self_web", "self_paper", "interview_phone", "interview_in_person"]


class InstrumentUse(Part):
    """An instrument of the library in the version that this study uses.

    `outcome` says whether an answered form counts as retention (F4): `other` does not. `self_report` refuses
    proxy answers (BR-33). `double_entry` has paper forms entered twice by different people (BR-36).
    """

    code: Name
    version: VersionNumber
    label: Line
    outcome: Literal["primary", "secondary", "other"]
    self_report: bool
    double_entry: bool


class RepeatRule(Part):
    """The form is repeated only when the one of an earlier visit was answered more than so many days ago."""

    visit: Code
    older_than_days: Days


class ExpectedForm(Part):
    """One form of a visit: an instrument's code, or the word `eligibility`."""

    form: Name
    required: bool
    modes: Annotated[tuple[Mode, ...], Field(min_length=1)]
    repeat_of: RepeatRule | None = None


class VisitSpec(Part):
    """A scheduled time point. Days count from randomisation, day 0; windows include both ends (BR-30)."""

    code: Code
    visitnum: Annotated[int, Field(ge=0, le=9_999)]
    label: Line
    suffix: Annotated[str, Field(pattern=SUFFIX)]
    before_randomisation: bool
    target_day: Days
    days_before: Days
    days_after: Days
    forms: Annotated[tuple[ExpectedForm, ...], Field(min_length=1)]

    @property
    def name(self) -> str:
        """Code and label, as a page heads a column: `V3 week 12`."""
        return f"{self.code} {self.label}"

    @property
    def opens_day(self) -> int:
        """First day of the window, counted from randomisation."""
        return self.target_day - self.days_before

    @property
    def closes_day(self) -> int:
        """Last day of the window, counted from randomisation."""
        return self.target_day + self.days_after
