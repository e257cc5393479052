"""What somebody takes part in on a day (BR-60): values in, value out."""

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from trial.participation.models import Element


class Change(Protocol):
    """What these rules need to know of a participation change."""

    effective_date: date
    elements: dict[str, bool]


def elements_on(changes: Iterable[Change], day: date) -> dict[str, bool]:
    """Each element, on unless the latest change up to `day` switched it off."""
    state = dict.fromkeys(Element.values, True)
    for change in sorted(changes, key=lambda c: c.effective_date):
        if change.effective_date <= day:
            state.update(change.elements)
    return state


def takes_part(changes: Iterable[Change], element: str, on: date) -> bool:
    """Whether one element is on that day."""
    return elements_on(changes, on)[element]


def stopped(changes: Iterable[Change], on: date) -> frozenset[str]:
    """Codes of the elements that are off that day."""
    return frozenset(code for code, is_on in elements_on(changes, on).items() if not is_on)


ACTIVE_DATA = frozenset({Element.QUESTIONNAIRES_WEB, Element.QUESTIONNAIRES_PHONE_POST})


def collects_answers(changes: Iterable[Change], on: date) -> bool:
    """Whether any way of answering questionnaires is still on."""
    return not stopped(changes, on) >= ACTIVE_DATA
