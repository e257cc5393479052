"""Refusals of the randomisation as the trial tells them."""

from randomisation.errors import Refusal
from trial.base.errors import TrialError


class AllocationRefused(TrialError):
    """No allocation was made, or no step of the scheme's life; `refusals` holds every reason with its code."""

    def __init__(self, text: str, refusals: tuple[Refusal, ...] = ()) -> None:
        super().__init__(text)
        self.refusals = refusals
