"""Every method against arithmetic written again here, on definitions and answers drawn at random.

The scorer works with whole numbers and integer division; this file with long decimals and their own rounding.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from instruments import Status, score
from instruments.exact import round_half_up
from tests.instruments.builders import instrument, item, score_of

LONG = Context(prec=80)


def half_up(value: Fraction, places: int) -> Decimal:
    """Rounded by decimal arithmetic; a half goes up, also below zero (-2.5 gives -2)."""
    exact = LONG.divide(Decimal(value.numerator), Decimal(value.denominator))
    step = Decimal(1).scaleb(-places)
    is_half = LONG.multiply(exact, Decimal(2).scaleb(places)) % 2 in (1, -1)
    how = ROUND_DOWN if exact < 0 and is_half else ROUND_HALF_UP
    return exact.quantize(step, rounding=how, context=LONG)


@st.composite
def forms(draw, n_max=7):
    """Items with limits of their own, some reversed, and answers to some of them."""
    n = draw(st.integers(2, n_max))
    items, answers = [], {}
    for number in range(1, n + 1):
        low = draw(st.integers(-3, 3))
        high = low + draw(st.integers(1, 6))
        code = f"demo_{number}"
        limits = {"min": low, "max": high, "reverse": draw(st.booleans())}
        items.append(item(code, type="scale", options=None, required=False, **limits))
        answers[code] = draw(st.none() | st.integers(low, high))
    return items, answers


def counted(items, answers):
    """Answers as they count, reversed where the item is; None where there is none."""
    values = []
    for each in items:
        answer = answers[each["code"]]
        turned = None if answer is None else each["min"] + each["max"] - answer
        values.append(turned if each["reverse"] else answer)
    return values


def rule(method, max_missing, places):
    return {"method": method, "max_missing": max_missing, "rounding": f"half_up_{places}dp", "source": "made up"}


def results(items, answers, *scores):
    return score(instrument(items=items, scores=list(scores), alerts=[]), answers).scores


WIDE = {"range": [-100000, 100000]}


@given(forms(), st.integers(0, 6), st.integers(0, 4))
def test_a_sum_is_scaled_by_the_persons_mean_and_rounded_once(form, most, places):
    items, answers = form
    most = min(most, len(items) - 1)
    codes = [each["code"] for each in items]
    given_values = [value for value in counted(items, answers) if value is not None]
    n_missing = len(items) - len(given_values)

    result = results(
        items, answers, score_of("sum", codes, precision=places, missing_rule=rule("person_mean", most, places), **WIDE)
    )["demo_sum"]

    if n_missing > most:
        assert (result.value, result.status) == (None, Status.NOT_SCORED)
        return
    exact = Fraction(sum(given_values), len(given_values)) * len(items)
    assert result.value == half_up(exact, places)
    assert result.status is (Status.PRORATED if n_missing else Status.COMPLETE)
    assert result.unrounded == (half_up(exact, 4) if n_missing else None)


@given(forms(), st.integers(0, 6))
def test_a_mean_is_that_of_the_answers(form, places):
    items, answers = form
    answers["demo_1"] = items[0]["min"]
    codes = [each["code"] for each in items]
    given_values = [value for value in counted(items, answers) if value is not None]

    most = rule("mean_of_answered", len(items) - 1, places)
    result = results(items, answers, score_of("mean", codes, precision=places, missing_rule=most, **WIDE))["demo_mean"]

    assert result.value == half_up(Fraction(sum(given_values), len(given_values)), places)


@given(forms(), st.decimals(-9, 9, places=3), st.decimals(-9, 9, places=3), st.integers(0, 4))
def test_linear_starts_from_the_unrounded_value(form, multiplier, offset, places):
    items, answers = form
    answers["demo_1"] = items[0]["max"]
    codes = [each["code"] for each in items]
    given_values = [value for value in counted(items, answers) if value is not None]
    base = score_of("sum", codes, missing_rule=rule("person_mean", len(items) - 1, 0), **WIDE)

    result = results(
        items,
        answers,
        base,
        score_of("linear", [], of="demo_sum", multiplier=multiplier, offset=offset, precision=places, **WIDE),
    )["demo_linear"]

    exact = Fraction(sum(given_values), len(given_values)) * len(items)
    assert result.value == half_up(exact * Fraction(multiplier) + Fraction(offset), places)


@given(forms())
def test_lookup_finds_the_unrounded_value_exactly_or_nothing(form):
    items, answers = form
    answers["demo_1"] = items[0]["max"]
    codes = [each["code"] for each in items]
    given_values = [value for value in counted(items, answers) if value is not None]
    table = [{"raw": raw, "value": Decimal(raw) / 8} for raw in range(-60, 61)]
    base = score_of("sum", codes, missing_rule=rule("person_mean", len(items) - 1, 0), **WIDE)

    result = results(items, answers, base, score_of("lookup", [], of="demo_sum", table=table, precision=2, **WIDE))

    exact = Fraction(sum(given_values), len(given_values)) * len(items)
    expected = half_up(exact / 8, 2) if exact.denominator == 1 else None
    assert result["demo_lookup"].value == expected
    assert (result["demo_lookup"].status is Status.NOT_SCORED) is (expected is None)


@given(forms())
def test_item_difference_count_and_profile(form):
    items, answers = form
    codes = [each["code"] for each in items]
    values = counted(items, answers)
    digits = {"method": "missing_digit", "max_missing": len(items), "rounding": "none", "source": "made up"}
    thresholds = {each["code"]: each["max"] - 1 for each in items}

    found = results(
        items,
        answers,
        score_of("item", codes[:1], **WIDE),
        score_of("difference", codes[:2], **WIDE),
        score_of("count_at_least", codes, thresholds=thresholds, range=[0, 9]),
        score_of("concat", codes, range=None, precision=None, missing_rule=digits, missing_digit="9"),
        score_of("external_value_set", [], range=None),
    )

    first, second = values[:2]
    assert found["demo_item"].value == first
    assert found["demo_difference"].value == (None if None in (first, second) else first - second)
    n_high = sum(value is not None and value >= each["max"] - 1 for each, value in zip(items, values, strict=True))
    assert found["demo_count_at_least"].value == (None if None in values else n_high)
    assert found["demo_concat"].value == "".join("9" if value is None else str(value) for value in values)
    assert found["demo_external_value_set"] == (None, Status.EXTERNAL, None, None)


@given(st.fractions(-1000, 1000, max_denominator=500), st.integers(0, 6))
def test_rounding_alone(value, places):
    rounded = round_half_up(value, places)

    assert rounded == half_up(value, places)
    assert abs(Fraction(rounded) - value) <= Fraction(1, 2 * 10**places)
