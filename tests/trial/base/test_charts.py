from datetime import date

import pytest

from tests.trial.base.gallery import consort_flow
from trial.base.charts import Interval, ProgressBar, StepChart
from trial.base.flow import Flow, FlowStep, FlowText


def test_zones_run_from_red_to_green_and_back_where_lower_is_better():
    higher, lower = Interval(68.7, 75.4, 81.1, (30, 50)), Interval(4.5, 10.4, 22.2, (10, 25), lower_is_better=True)

    assert [(x, width) for x, width, _colour in higher.zones] == [(0, 90), (90, 60), (150, 150)]
    assert [colour for _x, _width, colour in higher.zones] == [colour for _x, _w, colour in reversed(lower.zones)]


def test_points_are_kept_on_the_drawing():
    assert Interval(-5, 50, 120, (30, 50)).points == (0, 150, 300)


def test_labels_of_close_limits_step_apart():
    far, close = Interval(0, 1, 2, (30, 50)), Interval(0, 1, 2, (10, 20))

    assert [anchor for _x, _label_x, anchor, _label in far.marks] == ["middle", "middle"]
    assert [anchor for _x, _label_x, anchor, _label in close.marks] == ["end", "start"]


def test_the_interval_is_also_said_in_words():
    assert Interval(3.9, 4.8, 5.8, (1.5, 3), axis_max=8, unit=" a month").description == (
        "Estimate 4.8 a month, interval 3.9 a month to 5.8 a month. Limits 1.5 a month and 3 a month."
    )


@pytest.mark.parametrize(("count", "target", "filled"), [(27, 38, 210.3), (50, 38, 296), (0, 38, 0), (3, 0, 296)])
def test_the_bar_never_leaves_its_track(count, target, filled):
    assert ProgressBar(count, 29, target).filled == filled


def test_the_words_of_the_mark_stay_on_the_drawing():
    assert [ProgressBar(1, expected, 100).mark_anchor for expected in (5, 50, 95)] == ["start", "middle", "end"]


def test_the_step_line_rises_only_on_the_day():
    chart = StepChart(
        steps=[(date(2026, 1, 1), 0), (date(2026, 7, 2), 4)], plan=[(date(2026, 1, 1), 0), (date(2026, 12, 31), 8)]
    )

    assert chart.step_path == "M44.0 250.0H452.0V135.0"
    assert chart.top_number == 8
    assert chart.description == "4 by 2 Jul; the plan ends at 8."


def test_months_are_thinned_and_a_chart_of_one_day_is_drawn():
    long = StepChart(steps=[(date(2020, 1, 1), 0)], plan=[(date(2020, 1, 1), 0), (date(2026, 1, 1), 96)])
    short = StepChart(steps=[(date(2026, 1, 1), 0)], plan=[(date(2026, 1, 1), 0)])

    assert len(long.months) <= 10
    assert short.top_number == 4
    assert short.months == []


@pytest.mark.parametrize("arms", [("One",), ("One", "Two"), ("One", "Two", "Three"), ("A", "B", "C", "D")])
def test_boxes_of_the_flow_stay_on_the_drawing_and_apart(arms):
    boxes = consort_flow(arms).boxes

    assert all(box.x >= 28 and box.x + box.width <= 1120 for box in boxes)
    for box in boxes:
        for other in boxes:
            apart = (
                box is other
                or box.bottom <= other.y
                or other.bottom <= box.y
                or box.x + box.width <= other.x
                or other.x + other.width <= box.x
            )
            assert apart, (box, other)


def test_stages_that_follow_each_other_share_a_bar():
    assert [bar[-1] for bar in consort_flow().bars] == ["Enrolment", "Allocation", "Follow-up"]


def test_a_pooled_flow_stops_at_randomised():
    flow = Flow(
        steps=[FlowStep(FlowText("Referred (n=2)"), FlowText("Declined (n=1)")), FlowStep(FlowText("Randomised (n=1)"))]
    )

    assert flow.trunk == ""
    assert len(flow.boxes) == 3
    assert len(flow.arrows) == 2
