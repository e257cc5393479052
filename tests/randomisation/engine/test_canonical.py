import pytest

from randomisation.engine.canonical import canonical_json


def test_canonical_json_sorts_keys_and_leaves_no_spaces():
    value = {"b": [1, None, True], "a": {"d": "x", "c": 2}}

    text = canonical_json(value)

    assert text == b'{"a":{"c":2,"d":"x"},"b":[1,null,true]}'


def test_canonical_json_escapes_everything_outside_ascii_in_lower_case():
    text = canonical_json({"source": "Tŷ Gwyrdd 🌿"})

    assert text == b'{"source":"T\\u0177 Gwyrdd \\ud83c\\udf3f"}'


@pytest.mark.parametrize("value", [0.5, {"p": 0.8}, [1.0], {1: "x"}, {"a": (1, 2)}, b"x"])
def test_canonical_json_refuses_floats_and_other_values(value):
    with pytest.raises(ValueError, match="canonical form"):
        canonical_json(value)
