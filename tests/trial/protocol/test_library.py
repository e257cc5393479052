"""The protocols of the library, against domain.md section 10."""

from datetime import date, timedelta
from decimal import Decimal

from trial.protocol import rules


def test_greenrx_has_the_arms_sites_and_numbers_of_the_reference(greenrx):
    assert [(arm.code, arm.ratio) for arm in greenrx.arms] == [("nature", 1), ("indoor", 1)]
    assert [(site.code, site.name, site.abbreviation) for site in greenrx.sites] == [
        ("01", "Tamar Vale", "TAV"),
        ("02", "Exe Coast", "EXC"),
        ("03", "Moorside", "MOR"),
    ]
    assert greenrx.recruitment.target == 96
    assert rules.n_strata(greenrx) == 6


def test_greenrx_sites_are_open_for_the_days_of_the_worked_rate(greenrx):
    """F3: sites open to 2026-08-31 for 232 + 211 + 169 days, both ends counted."""
    days = [(greenrx.recruitment.ends - site.opens).days + 1 for site in greenrx.sites]

    assert days == [232, 211, 169]


def test_the_last_greenrx_window_closes_on_22_march_2027(greenrx):
    closes = rules.window(rules.final_visit(greenrx), greenrx.recruitment.ends).closes

    assert closes == date(2027, 3, 22)


def test_greenrx_windows_are_those_of_the_reference(greenrx):
    windows = {v.code: (v.target_day, v.opens_day - v.target_day, v.closes_day - v.target_day) for v in greenrx.visits}

    assert windows == {
        "V0": (0, -28, 0),
        "V1": (0, -14, 0),
        "V2": (35, -7, 7),
        "V3": (84, -7, 14),
        "V4": (182, -21, 21),
    }


def test_greenrx_progression_limits_are_those_of_the_reference(greenrx):
    limits = {one.code: (one.red, one.green, one.higher_is_better) for one in greenrx.progression.criteria}

    assert limits["PC2"] == (Decimal("1.5"), Decimal("3.0"), True)
    assert limits["PC3"] == (Decimal("0.60"), Decimal("0.75"), True)
    assert limits["PC7"] == (Decimal("0.25"), Decimal("0.10"), False)
    assert limits["PC8"] == (None, None, False)
    assert [one.code for one in greenrx.progression.criteria if one.reveals_arm] == ["PC4", "PC6", "PC7"]


def test_greenrx_sessions_and_fidelity_are_those_of_the_reference(greenrx):
    plan = greenrx.session_plan

    assert (plan.sessions, plan.weeks, plan.first_session_within_days) == (10, 12, 28)
    assert (plan.group_size.min, plan.group_size.target, plan.group_size.max) == (5, 8, 12)
    assert plan.groups_per_arm_and_site * len(greenrx.arms) * len(greenrx.sites) == 12
    assert len(greenrx.fidelity.components) == 10
    assert greenrx.adherence.min_sessions == 6


def test_the_forms_of_week_26_are_those_of_week_12_without_acceptability(greenrx):
    week_12 = [form.form for form in rules.forms_at(greenrx, "V3")]
    week_26 = [form.form for form in rules.forms_at(greenrx, "V4")]

    assert [form for form in week_12 if form != "aim_iam_fim"] == week_26


def test_the_two_protocols_share_no_arm_visit_site_or_prefix(greenrx, northbank):
    assert not {arm.code for arm in greenrx.arms} & {arm.code for arm in northbank.arms}
    assert not {visit.code for visit in greenrx.visits} & {visit.code for visit in northbank.visits}
    assert not {site.code for site in greenrx.sites} & {site.code for site in northbank.sites}
    assert greenrx.study.id_prefix != northbank.study.id_prefix
    assert rules.reduced_ratio(northbank) == (2, 1, 1)
    assert [source.source.type for source in northbank.randomisation.factors] == ["score_band"]


def test_bank_holidays_are_never_weekends(greenrx, northbank):
    days = greenrx.calendar.bank_holidays + northbank.calendar.bank_holidays

    assert [day for day in days if day.weekday() > 4] == []
    assert date(2026, 12, 28) - timedelta(days=3) in days
