"""What somebody takes part in on a day (BR-60): values in, value out."""

from collections.abc import Iterable, Mapping
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


WITH_CONSULTEE = frozenset({Element.ACTIVITY, Element.QUESTIONNAIRES_PHONE_POST, Element.RECORDS})
"""What may go on after a loss of capacity, by a consultee's advice under approved arrangements (BR-16)."""


def wanted_elements(elements: Mapping[str, bool], cause: str, *, has_consultee: bool) -> dict[str, bool]:
    """What a change asks for: death and loss of capacity stop everything, but for what a consultee advises to go on."""
    if cause == "choice":
        return dict(elements)
    goes_on = WITH_CONSULTEE if cause == "loss_of_capacity" and has_consultee else frozenset()
    return {code: code in goes_on and elements.get(code, True) for code in Element.values}


ACTIVE_DATA = frozenset({Element.QUESTIONNAIRES_WEB, Element.QUESTIONNAIRES_PHONE_POST})


def collects_answers(changes: Iterable[Change], on: date) -> bool:
    """Whether any way of answering questionnaires is still on."""
    return not stopped(changes, on) >= ACTIVE_DATA
