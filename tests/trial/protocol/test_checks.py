"""What the parts of a protocol must agree on: one wrong value, one line with its key."""

import pytest

from tests.trial.protocol.conftest import changed, raw, refused_keys
from trial.protocol import reading

DISAGREEMENTS = [
    # codes
    ("arms.1.code", "nature", "arms.1.code"),
    ("sites.1.code", "01", "sites.1.code"),
    ("visits.4.suffix", "w12", "visits.4.suffix"),
    ("visits.2.forms.1.form", "wemwbs", "visits.2.forms.1.form"),
    ("reasons.decline.1.code", "NO_REASON", "reasons.decline.1.code"),
    ("criteria.2.reason.code", "UNDER_AGE", "criteria.2.reason.code"),
    ("documents.1.statements.1.code", "READ_PIS", "documents.1.statements.1.code"),
    ("documents.0.sites.1.site", "01", "documents.0.sites.1.site"),
    ("randomisation.factors.1.code", "site", "randomisation.factors.1.code"),
    ("randomisation.factors.1.levels.1.code", "5-9", "randomisation.factors.1.levels.1.code"),
    ("fidelity.components.1.code", "WELCOME", "fidelity.components.1.code"),
    ("expected_events.events.1.code", "MUSCLE_SORENESS", "expected_events.events.1.code"),
    ("progression.criteria.1.code", "PC1", "progression.criteria.1.code"),
    ("identity_fields.1.field", "name", "identity_fields.1.field"),
    ("contact.channels", ["phone", "text", "phone"], "contact.channels.2"),
    ("calendar.bank_holidays", ["2026-12-25", "2026-12-25"], "calendar.bank_holidays.1"),
    # instruments
    ("instruments.0.version", "9.9.9", "instruments.0.code"),
    ("instruments.0.code", "phq99", "instruments.0.code"),
    ("instruments.0.code", "who5", "visits.0.forms.1.form"),
    ("visits.2.forms.1.form", "who5", "visits.2.forms.1.form"),
    ("visits.1.forms.0.form", "gad7", "instruments.1.code"),
    # dates
    ("recruitment.ends", "2026-01-11", "recruitment.ends"),
    ("recruitment.target", 95, "recruitment.target"),
    ("calendar.day_ends", "09:00", "calendar.day_ends"),
    ("progression.frozen_on", "2026-01-13", "progression.frozen_on"),
    ("sites.0.opens", "2026-01-11", "sites.0.opens"),
    ("sites.0.opens", "2026-09-01", "sites.0.opens"),
    ("sites.0.protocol_approved", "2025-12-07", "sites.0.protocol_approved"),
    ("sites.0.protocol_approved", None, "sites.0.protocol_approved"),
    ("sites.0.protocol_effective", None, "sites.0.protocol_effective"),
    ("sites.0.protocol_effective", "2025-12-28", "sites.0.protocol_effective"),
    ("documents.0.approved_on", "2025-12-07", "documents.0.approved_on"),
    ("documents.0.sites.0.site", "09", "documents.0.sites.0.site"),
    ("documents.0.sites.0.effective_from", "2025-12-14", "documents.0.sites.0.effective_from"),
    ("documents.0.sites.0.effective_to", "2026-01-04", "documents.0.sites.0.effective_to"),
    ("documents.0.supersedes", "ICF_EN_1", "documents.0.supersedes"),
    ("documents.0.supersedes", "PIS_EN_1", "documents.0.supersedes"),
    ("documents.1.statements", [], "documents.1.statements"),
    ("documents.0.type", "consent", "documents.0.statements"),
    ("documents.1.type", "pis", "documents.1.statements"),
    ("documents.2.type", "pis", "documents.2.sites.0.effective_from"),
    ("documents.2.type", "pis", "documents.2.version"),
    ("documents.1.type", "gp_letter", "documents"),
    # visits
    ("visits.0.target_day", 1, "visits.0.target_day"),
    ("visits.0.days_after", 1, "visits.0.days_after"),
    ("visits.2.target_day", 0, "visits.2.target_day"),
    ("visits.2.days_before", 35, "visits.2.days_before"),
    ("visits.2.visitnum", 1, "visits.2.visitnum"),
    ("visits.3.before_randomisation", True, "visits.3.before_randomisation"),
    ("visits.1.days_before", 29, "visits.1.days_before"),
    ("visits.3.target_day", 35, "visits.3.target_day"),
    ("visits.3.days_before", 49, "visits.3.days_before"),
    ("visits.0.before_randomisation", False, "visits.0.before_randomisation"),
    ("visits.4.before_randomisation", True, "visits.4.before_randomisation"),
    ("visits.0.forms.0.form", "gad7", "visits"),
    ("visits.2.forms.0.form", "eligibility", "visits.2.forms.0.form"),
    ("visits.0.forms.0.required", False, "visits.0.forms.0.required"),
    ("visits.1.forms.3.repeat_of.visit", "V2", "visits.1.forms.3.repeat_of.visit"),
    # eligibility
    ("criteria.0.rule.max", 17, "criteria.0.rule.max"),
    ("criteria.1.rule.visit", "V9", "criteria.1.rule.visit"),
    ("criteria.1.rule.visit", "V2", "criteria.1.rule.visit"),
    ("criteria.1.rule.instrument", "gad7", "criteria.1.rule.instrument"),
    ("criteria.1.rule.score", "gad7_total", "criteria.1.rule.score"),
    ("criteria.1.rule.min", -1, "criteria.1.rule.min"),
    ("criteria.1.rule.max", 28, "criteria.1.rule.max"),
    ("criteria.1.rule.max", 4, "criteria.1.rule.max"),
    ("criteria.5.rule.instrument", "gad7", "criteria.5.rule.instrument"),
    ("criteria.5.rule.instrument", "who5", "criteria.5.rule.instrument"),
    ("reasons.decline.0.means", None, "reasons.decline"),
    ("reasons.withdrawal.0.means", "death", "reasons.withdrawal"),
    ("contact.min_channels", 6, "contact.min_channels"),
    ("contact.min_days", 4, "contact.min_days"),
    ("rescreen.after_days", 0, "rescreen.after_days"),
    # randomisation
    ("arms.0.ratio", 60, "arms"),
    ("randomisation.method", "simple", "randomisation.restricted.block_sizes"),
    ("randomisation.method", "simple", "randomisation.factors"),
    ("randomisation.restricted", None, "randomisation.restricted"),
    ("randomisation.restricted.block_sizes.1", 7, "randomisation.restricted.block_sizes.1"),
    ("randomisation.restricted.block_sizes.1", 4, "randomisation.restricted.block_sizes.1"),
    ("randomisation.factors.0.levels.2.code", "04", "randomisation.factors.0.levels"),
    ("randomisation.factors.0.levels.2.min", 1, "randomisation.factors.0.levels.2.min"),
    ("randomisation.factors.1.source.visit", "V9", "randomisation.factors.1.source.visit"),
    ("randomisation.factors.1.source.score", "phq8_total", "randomisation.factors.1.source.score"),
    ("randomisation.factors.1.levels.0.min", 4, "randomisation.factors.1.levels.0.min"),
    ("randomisation.factors.1.levels.0.min", None, "randomisation.factors.1.levels.0.min"),
    ("randomisation.factors.1.levels.0.max", 4, "randomisation.factors.1.levels.0.max"),
    ("randomisation.factors.1.levels.1.min", 11, "randomisation.factors.1.levels.1.min"),
    ("randomisation.factors.1.levels.1.min", 9, "randomisation.factors.1.levels.1.min"),
    ("randomisation.factors.1.levels.1.max", 13, "randomisation.factors.1.levels.1.max"),
    ("randomisation.factors.1.levels.1.max", 15, "randomisation.factors.1.levels.1.max"),
    # delivery
    ("session_plan.weeks", 9, "session_plan.weeks"),
    ("session_plan.group_size.target", 4, "session_plan.group_size.target"),
    ("session_plan.group_size.max", 7, "session_plan.group_size.max"),
    ("adherence.min_sessions", 11, "adherence.min_sessions"),
    ("fidelity.components.7.by_arm.1.arm", "nature", "fidelity.components.7.by_arm"),
    ("participation_levels.0.all_of", [], "participation_levels.0.all_of"),
    ("reminders.days_after_opening", [0, 7, 7], "reminders.days_after_opening.2"),
    # edit checks
    ("edit_checks.1.code", "DAYS_OFF", "edit_checks.1.code"),
    ("edit_checks.0.form", "who5", "edit_checks.0.form"),
    ("edit_checks.2.visits.0", "V2", "edit_checks.2.visits.0"),
    ("edit_checks.0.at", "phq9_1", "edit_checks.0.at"),
    ("edit_checks.0.rule.left.item", "hru_walks", "edit_checks.0.rule.left.item"),
    ("edit_checks.0.when.left", {"score": "hru_total"}, "edit_checks.0.when.left.score"),
    ("edit_checks.0.when.left", {}, "edit_checks.0.when.left"),
    ("edit_checks.0.when.left", {"item": "hru_nights", "value": 1}, "edit_checks.0.when.left"),
    ("edit_checks.0.rule.right", {"day": "completed"}, "edit_checks.0.rule.right"),
    ("edit_checks.1.rule.right.form", "who5", "edit_checks.1.rule.right.form"),
    ("edit_checks.2.rule.right.visit", "V2", "edit_checks.2.rule.right.visit"),
    ("edit_checks.0.rule.op", "=>", "edit_checks.0.rule.op"),
    ("edit_checks.0.severity", "firm", "edit_checks.0.severity"),
    # outcomes
    ("primary_outcomes.0.visit", "V9", "primary_outcomes.0.visit"),
    ("primary_outcomes.0.instrument", "demographics", "primary_outcomes.0.instrument"),
    ("planning.measure.score", "phq9_total", "planning.measure.score"),
    ("progression.criteria.0.red", None, "progression.criteria.0.red"),
    ("progression.criteria.0.green", "0.30", "progression.criteria.0.green"),
    ("progression.criteria.0.green", "1.01", "progression.criteria.0.green"),
    ("progression.criteria.6.green", "0.25", "progression.criteria.6.green"),
    ("progression.criteria.7.red", "0.1", "progression.criteria.7.red"),
    ("progression.criteria.2.estimate.visit", "V9", "progression.criteria.2.estimate.visit"),
    ("progression.criteria.2.estimate.visit", None, "progression.criteria.2.estimate.visit"),
    ("progression.criteria.2.estimate.arm", "nature", "progression.criteria.2.estimate.arm"),
    ("progression.criteria.3.estimate.arm", "garden", "progression.criteria.3.estimate.arm"),
    ("progression.criteria.3.reveals_arm", False, "progression.criteria.3.reveals_arm"),
    ("progression.criteria.4.estimate.score", "phq9_total", "progression.criteria.4.estimate.score"),
    ("progression.criteria.6.estimate.item", "nc_walks", "progression.criteria.6.estimate.item"),
    ("progression.criteria.6.estimate.item", None, "progression.criteria.6.estimate.item"),
    ("progression.criteria.6.estimate.instrument", None, "progression.criteria.6.estimate.instrument"),
    ("progression.criteria.6.estimate.instrument", "who5", "progression.criteria.6.estimate.instrument"),
]


