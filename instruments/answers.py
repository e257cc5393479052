"""Sort out the answers of one form: which are valid, which are faulty, which are still needed."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from instruments.model import Instrument, Item

# Far beyond what any item allows; larger numbers are not worth converting.
HIGHEST = 10**18
NOT_APPLICABLE = "NA"


class ErrorCode(StrEnum):
    """What is wrong with an answer."""

    UNKNOWN_ITEM = "unknown_item"
    WRONG_TYPE = "wrong_type"
    NOT_INTEGER = "not_integer"
    OUT_OF_RANGE = "out_of_range"


class WarningCode(StrEnum):
    """What to look at again; never stops a score."""

    REQUIRED_MISSING = "required_missing"
    CONDITIONALLY_REQUIRED = "conditionally_required"
    ABOVE_SOFT_MAX = "above_soft_max"


class Finding(NamedTuple):
    """An error or a warning about one item."""

    item: str
    code: str


class FaultyAnswer(ValueError):
    """An answer that its item does not allow; `code` says why."""

    def __init__(self, code: ErrorCode) -> None:
        self.code = code
        super().__init__(code.value)


class Form:
    """The answers sorted out. Absent and null both mean not answered; zero is an answer.

    `answers` holds the valid ones as given, `counted` as they count after reversal, `faulty` the items
    with an error.
    """

    def __init__(self, instrument: Instrument, answers: Mapping[str, object]) -> None:
        allowed = instrument.allowed_by_code
        self.answers: dict[str, int] = {}
        self.errors: list[Finding] = []
        for code, answer in answers.items():
            # Nearly every answer is a plain whole number that its item allows; `type` keeps true and false out.
            if type(answer) is int and code in allowed and answer in allowed[code]:
                self.answers[code] = answer
            elif answer is not None or code not in allowed:
                self._sort_out(instrument, code, answer)
        self.faulty = {finding.item for finding in self.errors}
        self.counted = self._reversed(instrument) if instrument.reversed_items else self.answers

    def _sort_out(self, instrument: Instrument, code: str, answer: object) -> None:
        item = instrument.items_by_code.get(code)
        if item is None:
            self.errors.append(Finding(code, ErrorCode.UNKNOWN_ITEM.value))
            return
        try:
            self.answers[code] = read_answer(item, answer)
        except FaultyAnswer as fault:
            self.errors.append(Finding(code, fault.code.value))

    def _reversed(self, instrument: Instrument) -> dict[str, int]:
        return self.answers | {
            item.code: item.min + item.max - self.answers[item.code]
            for item in instrument.reversed_items
            if item.code in self.answers
        }


def read_answer(item: Item, answer: object) -> int:
    """The whole number that an answer is.

    Raises:
        FaultyAnswer: it is not a number, not whole, or not among the answers that the item allows.
    """
    whole = answer if type(answer) is int else _whole(answer)
    if whole not in item.allowed:
        raise FaultyAnswer(ErrorCode.OUT_OF_RANGE)
    return whole


def required_items(instrument: Instrument, answers: Mapping[str, object]) -> list[str]:
    """The items that need an answer, given the others, in display order."""
    return _needed(instrument, Form(instrument, answers))


def shown_items(instrument: Instrument, answers: Mapping[str, object], *, although_answered: bool = True) -> list[str]:
    """The items that are asked, given the others, in display order.

    An item that its rule leaves out is among them all the same once it is answered, well or badly: no answer is
    ever hidden. `although_answered=False` leaves it out, to find such answers.
    """
    form = Form(instrument, answers)
    given = (form.answers.keys() | form.faulty) if although_answered else set()
    return [item.code for item in instrument.items if item.code in given or _is_asked(item, form)]


def completeness(
    instrument: Instrument, answers: Mapping[str, object], missing_codes: Mapping[str, str]
) -> tuple[int, int]:
    """Count (items answered, items expected).

    Expected are the required items, those that another answer makes necessary, and optional ones that
    were answered, but not those marked NA (not applicable) in `missing_codes`.
    """
    form = Form(instrument, answers)
    wanted = set(_needed(instrument, form))
    not_applicable = {code for code, missing in missing_codes.items() if missing == NOT_APPLICABLE}
    return len(form.answers), len((wanted - not_applicable) | form.answers.keys())


def warnings(instrument: Instrument, form: Form) -> list[Finding]:
    """What to look at again, in display order. An error is not a missing answer."""
    found: list[Finding] = []
    if len(form.answers) == len(instrument.items) and not instrument.has_soft_limits:
        return found
    for item in instrument.watched_items:
        answer = form.answers.get(item.code)
        if answer is not None:
            if item.soft_max is not None and answer > item.soft_max:
                found.append(Finding(item.code, WarningCode.ABOVE_SOFT_MAX.value))
        elif item.code not in form.faulty and _is_asked(item, form):
            if item.required:
                found.append(Finding(item.code, WarningCode.REQUIRED_MISSING.value))
            if item.required_if is not None and item.required_if.holds(form.answers):
                found.append(Finding(item.code, WarningCode.CONDITIONALLY_REQUIRED.value))
    return found


def _needed(instrument: Instrument, form: Form) -> list[str]:
    return [
        item.code
        for item in instrument.watched_items
        if (item.required or (item.required_if is not None and item.required_if.holds(form.answers)))
        and _is_asked(item, form)
    ]


def _is_asked(item: Item, form: Form) -> bool:
    return item.shown_if is None or item.shown_if.holds(form.answers)


def _whole(answer: object) -> int:
    """Any number that is whole, whatever its type: 2.0 is 2."""
    if isinstance(answer, bool) or not isinstance(answer, int | float | Decimal):
        raise FaultyAnswer(ErrorCode.WRONG_TYPE)
    number = Decimal(answer)
    if not number.is_finite() or number != number.to_integral_value():
        raise FaultyAnswer(ErrorCode.NOT_INTEGER)
    if number.copy_abs() > HIGHEST:
        raise FaultyAnswer(ErrorCode.OUT_OF_RANGE)
    return int(number)
