"""Refusals about accounts, roles, duties and sites."""

from trial.base.errors import TrialError


class AccountExists(TrialError):
    """One account for each address (R-11)."""

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail address. Change that account instead.")


class SharedAccount(TrialError):
    """An account belongs to one named person (R-11)."""


class OwnAccount(TrialError):
    """Nobody changes the access that their own account has."""

    def __init__(self) -> None:
        super().__init__("You cannot change your own access. Ask another administrator.")


class LastAdministrator(TrialError):
    """Without an administrator nobody could give anybody access again."""

    def __init__(self) -> None:
        super().__init__("This is the last administrator. Give the role to somebody else first.")


class RoleRefused(TrialError):
    """The role cannot be held like this; the text says why."""


class IncompatibleRoles(RoleRefused):
    """Nobody holds these two roles at the same time (R-13)."""


class DelegationRefused(TrialError):
    """The duty cannot be delegated like this; the text says why."""


class SiteRefused(TrialError):
    """The site's recruitment cannot change like this; the text says why."""
