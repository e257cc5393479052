"""Refusals of consent on a screen."""

from datetime import datetime

from trial.base.errors import TrialError
from trial.base.words import clock_time
from trial.econsent.reads import State


class NotOpen(TrialError):
    """Nothing can be answered or signed now; `state` says which page explains it."""

    def __init__(self, state: State) -> None:
        self.state = state
        super().__init__("This consent takes no answers now.")


class CannotStart(TrialError):
    """No consent on a screen can be started for this person now; the text says why."""


class NotReady(TrialError):
    """Something comes before this page: answers, a signature, the certification."""


class CheckPaused(TrialError):
    """Too many wrong second checks: no further one is looked at for now, or until the team helps."""

    def __init__(self, until: datetime | None) -> None:
        self.until = until
        wait = f"Wait until {clock_time(until)}, then try again." if until else "This link is now locked."
        super().__init__(f"The answer was wrong too often. {wait}")
