"""The list of people: what it shows, whom it finds, and how often it asks the database."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import Trial, site, staff
from tests.trial.journey.builders import crowd, named, one_of_each_arm
from tests.trial.participants.builders import dispose
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.participants.models import Referral

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


def _numbers(response):
    return [row.number for row in response.context["rows"]]


def _csv(response):
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("n_people", [10, 500])
def test_the_list_asks_the_database_15_times_at_most_however_many_there_are(trial, client, n_people):
    crowd(trial, n_people)
    client.force_login(trial.coordinator)
    client.get("/people/")

    with CaptureQueriesContext(connection) as asked:
        response = client.get("/people/")

    assert len(response.context["rows"]) == min(n_people, 50)
    assert response.context["pages"].total == n_people
    assert len(asked) <= 15, "\n".join(query["sql"][:100] for query in asked.captured_queries)


def test_a_line_says_number_site_status_and_what_is_next(trial, client):
    trial.refer()
    crowd(trial, 1)
    client.force_login(trial.coordinator)

    response = client.get("/people/")

    rows = {row.number: row for row in response.context["rows"]}
    assert rows["S-01-0001"].next == "Make first contact"
    assert rows["GRX-01-002-5"].next == "Week 12, by 23 Jul"
    assert rows["GRX-01-002-5"].site == "Tamar Vale"


def test_the_list_shows_no_name(trial, client):
    trial.refer(first_name="Zebedee", last_name="Quillfeather")
    client.force_login(trial.coordinator)

    response = client.get("/people/")

    assert b"S-01-0001" in response.content
    assert b"Quillfeather" not in response.content
    assert b"Zebedee" not in response.content


def test_people_of_another_site_are_not_there(trial, client):
    crowd(trial, 1, site=site("02"))
    client.force_login(trial.coordinator)

    response = client.get("/people/?q=GRX-02")

    assert _numbers(response) == []


def test_the_list_is_narrowed_by_site_and_status(trial, client):
    trial.refer()
    crowd(trial, 2)
    other = crowd(trial, 1, site=site("02"))[0]
    client.force_login(staff(Role.DATA_MANAGER))

    assert len(_numbers(client.get("/people/"))) == 4
    assert _numbers(client.get("/people/?site=02")) == [other.study_id]
    assert _numbers(client.get("/people/?status=referred")) == ["S-01-0001"]
    assert len(_numbers(client.get("/people/?site=99&status=nonsense&page=400"))) == 4


@pytest.mark.parametrize("typed", ["GRX-01-0", "grx 01 0", "S-01-00", "  grx-01 "])
def test_a_number_is_found_by_its_start(trial, client, typed):
    crowd(trial, 2)
    client.force_login(trial.coordinator)

    response = client.post("/people/", {"q": typed})

    assert len(_numbers(response)) == 2
    assert not AccessEvent.objects.filter(kind="identity_viewed").exists()


def test_a_whole_number_leads_to_its_record(trial, client):
    crowd(trial, 3)
    client.force_login(trial.coordinator)

    response = client.post("/people/", {"q": "grx-01-002-5"})

    assert response.headers["Location"] == "/people/GRX-01-002-5/"


@pytest.mark.parametrize(
    "typed", ["o'brian-sm", "OBRIAN SMYTH", "Zoë O’Brian", "14/3/1971", "14 March 1971", "1971-03-14"]
)
def test_somebody_who_may_see_identities_finds_a_surname_or_a_birth_date(trial, client, typed):
    people = crowd(trial, 3)
    named(people[1], first_name="Zoe", last_name="O’Brian-Smyth", birth_date=date(1971, 3, 14))
    named(people[2], first_name="Ann", last_name="Smyth", birth_date=date(1971, 4, 13))
    client.force_login(trial.coordinator)

    response = client.post("/people/", {"q": typed})

    assert _numbers(response) == [people[1].study_id]


def test_a_search_by_name_is_logged_without_what_was_typed(trial, client):
    named(crowd(trial, 1)[0], first_name="Zoe", last_name="Quillfeather", birth_date=date(1971, 3, 14))
    client.force_login(trial.coordinator)

    client.post("/people/", {"q": "Quillf"})

    event = AccessEvent.objects.get(kind="identity_viewed")
    assert "S-01-0001" in event.detail
    assert "quill" not in (event.detail + event.record).lower()


@pytest.mark.parametrize("role", [Role.DATA_MANAGER, Role.RANDOMISER])
def test_nobody_else_finds_anybody_by_name(trial, client, role):
    named(crowd(trial, 1)[0], first_name="Zoe", last_name="Quillfeather", birth_date=date(1971, 3, 14))
    client.force_login(staff(role))

    for typed in ("Quillfeather", "14/3/1971"):
        assert _numbers(client.post("/people/", {"q": typed})) == []


def test_somebody_without_permission_is_told_so(trial, client):
    client.force_login(staff(Role.ADMINISTRATOR))

    assert client.get("/people/").status_code == 403


def test_the_file_holds_the_narrowed_list_and_its_taking_is_logged(trial, client):
    trial.refer()
    crowd(trial, 60)
    client.force_login(trial.coordinator)

    rows = _csv(client.get("/people/?status=follow_up&format=csv"))

    assert rows[0][0] == "Number"
    assert len(rows) == 61
    assert AccessEvent.objects.get(kind="exported").detail == "60 records"


def test_no_cell_of_the_file_runs_as_a_formula(trial, client):
    trial.site.name = "=HYPERLINK(1)"
    trial.site.save_by(None, "For a test")
    trial.refer()
    client.force_login(trial.coordinator)

    rows = _csv(client.get("/people/?format=csv"))

    assert rows[1][2] == "'=HYPERLINK(1)"


def test_a_blinded_reader_sees_the_same_of_both_arms(trial, client):
    people = one_of_each_arm(trial.open_randomisation())
    client.force_login(staff(Role.OUTCOME_ASSESSOR, trial.site))

    rows = {row.number: row for row in client.get("/people/").context["rows"]}

    one, other = (rows[person.study_id] for person in people)
    assert (one.status, one.next, one.site) == (other.status, other.next, other.site)


def test_somebody_without_keys_any_more_stops_no_search(trial, client):
    dispose(named(crowd(trial, 1)[0], last_name="Quillfeather").referral)
    client.force_login(trial.coordinator)

    response = client.post("/people/", {"q": "Quillfeather"})

    assert response.status_code == 200
    assert Referral.objects.count() == 1


def test_keys_that_open_nothing_are_said_to_and_find_nobody(trial, client, settings):
    named(crowd(trial, 1)[0], last_name="Quillfeather")
    settings.IDENTITY_KEYS = ["YW5vdGhlci1rZXktdGhhdC1vcGVucy1ub3RoaW5nLTE="]
    client.force_login(trial.coordinator)

    response = client.post("/people/", {"q": "Quillfeather"})

    assert _numbers(response) == []
    assert "cannot be opened" in response.content.decode()


@pytest.mark.parametrize("typed", ["31/2/1971", "1/13/1971", "q", "x/y/zzzz"])
def test_what_cannot_be_a_date_or_a_name_finds_nobody(trial, client, typed):
    named(crowd(trial, 1)[0], last_name="Quillfeather", birth_date=date(1971, 2, 28))
    client.force_login(trial.coordinator)

    assert _numbers(client.post("/people/", {"q": typed})) == []


def test_a_surname_is_found_by_post_and_never_from_an_address(client, clock):
    trial = Trial()
    referral = trial.refer(last_name="Quillfeather")
    client.force_login(trial.coordinator)

    by_address = client.get("/people/?q=Quillfeather&format=csv")
    by_post = client.post("/people/", {"q": "Quillfeather"})

    assert b"S-01-0001" in by_post.content
    assert referral.screening_number in by_address.getvalue().decode()  # the name narrows nothing there
    assert client.post("/people/", {"q": "Nobody at all"}).content.count(b"S-01-0001") == 0
    assert client.post("/people/", {"q": "a\x00b"}).status_code == 200
