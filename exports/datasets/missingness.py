"""Why a value is not there: worked out from visit, participation and form version (dataset_release.md section 7)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import instruments
from exports.missing_codes import AT_ENTRY, LEFT_BLANK, NOT_APPLICABLE, NOT_ASKED, NOT_DONE, TECHNICAL, WITHDRAWN
from instruments import Instrument

NOT_SCORED, INVALID = "not_scored", "invalid"


@dataclass(frozen=True)
class Due:
    """One expected form of one visit, as far as its absence can be explained.

    Attributes:
        was_asked: the protocol asked for the form then.
        recorded_not_done: somebody recorded that it was not done.
        died_before: the person died before the visit was due.
        had_stopped: all questionnaires had been stopped by the last day of the visit's window.
        is_over: the window has closed, or the next visit's has opened.
    """

    was_asked: bool = True
    recorded_not_done: bool = False
    died_before: bool = False
    had_stopped: bool = False
    is_over: bool = False


def absent(due: Due) -> int | None:
    """Missing code of a form that nobody answered; None where none was due (a death is no missing reason)."""
    if due.recorded_not_done:
        return NOT_DONE
    if due.died_before:
        return None
    if not due.was_asked:
        return NOT_ASKED
    if due.had_stopped:
        return WITHDRAWN
    return NOT_DONE if due.is_over else None


def item_values(
    instrument: Instrument,
    columns: Collection[str],
    answers: Mapping[str, Any],
    missing: Mapping[str, str],
    *,
    is_settled: bool,
) -> dict[str, int | None]:
    """Answer or missing code of every item column of a form that has answers.

    Args:
        columns: items of every version of the instrument.
        is_settled: the form was sent, or its visit is over; until then an open question is not missing.
    """
    outside = _not_applicable(instrument, answers)
    return {item: _item(instrument, item, answers, missing, outside, is_settled) for item in columns}


def _not_applicable(instrument: Instrument, answers: Mapping[str, Any]) -> set[str]:
    """Items that the other answers leave out: not asked, or needed only on a condition that is not met."""
    wanted = set(instruments.required_items(instrument, answers))
    shown = set(instruments.shown_items(instrument, answers))
    return {
        item.code
        for item in instrument.items
        if item.code not in shown or (item.required_if is not None and item.code not in wanted)
    }


def _item(
    instrument: Instrument,
    item: str,
    answers: Mapping[str, Any],
    missing: Mapping[str, str],
    outside: Collection[str],
    is_settled: bool,
) -> int | None:
    answer = answers.get(item)
    if answer is not None:
        return int(answer)
    if item in missing:
        return AT_ENTRY[missing[item]]
    if item not in instrument.items_by_code:
        return NOT_ASKED
    if not is_settled:
        return None
    return NOT_APPLICABLE if item in outside else LEFT_BLANK


def unscored(status: str, item_codes: Collection[int | None]) -> int | None:
    """Missing code of a score without a value: what its unanswered items share, else left blank."""
    if status == INVALID:
        return TECHNICAL
    if status != NOT_SCORED:
        return None
    reasons = {code for code in item_codes if code is not None and code < 0}
    return reasons.pop() if len(reasons) == 1 else LEFT_BLANK
