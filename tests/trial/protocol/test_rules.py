"""Decisions that follow from a protocol."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.protocol import rules
from trial.protocol.rules import OutsideEveryBand, UnknownCode

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize("find", [rules.visit, rules.arm, rules.site, rules.criterion, rules.instrument, rules.factor])
def test_an_unknown_code_is_an_error_of_the_caller(greenrx, find):
    with pytest.raises(UnknownCode, match="NOWHERE"):
        find(greenrx, "NOWHERE")


def test_parts_are_found_by_their_codes(greenrx):
    assert rules.visit(greenrx, "V3").name == "V3 week 12"
    assert rules.arm(greenrx, "indoor").label == "Indoor group"
    assert rules.site(greenrx, "02").name == "Exe Coast"
    assert rules.criterion(greenrx, "E1").kind == "exclusion"
    assert rules.reason(greenrx, "decline", "DIED").means == "death"
    assert rules.form(greenrx, "V1", "phq9").repeat_of.older_than_days == 14
    assert rules.support_page(greenrx, "cy").language == "en-GB"
    with pytest.raises(UnknownCode, match="V9"):
        rules.form(greenrx, "V9", "phq9")
    with pytest.raises(UnknownCode, match="gad7 at V2"):
        rules.form(greenrx, "V2", "gad7")


def test_visits_fall_before_or_after_randomisation(greenrx):
    assert [visit.code for visit in rules.visits_before_randomisation(greenrx)] == ["V0", "V1"]
    assert [visit.code for visit in rules.visits_after_randomisation(greenrx)] == ["V2", "V3", "V4"]
    assert rules.eligibility_visit(greenrx).code == "V0"
    assert [visit.code for visit in rules.baseline_visits(greenrx)] == ["V1"]


def test_the_next_visit_of_the_last_is_none(greenrx):
    assert rules.next_visit(greenrx, "V2").code == "V3"
    assert rules.next_visit(greenrx, "V4") is None
    assert rules.missed_from(greenrx, "V4", date(2026, 7, 9)) is None


def test_a_window_counts_from_the_day_of_randomisation(greenrx):
    """Vector WIN-01: randomised 15 February 2027, week 12 opens 3 May and closes 24 May."""
    found = rules.window(rules.visit(greenrx, "V3"), date(2027, 2, 15))

    assert found == rules.Window(opens=date(2027, 5, 3), target=date(2027, 5, 10), closes=date(2027, 5, 24))


@given(DAYS)
def test_a_visit_is_missed_from_the_day_the_next_window_opens(northbank, day0):
    following = rules.window(rules.visit(northbank, "M2"), day0)

    assert rules.missed_from(northbank, "M1", day0) == following.opens


@pytest.mark.parametrize(("days", "expected"), [(14, False), (15, True)])
def test_the_baseline_phq9_is_repeated_when_the_screening_one_is_older_than_14_days(greenrx, days, expected):
    form = rules.form(greenrx, "V1", "phq9")
    on = date(2026, 5, 1)

    assert rules.is_expected(form, earlier_on=on - timedelta(days=days), on=on) is expected


def test_a_form_without_a_repeat_rule_is_always_expected(greenrx):
    on = date(2026, 5, 1)

    assert rules.is_expected(rules.form(greenrx, "V1", "gad7"), earlier_on=on, on=on)
    assert rules.is_expected(rules.form(greenrx, "V1", "phq9"), earlier_on=None, on=on)


def test_forms_have_names_for_pages(greenrx):
    assert rules.form_label(greenrx, "eligibility") == "Eligibility"
    assert rules.form_label(greenrx, "health_resource_use") == "Service use"


def test_retention_counts_outcome_forms_only(greenrx):
    assert rules.outcome_forms(greenrx, "V2") == {"wemwbs", "phq9", "nature_contact"}
    assert "aim_iam_fim" not in rules.outcome_forms(greenrx, "V3")


@pytest.mark.parametrize(("score", "band"), [(5, "5-9"), (9, "5-9"), (10, "10-14"), (14, "10-14")])
def test_a_score_falls_in_one_band(greenrx, score, band):
    assert rules.band_for(rules.factor(greenrx, "phq9_band"), score).code == band


@pytest.mark.parametrize("score", [4, 15])
def test_a_score_outside_the_eligible_range_falls_in_no_band(greenrx, score):
    with pytest.raises(OutsideEveryBand, match="phq9_band"):
        rules.band_for(rules.factor(greenrx, "phq9_band"), score)


def test_factor_levels_are_in_declared_order(greenrx, northbank):
    levels = rules.factor_levels(greenrx, site_code="02", scores={"phq9_total": 12})

    assert list(levels.items()) == [("site", "02"), ("phq9_band", "10-14")]
    assert rules.factor_levels(northbank, site_code="17", scores={"gad7_total": 13}) == {"worry": "high"}


def test_factor_levels_need_a_known_site_and_every_score(greenrx):
    with pytest.raises(UnknownCode, match="17"):
        rules.factor_levels(greenrx, site_code="17", scores={"phq9_total": 12})
    with pytest.raises(UnknownCode, match="phq9_total"):
        rules.factor_levels(greenrx, site_code="01", scores={})


def test_the_ratio_is_reduced(northbank):
    arms = tuple(arm.model_copy(update={"ratio": arm.ratio * 3}) for arm in northbank.arms)

    assert rules.reduced_ratio(northbank.model_copy(update={"arms": arms})) == (2, 1, 1)


def test_a_preference_may_be_none_or_an_arm(northbank):
    assert [code for code, _ in rules.preference_choices(northbank)] == ["none", "kestrel", "osprey", "merlin"]


def test_prescreening_uses_no_trial_questionnaire(greenrx):
    """BR-03: before consent only what the referral holds may decide."""
    rules_used = {criterion.rule.type for criterion in rules.prescreen_criteria(greenrx)}

    assert rules_used == {"judgement", "age_range"}


def test_the_first_session_comes_within_28_days(greenrx):
    """Screen 03b: randomised 9 July 2026, first session by 6 August 2026."""
    assert rules.first_session_deadline(greenrx, date(2026, 7, 9)) == date(2026, 8, 6)


def test_a_group_meets_weekly_and_has_two_catch_up_weeks(greenrx):
    sessions = rules.planned_sessions(greenrx, date(2026, 3, 4))

    assert len(sessions) == 10
    assert {day.weekday() for day in sessions} == {2}
    assert sessions[-1] == date(2026, 5, 6)
    assert rules.activity_ends(greenrx, date(2026, 3, 4)) == date(2026, 5, 26)


@pytest.mark.parametrize(
    ("stopped", "level"),
    [
        ([], None),
        (["reminders"], None),
        (["activity"], "W1"),
        (["questionnaires_web"], "W2"),
        (["activity", "questionnaires_phone_post"], "W2"),
        (["questionnaires_web", "questionnaires_phone_post"], "W3"),
        (["activity", "questionnaires_web", "questionnaires_phone_post", "contact"], "W3"),
        (["questionnaires_web", "questionnaires_phone_post", "contact", "records"], "W4"),
    ],
)
def test_stopped_elements_have_a_shorthand(greenrx, stopped, level):
    found = rules.participation_level(greenrx, stopped)

    assert (found.code if found else None) == level


def test_reminders_end_with_the_window_and_the_phone_task_comes_three_days_before(greenrx):
    """BR-37, for the week 5 visit of somebody randomised on 1 June 2026."""
    window = rules.window(rules.visit(greenrx, "V2"), date(2026, 6, 1))

    messages = rules.reminder_dates(greenrx, window.opens, window.closes)

    assert messages == [date(2026, 6, 29), date(2026, 7, 2), date(2026, 7, 6), date(2026, 7, 13)]
    assert rules.phone_task_date(greenrx, window.opens, window.closes) == date(2026, 7, 10)


@given(DAYS, st.integers(0, 60))
def test_messages_and_the_phone_task_stay_inside_the_window(greenrx, opens, length):
    closes = opens + timedelta(days=length)

    days = [*rules.reminder_dates(greenrx, opens, closes), rules.phone_task_date(greenrx, opens, closes)]

    assert all(opens <= day <= closes for day in days)
