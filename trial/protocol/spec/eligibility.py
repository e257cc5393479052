"""Criteria, short lists of reasons, contact and re-screening."""

from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.fields import Code, Days, Line, Name, Part, Positive, Score, Text

Grade = Literal["none", "low", "medium", "high"]
Channel = Literal["phone", "text", "email", "letter", "in_person"]


class Judgement(Part):
    """A person answers."""

    type: Literal["judgement"]


class AgeRange(Part):
    """Whole years on the day of consent, both ends included."""

    type: Literal["age_range"]
    min: Annotated[int, Field(ge=0, le=130)]
    max: Annotated[int, Field(ge=0, le=130)] | None = None


class ScoreRange(Part):
    """A score of an instrument at a visit, both ends included."""

    type: Literal["score_range"]
    visit: Code
    instrument: Name
    score: Name
    min: Score
    max: Score


class RiskGrade(Part):
    """True of a person with a risk alert from this instrument that was graded as listed."""

    type: Literal["risk_grade"]
    instrument: Name
    grades: Annotated[tuple[Grade, ...], Field(min_length=1)]


class Reason(Part):
    """One line of a short list. `means` marks the lines that the system itself acts on."""

    code: Code
    label: Line
    means: Literal["death", "none_given"] | None = None


class Criterion(Part):
    """An inclusion criterion must be met by a participant, an exclusion criterion by none."""

    code: Code
    kind: Literal["inclusion", "exclusion"]
    text: Text
    evidence: Line
    rule: Annotated[Judgement | AgeRange | ScoreRange | RiskGrade, Field(discriminator="type")]
    prescreen: bool
    """Whether referral information may decide it, before consent (T05)."""
    reason: Reason
    """How the screening log names a person who fails it."""


class Reasons(Part):
    """The short lists that pages offer. Each has a free text beside it."""

    decline: Annotated[tuple[Reason, ...], Field(min_length=1)]
    withdrawal: Annotated[tuple[Reason, ...], Field(min_length=1)]
    participation_change: Annotated[tuple[Reason, ...], Field(min_length=1)]
    missed_visit: Annotated[tuple[Reason, ...], Field(min_length=1)]
    not_done: Annotated[tuple[Reason, ...], Field(min_length=1)]
    absence: Annotated[tuple[Reason, ...], Field(min_length=1)]
    correction: Annotated[tuple[Reason, ...], Field(min_length=1)]


class ContactRules(Part):
    """When a referred person is first contacted, and when they count as not contactable (T03)."""

    first_contact_working_days: Days
    min_attempts: Positive
    min_days: Positive
    min_channels: Positive
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    identifiers_kept_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days after the closure of a referral without consent until its identifiers are removed."""


class RescreenRule(Part):
    """How often, and how long after failing, a person may be screened again (BR-05)."""

    times: Annotated[int, Field(ge=0, le=10)]
    after_days: Days
