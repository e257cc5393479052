"""Refusals of the randomisation app. Texts may be read by users and carry no arm, row or setting."""

from dataclasses import dataclass


class RandomisationError(Exception):
    """A refusal with its code (randomisation.md section 7 where one is given there) and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class ParametersRefused(RandomisationError):
    """A parameter breaks a rule of section 1. Names the parameter and the rule, never its value."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__("E_PARAMETERS", f"{field}: {rule}")
        self.field = field


class SealError(RandomisationError):
    """A sealed value could not be opened: `E_SEAL_KEY` or `E_SEAL_CONTEXT` (6.2)."""


class ListMismatch(RandomisationError):
    """A stored row is missing or differs from the one its seed gives (6.2)."""

    def __init__(self) -> None:
        super().__init__("E_LIST_MISMATCH", "The allocation list failed its check. Randomisation is paused.")


class LifeCycleRefused(RandomisationError):
    """A lock, opening, pause, closure or extension that section 10 does not allow."""

    def __init__(self, text: str) -> None:
        super().__init__("E_LIFE_CYCLE", text)


class LateEntryRefused(RandomisationError):
    """A paper allocation that cannot be entered as it was typed (9.7, 9.15)."""

    def __init__(self, text: str) -> None:
        super().__init__("E_LATE_ENTRY", text)


class ProposalRefused(RandomisationError):
    """A request, or a decision on one, that is not allowed."""

    def __init__(self, text: str) -> None:
        super().__init__("E_PROPOSAL", text)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One precondition that is not met: its code (section 7) and what to do about it."""

    code: str
    text: str


class NotAllocated(RandomisationError):
    """No allocation was made. `code` is the first refusal's, `refusals` lists them all (8.7)."""

    def __init__(self, refusals: list[Refusal]) -> None:
        reasons = " ".join(refusal.text for refusal in refusals)
        super().__init__(
            refusals[0].code,
            f"No allocation was made. {reasons} You can try again; trying again cannot change the result.",
        )
        self.refusals = tuple(refusals)

    @property
    def codes(self) -> list[str]:
        """Every code once, in the order found."""
        return list(dict.fromkeys(refusal.code for refusal in self.refusals))


class ImportRefused(RandomisationError):
    """An imported list breaks rules of 4.6: nothing of it was kept. `problems` are line number and rule each.

    Line 0 stands for the file as a whole. No text tells an arm, a position or a block of the file.
    """

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        first_line, first = problems[0]
        place = f"line {first_line}: " if first_line else ""
        more = f" There are {len(problems) - 1} more problems." if len(problems) > 1 else ""
        super().__init__("E_IMPORT", f"The list was not imported. {place}{first}{more}")
        self.problems = tuple(problems)


class PackageError(Exception):
    """A package of a revealed scheme cannot be read: names the place and what is wrong there."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(f"{place}: {text}" if place else text)
        self.place = place
