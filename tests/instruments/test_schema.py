import json
from dataclasses import FrozenInstanceError
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from instruments import LIBRARY
from instruments.schema import SCHEMA_PATH, DefinitionError, load
from instruments.scoring import METHODS
from tests.instruments.builders import changed, definition, item, score_of, write

# A key, a value it may not have (... removes it), and the key that the error must name.
WRONG = [
    (["code"], ..., "code"),
    (["code"], "PHQ9", "code"),
    (["code"], "demo\n", "code"),
    (["code"], "double__underscore", "code"),
    (["code"], 7, "code"),
    (["version"], "one", "version"),
    (["title"], "", "title"),
    (["language"], "british english", "language"),
    (["copyright"], None, "copyright"),
    (["licence", "registration_required"], "no", "licence.registration_required"),
    (["licence", "source"], ..., "licence.source"),
    (["licence", "verification"], "surely", "licence.verification"),
    (["wording_withheld"], 1, "wording_withheld"),
    (["items"], [], "items"),
    (["items", 1, "code"], "a_code_that_is_longer_than_26", "items[1].code"),
    (["items", 1, "typo"], 1, "items[1].typo"),
    (["items", 1, "type"], "text", "items[1].type"),
    (["items", 1, "options"], None, "items[1].options"),
    (["items", 1, "type"], "integer", "items[1].options"),
    (["items", 1, "type"], ..., "items[1].type"),
    (["items", 1, "min"], 0.5, "items[1].min"),
    (["items", 1, "max"], True, "items[1].max"),
    (["items", 1, "required_if"], {"any_of": [], "op": ">=", "value": 1}, "items[1].required_if.any_of"),
    (["items", 1, "required_if"], {"any_of": ["demo_1"], "op": "!=", "value": 1}, "items[1].required_if.op"),
    (["items", 1, "anchors"], {"low": "never"}, "items[1].anchors"),
    (["option_sets", "agree5", 0, "value"], "0", "option_sets.agree5[0].value"),
    (["option_sets", "agree5", 0, "label"], ..., "option_sets.agree5[0].label"),
    (["scores", 0, "method"], "median", "scores[0].method"),
    (["scores", 0, "method"], ..., "scores[0].method"),
    (["scores", 0, "range"], None, "scores[0].range"),
    (["scores", 0, "range"], [0], "scores[0].range"),
    (["scores", 0, "precision"], -1, "scores[0].precision"),
    (["scores", 0, "items"], ["demo_1", "demo_1"], "scores[0].items"),
    (["scores", 0, "missing_rule", "max_missing"], 1, "scores[0].missing_rule.max_missing"),
    (["scores", 0, "missing_rule", "method"], "mean_of_answered", "scores[0].missing_rule.method"),
    (["scores", 0, "missing_rule", "rounding"], "up", "scores[0].missing_rule.rounding"),
    (["scores", 0, "missing_rule", "source"], ..., "scores[0].missing_rule.source"),
    (["scores", 0, "bands", 0, "label"], ..., "scores[0].bands[0].label"),
    (["alerts", 0, "severity"], "soon", "alerts[0].severity"),
    (["alerts", 0, "condition", "op"], ">", "alerts[0].condition.op"),
    (["alerts", 0, "condition", "value"], ..., "alerts[0].condition.value"),
    (["alerts", 0, "condition", "op"], "missing", "alerts[0].condition.value"),
    (["references"], "one", "references"),
    (["unknown"], 1, "unknown"),
]


@pytest.mark.parametrize(("path", "value", "key"), WRONG)
def test_a_wrong_key_is_named_with_its_file(tmp_path, path, value, key):
    file = write(tmp_path, changed(path, value))

    with pytest.raises(DefinitionError) as refused:
        load(file)

    assert key in [problem.key for problem in refused.value.problems]
    assert str(refused.value).startswith("demo.json: ")
    assert refused.value.path == file


def test_every_missing_required_key_is_named(tmp_path):
    for key in definition():
        with pytest.raises(DefinitionError) as refused:
            load(write(tmp_path, changed([key], ...)))

        assert refused.value.key == key
        assert str(refused.value) == f"demo.json: {key}: is missing"


