"""The pages of a list of referrals."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import Trial, staff
from tests.trial.journey.test_import_reading import xlsx
from trial.access.policy import Role
from trial.journey.models import ReferralImport
from trial.participants.models import Referral

pytestmark = pytest.mark.django_db

HEAD = "source_type,referral_model,received_date,contact_basis,sex,first_name,last_name,birth_date,phone,gp_practice\n"
GOOD = "self,signposting,1/7/2026,self_referral,female,Carol,Ash,14/3/1971,01632 960001,Tavyside\n"
BAD = "self,signposting,1/7/2026,self_referral,female,Jo,,14/3/1971,01632 960001,Tavyside\n"


@pytest.fixture
def trial(clock):
    return Trial()


@pytest.fixture
def page(trial, client):
    client.force_login(trial.coordinator)
    return client


def upload(page, text, name="list.csv"):
    data = text if isinstance(text, bytes) else text.encode()
    return page.post("/people/import/", {"file": SimpleUploadedFile(name, data)})


def test_the_page_documents_every_column_and_gives_the_headings(page):
    shown = page.get("/people/import/").content.decode()
    headings = page.get("/people/import/template.csv")

    (line,) = list(csv.reader(io.StringIO(headings.content.decode("utf-8-sig"))))
    assert line[0] == "site"
    assert {"first_name", "nhs_number", "contact_basis", "notes"} <= set(line)
    assert all(f">{name}<" in shown for name in line)


def test_a_list_is_checked_shown_and_saved(page):
    answer = upload(page, HEAD + GOOD + BAD)
    where = answer.headers["Location"]
    shown = page.get(where).content.decode()
    ready = page.get(where, {"show": "ready"}).content.decode()

    assert not Referral.objects.exists()
    assert "Enter last name" in shown
    assert "Carol Ash" in ready

    page.post(where, {"do": "confirm"})
    page.post(where, {"do": "confirm"})
    done = page.get(where).content.decode()

    assert Referral.objects.get().screening_number in done
    assert "Enter last name" in done


def test_the_headings_of_the_template_are_read_back(page):
    head = page.get("/people/import/template.csv").content.decode("utf-8-sig").strip()
    values = dict(zip(HEAD.strip().split(","), GOOD.strip().split(","), strict=True))
    line = ",".join(values.get(name, "") for name in head.split(","))

    answer = upload(page, f"{head}\n{line}\n")

    assert ReferralImport.objects.get(pk=answer.headers["Location"].split("/")[-2]).n_refused == 0


def test_an_xlsx_is_taken_whatever_its_name(page):
    answer = upload(page, xlsx(HEAD.strip().split(","), GOOD.strip().split(",")), name="list.txt")

    assert answer.status_code == 302


def test_a_list_is_thrown_away(page):
    where = upload(page, HEAD + GOOD).headers["Location"]

    page.post(where, {"do": "discard"})
    again = page.post(where, {"do": "confirm"}, follow=True).content.decode()

    assert not Referral.objects.exists()
    assert "This list was discarded" in again


def test_the_lines_to_put_right_come_as_csv_without_what_they_said(page):
    where = upload(page, HEAD + BAD).headers["Location"]

    rows = list(csv.reader(io.StringIO(page.get(f"{where}refused.csv").content.decode("utf-8-sig"))))

    assert rows == [["line", "column", "what to do"], ["2", "last_name", "Enter last name"]]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "The file is empty"),
        (b"\x00\x01\x02", "its beginning is missing"),
        (HEAD.encode(), "no line below"),
        (b"PK\x03\x04", "damaged"),
        (b"x" * (5 * 1024 * 1024 + 1), "5 MB or smaller"),
        (HEAD.encode() + b"\x81\n", "cannot be read"),
        (HEAD.encode() + b'"' * 3 + b"\n", "not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_on_the_page(page, data, text):
    answer = upload(page, data)

    assert answer.status_code == 200
    assert text in answer.content.decode()
    assert not ReferralImport.objects.exists()


def test_no_file_is_refused(page):
    assert "Choose a file" in page.post("/people/import/", {}).content.decode()
    assert "Choose a file" in page.post("/people/import/", {"file": "text"}).content.decode()


def test_a_colleague_finds_nothing(page, trial):
    where = upload(page, HEAD + GOOD).headers["Location"]
    page.force_login(staff(Role.COORDINATOR, trial.site))

    assert page.get(where).status_code == 404
    assert page.post(where, {"do": "confirm"}).status_code == 404
    assert page.get(f"{where}refused.csv").status_code == 404
    assert not Referral.objects.exists()


def test_a_lost_session_loses_no_list(page, trial):
    where = upload(page, HEAD + GOOD).headers["Location"]
    page.logout()
    page.post(where, {"do": "confirm"})
    page.force_login(trial.coordinator)

    page.post(where, {"do": "confirm"})

    assert Referral.objects.count() == 1


def test_long_lists_come_in_pages_with_a_constant_number_of_queries(page, django_assert_max_num_queries):
    lines = "".join(GOOD.replace("Ash", f"Ash{'abcdefghij'[i % 10]}{'abcdefghij'[i // 10]}") for i in range(60))
    where = upload(page, HEAD + lines).headers["Location"]

    with django_assert_max_num_queries(12):
        second = page.get(where, {"show": "ready", "page": "2"}).content.decode()

    assert "51 to 60 of 60 lines" in second


def test_the_page_is_for_those_who_bring_in_lists(client, trial):
    client.force_login(trial.investigator)

    assert client.get("/people/import/").status_code == 403
