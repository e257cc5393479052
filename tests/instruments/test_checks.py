"""What no schema can check. Each case changes one thing and names the key that must be reported."""

import pytest

from instruments.schema import DefinitionError, load
from tests.instruments.builders import band, changed, definition, item, score_of, write

PRORATED = {"max_missing": 1, "method": "person_mean", "rounding": "half_up_0dp", "source": "made up"}
AVERAGE = {"max_missing": 1, "method": "mean_of_answered", "rounding": "half_up_2dp", "source": "made up"}
DIGIT = {"max_missing": 3, "method": "missing_digit", "rounding": "none", "source": "made up"}
PROFILE = {"range": None, "precision": None, "missing_rule": DIGIT, "missing_digit": "9"}

RULE = {"any_of": ["demo_3"], "op": ">=", "value": 1}


def with_items(*items, **changes):
    return definition(items=list(items), scores=[], alerts=[], **changes)


def with_score(score, *earlier, **changes):
    return definition(scores=[*earlier, score], alerts=[], **changes)


def number(code="demo_1", **changes):
    return item(code, type="integer", options=None, **changes)


WRONG = {
    "item code twice": (changed(["items", 1, "code"], "demo_1"), "items[1].code"),
    "score named as an item": (changed(["scores", 0, "code"], "demo_1"), "scores[0].code"),
    "item number twice": (changed(["items", 1, "number"], 1), "items[1].number"),
    "alert code twice": (changed(["alerts", 1, "code"], "demo_item"), "alerts[1].code"),
    "option value twice": (changed(["option_sets", "agree5", 1, "value"], 0), "option_sets.agree5[1].value"),
    "option without label": (
        changed(["option_sets", "agree5", 1, "label"], None),
        "option_sets.agree5[1].label",
    ),
    "option that is a missing code": (
        changed(["option_sets", "agree5", 1, "value"], -99),
        "option_sets.agree5[1].value",
    ),
    "reserved item": (changed(["items", 1, "code"], "date"), "items[1].code"),
    "reserved score": (with_score(score_of(code="by")), "scores[0].code"),
    "text absent": (changed(["items", 0, "text"], None), "items[0].text"),
    "text that should be withheld": (changed(["wording_withheld"], True), "items[0].text"),
    "empty range": (with_items(number(min=5)), "items[0].max"),
    "missing code in the range": (with_items(number(min=-100)), "items[0].min"),
    "soft maximum beyond the range": (with_items(number(soft_max=5)), "items[0].soft_max"),
    "anchor beyond the range": (with_items(number(anchors={"5": "most"})), "items[0].anchors"),
    "shown by an item that is not there": (with_items(number(shown_if=RULE)), "items[0].shown_if.any_of"),
    "shown by a later item": (
        with_items(number(), number("demo_2", shown_if=RULE), number("demo_3")),
        "items[1].shown_if.any_of",
    ),
    "shown by itself": (with_items(number(), number("demo_3", shown_if=RULE)), "items[1].shown_if.any_of"),
    "no such option set": (with_items(item(options="agree9")), "items[0].options"),
    "lowest option differs": (with_items(item(min=-1)), "items[0].min"),
    "highest option differs": (with_items(item(max=5)), "items[0].max"),
    "condition on no item": (
        with_items(item(required_if={"any_of": ["demo_9"], "op": ">=", "value": 1})),
        "items[0].required_if.any_of",
    ),
    "condition on itself": (
        with_items(item(required_if={"any_of": ["demo_1"], "op": ">=", "value": 1})),
        "items[0].required_if.any_of",
    ),
    "score of no item": (changed(["scores", 0, "items", 1], "demo_9"), "scores[0].items[1]"),
    "score of an unscored item": (changed(["items", 1, "scored"], False), "scores[0].items[1]"),
    "digit of a long number": (
        with_score(score_of("concat", ["demo_1"], **PROFILE), items=[number(max=10)]),
        "scores[0].items[0]",
    ),
    "digit that is also an answer": (
        with_score(
            score_of(
                "concat",
                ["demo_1"],
                **PROFILE | {"missing_digit": "4", "missing_rule": DIGIT | {"max_missing": 1}},
            )
        ),
        "scores[0].items[0]",
    ),
    "threshold missing": (
        with_score(score_of("count_at_least", thresholds={"demo_1": 1, "demo_2": 1})),
        "scores[0].thresholds",
    ),
    "threshold out of reach": (
        with_score(score_of("count_at_least", ["demo_1"], thresholds={"demo_1": 5})),
        "scores[0].thresholds.demo_1",
    ),
    "threshold for no item": (
        with_score(score_of("count_at_least", ["demo_9"], thresholds={"demo_9": 1})),
        "scores[0].items[0]",
    ),
    "score of a later score": (
        with_score(score_of("linear", [], of="demo_sum", multiplier=1, offset=0)),
        "scores[0].of",
    ),
    "score of a profile": (
        with_score(score_of("linear", [], of="demo_concat", multiplier=1, offset=0), score_of("concat", **PROFILE)),
        "scores[1].of",
    ),
    "key of another method": (with_score(score_of(multiplier=2)), "scores[0].multiplier"),
    "table on a sum": (with_score(score_of(table=[{"raw": 1, "value": 1}])), "scores[0].table"),
    "all items may be missing": (
        with_score(score_of(missing_rule=PRORATED | {"max_missing": 3})),
        "scores[0].missing_rule.max_missing",
    ),
    "more missing than items": (
        with_score(score_of("concat", **PROFILE | {"missing_rule": DIGIT | {"max_missing": 4}})),
        "scores[0].missing_rule.max_missing",
    ),
    "rounding contradicts precision": (
        with_score(score_of(missing_rule=PRORATED | {"rounding": "half_up_2dp"})),
        "scores[0].missing_rule.rounding",
    ),
    "table row twice": (
        with_score(
            score_of("lookup", [], of="demo_sum", table=[{"raw": 1, "value": 1}, {"raw": 1.0, "value": 2}]),
            score_of(),
        ),
        "scores[1].table[1].raw",
    ),
    "bands without a range": (
        with_score(score_of("external_algorithm", range=None, bands=[band(0, 1, "low")])),
        "scores[0].range",
    ),
    "range backwards": (with_score(score_of(range=[12, 0])), "scores[0].range"),
    "missing code among the scores": (with_score(score_of(range=[-200, 12])), "scores[0].range"),
    "band code twice": (changed(["scores", 0, "bands", 1, "code"], "lower"), "scores[0].bands[1].code"),
    "gap between bands": (changed(["scores", 0, "bands", 1, "min"], 7), "scores[0].bands[1].min"),
    "overlapping bands": (changed(["scores", 0, "bands", 1, "min"], 5), "scores[0].bands[1].min"),
    "first band too high": (changed(["scores", 0, "bands", 0, "min"], 1), "scores[0].bands[0].min"),
    "last band too low": (changed(["scores", 0, "bands", 1, "max"], 11), "scores[0].bands[1].max"),
    "band backwards": (changed(["scores", 0, "bands", 0, "max"], -1), "scores[0].bands[0].max"),
    "band between two values": (changed(["scores", 0, "bands", 0, "max"], 5.5), "scores[0].bands[0].max"),
    "range narrower than a sum": (with_score(score_of(range=[0, 11])), "scores[0].range"),
    "range narrower than a difference": (
        with_score(score_of("difference", ["demo_1", "demo_2"], range=[0, 4])),
        "scores[0].range",
    ),
    "range narrower than an item": (
        with_score(score_of("item", ["demo_1"], range=[0, 3])),
        "scores[0].range",
    ),
    "range narrower than a mean of unlike items": (
        with_score(
            score_of("mean", ["demo_1", "demo_2"], missing_rule=AVERAGE, precision=2, range=[0, 6]),
            items=[item("demo_1"), number("demo_2", max=8)],
        ),
        "scores[0].range",
    ),
    "range narrower than a count": (
        with_score(score_of("count_at_least", ["demo_1"], thresholds={"demo_1": 1}, range=[0, 0])),
        "scores[0].range",
    ),
    "range narrower than a linear score": (
        with_score(score_of("linear", [], of="demo_sum", multiplier=-1, offset=0, range=[-11, 0]), score_of()),
        "scores[1].range",
    ),
    "range narrower than a table": (
        with_score(
            score_of("lookup", [], of="demo_sum", table=[{"raw": 1, "value": 13}]),
            score_of(),
        ),
        "scores[1].range",
    ),
    "alert on nothing": (changed(["alerts", 0, "item"], ...), "alerts[0].item"),
    "alert on two things": (changed(["alerts", 0, "score"], "demo_sum"), "alerts[0].item"),
    "alert on no item": (changed(["alerts", 0, "item"], "demo_9"), "alerts[0].item"),
    "alert on no score": (changed(["alerts", 1, "score"], "demo_9"), "alerts[1].score"),
    "alert on a profile": (
        changed(["scores", 0], score_of("concat", code="demo_sum", **PROFILE)),
        "alerts[1].score",
    ),
    "alert that is never raised": (
        changed(["alerts", 0, "condition", "value"], 5),
        "alerts[0].condition.value",
    ),
    "alert below the range": (changed(["alerts", 1, "condition", "value"], -1), "alerts[1].condition.value"),
}