@pytest.mark.parametrize(
    ("method", "changes", "key"),
    [
        ("linear", {"items": [], "multiplier": 1, "offset": 0}, "of"),
        ("lookup", {"items": [], "of": "demo_sum"}, "table"),
        ("count_at_least", {}, "thresholds"),
        ("item", {}, "items"),
        ("difference", {}, "items"),
        ("linear", {"of": "demo_sum", "multiplier": 1, "offset": 0}, "items"),
        ("concat", {"range": None, "precision": 0}, "precision"),
        (
            "concat",
            {
                "range": None,
                "precision": None,
                "missing_rule": {
                    "max_missing": 1,
                    "method": "missing_digit",
                    "rounding": "none",
                    "source": "x",
                },
            },
            "missing_digit",
        ),
    ],
)
def test_each_method_must_say_what_it_needs(tmp_path, method, changes, key):
    raw = definition()
    raw["scores"].append(score_of(method, **changes))

    with pytest.raises(DefinitionError) as refused:
        load(write(tmp_path, raw))

    assert refused.value.key == f"scores[1].{key}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "is not of type 'object'"),
        (b"\xff{}", r"is not UTF-8 text \(byte 1\)"),
        (b'{"code": "demo", "code": "demo"}', "'code' is there twice"),
        (b"[" * 50 + b"]" * 50, "nested too deeply"),
        (b'{"title": "a\\u0000b"}', "title: holds a NUL character"),
        (b'{"title": "\\ud800"}', "title: holds half a character"),
        (b'{"title": ' + b"9" * 400 + b"}", r"\.\.\."),
    ],
)
def test_a_file_that_is_no_definition_is_refused(tmp_path, content, reason):
    path = tmp_path / "broken.json"
    path.write_bytes(content)

    with pytest.raises(DefinitionError, match=reason):
        load(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DefinitionError, match=r"gone\.json: cannot be read: No such file") as refused:
        load(tmp_path / "gone.json")

    assert refused.value.key == ""


def test_a_definition_is_read_whole(tmp_path):
    raw = definition(notes=["A note"], change={"mcid_points": 5}, copyright_note="c", instructions_note="i")
    raw["items"][0] |= {
        "type": "scale",
        "options": None,
        "anchors": {"0": "never"},
        "soft_max": 3,
        "unit": "days",
        "codes": {"loinc": "1-1"},
        "required_if": {"any_of": ["demo_2"], "op": ">=", "value": 1.0},
    }
    raw["option_sets"]["agree5"][0]["loinc"] = "LA1-1"

    found = load(write(tmp_path, raw))

    first, second, _ = found.items
    assert str(found) == "demo 1.0.0"
    assert (first.soft_max, first.unit, first.label(0), first.label(1)) == (3, "days", "never", None)
    assert (first.required_if.any_of, first.required_if.condition.value) == (("demo_2",), 1)
    assert (second.label(4), second.label(9)) == ("Option 4", None)
    assert second.options[0].codes == {"loinc": "LA1-1"}
    assert found.scores_by_code["demo_sum"].bands[1].min == 6
    assert found.alerts_by_code["demo_item"].condition.value == 3
    assert (found.notes, found.change["mcid_points"]) == (("A note",), 5)


def test_decimals_stay_exact(tmp_path):
    raw = definition(
        scores=[
            score_of(),
            score_of("linear", [], of="demo_sum", multiplier=0.1, offset=2.0, range=[2, 3.2], precision=1),
        ]
    )

    linear = load(write(tmp_path, raw)).scores[1]

    assert (linear.multiplier, linear.offset, linear.range) == (Decimal("0.1"), 2, (2, Decimal("3.2")))


def test_a_definition_cannot_be_changed_once_read(tmp_path):
    found = load(write(tmp_path, definition()))

    with pytest.raises(FrozenInstanceError):
        found.version = "2.0.0"


def test_the_checksum_follows_the_content_and_not_the_layout(tmp_path):
    same = tmp_path / "same.json"
    same.write_text(json.dumps({"$schema": "instrument.schema.json"} | definition(), indent=3, sort_keys=True))
    other = write(tmp_path, changed(["items", 0, "text"], "Another statement"), "other.json")

    original = load(write(tmp_path, definition())).checksum

    assert load(same).checksum == original
    assert load(other).checksum != original


def test_withheld_wording_is_null(tmp_path):
    raw = definition(wording_withheld=True, items=[item("demo_1", text=None)], scores=[], alerts=[])

    assert load(write(tmp_path, raw)).items[0].text is None


def test_an_instrument_without_its_wording_keeps_everything_else():
    original = load(LIBRARY / "wemwbs.json")

    bare = original.without_wording()

    assert bare.wording_withheld
    assert {bare.instructions, *(item.text for item in bare.items)} == {None}
    assert {option.label for item in bare.items for option in item.options} == {None}
    assert bare.scores == original.scores


def test_the_published_schema_is_a_schema():
    published = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(published)

    assert set(published["$defs"]["score"]["properties"]["method"]["enum"]) == set(METHODS)


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.json")), ids=lambda path: path.stem)
def test_every_file_of_the_library_passes_the_published_schema_alone(path: Path):
    published = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(published).validate(json.loads(path.read_text(encoding="utf-8")))
