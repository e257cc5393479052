"""Progression criteria and retention against the worked values of domain.md section 8, and on rows of a small trial."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from django.db import connection

from tests.factories import NOW, TODAY, Trial, make_protocol
from tests.trial.journey.builders import crowd
from trial.assessments.models import Administration
from trial.base import triggers
from trial.journey import criteria, figures
from trial.journey.criteria import Cut
from trial.safety import event_actions

GREENRX_CUT = date(2026, 12, 14)


@pytest.fixture
def trial(db, clock):
    return Trial()


def _criterion(spec, code):
    return next(one for one in spec.progression.criteria if one.code == code)


def _row(spec, code, count, total):
    return criteria.row_of(_criterion(spec, code), figures.proportion(count, total))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "count", "total", "light", "word", "note", "value", "interval"),
    [
        # domain.md section 10, demo values; intervals of screens 08a
        ("PC1", 138, 183, "green", "Green", "", "138 of 183, 75.4%", "68.7% to 81.1%"),
        ("PC3", 78, 96, "green", "Green", "interval reaches amber", "78 of 96, 81.3%", "72.3% to 87.8%"),
        ("PC4", 34, 48, "green", "Green", "interval reaches amber", "34 of 48, 70.8%", "56.8% to 81.8%"),
        ("PC5", 74, 78, "green", "Green", "interval reaches amber", "74 of 78, 94.9%", "87.5% to 98.0%"),
        ("PC6", 22, 30, "amber", "Amber, nearer red", "below 74.7%", "22 of 30, 73.3%", "55.6% to 85.8%"),
        ("PC7", 5, 48, "amber", "Amber", "", "5 of 48, 10.4%", "4.5% to 22.2%"),
        ("PC8", 0, 96, "none", "Committee decides", "", "0 of 96, 0.0%", "0.0% to 3.8%"),
        ("PC3", 0, 0, "none", "Nothing to judge yet", "", "0 of 0", ""),
    ],
)
def test_the_lights_are_those_of_the_reference(code, count, total, light, word, note, value, interval):
    spec = make_protocol().spec

    row = _row(spec, code, count, total)

    assert (row.light, row.word, row.note, row.value, row.range) == (light, word, note, value, interval)


@pytest.mark.django_db
def test_the_rate_of_recruitment_is_that_of_the_reference():
    spec = make_protocol().spec
    estimate = figures.rate(96, Fraction(612) / figures.MONTH_DAYS)

    row = criteria.row_of(_criterion(spec, "PC2"), estimate)

    assert (row.light, row.value, row.range) == ("green", "4.8 a month", "3.9 to 5.8")
    assert row.denominator == "96 in 20.1 site-months"
    assert row.interval.limits == (1.5, 3.0)


def test_a_figure_that_is_not_worked_out_says_so(trial):
    row = criteria.row_of(_criterion(trial.spec, "PC6"), None)

    assert (row.word, row.interval) == ("Not calculated yet", None)


def test_no_row_says_go_or_stop_or_gives_a_p_value(trial):
    cut = Cut([trial.site], trial.spec, TODAY)

    text = " ".join(str(row) for row in criteria.progression(cut, blinded=False)).lower()

    for word in (" go ", "stop", "significant", "p-value"):
        assert word not in text


def test_the_funnel_counts_people_by_their_latest_record(trial):
    trial.refer()
    trial.informed()
    trial.consented()

    found = criteria.funnel(Cut([trial.site], trial.spec, TODAY))

    assert (found.count, found.total) == (1, 2)


def test_recruitment_counts_site_months_to_the_end_of_recruitment(trial):
    crowd(trial, 4)

    found = criteria.recruitment(Cut([trial.site], trial.spec, date(2027, 3, 1)))

    # 12 January to 31 August 2026: 232 days (domain.md F3)
    assert found.total == Fraction(232) / figures.MONTH_DAYS
    assert found.count == 4


def _answer(participant, visit, on, instrument="wemwbs"):
    row = participant.visits.get(code=visit)
    return Administration(
        participant=participant,
        visit=row,
        protocol_version=row.protocol_version,
        instrument=instrument,
        instrument_version="1.0.0",
        status="complete",
        mode="self_web",
        completed_date=on,
        first_entered_at=NOW,
        submitted_at=NOW,
        scores={"wemwbs_total": {"value": None, "status": "missing"}},
    ).save_by(None)


def test_retention_counts_answers_until_the_next_window_opens_of_those_due(trial):
    early, late, too_late, silent = crowd(trial, 4, day0=date(2026, 1, 20))
    week12 = early.visits.get(code="V3")
    opens_next = early.visits.get(code="V4").opens_date
    _answer(early, "V3", week12.opens_date - timedelta(days=1))
    _answer(late, "V3", opens_next - timedelta(days=1))
    _answer(too_late, "V3", opens_next)
    crowd(trial, 1, day0=TODAY)

    found = criteria.retention(Cut([trial.site], trial.spec, TODAY), "V3")

    assert (found.count, found.total) == (2, 4)
    assert silent.visits.filter(code="V3", closes_date__lte=TODAY).exists()


def test_only_outcome_forms_count_as_retention(trial):
    person = crowd(trial, 1, day0=date(2026, 1, 20))[0]
    _answer(person, "V3", person.visits.get(code="V3").target_date, instrument="aim_iam_fim")

    found = criteria.retention(Cut([trial.site], trial.spec, TODAY), "V3")

    assert (found.count, found.total) == (0, 1)


def test_scorable_forms_are_those_with_a_score(trial):
    people = crowd(trial, 3)

    with triggers.lifted(connection):
        _answer(people[0], "V3", TODAY)
    week5 = criteria.scorable(Cut([trial.site], trial.spec, TODAY), "V2", "wemwbs", "wemwbs_total")
    week12 = criteria.scorable(Cut([trial.site], trial.spec, TODAY), "V3", "wemwbs", "wemwbs_total")

    assert (week5.count, week5.total) == (3, 3)
    assert (week12.count, week12.total) == (0, 1)


def test_people_with_a_related_serious_event_are_counted_once(trial):
    person, other = crowd(trial, 2)
    for description, related in (("Fell", "possible"), ("Fell again", "definite")):
        _report(trial, person, description, related)
    _report(trial, other, "Unrelated illness", "unlikely")

    found = criteria.related_sae(Cut([trial.site], trial.spec, TODAY))

    assert (found.count, found.total) == (1, 2)


def _report(trial, participant, description, related):
    data = event_actions.EventData(
        onset_date=TODAY,
        aware_date=TODAY,
        category="OTHER",
        description=description,
        severity="severe",
        seriousness=("hospitalisation",),
        related_to_activity=related,
        related_to_procedures="unrelated",
        outcome="recovering",
    )
    event_actions.report_event(participant=participant, data=data, by=trial.coordinator, at=NOW)


def test_retention_rows_say_where_nothing_is_due(trial):
    rows = criteria.retention_rows(Cut([trial.site], trial.spec, TODAY))

    assert [row.value for row in rows] == ["None due yet"] * 3


def test_an_amber_above_the_split_is_nearer_green(trial):
    row = _row(trial.spec, "PC3", 71, 96)

    # domain.md F18: Ac for red .60 and n=96 is 0.6822
    assert (row.word, row.note) == ("Amber, nearer green", "at or above 68.2%")
