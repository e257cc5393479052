"""Enrolment, engagement and adherence by referral model and source: every figure beside what it is worked from."""

import csv
import io
from datetime import timedelta

import pytest

from exports.reports import referral_model as report
from exports.reports.referral_model import Cell, Person, Row, Table, is_small, suppressed
from tests.factories import NOW, TODAY, Trial, site, staff
from tests.trial.activities.builders import join, make_group
from trial.access.policy import Role
from trial.attendance.models import Mark
from trial.journey import actions as journey
from trial.journey import figures
from trial.participants.models import Referral, Status


def person(model="direct", source="gp_practice", consented=True, randomised=True, attended=True, adherent=True):
    return Person(model, source, consented, randomised, attended, adherent)


def cell(count, total):
    return Cell(figures.proportion(count, total))


def by_label(table):
    return {row.label: row for row in table.rows}


# -- figures


def test_each_measure_has_the_denominator_that_the_report_states():
    """BR-47: never-starters stay in; engagement and adherence count of everybody randomised."""
    people = [
        person(),
        person(adherent=False),
        person(attended=False, adherent=False),
        person(randomised=False, attended=False, adherent=False),
        person(consented=False, randomised=False, attended=False, adherent=False),
    ]

    row = by_label(report.tables(people, with_delivery=True, is_open=False)[0])["Direct referral"]

    assert row.enrolment.value == "4 of 5, 80.0%"
    assert row.engagement.value == "2 of 3, 66.7%"
    assert row.adherence.value == "1 of 3, 33.3%"


def test_intervals_are_those_of_wilson():
    """domain.md F7: adherent 12 of 16 (0.5050, 0.8982)."""
    found = cell(12, 16)

    assert found.range == "50.5% to 89.8%"
    assert found.numbers()[:2] == ("12", "16")
    assert [round(float(one), 2) for one in found.numbers()[2:]] == [75.0, 50.5, 89.82]
    assert found.drawing == (121.2, 180.0, 215.6)


def test_nobody_is_a_dash_and_draws_nothing():
    empty = cell(0, 0)

    assert (empty.value, empty.range, empty.drawing) == ("–", "", None)
    assert empty.numbers() == ("0", "0", "", "", "")


def test_rows_add_up_to_everybody_and_a_model_that_was_not_recorded_is_said():
    people = [person("direct"), person("holistic", "voluntary"), person("", "self", consented=False, randomised=False)]

    models, sources = report.tables(people, with_delivery=True, is_open=False)

    for table in (models, sources):
        *parts, total = table.rows
        assert sum(row.enrolment.estimate.total for row in parts) == total.enrolment.estimate.total == 3
        assert sum(row.adherence.estimate.count for row in parts) == total.adherence.estimate.count
    assert "Not recorded" in by_label(models)
    assert "Not recorded" not in by_label(report.tables([person()], with_delivery=True, is_open=False)[0])


# -- small numbers (BR-68)


@pytest.mark.parametrize(
    ("count", "total", "small"),
    [(0, 0, False), (0, 4, True), (4, 20, True), (16, 20, True), (5, 20, False), (0, 9, False), (9, 9, False)],
)
def test_a_count_its_rest_and_its_denominator_may_be_small(count, total, small):
    assert is_small(figures.proportion(count, total)) is small


def table_of(*pairs):
    total = (sum(c for c, _ in pairs), sum(t for _, t in pairs))
    rows = [Row(str(place), cell(*pair), None, None) for place, pair in enumerate((*pairs, total))]
    return suppressed(Table("Source", rows))


def hidden(table):
    return [row.enrolment.hidden for row in table.rows]


def test_a_single_small_number_takes_the_next_smallest_with_it():
    assert hidden(table_of((2, 20), (10, 30), (8, 16))) == [True, False, True, False]


def test_two_small_numbers_hide_each_other():
    assert hidden(table_of((2, 20), (3, 40), (8, 16))) == [True, True, False, False]


def test_a_small_number_alone_takes_the_total_with_it():
    assert hidden(table_of((2, 20), (0, 0)))[2]


def test_a_small_total_hides_everything():
    assert hidden(table_of((1, 2), (1, 2))) == [True, True, True]


def test_what_is_left_out_is_in_no_cell_no_drawing_and_no_file():
    left_out = Cell(figures.proportion(2, 20), hidden=True)

    assert left_out.value == "Left out: small number"
    assert (left_out.range, left_out.drawing, left_out.numbers()) == ("", None, ("",) * 5)


