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
    weight: Annotated[int, Field(ge=1, le=100)] = 1


BlockSizes = Annotated[tuple[Annotated[int, Field(ge=1, le=60)], ...], Field(min_length=1, max_length=6)]


class RestrictedParameters(Part):
    """What nobody who enrols may know (BR-22). Stored sealed, apart from the rest of the file.

    Each method has keys of its own; `backup_block_sizes` is of the emergency lists, whatever the method.
    """

    block_sizes: BlockSizes | None = None
    mti: Annotated[int, Field(ge=1, le=10)] | None = None
    imbalance: Literal["range", "variance", "total"] | None = None
    p: Annotated[str, Field(max_length=20)] | None = None
    burn_in: Annotated[int, Field(ge=0, le=10_000)] | None = None
    overall_weight: Annotated[int, Field(ge=0, le=100)] | None = None
    unequal: Literal["biased_coin", "pseudo_arms"] | None = None
    backup_block_sizes: BlockSizes | None = None

    def given(self) -> dict[str, object]:
        """The parameters that the file names, as the engine takes them."""
        return self.model_dump(mode="json", exclude_none=True)

    def __repr__(self) -> str:
        return "RestrictedParameters(...)"

    __str__ = __repr__


class Randomisation(Part):
    """One scheme. `restricted` is present in the file and absent from every stored version.

    `backup_rows` envelopes are made for each site in an emergency; `contribution` says whether two people add a
    text to the secret after the lock; `households` lets people who live together be allocated together.
    """

    scheme: Annotated[str, Field(pattern=SCHEME)]
    method: Literal["simple", "permuted_blocks", "big_stick", "minimisation", "import"]
    factors: tuple[Factor, ...]
    restricted: RestrictedParameters | None = None
    backup_rows: Annotated[int, Field(ge=0, le=500)] = 0
    contribution: Literal["none", "two_texts"] = "none"
    households: bool = False
