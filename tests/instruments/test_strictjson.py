from decimal import Decimal

import pytest

from instruments.strictjson import JSONError, is_too_deep, read_json, unusable


def test_numbers_are_kept_exactly():
    assert read_json("[2, 2.50, 1e3]") == [2, Decimal("2.50"), Decimal("1000")]


def test_a_number_of_thousands_of_digits_is_read():
    assert read_json("9" * 5000) == Decimal("9" * 5000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ('{"a": 1, "b": 2, "a": 1}', "'a' is there twice"),
        ("[NaN]", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("[" * 5000, "nested too deeply"),
        ("1e99999999999999999999999", "exponent beyond reach"),
    ],
)
def test_what_is_not_strict_json_is_refused(text, reason):
    with pytest.raises(JSONError, match=reason):
        read_json(text)


def test_depth_is_measured_in_lists_and_objects():
    assert not is_too_deep({"a": [{"b": 1}]})
    assert is_too_deep(read_json("[" * 30 + "]" * 30))


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        ({"a": ["b", "c\x00"]}, "a[1]", "NUL"),
        ({"a": {"b": "\ud800"}}, "a.b", "half a character"),
        ({"a\x00": 1}, "'a\\x00'", "NUL"),
        ({"a": Decimal("1E-40")}, "a", "decimal places"),
    ],
)
def test_text_and_numbers_that_nothing_can_hold_are_named(value, key, reason):
    [(found, why)] = unusable(value)

    assert found == key
    assert reason in why


def test_ordinary_values_are_usable():
    assert not list(unusable({"a": ["é", 1, Decimal("1.5"), None, True]}))
