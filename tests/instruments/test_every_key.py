"""Every key of a definition, made wrong one after the other: the message names that key and the file."""

from copy import deepcopy

import pytest

from instruments.schema import DefinitionError, load
from tests.instruments.builders import band, definition, item, score_of, write

RULE = {"any_of": ["demo_1"], "op": ">=", "value": 1}
CODES = {"loinc": "1-1", "cdisc": "X", "snomed": "1"}


def whole():
    """A definition that says everything a definition may say."""
    digits = {"max_missing": 3, "method": "missing_digit", "rounding": "none", "source": "made up"}
    raw = definition(
        notes=["A note"],
        change={"mcid_points": 5},
        copyright_note="A note",
        instructions_note="A note",
        instructions="Answer",
        codes={"loinc": "1-1", "cdisc": {"qscat": "X"}},
        references=["A reference"],
        items=[
            item("demo_1", codes=CODES),
            item("demo_2", required_if=RULE, shown_if=RULE, scored=True, placeholder="the activity", wemwbs_item=1),
            item("demo_3", type="scale", options=None, anchors={"0": "Never"}, soft_max=3, unit="days"),
        ],
        scores=[
            score_of(
                bands=[band(0, 5, "low"), band(6, 12, "high")], optional=True, bands_status="convention", note="N"
            ),
            score_of("linear", [], of="demo_sum", multiplier=2, offset=1, range=[1, 25], codes=CODES),
            score_of("lookup", [], of="demo_sum", table=[{"raw": 0, "value": 1}]),
            score_of("count_at_least", thresholds={"demo_1": 1, "demo_2": 1, "demo_3": 1}, range=[0, 3]),
            score_of("concat", range=None, precision=None, missing_rule=digits, missing_digit="9"),
        ],
    )
    raw["licence"] |= {"display_gate": "registration", "verification": "checked"}
    raw["option_sets"]["agree5"][0] |= CODES
    return raw


def paths(value, way=()):
    """Every key and position in it, outermost first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*way, key)
        yield from paths(each, (*way, key))


def put(raw, way, value):
    """The same with one value replaced."""
    raw = deepcopy(raw)
    place = raw
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    return raw


def get(raw, way):
    for key in way:
        raw = raw[key]
    return raw


def named(way):
    """The way as a message writes it: `scores[0].bands[1].min`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in way).removeprefix(".")


WAYS = list(paths(whole()))


def refused(folder, raw):
    with pytest.raises(DefinitionError) as caught:
        load(write(folder, raw))
    assert str(caught.value).startswith("demo.json: ")
    return [problem.key for problem in caught.value.problems]


def test_the_whole_definition_is_usable(tmp_path):
    assert load(write(tmp_path, whole())).code == "demo"


def test_a_value_of_the_wrong_kind_is_named_at_every_key(tmp_path):
    """No key takes true beside text, numbers, lists and objects; where true belongs, text is wrong."""
    for way in WAYS:
        wrong = "wrong" if isinstance(get(whole(), way), bool) else True

        assert named(way) in refused(tmp_path, put(whole(), way, wrong)), named(way)


def test_a_key_that_no_object_knows_is_named(tmp_path):
    closed = [way for way in WAYS if isinstance(get(whole(), way), dict) and not _is_open(way)]
    for way in closed:
        assert f"{named(way)}.surplus" in refused(tmp_path, put(whole(), (*way, "surplus"), 1)), named(way)

    assert len(closed) > 20


def _is_open(way):
    """Objects whose keys are the study's own: codes, option sets, anchors, thresholds and notes on change."""
    return way[-1] in {"codes", "cdisc", "option_sets", "anchors", "thresholds", "change"}
