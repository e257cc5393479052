"""Refusals of double entry. None of them says what the first entry holds."""

from trial.base.errors import TrialError


class NotAwaited(TrialError):
    """The form is not one that waits for a second entry."""

    def __init__(self) -> None:
        super().__init__("This questionnaire does not wait for a second entry.")


class SamePerson(TrialError):
    """Whoever saved or saw the first entry cannot be the second person."""

    def __init__(self) -> None:
        super().__init__("You know the first entry of this form, so somebody else must enter it again.")


class EnteredTwice(TrialError):
    """Somebody completed the second entry meanwhile."""

    def __init__(self, who: str) -> None:
        super().__init__(f"{who} completed the second entry. What you typed now is not needed and was not saved.")


class OtherWindow(TrialError):
    """The same person saved another content in another window."""

    def __init__(self) -> None:
        super().__init__(
            "You saved this second entry in another window meanwhile. What you see here is not saved yet."
            " Check it against the paper, then save again."
        )


class NotYours(TrialError):
    """One of the two people who entered the form wants to decide between the entries."""

    def __init__(self) -> None:
        super().__init__("You entered this form yourself, so somebody else must decide where the entries differ.")


class NothingToDecide(TrialError):
    """The entries agree, or everything was decided already."""

    def __init__(self) -> None:
        super().__init__("Nothing is left to decide. Open the page again to see what was decided.")


class UnknownValue(TrialError):
    """A decision names no difference, or a value that its question does not have."""

    def __init__(self) -> None:
        super().__init__("Select what the paper says for each question.")
