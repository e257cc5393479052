"""Edit checks as values in and value out: what fires, and what is not known."""

from datetime import date

import pytest

from tests.instruments.builders import definition, instrument, item
from trial.assessments.check_rules import Facts, limit_states, protocol_states
from trial.protocol.spec import EditCheck


def check(rule, **changes):
    return EditCheck.model_validate(
        {"code": "ONE", "form": "demo", "severity": "soft", "rule": rule, "message": "Look", **changes}, strict=False
    )


def state(one, visit="V1", **facts):
    [found] = protocol_states([one], visit, Facts(**facts))
    return found


OWN = ("V1", "demo")


@pytest.mark.parametrize(
    ("op", "answer", "fires"),
    [
        ("<", 2, True),
        ("<", 1, False),
        ("<=", 3, True),
        (">", 2, True),
        (">=", 1, True),
        ("==", 3, True),
        ("!=", 2, True),
    ],
)
def test_a_check_fires_when_its_rule_is_not_so(op, answer, fires):
    rule = {"left": {"item": "demo_1"}, "op": op, "right": {"value": 2}}

    assert state(check(rule), answers={OWN: {"demo_1": answer}}).fires is fires


def test_nothing_fires_while_a_side_is_not_known():
    rule = {"left": {"item": "demo_1"}, "op": "<", "right": {"form": "other", "visit": "V0", "score": "total"}}
    scored = {("V0", "other"): {"total": {"value": None}}}

    assert not state(check(rule), answers={OWN: {"demo_1": 9}}).fires
    assert not state(check(rule), answers={OWN: {"demo_1": 9}}, scores=scored).fires
    assert state(check(rule), scores={("V0", "other"): {"total": {"value": 1.5}}}, answers={OWN: {"demo_1": 2}}).fires


def test_a_condition_decides_whether_the_rule_is_asked():
    when = {"left": {"item": "demo_2"}, "op": ">", "right": {"value": 0}}
    rule = {"left": {"item": "demo_1"}, "op": "==", "right": {"value": 0}}

    def fires(answers):
        return state(check(rule, when=when), answers={OWN: answers}).fires

    assert fires({"demo_1": 1, "demo_2": 1})
    assert not fires({"demo_1": 1, "demo_2": 0})
    assert not fires({"demo_1": 1})


def test_days_are_compared_by_the_calendar_and_moved_by_days():
    rule = {
        "left": {"day": "completed"},
        "op": "<=",
        "right": {"form": "phq9", "day": "completed", "plus": 14},
    }

    def found(day):
        completed = {OWN: date(2026, 4, day), ("V1", "phq9"): date(2026, 3, 20)}
        return state(check(rule), completed=completed)

    assert not found(3).fires  # 14 days over the change of the clocks
    assert found(4).fires
    assert found(4).values == {"completed": "2026-04-04", "V1 phq9 completed": "2026-03-20"}
    assert found(4).token == "ONE=2026-04-04/2026-03-20"
    assert found(4).at == "completed_date"


def test_a_check_is_said_at_its_item():
    rule = {"left": {"item": "demo_1"}, "op": "<", "right": {"value": 2}}

    assert state(check(rule)).at == "demo_1"
    assert state(check(rule, at="demo_2")).at == "demo_2"


def test_an_answer_above_its_soft_limit_fires_and_one_at_it_does_not():
    made = instrument(items=[item("demo_1", soft_max=3), item("demo_2"), item("demo_3")])

    def found(answer):
        [one] = limit_states(made, {"demo_1": answer} if answer is not None else {}, {"demo_1": "RF"})
        return one.fires, one.values

    assert found(4) == (True, {"demo_1": 4})
    assert found(3) == (False, {"demo_1": 3})
    assert found(None) == (False, {"demo_1": "RF"})


def test_an_answer_to_an_item_that_the_others_leave_out_is_warned_about():
    rule = {"any_of": ["demo_1"], "op": ">=", "value": 1}
    made = instrument(**definition(items=[item("demo_1"), item("demo_2", shown_if=rule), item("demo_3")]))

    def fires(answers):
        [one] = limit_states(made, answers, {})
        return one.fires

    assert fires({"demo_1": 0, "demo_2": 3})
    assert not fires({"demo_1": 1, "demo_2": 3})
    assert not fires({"demo_1": 0})
