"""The designs to compare, and which of them to think of first (randomisation.md sections 1 and 11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from randomisation.engine.parameters import NO_CONTRIBUTION, Parameters, read_parameters
from randomisation.engine.source import VERSION
from randomisation.simulation.errors import SimulationRefused

OWN_DESIGN = "Protocol's design"
MINIMISATION = "minimisation"
IMPORT = "import"
MESSAGE = "Where staff see arms, fixed small blocks by site are the most guessable choice."
"""What every reader of a comparison should know (section 11)."""

FEW_PEOPLE = 150
_DEFAULTS: dict[str, Any] = {
    "algorithm": VERSION,
    "scheme": "simulation",
    "revision": 1,
    "contribution_source": NO_CONTRIBUTION,
    "factors": [],
}
_SUGGESTED_MINIMISATION: dict[str, Any] = {
    "method": MINIMISATION,
    "imbalance": "range",
    "p": "4/5",
    "burn_in": 0,
    "overall_weight": 1,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One design under comparison and what it is called on the page. Its parameters have a constant repr."""

    label: str
    parameters: Parameters

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise SimulationRefused("Each design needs a name.")
        _refuse_import(self.parameters.method)


def candidate(label: str, given: Mapping[str, Any]) -> Candidate:
    """A design from the parameters that shape it: arms, ratio, method, factors and the method's own.

    Raises:
        ParametersRefused: a parameter breaks a rule of section 1.
        SimulationRefused: no name, or a list made elsewhere.
    """
    _refuse_import(given.get("method"))
    return Candidate(label, read_parameters({**_DEFAULTS, **given}))


def _refuse_import(method: object) -> None:
    if method == IMPORT:
        raise SimulationRefused("An imported list cannot be simulated: only the statistician knows how it is made.")


def usual_candidates(parameters: Parameters) -> tuple[Candidate, ...]:
    """The protocol's own design beside minimisation with the suggested settings and simple randomisation.

    Minimisation needs a factor and is left out without one, or where it is the protocol's own method.
    """
    shape = {"arms": list(parameters.arms), "ratio": list(parameters.ratio)}
    found = [Candidate(OWN_DESIGN, parameters)]
    if parameters.factors and parameters.method != MINIMISATION:
        factors = [{"code": one.code, "levels": list(one.levels), "weight": 1} for one in parameters.factors]
        unequal = "biased_coin" if len(set(parameters.ratio)) == 1 else "pseudo_arms"
        suggested = {**_SUGGESTED_MINIMISATION, **shape, "factors": factors, "unequal": unequal}
        found.append(candidate("Minimisation, range, p 4/5", suggested))
    found.append(candidate("Simple", {**shape, "method": "simple"}))
    return tuple(found)


def suggestion(parameters: Parameters, target: int) -> str | None:
    """What to suggest to the statistician: minimisation for fewer than 150 people and two or more factors."""
    if target >= FEW_PEOPLE or len(parameters.factors) < 2 or parameters.method == MINIMISATION:
        return None
    return (
        f"With fewer than {FEW_PEOPLE} people and {len(parameters.factors)} prognostic factors, think of minimisation:"
        " it balances each factor where blocks in so many strata cannot."
    )
