"""Method, strata and restricted parameters of the randomisation (randomisation.md, section 1)."""

from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.fields import SCHEME, Code, Key, Line, Name, Part, Score


class SiteSource(Part):
    """The factor is the site that randomises; its levels are the sites in the file's order."""

    type: Literal["site"]


class ScoreSource(Part):
    """The factor is a band of a score, fixed when eligibility is signed (BR-24)."""

    type: Literal["score_band"]
    visit: Code
    instrument: Name
    score: Name


class Level(Part):
    """One level of a factor; `min` and `max` bound a band, both included, and are null for a site."""

    code: Key
    label: Line
    min: Score | None = None
    max: Score | None = None


class Factor(Part):
    """One stratification factor with its ordered levels."""

    code: Key
    label: Line
    source: Annotated[SiteSource | ScoreSource, Field(discriminator="type")]
    levels: Annotated[tuple[Level, ...], Field(min_length=2)]


class RestrictedParameters(Part):
    """What nobody who enrols may know (BR-22). Stored sealed, apart from the rest of the file."""

    block_sizes: Annotated[tuple[Annotated[int, Field(ge=1, le=60)], ...], Field(min_length=1, max_length=6)]

    def __repr__(self) -> str:
        return "RestrictedParameters(...)"

    __str__ = __repr__


class Randomisation(Part):
    """One scheme. `restricted` is present in the file and absent from every stored version."""

    scheme: Annotated[str, Field(pattern=SCHEME)]
    method: Literal["simple", "permuted_blocks"]
    factors: tuple[Factor, ...]
    restricted: RestrictedParameters | None = None
