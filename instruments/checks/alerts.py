"""Checks of alerts: what they watch, and that they can be raised at all."""

from instruments.checks.common import NOT_COMPUTED, Problems
from instruments.exact import Number
from instruments.model import Alert, Instrument, Score


def alert_problems(alert: Alert, instrument: Instrument) -> Problems:
    """What is wrong with one alert."""
    if (alert.item is None) == (alert.score is None):
        yield "item", "an alert watches one item or one score"
    elif alert.item is not None:
        item = instrument.items_by_code.get(alert.item)
        if item is None:
            yield "item", f"there is no item {alert.item!a}"
        else:
            yield from _never(alert, item.min, item.max)
    else:
        yield from _score_alert(alert, instrument.scores_by_code.get(alert.score or ""))


def _score_alert(alert: Alert, score: Score | None) -> Problems:
    if score is None:
        yield "score", f"there is no score {alert.score!a}"
    elif score.method in NOT_COMPUTED or score.range is None:
        yield "score", f"{score.code} is not a number that is computed here"
    else:
        yield from _never(alert, *score.range)


def _never(alert: Alert, low: Number, high: Number) -> Problems:
    """An alert that cannot be raised protects nobody."""
    op, value = alert.condition.op, alert.condition.value
    if value is None:
        return
    if (op != "<=" and value > high) or (op != ">=" and value < low):
        yield "condition.value", f"{value} is never met: values run from {low} to {high}"
