"""What the tables hold: a row for all that was expected, and why a value is not there."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import instruments
from exports.canonical import opened
from exports.datasets import records
from exports.datasets.snapshot import take
from tests.exports.builders import frozen, moment, named_rows, rows_of, small_trial
from tests.factories import NOW, TODAY, Trial, staff
from trial.access.policy import Role
from trial.allocation.models import BlindingEvent
from trial.deviations.models import Deviation
from trial.participation.models import ParticipationChange
from trial.review import actions as review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]
LATER = moment("L002", days=250)


@pytest.fixture
def trial() -> Trial:
    return small_trial()


@pytest.fixture
def person(trial):
    return trial.site.referrals.filter(participant__randomised_date__isnull=False).first().participant


def one(rows, **where):
    found = [row for row in rows if all(row[key] == value for key, value in where.items())]
    assert len(found) == 1
    return found[0]


def stop_questionnaires(person, on: date, by) -> ParticipationChange:
    return ParticipationChange(
        participant=person,
        effective_date=on,
        decided_by="participant",
        elements={"questionnaires_web": False, "questionnaires_phone_post": False},
        recorded_at=datetime.combine(on, NOW.timetz()),
        recorded_by=by,
    ).save_by(by)


def test_every_expected_visit_and_questionnaire_has_a_row(trial, person):
    stored = frozen()

    visits = rows_of(stored, "visits")
    wemwbs = rows_of(stored, "wemwbs")

    assert [row["visit"] for row in visits if row["subjid"] == person.study_id] == ["V0", "V1", "V2", "V3", "V4"]
    assert [row["visitnum"] for row in wemwbs if row["subjid"] == person.study_id] == [1, 2, 3, 4]


def test_an_interview_says_whether_its_assessor_had_learned_the_allocation(trial, person):
    assessor = staff(Role.OUTCOME_ASSESSOR, trial.site)
    after, before, online = person.administrations.order_by("pk")[:3]
    for form, day in ((after, TODAY), (before, TODAY - timedelta(days=1))):
        form.assessor, form.completed_date, form.mode = assessor, day, "interview_phone"
        form.save_by(assessor, "Assessed")
    online.assessor, online.mode = None, "self_web"
    online.save_by(assessor, "Sent by a link")
    BlindingEvent(
        participant=person,
        person=assessor,
        kind="accidental",
        route="She said so",
        happened_date=TODAY,
        recorded_at=NOW,
    ).save_by(assessor)
    stored = frozen()

    def flag(form):
        found = one(rows_of(stored, form.instrument), subjid=person.study_id, visitnum=form.visit.number)
        return found["assessor_unblinded"]

    assert [flag(form) for form in (after, before, online)] == [1, 0, -96]
    assert "assessor_unblinded" in rows_of(stored, after.instrument, blinded=True)[0]


def test_the_flag_of_the_assessor_costs_no_further_query(trial, person):
    snapshot = take(through=TODAY, locked_at=NOW)
    ids = [one.pk for one in snapshot.people]

    with CaptureQueriesContext(connection) as queries:
        records.forms(snapshot, ids, "phq9")

    assert len(queries) == 1


def test_days_count_from_randomisation(trial, person):
    row = one(rows_of(frozen(), "phq9"), subjid=person.study_id, visitnum=0)

    assert (row["phq9_date"], row["days_since_randomisation"], row["in_window"]) == ("2026-07-07", -2, 1)


def test_what_is_not_yet_due_is_blank(trial, person):
    row = one(rows_of(frozen(), "wemwbs"), subjid=person.study_id, visitnum=3)

    assert (row["wemwbs_1"], row["wemwbs_total"], row["wemwbs_date_miss"], row["wemwbs_form"]) == (None, None, None, 0)


def test_a_missed_visit_says_not_done(trial, person):
    stored = frozen(LATER)

    form = one(rows_of(stored, "wemwbs"), subjid=person.study_id, visitnum=3)
    visit = one(rows_of(stored, "visits"), subjid=person.study_id, visitnum=3)

    assert {form["wemwbs_1"], form["wemwbs_total"], form["wemwbs_date_miss"], form["wemwbs_n"]} == {-94}
    assert (form["wemwbs_total_prorated"], form["wemwbs_total_prorated_miss"]) == (None, -94)
    assert (visit["visit_status"], visit["visit_date_miss"]) == (6, -94)


def test_a_form_after_questionnaires_were_stopped_says_withdrawn(trial, person):
    stop_questionnaires(person, TODAY + timedelta(days=60), trial.coordinator)

    stored = frozen(LATER)

    rows = rows_of(stored, "wemwbs")
    assert one(rows, subjid=person.study_id, visitnum=2)["wemwbs_1"] == -94
    assert one(rows, subjid=person.study_id, visitnum=3)["wemwbs_1"] == -93
    assert one(rows_of(stored, "visits"), subjid=person.study_id, visitnum=3)["visit_status"] == 7


def test_death_is_no_missing_reason(trial, person):
    person.died_date = TODAY + timedelta(days=60)
    person.save_by(trial.coordinator, "Letter from the GP")

    stored = frozen(LATER)

    form = one(rows_of(stored, "wemwbs"), subjid=person.study_id, visitnum=3)
    visit = one(rows_of(stored, "visits"), subjid=person.study_id, visitnum=3)
    about = one(rows_of(stored, "participants"), subjid=person.study_id)
    assert (form["wemwbs_1"], form["wemwbs_date_miss"]) == (None, None)
    assert (visit["visit_status"], visit["visit_date_miss"]) == (8, None)
    assert (about["died"], about["death_date"]) == (1, "2026-09-07")


def test_a_form_that_an_earlier_one_stands_for_was_not_asked(trial, person):
    row = one(rows_of(frozen(), "phq9"), subjid=person.study_id, visitnum=1)

    assert (row["phq9_1"], row["phq9_date_miss"]) == (-97, -97)


def test_items_keep_the_reason_given_at_entry(trial):
    participant = trial.consented()
    answers = {f"gad7_{n}": 1 for n in range(1, 6)}
    trial.save_form(participant, "V1", "gad7", answers, missing={"gad7_6": "RF", "gad7_7": "RF"})

    row = one(rows_of(frozen(), "gad7"), subjid=participant.study_id)

    assert (row["gad7_5"], row["gad7_6"], row["gad7_7"]) == (1, -92, -92)
    assert row["gad7_n"] == 5


def test_an_item_that_the_answers_made_unnecessary_does_not_apply(trial):
    participant = trial.consented()
    answers = {f"phq9_{n}": 0 for n in range(1, 10)}
    trial.save_form(participant, "V0", "phq9", answers)

    row = one(rows_of(frozen(), "phq9"), subjid=participant.study_id, visitnum=0)

    assert (row["phq9_10"], row["phq9_difficulty"], row["phq9_total"]) == (-96, -96, 0)


def test_totals_recomputed_from_items_equal_stored_totals(trial):
    stored = frozen()

    with opened(stored.path, stored.wrapped_key) as canonical:
        for code, table in ((t.instrument, t.name) for t in canonical.model.tables if t.instrument):
            definition = instruments.get(code)
            for row in named_rows(canonical, table):
                answers = {i.code: row[i.code] for i in definition.items if (row.get(i.code) or 0) >= 0}
                if row[f"{code}_form"] == 2:
                    again = instruments.score(definition, answers).as_dict()["scores"]
                    for score in (s for s in definition.scores if s.code in row and s.precision == 0):
                        value = row[score.code] if row[score.code] is None or row[score.code] >= 0 else None
                        assert again[score.code]["value"] == value, (code, score.code)


def test_item_responses_hold_every_item_of_every_expected_form(trial, person):
    stored = frozen(LATER)

    rows = [row for row in rows_of(stored, "item_responses") if row["subjid"] == person.study_id]

    assert len([row for row in rows if (row["visitnum"], row["instrument"]) == (3, "wemwbs")]) == 14
    assert one(rows, visitnum=0, instrument="phq9", item="phq9_1")["response"] == 3
    assert one(rows, visitnum=3, instrument="wemwbs", item="wemwbs_14")["response"] == -94


def test_blinded_item_responses_lack_items_that_show_delivery(trial):
    stored = frozen()

    hidden = {row["item"] for row in rows_of(stored, "item_responses")} - {
        row["item"] for row in rows_of(stored, "item_responses", blinded=True)
    }

    assert hidden == {"nc_group_sessions"}


def test_the_wide_table_repeats_the_long_ones(trial, person):
    stored = frozen()

    wide = one(rows_of(stored, "wide"), subjid=person.study_id)

    assert wide["phq9_total_scr"] == one(rows_of(stored, "phq9"), subjid=person.study_id, visitnum=0)["phq9_total"]
    assert wide["visit_status_bl"] == one(rows_of(stored, "visits"), subjid=person.study_id, visitnum=1)["visit_status"]


def test_the_blinded_status_does_not_tell_when_an_activity_began(trial, person):
    stored = frozen()

    whole = one(rows_of(stored, "participants"), subjid=person.study_id)
    blinded = one(rows_of(stored, "participants", blinded=True), subjid=person.study_id)

    assert (whole["status"], whole["journey_status"]) == (6, 6)
    assert "journey_status" not in blinded
    assert "arm" not in blinded
    assert blinded["randomisation_date"] == "2026-07-09"


def deviation(trial, person, sequence: int, reveals: bool, kind: str) -> Deviation:
    return Deviation(
        site=trial.site,
        participant=person,
        sequence=sequence,
        occurred_date=TODAY,
        kind=kind,
        severity="minor",
        reveals_arm=reveals,
        description_sealed="Words that stay inside",
        recorded_at=NOW,
    ).save_by(None)


def test_deviations_that_reveal_an_arm_leave_no_gap(trial, person):
    deviation(trial, person, 1, True, "other_arm")
    deviation(trial, person, 2, False, "visit")
    deviation(trial, None, 3, False, "data")

    stored = frozen()

    blinded = rows_of(stored, "deviations", blinded=True)
    assert [(row["seq"], row["deviation_kind"]) for row in blinded] == [(1, 4)]
    assert [(row["seq"], row["deviation_kind"]) for row in rows_of(stored, "deviations")] == [(1, 4), (2, 6)]
    assert [(row["site"], row["seq"]) for row in rows_of(stored, "site_deviations")] == [("01", 1)]


def test_withdrawals_say_what_changed_and_what_came_after_the_lock(trial, person):
    stop_questionnaires(person, TODAY, trial.coordinator)

    row = one(rows_of(frozen(), "withdrawals"), subjid=person.study_id)

    assert (row["part_forms_web"], row["part_activity"], row["after_lock"]) == (0, None, 0)


def test_open_queries_are_counted_without_their_words(trial, person):
    form = person.administrations.get(instrument="gad7")
    review.raise_query(
        participant=person, text="Secret words", administration=form, field="gad7_1", by=trial.coordinator, at=NOW
    )

    rows = rows_of(frozen(), "queries")

    assert [(row["subjid"], row["instrument"], row["item"], row["age_days"]) for row in rows] == [
        (person.study_id, "gad7", "gad7_1", 0)
    ]
    assert "Secret" not in str(rows)


def test_consent_is_told_statement_by_statement(trial, person):
    row = one(rows_of(frozen(), "consent"), subjid=person.study_id)

    assert (row["consent_seq"], row["consent_version"], row["agreed_take_part"]) == (1, "1.0", 1)


def test_a_consent_version_is_not_in_blinded_releases(trial, person):
    rows = rows_of(frozen(), "consent", blinded=True)

    assert "consent_version" not in rows[0]
    assert "pis_version" not in rows[0]
