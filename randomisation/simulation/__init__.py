"""Simulation of a design before go-live. Plain Python: no Django, no database, never a live secret."""

from randomisation.simulation.candidates import (
    MESSAGE,
    MINIMISATION,
    OWN_DESIGN,
    Candidate,
    candidate,
    suggestion,
    usual_candidates,
)
from randomisation.simulation.errors import SimulationRefused
from randomisation.simulation.people import Population
from randomisation.simulation.results import Comparison, MethodResult
from randomisation.simulation.run import DEFAULT_TRIALS, simulate

__all__ = [
    "DEFAULT_TRIALS",
    "MESSAGE",
    "MINIMISATION",
    "OWN_DESIGN",
    "Candidate",
    "Comparison",
    "MethodResult",
    "Population",
    "SimulationRefused",
    "candidate",
    "simulate",
    "suggestion",
    "usual_candidates",
]
