"""What a schema cannot check: that the parts of a definition fit together."""

from instruments.checks.alerts import alert_problems
from instruments.checks.common import MISSING_CODES, Problems, again, within
from instruments.checks.items import item_problems
from instruments.checks.scores import range_problems, score_problems
from instruments.model import Instrument


def inconsistencies(instrument: Instrument) -> list[tuple[str, str]]:
    """Everything in the definition that contradicts another part of it: the key, and why."""
    return list(_contradictions(instrument)) or list(_out_of_reach(instrument))


def _contradictions(instrument: Instrument) -> Problems:
    yield from _repeated(instrument)
    yield from _option_sets(instrument)
    for index, item in enumerate(instrument.items):
        yield from within(f"items[{index}]", item_problems(item, instrument))
    for index, score in enumerate(instrument.scores):
        earlier = {other.code: other for other in instrument.scores[:index]}
        yield from within(f"scores[{index}]", score_problems(score, earlier, instrument))
    for index, alert in enumerate(instrument.alerts):
        yield from within(f"alerts[{index}]", alert_problems(alert, instrument))


def _out_of_reach(instrument: Instrument) -> Problems:
    """Ranges, once everything they are worked out from is known to be sound."""
    for index, score in enumerate(instrument.scores):
        yield from within(f"scores[{index}]", range_problems(score, instrument))


def _repeated(instrument: Instrument) -> Problems:
    columns = [*(item.code for item in instrument.items), *(score.code for score in instrument.scores)]
    for index, code in again(columns):
        place = index - len(instrument.items)
        key = f"items[{index}]" if place < 0 else f"scores[{place}]"
        yield f"{key}.code", f"{code} is used twice; items and scores share the columns of the data"
    for index, number in again(item.number for item in instrument.items):
        yield f"items[{index}].number", f"{number} is used twice"
    for index, alert_code in again(alert.code for alert in instrument.alerts):
        yield f"alerts[{index}].code", f"{alert_code} is used twice"


def _option_sets(instrument: Instrument) -> Problems:
    for name, options in instrument.option_sets.items():
        for index, value in again(option.value for option in options):
            yield f"option_sets.{name}[{index}].value", f"{value} is used twice"
        for index, option in enumerate(options):
            if option.value in MISSING_CODES:
                yield f"option_sets.{name}[{index}].value", _taken(option.value)
            if option.label is None and not instrument.wording_withheld:
                yield f"option_sets.{name}[{index}].label", "is null, and the wording is not withheld"


def _taken(value: object) -> str:
    return f"{value} is a missing code of the release (-99 to -91)"
