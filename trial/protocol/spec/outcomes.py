"""Primary outcomes, planning values and progression criteria."""

from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.fields import Code, Day, Exact, Key, Line, Name, Part, Share, Text


class Measure(Part):
    """One score of an instrument at one visit."""

    visit: Code
    instrument: Name
    score: Name


class Planning(Part):
    """Values for sizing the definitive trial (F14 to F17)."""

    measure: Measure
    difference: Exact
    power: Share
    alpha: Share
    assumed_icc: Share


EstimateKind = Literal[
    "consented",
    "randomised_per_site_month",
    "retention",
    "adherent",
    "scorable",
    "faithful",
    "contamination",
    "related_sae",
]


class Estimate(Part):
    """Which figure of domain.md section 8 a criterion judges, with the visit, arm or item it is taken from.

    consented: F2; randomised_per_site_month: F3; retention: F4, needs visit; adherent: F7, needs arm;
    scorable: F6, needs visit, instrument and score; faithful: sessions observed, BR-48; contamination: F8,
    needs arm and may name the item (instrument, item) with which people report another arm's kind of
    session; related_sae: F13.
    """

    kind: EstimateKind
    visit: Code | None = None
    arm: Key | None = None
    instrument: Name | None = None
    score: Name | None = None
    item: Name | None = None


class ProgressionCriterion(Part):
    """A limit agreed before the data. `light: committee` has no limits and no automatic light (F18)."""

    code: Code
    label: Line
    denominator: Line
    estimate: Estimate
    light: Literal["automatic", "committee"]
    higher_is_better: bool
    reveals_arm: bool
    """Whether the figure shows delivery by arm: then blinded roles never see it."""
    red: Exact | None = None
    green: Exact | None = None


class Progression(Part):
    """The criteria and the day on which they were frozen (CONSORT-P 6c)."""

    frozen_on: Day
    statement: Text
    criteria: Annotated[tuple[ProgressionCriterion, ...], Field(min_length=1)]