@pytest.mark.parametrize(("raw", "key"), WRONG.values(), ids=WRONG.keys())
def test_a_contradiction_is_named(tmp_path, raw, key):
    file = write(tmp_path, raw)

    with pytest.raises(DefinitionError) as refused:
        load(file)

    assert key in [problem.key for problem in refused.value.problems]


SOUND = {
    "as it is": definition(),
    "unscored item in an item score": with_score(
        score_of("item", ["demo_1"], range=[0, 4]), items=[item(scored=False)]
    ),
    "condition met by another item": with_items(
        item("demo_1"), item("demo_2", required_if={"any_of": ["demo_1"], "op": "==", "value": 0})
    ),
    "prorated sum": with_score(score_of(missing_rule=PRORATED)),
    "profile": with_score(score_of("concat", **PROFILE)),
    "profile without missing digits": with_score(score_of("concat", range=None, precision=None)),
    "linear score of a score": with_score(
        score_of("linear", [], of="demo_sum", multiplier=-1, offset=0, range=[-12, 0]), score_of()
    ),
    "external score of a profile": with_score(
        score_of("external_value_set", [], of="demo_concat", range=[0, 1], precision=3),
        score_of("concat", **PROFILE),
    ),
    "bands to two decimals": with_score(
        score_of(
            "mean",
            missing_rule=AVERAGE,
            precision=2,
            range=[0, 4],
            bands=[band(0, 1.99, "low"), band(2.0, 4, "high")],
        )
    ),
    "alert on a missing item": changed(["alerts", 0, "condition"], {"op": "missing"}),
    "alert on one answer": changed(["alerts", 0, "condition"], {"op": "==", "value": 4}),
}


@pytest.mark.parametrize("raw", SOUND.values(), ids=SOUND.keys())
def test_a_sound_definition_loads(tmp_path, raw):
    assert load(write(tmp_path, raw)).code == "demo"
