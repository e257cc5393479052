"""Refusals of the simulation. Texts may be read by users and carry no setting of a design."""

from randomisation.errors import RandomisationError


class SimulationRefused(RandomisationError):
    """What was asked for cannot be simulated; the text says why."""

    def __init__(self, text: str) -> None:
        super().__init__("E_SIMULATION", text)
