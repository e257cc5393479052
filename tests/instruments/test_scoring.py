import json
from decimal import Decimal
from pathlib import Path

import pytest

from instruments import ALGORITHM_VERSION, Status, completeness, get, required_items, score, shown_items
from instruments.vectors import check_file
from tests.instruments.builders import definition, instrument, item, score_of

VECTORS = Path(__file__).with_name("test_vectors.json")
PRORATED = {"max_missing": 2, "method": "person_mean", "rounding": "half_up_0dp", "source": "made up"}


def total(made, answers):
    return score(made, answers).scores["demo_sum"]


@pytest.mark.parametrize("case", check_file(VECTORS), ids=lambda case: case.id)
def test_the_worked_cases_of_the_reference_pass(case):
    assert case.passed, case.difference


def test_zero_is_an_answer_and_null_is_none():
    made = instrument()

    assert total(made, {"demo_1": 0, "demo_2": 0, "demo_3": 0}).status is Status.COMPLETE
    assert total(made, {"demo_1": 0, "demo_2": None}).status is Status.NOT_SCORED


def test_an_error_counts_whatever_else_is_missing():
    result = score(instrument(), {"demo_1": 9})

    assert result.scores["demo_sum"].status is Status.INVALID
    assert result.scores["demo_sum"].as_dict() == {"value": None, "status": "invalid"}
    assert [warning.item for warning in result.warnings] == ["demo_2", "demo_3"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (2.0, None),
        (-0.0, None),
        (Decimal("2.000"), None),
        (Decimal("0E+999999999"), None),
        (2.5, "not_integer"),
        (1e6 + 0.5, "not_integer"),
        (Decimal("1E-999999999"), "not_integer"),
        (float("nan"), "not_integer"),
        (float("-inf"), "not_integer"),
        (5, "out_of_range"),
        (-1, "out_of_range"),
        (10**400, "out_of_range"),
        (1e300, "out_of_range"),
        (Decimal("1E+999999999"), "out_of_range"),
        (True, "wrong_type"),
        (False, "wrong_type"),
        ("2", "wrong_type"),
        ([2], "wrong_type"),
        ({}, "wrong_type"),
    ],
)
def test_only_whole_numbers_of_the_item_are_answers(answer, error):
    result = score(instrument(), {"demo_1": answer})

    assert [finding.code for finding in result.errors] == ([error] if error else [])


def test_an_unknown_item_is_an_error_even_with_null():
    result = score(instrument(), {"demo_9": None, "demo_8": 1})

    assert result.as_dict()["errors"] == [
        {"item": "demo_8", "code": "unknown_item"},
        {"item": "demo_9", "code": "unknown_item"},
    ]


def test_a_prorated_sum_keeps_its_unrounded_value():
    made = instrument(scores=[score_of(missing_rule=PRORATED, bands=[])])

    result = total(made, {"demo_1": 2, "demo_2": 3})

    assert result.as_dict() == {"value": 8, "status": "prorated", "unrounded": 7.5}


def test_a_mean_with_gaps_is_prorated_without_an_unrounded_value():
    rule = PRORATED | {"method": "mean_of_answered", "rounding": "half_up_2dp"}
    made = instrument(scores=[score_of("mean", missing_rule=rule, precision=2)], alerts=[])

    result = score(made, {"demo_1": 2, "demo_2": 3}).scores["demo_mean"]

    assert result.as_dict() == {"value": 2.5, "status": "prorated"}


def test_linear_and_lookup_start_from_the_unrounded_value():
    made = instrument(
        scores=[
            score_of(missing_rule=PRORATED),
            score_of("linear", [], of="demo_sum", multiplier=2, offset=1, range=[1, 25]),
            score_of("lookup", [], of="demo_sum", table=[{"raw": 7.5, "value": 1.25}], precision=1),
            score_of("linear", [], code="demo_again", of="demo_lookup", multiplier=2, offset=0, range=[0, 3]),
        ]
    )

    scores = score(made, {"demo_1": 2, "demo_2": 3}).scores

    assert scores["demo_sum"].value == 8
    assert scores["demo_linear"].as_dict() == {"value": 16, "status": "prorated"}
    assert scores["demo_lookup"].as_dict() == {"value": 1.3, "status": "prorated"}
    assert scores["demo_again"].value == 3


def test_a_table_without_the_raw_value_gives_no_score():
    made = instrument(scores=[score_of(), score_of("lookup", [], of="demo_sum", table=[{"raw": 7, "value": 1}])])

    scores = score(made, {"demo_1": 4, "demo_2": 3, "demo_3": 1}).scores

    assert scores["demo_lookup"].as_dict() == {"value": None, "status": "not_scored"}


