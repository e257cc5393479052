"""What a protocol file may say, and the line it is refused with."""

import copy
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.trial.protocol.conftest import DATA, FILES, at, changed, raw, refused_keys
from trial.protocol import reading
from trial.protocol.errors import ProtocolRefused
from trial.protocol.spec import ProtocolSpec


def keys_of(value, path=()):
    """Every key of a file, objects and lists of objects walked through."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from keys_of(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from keys_of(inner, (*path, str(index)))


KEYS = sorted((name, ".".join(path)) for name, data in DATA.items() for path in keys_of(data))
WRONG_KINDS = {
    str: [7, 7.5, True, [], [["x"]], {"else": 1}],
    int: ["7", 7.5, True, [7], {"else": 7}],
    bool: ["true", 1, [True], {"else": True}],
    list: ["x", 7, True, {"else": 1}],
    dict: ["x", 7, True, [["x"]]],
    type(None): [7.5, [[]], {"else": 1}],
}


def parts_of(annotation):
    """The spec classes inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from parts_of(inner)


def optional_fields(part=ProtocolSpec, seen=None):
    """Names of the keys that a file may leave out, over all its parts."""
    seen = set() if seen is None else seen
    if part not in seen:
        seen.add(part)
        for name, field in part.model_fields.items():
            if not field.is_required():
                yield name
            for inner in parts_of(field.annotation):
                yield from optional_fields(inner, seen)


OPTIONAL = frozenset(optional_fields())


def refuse(text):
    with pytest.raises(ProtocolRefused) as refused:
        reading.read(text)
    return refused.value


@pytest.mark.parametrize("name", FILES)
def test_each_protocol_of_the_library_loads(name):
    data, spec = reading.read(FILES[name].read_bytes())

    assert data == DATA[name]
    assert spec.format == "hedgerow-protocol/1"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KEYS))
def test_a_key_that_is_left_out_is_optional_or_refused_by_its_name(key):
    name, path = key
    data = copy.deepcopy(DATA[name])
    *way, last = path.split(".")
    holder = at(data, ".".join(way)) if way else data
    del holder[last]

    keys = refused_keys(data)

    inside_a_refused_list = any(path.startswith(f"{refused}.") for refused in keys)
    assert path in keys or (last in OPTIONAL and (not keys or inside_a_refused_list))


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(KEYS), st.data())
def test_a_value_of_the_wrong_kind_is_refused_by_the_name_of_its_key(key, draw):
    name, path = key
    wrong = draw.draw(st.sampled_from(WRONG_KINDS[type(at(DATA[name], path))]))

    keys = refused_keys(changed(DATA[name], path, wrong))

    assert any(refused == path or refused.startswith(f"{path}.") for refused in keys), keys


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(KEYS), st.sampled_from([None, "", "x", 0, 10**30, True, [], {}]))
def test_any_value_in_any_place_is_read_or_refused(key, value):
    name, path = key

    keys = refused_keys(changed(DATA[name], path, value))

    assert all(keys)


@pytest.mark.parametrize("key", ["colour", "study.colour", "visits.2.colour", "criteria.1.rule.colour"])
def test_an_unknown_key_is_refused_by_its_name(greenrx_data, key):
    assert refused_keys(changed(greenrx_data, key, "blue")) == [key]