@pytest.mark.parametrize("seed", range(20))
def test_no_hidden_number_can_be_worked_out_from_the_total(seed):
    pairs = [((seed * 7 + n * 3) % 9, 9 + (seed + n) % 5) for n in range(5)]

    *parts, total = hidden(table_of(*pairs))

    assert sum(parts) != 1 or total


# -- from the data


@pytest.fixture
def trial(clock):
    return Trial().open_randomisation()


def attend(trial, participant, n_attended, n_offered=10):
    """A group with sessions delivered, and the person's marks: here, then absent."""
    group = make_group(trial, name=f"Group of {participant}", start_date=TODAY - timedelta(days=80))
    join(group, participant, from_date=TODAY - timedelta(days=80))
    for number, session in enumerate(group.sessions.order_by("number")[:n_offered]):
        starts = session.starts_at
        session.status, session.completed_at, session.risk_checked_at = "delivered", starts, starts
        session.save_by(None, "Delivered")
        Mark(
            session=session,
            participant=participant,
            status="full" if number < n_attended else "absent",
            marked_by=trial.coordinator,
            captured_at=starts,
            received_at=starts,
        ).save()


@pytest.mark.django_db
def test_people_are_read_once_by_their_latest_record_with_their_attendance(trial):
    keeps_going, starts, never = (trial.randomised() for _ in range(3))
    attend(trial, keeps_going, 6)
    attend(trial, starts, 5)
    again = trial.refer(last_name="Again", at=NOW - timedelta(days=30))
    journey.close(referral=again, target=Status.PRESCREEN_INELIGIBLE, reasons=["E4"], by=trial.coordinator, at=NOW)
    trial.refer(last_name="Again")

    people = report.people_of([trial.site], with_delivery=True)

    total = report.tables(people, with_delivery=True, is_open=False)[1].rows[-1]
    assert total.enrolment.value == "3 of 4, 75.0%"
    assert total.engagement.value == "2 of 3, 66.7%"
    assert total.adherence.value == "1 of 3, 33.3%"
    assert Referral.objects.count() == 5
    assert never.marks.count() == 0


@pytest.mark.django_db
def test_a_blinded_role_reads_enrolment_alone_and_no_attendance_is_looked_up(client, trial):
    attend(trial, trial.randomised(), 6)
    client.force_login(staff(Role.DATA_MANAGER))

    page = client.get("/reports/referral-models/")
    file = client.get("/reports/referral-models/figures.csv").content.decode("utf-8-sig")

    assert {name for table in page.context["tables"] for row in table.rows for name, _ in row.cells()} == {"enrolment"}
    assert "Adherence" not in page.content.decode()
    assert {line["measure"] for line in csv.DictReader(io.StringIO(file))} == {"enrolment"}


@pytest.mark.django_db
def test_the_trial_manager_reads_all_three_and_no_arm(client, trial):
    attend(trial, trial.randomised(), 6)
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))

    page = client.get("/reports/referral-models/").content.decode()
    file = client.get("/reports/referral-models/figures.csv").content.decode("utf-8-sig")

    assert "1 of 1, 100.0%" in page
    assert not any(arm.label in page or arm.code in file for arm in trial.spec.arms)
    rows = list(csv.DictReader(io.StringIO(file)))
    (everybody,) = (
        one for one in rows if one["by"] == "Source" and one["group"] == "Everybody" and one["measure"] == "adherence"
    )
    assert (everybody["count"], everybody["denominator"]) == ("1", "1")


@pytest.mark.django_db
def test_an_open_report_leaves_small_numbers_out(client, trial):
    trial.refer()
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))

    page = client.get("/reports/referral-models/?for=open").content.decode()
    file = client.get("/reports/referral-models/figures.csv?for=open").content.decode("utf-8-sig")

    assert "Left out: small number" in page
    everybody = [one for one in csv.DictReader(io.StringIO(file)) if one["group"] == "Everybody"]
    assert {one["count"] for one in everybody if one["measure"] == "enrolment"} == {""}


@pytest.mark.django_db
def test_a_coordinator_reads_the_own_site(client, trial):
    trial.refer()
    client.force_login(staff(Role.COORDINATOR, site("02")))

    page = client.get("/reports/referral-models/")

    assert page.context["tables"][0].rows[-1].enrolment.value == "–"
