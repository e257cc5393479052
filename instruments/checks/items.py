"""Checks of items: wording, ranges, options and conditions."""

from instruments.checks.common import Problems, missing_codes, reserved
from instruments.model import Instrument, Item


def item_problems(item: Item, instrument: Instrument) -> Problems:
    """What is wrong with one item."""
    yield from reserved(item.code)
    if item.text is None and not instrument.wording_withheld:
        yield "text", "is null, and the wording is not withheld"
    if item.text is not None and instrument.wording_withheld:
        yield "text", "must be null, because the wording is withheld"
    yield from _item_range(item)
    yield from _item_options(item, instrument)
    yield from _item_required_if(item, instrument)


def _item_range(item: Item) -> Problems:
    if item.min > item.max:
        yield "max", f"{item.max} is below min, {item.min}"
    if item.type != "choice":
        yield from missing_codes("min", item.min, item.max)
    if item.soft_max is not None and not item.min <= item.soft_max <= item.max:
        yield "soft_max", f"{item.soft_max} is outside {item.min} to {item.max}"
    for value in item.anchors:
        if not item.min <= value <= item.max:
            yield "anchors", f"{value} is outside {item.min} to {item.max}"


def _item_options(item: Item, instrument: Instrument) -> Problems:
    if item.option_set is None:
        return
    if item.option_set not in instrument.option_sets:
        yield "options", f"there is no option set {item.option_set!a}"
        return
    values = [option.value for option in item.options]
    if item.min != min(values):
        yield "min", f"is {item.min}, but the lowest option is {min(values)}"
    if item.max != max(values):
        yield "max", f"is {item.max}, but the highest option is {max(values)}"


def _item_required_if(item: Item, instrument: Instrument) -> Problems:
    if item.required_if is None:
        return
    for code in item.required_if.any_of:
        if code not in instrument.items_by_code:
            yield "required_if.any_of", f"there is no item {code!a}"
        elif code == item.code:
            yield "required_if.any_of", "an item cannot wait for itself"