def test_every_wrong_key_has_a_line_of_its_own(greenrx_data):
    greenrx_data["visits"][2]["days_before"] = "7"
    greenrx_data["arms"][1]["ratio"] = 0
    del greenrx_data["study"]["sponsor"]

    error = refuse(raw(greenrx_data))

    assert str(error).splitlines() == [
        "study.sponsor: this key is missing",
        "arms.1.ratio: must be 1 or more",
        "visits.2.days_before: must be a whole number without quotes",
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("protocol.date", "2026-02-30", "must be a real date such as 2026-01-12"),
        ("protocol.date", "2026-2-3", "must be a real date such as 2026-01-12"),
        ("protocol.date", 20260203, "must be a real date such as 2026-01-12"),
        ("calendar.day_starts", "9:00", "must be a time such as 09:00"),
        ("adherence.attended_from", 0.5, 'must be a decimal number in quotes, such as "0.75"'),
        ("adherence.attended_from", "NaN", 'must be a decimal number in quotes, such as "0.75"'),
        ("adherence.attended_from", "1.5", "must be 1 or less"),
        ("sites.0.code", "1", "must be two digits"),
        ("sites.0.code", "٠١", "must be two digits"),
        ("arms.0.code", "Nature", "must be small letters, digits, underscores and hyphens, at most 32"),
        ("study.title", "", "must not be empty"),
        ("study.short_name", "x" * 31, "must have at most 30 characters"),
        ("study.sponsor", "University\nof Westmarch", "must be one line of text without spaces at its ends"),
        ("criteria.0.kind", "both", "must be 'inclusion' or 'exclusion'"),
        ("criteria.0.prescreen", 1, "must be true or false"),
        ("arms", [], "must have at least 2 entries"),
        ("study", [], "must be an object in curly brackets"),
        ("visits", {}, "must be a list in square brackets"),
    ],
)
def test_a_refusal_says_what_to_do(greenrx_data, key, value, message):
    error = refuse(raw(changed(greenrx_data, key, value)))

    assert f"{key}: {message}" in str(error).splitlines()


def test_a_rule_of_an_unknown_type_is_refused_by_its_type(greenrx_data):
    greenrx_data["criteria"][1]["rule"]["type"] = "guess"

    error = refuse(raw(greenrx_data))

    assert error.keys == ["criteria.1.rule.type"]
    assert "'judgement', 'age_range', 'score_range', 'risk_grade'" in str(error)


def test_a_key_inside_a_rule_is_named_without_the_type_of_the_rule(greenrx_data):
    del greenrx_data["criteria"][1]["rule"]["max"]

    assert refused_keys(greenrx_data) == ["criteria.1.rule.max"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "The file is not JSON"),
        (b"{", "The file is not JSON"),
        (b"[]", "The file must hold one object"),
        (b'"text"', "The file must hold one object"),
        (b'{"study": NaN}', "NaN is not a JSON number"),
        (b'{"study": "\xff"}', "The file is not UTF-8 text (byte 12)"),
        ("{}".encode("utf-16"), "The file is not UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x": ' + b"9" * 5_000 + b"}", "The file is not JSON"),
        (b" " * (reading.MOST_BYTES + 1), "larger than 2 MiB"),
    ],
)
def test_bytes_that_are_no_protocol_are_refused(text, message):
    assert message in str(refuse(text))


def test_a_byte_order_mark_is_no_reason_to_refuse():
    reading.read(b"\xef\xbb\xbf" + FILES["northbank"].read_bytes())


def test_a_key_that_is_there_twice_is_refused_by_its_name():
    text = FILES["greenrx"].read_text("utf-8").replace('"days_before": 21,', '"days_before": 21, "days_before": 14,')

    error = refuse(text.encode())

    assert str(error) == "visits.4.days_before: this key is there twice"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\ud800", "\t"])
def test_text_with_a_character_that_cannot_be_stored_is_refused(greenrx_data, character):
    greenrx_data["study"]["title"] = f"A trial{character} of walking"
    greenrx_data[f"study{character}"] = {}

    error = refuse(raw(greenrx_data))

    assert error.keys[0] == "study.title"
    assert len(error.keys) == 2


def test_canonical_text_does_not_depend_on_the_order_of_keys(greenrx_data):
    reordered = dict(reversed(greenrx_data.items()))

    assert reading.canonical(reordered) == reading.canonical(greenrx_data)


def test_a_spec_does_not_change_once_read(greenrx):
    with pytest.raises(ValueError, match="frozen"):
        greenrx.study.code = "OTHER"


def test_restricted_parameters_are_never_printed(greenrx):
    restricted = greenrx.randomisation.restricted

    assert restricted.block_sizes == (4, 6)
    assert "4" not in repr(restricted)
    assert "4, 6" not in repr(greenrx.randomisation)
