"""Refusals of the protocol feature."""

from collections.abc import Iterable
from typing import NamedTuple

from trial.base.errors import TrialError


class Problem(NamedTuple):
    """One thing wrong with a protocol file: the key, such as `visits.2.days_before`, and what to do."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class ProtocolRefused(TrialError):
    """A protocol file cannot be used. Its text has one line for each key that is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def keys(self) -> list[str]:
        """The keys that are wrong, in the order of the lines."""
        return [problem.key for problem in self.problems]


class VersionFrozen(TrialError):
    """Another content was offered under the number of a version that is active or was."""


class AnotherStudy(TrialError):
    """One installation holds one study; its code and the prefix of its participant IDs never change."""


class NotADraft(TrialError):
    """Only a draft can be activated, and only a version that is no draft can be approved at a site."""


class ApprovalRefused(TrialError):
    """A site approval contradicts its dates, or the site has one for this version already."""


class NoProtocolInForce(TrialError):
    """No active version is approved and effective at the site on that day (R-28)."""


class ParametersUnavailable(TrialError):
    """The restricted parameters cannot be sealed or opened: the sealing key is missing or another one."""

    def __init__(self) -> None:
        super().__init__("The sealing keys are missing or do not fit. Tell the administrator.")