def test_a_profile_marks_each_missing_digit_and_stays_text():
    result = score(get("eq5d5l"), {}).scores

    assert result["eq5d5l_profile"].as_dict() == {"value": "99999", "status": "partial"}
    assert result["eq5d5l_index"].as_dict() == {"value": None, "status": "external"}


def test_a_reversed_item_counts_turned_round_and_is_watched_as_answered():
    reverse = {"code": "demo_low", "item": "demo_1", "condition": {"op": "<=", "value": 1}}
    made = instrument(
        items=[item("demo_1", reverse=True), item("demo_2"), item("demo_3")],
        alerts=[reverse | {"severity": "review", "message": "Look."}],
    )

    result = score(made, {"demo_1": 1, "demo_2": 0, "demo_3": 0})

    assert result.scores["demo_sum"].value == 3
    assert result.alerts == ("demo_low",)


def test_a_missing_item_raises_its_alert_only_once_submitted():
    phq9 = get("phq9")

    assert score(phq9, {}, submitted=False).alerts == ()
    assert score(phq9, {}).alerts == ("phq9_item9_missing",)
    assert score(phq9, {"phq9_9": 7}, submitted=False).alerts == ()


def test_an_answer_raises_its_alert_in_a_draft_without_a_total():
    result = score(get("phq9"), {"phq9_9": 2}, submitted=False)

    assert result.scores["phq9_total"].status is Status.NOT_SCORED
    assert result.alerts == ("phq9_item9_frequent", "phq9_item9_positive")


def test_a_missing_score_can_raise_an_alert():
    watch = {"code": "demo_none", "score": "demo_sum", "condition": {"op": "missing"}}
    made = instrument(alerts=[watch | {"severity": "review", "message": "Look."}])

    assert score(made, {}).alerts == ("demo_none",)
    assert score(made, {}, submitted=False).alerts == ()


def test_an_item_can_be_wanted_by_rule_and_by_condition():
    needed = item("demo_2", required_if={"any_of": ["demo_1"], "op": "==", "value": 1})
    made = instrument(**definition(items=[item("demo_1"), needed, item("demo_3")]))

    warnings = score(made, {"demo_1": 1, "demo_3": 0}).as_dict()["warnings"]

    assert warnings == [
        {"item": "demo_2", "code": "conditionally_required"},
        {"item": "demo_2", "code": "required_missing"},
    ]


def test_a_result_names_its_algorithm_and_is_plain_json():
    result = score(get("swemwbs"), {f"swemwbs_{number}": 3 for number in range(1, 8)})

    assert result.algorithm_version == ALGORITHM_VERSION == "instrument-scoring/1"
    assert json.loads(json.dumps(result.as_dict()))["scores"]["swemwbs_metric"] == {
        "value": 19.25,
        "status": "complete",
        "band": "low",
    }


def asked_by_rule():
    rule = {"any_of": ["demo_1"], "op": ">=", "value": 2}
    return instrument(items=[item("demo_1"), item("demo_2", shown_if=rule), item("demo_3")])


@pytest.mark.parametrize(
    ("answers", "shown", "warned"),
    [
        ({"demo_1": 1}, ["demo_1", "demo_3"], ["demo_3"]),
        ({"demo_1": 2}, ["demo_1", "demo_2", "demo_3"], ["demo_2", "demo_3"]),
        ({}, ["demo_1", "demo_3"], ["demo_1", "demo_3"]),
        ({"demo_1": 9}, ["demo_1", "demo_3"], ["demo_3"]),
    ],
)
def test_an_item_asked_by_rule_is_needed_only_then(answers, shown, warned):
    made = asked_by_rule()

    assert shown_items(made, answers) == shown
    assert [warning.item for warning in score(made, answers).warnings] == warned
    assert required_items(made, answers) == shown
    assert completeness(made, answers, {})[1] == len(shown)


def test_an_answer_to_an_item_that_is_not_asked_is_shown_counted_and_kept():
    answers = {"demo_1": 0, "demo_2": 3, "demo_3": 1}

    assert shown_items(asked_by_rule(), answers) == ["demo_1", "demo_2", "demo_3"]
    assert shown_items(asked_by_rule(), answers, although_answered=False) == ["demo_1", "demo_3"]
    assert total(asked_by_rule(), answers).value == 4
    assert completeness(asked_by_rule(), answers, {}) == (3, 3)
    assert shown_items(asked_by_rule(), {"demo_2": "faulty"}) == ["demo_1", "demo_2", "demo_3"]