@pytest.mark.parametrize(("key", "value", "refused"), DISAGREEMENTS)
def test_parts_that_disagree_are_refused_by_the_key_to_put_right(greenrx_data, key, value, refused):
    data = changed(greenrx_data, key, value)

    keys = refused_keys(data)

    assert refused in keys


def test_an_element_that_no_one_can_stop_has_no_place_in_a_level(greenrx_data):
    greenrx_data["participation_elements"] = greenrx_data["participation_elements"][1:]

    assert refused_keys(greenrx_data) == ["participation_levels.0.all_of.0"]


def test_strata_are_five_hundred_at_most(greenrx_data):
    bands = [{"code": f"b{n}", "label": f"Band {n}", "min": n, "max": n} for n in range(5, 15)]
    source = greenrx_data["randomisation"]["factors"][1]["source"]
    greenrx_data["randomisation"]["factors"] = [
        {"code": f"factor{n}", "label": f"Factor {n}", "source": source, "levels": bands} for n in range(3)
    ]

    assert refused_keys(greenrx_data) == ["randomisation.factors"]


def test_bands_cover_the_whole_score_where_no_criterion_narrows_it(greenrx_data):
    greenrx_data["criteria"][1]["rule"] = {"type": "judgement"}

    assert refused_keys(greenrx_data) == [
        "randomisation.factors.1.levels.0.min",
        "randomisation.factors.1.levels.1.max",
    ]


def test_a_simple_scheme_without_strata_loads(greenrx_data):
    greenrx_data["randomisation"] = {"scheme": "main", "method": "simple", "factors": []}

    _, spec = reading.read(raw(greenrx_data))

    assert spec.randomisation.restricted is None


def test_a_document_may_follow_another_at_a_site_without_a_day_in_common(greenrx_data):
    later = {**greenrx_data["documents"][0], "code": "PIS_EN_2", "version": "2.0", "supersedes": "PIS_EN_1"}
    later["sites"] = [{"site": "01", "effective_from": "2026-06-01", "effective_to": None}]
    greenrx_data["documents"].append(later)

    with_overlap = refused_keys(greenrx_data)
    greenrx_data["documents"][0]["sites"][0]["effective_to"] = "2026-05-31"

    assert with_overlap == ["documents.4.sites.0.effective_from"]
    assert refused_keys(greenrx_data) == []
