"""What a simulation of the protocol compares: its own design, others beside it, and the people it expects."""

import json
from collections.abc import Mapping
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation.errors import RandomisationError
from randomisation.simulation import MINIMISATION, OWN_DESIGN, Candidate, Population, candidate
from trial.allocation.schemes import scheme_parameters
from trial.base.errors import TrialError
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import restricted_parameters

_SHAPE = ("arms", "ratio", "factors")


class DesignRefused(TrialError):
    """A design that cannot be compared; the text says which rule it breaks."""


@sensitive_variables()
def own_design(version: ProtocolVersion) -> Candidate:
    """The protocol's own design, its restricted parameters included: show its label only.

    Raises:
        DesignRefused: it breaks a rule, or is a list made elsewhere.
        ParametersUnavailable: no sealing key opens its restricted parameters.
    """
    try:
        return candidate(OWN_DESIGN, scheme_parameters(version.spec, restricted_parameters(version)))
    except RandomisationError as error:
        raise DesignRefused(error.text) from error


def other_design(label: str, given: Mapping[str, Any], spec: ProtocolSpec) -> Candidate:
    """Another design for the same trial: its method's parameters; arms, ratio and factors of the protocol unless given.

    Raises:
        DesignRefused: it breaks a rule, or is a list made elsewhere.
    """
    own = scheme_parameters(spec, None)
    shape = {key: own[key] for key in _SHAPE}
    if given.get("method") != MINIMISATION:
        # Weights mean nothing in a list.
        shape["factors"] = [{**factor, "weight": 1} for factor in own["factors"]]
    try:
        return candidate(label, {**shape, **given})
    except RandomisationError as error:
        raise DesignRefused(f"{label}: {error.text}") from error


def expected_people(spec: ProtocolSpec) -> Population:
    """Every site and every level of each factor equally likely."""
    levels = {one["code"]: one["levels"] for one in scheme_parameters(spec, None)["factors"]}
    sites = {"site": dict.fromkeys((site.code for site in spec.sites), 1)}
    return Population.of({**sites, **{code: dict.fromkeys(codes, 1) for code, codes in levels.items()}})


def read_designs(text: str, spec: ProtocolSpec) -> tuple[list[Candidate], Population]:
    """Designs and expected people from JSON text.

    `{"methods": [{"label": …, "parameters": {…}}], "people": {"factors": {factor: {level: weight}}, "by_site": …}}`;
    without `people` everybody is equally likely.

    Raises:
        DesignRefused: it is not that, or a design or a share breaks a rule.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise DesignRefused("The file of methods is not JSON.") from error
    if not isinstance(given, dict) or set(given) - {"methods", "people"} or not isinstance(given.get("methods"), list):
        raise DesignRefused("The file must hold methods, a list, and may hold people.")
    designs = [_design(entry, spec) for entry in given["methods"]]
    return designs, _people(given["people"]) if "people" in given else expected_people(spec)


def _design(entry: object, spec: ProtocolSpec) -> Candidate:
    if not isinstance(entry, dict) or set(entry) != {"label", "parameters"}:
        raise DesignRefused("Each method needs a label and its parameters, and nothing else.")
    label, parameters = entry["label"], entry["parameters"]
    if not isinstance(label, str) or not isinstance(parameters, dict):
        raise DesignRefused("The label of a method is text, its parameters are names and values.")
    return other_design(label, parameters, spec)


def _people(given: object) -> Population:
    if not isinstance(given, dict):
        raise DesignRefused("The people must be given as factors, and by_site where sites differ.")
    try:
        return Population.from_json(given)
    except RandomisationError as error:
        raise DesignRefused(error.text) from error
