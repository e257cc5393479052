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
    yield from _item_rules(item, instrument)


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


def _item_rules(item: Item, instrument: Instrument) -> Problems:
    before = {other.code for other in instrument.items[: instrument.items.index(item)]}
    for key, rule in (("required_if", item.required_if), ("shown_if", item.shown_if)):
        for code in rule.any_of if rule else ():
            if code not in instrument.items_by_code:
                yield f"{key}.any_of", f"there is no item {code!a}"
            elif code == item.code:
                yield f"{key}.any_of", "an item cannot wait for itself"
            elif key == "shown_if" and code not in before:
                yield f"{key}.any_of", f"{code} comes later, and an item waits for earlier ones only"
