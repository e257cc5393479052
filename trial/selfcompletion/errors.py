"""Refusals of questionnaires by link."""

from datetime import datetime

from trial.base.errors import TrialError
from trial.base.words import clock_time
from trial.selfcompletion.rules import LinkState


class NotOpen(TrialError):
    """The link takes no answers now; `state` says which page explains it."""

    def __init__(self, state: LinkState) -> None:
        self.state = state
        super().__init__("These questions take no answers now.")


class StillToAnswer(TrialError):
    """Some question was neither answered nor passed, so nothing was sent."""

    def __init__(self) -> None:
        super().__init__("Some questions are still to be answered or skipped.")


class TakenOver(TrialError):
    """Somebody of the team has begun or completed this questionnaire in another way."""

    def __init__(self) -> None:
        super().__init__("The study team has these answers already.")


class CheckPaused(TrialError):
    """Too many wrong second checks: no further one is looked at for now, or until the team sends another link."""

    def __init__(self, until: datetime | None) -> None:
        self.until = until
        wait = f"Wait until {clock_time(until)}, then try again." if until else "This link is now locked."
        super().__init__(f"The answer was wrong too often. {wait}")


class CannotSend(TrialError):
    """The questionnaires of this visit cannot be sent by link; the text says why."""
