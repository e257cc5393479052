"""Refusals of the exports app."""

from trial.base.errors import TrialError


class ReleaseRefused(TrialError):
    """A release cannot be made or given out."""


class FileDamaged(TrialError):
    """A stored file is gone or is not what it was."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The stored file {name} is missing or was altered. Tell the administrator.")
