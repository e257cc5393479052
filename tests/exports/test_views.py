"""Pages of releases: blinded people never meet what reveals allocation, not even as a number (BR-26)."""

import io
import zipfile

import pytest
from django.test import Client

from exports import actions, unblinding
from exports.models import Download, Release
from tests.factories import NOW, PASSWORD, TODAY, Trial, proof, staff
from trial.access.models import AccessEvent, User
from trial.access.policy import Role
from trial.locking import actions as locking
from trial.locking.models import DatasetLock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]


@pytest.fixture
def trial() -> Trial:
    return Trial()


@pytest.fixture
def manager(trial) -> User:
    return staff(Role.DATA_MANAGER, name="Tom Ellery")


@pytest.fixture
def statistician(trial) -> User:
    return staff(Role.TRIAL_STATISTICIAN, name="Dr Owen Pryce")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def cut(manager) -> DatasetLock:
    return locking.make_cut(name="DMC", reason="Meeting", data_through=TODAY, by=manager, at=NOW)


@pytest.fixture
def release(manager, cut) -> Release:
    asked = actions.request_release(lock=cut, variant="blinded", purpose="Main analysis", by=manager, at=NOW)
    return actions.build_release(release=asked, by=manager)


@pytest.fixture
def unblinded_release(trial, manager) -> Release:
    chief, office = staff(Role.CHIEF_INVESTIGATOR), staff(Role.TRIAL_MANAGER)
    asked = locking.ask_lock(reason="Analysis", data_through=TODAY, proof=proof(manager), by=manager, at=NOW)
    made = locking.agree_lock(lock=asked, proof=proof(chief), by=chief, at=NOW)
    row = unblinding.ask_unblinding(lock=made, plan="SAP 1.0", reason="x", proof=proof(chief), by=chief, at=NOW)
    unblinding.agree_unblinding(unblinding=row, proof=proof(office), by=office, at=NOW)
    by = staff(Role.UNBLINDED_STATISTICIAN)
    wanted = actions.request_release(lock=made, variant="unblinded", purpose="Report", by=by, at=NOW)
    return actions.build_release(release=wanted, by=by)


def test_the_list_is_empty_before_anything_is_released(statistician):
    page = as_(statistician).get("/releases/").content.decode()

    assert "No releases" in page


def test_the_list_shows_state_cut_off_and_hash(statistician, release):
    page = as_(statistician).get("/releases/").content.decode()

    assert "C001, blinded" in page
    assert "NOT LOCKED" in page
    assert "9 Jul 2026" in page
    assert release.sha256[:4] in page


def test_a_release_is_made_on_its_page(manager, cut):
    client = as_(manager)

    page = client.post(
        "/releases/new/", {"lock": "C001", "variant": "blinded", "purpose": "Main analysis"}, follow=True
    ).content.decode()

    assert Release.objects.get().state == "done"
    assert "GREENRXF_C001_blinded_2026-07-09.zip" in page
    assert "equal, byte for byte" in page


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"lock": "C001", "variant": "unblinded", "purpose": "x"},
        {"lock": "L009", "variant": "blinded", "purpose": "x"},
        {"lock": "C001", "variant": "blinded", "purpose": "\x00"},
    ],
)
def test_what_cannot_be_released_is_refused_in_words(manager, cut, posted):
    page = as_(manager).post("/releases/new/", posted)

    assert page.status_code == 200
    assert "There is a problem" in page.content.decode()
    assert not Release.objects.exists()


def test_the_page_says_what_was_left_out_and_shows_the_hash(statistician, release):
    page = as_(statistician).get(f"/releases/{release.pk}/").content.decode()

    assert "Left out, because it is blinded" in page
    assert "randomisation" in page
    assert release.sha256[:4] in page
    assert "0 consented, 0 randomised" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("{}", "Your copy is this release."),
        (" {} ", "Your copy is this release."),
        ("{}  GREENRXF_C001_blinded_2026-07-09.zip", "Your copy is this release."),
        ("0" * 64, "Your copy is not this release."),
        ("abc", "Enter the 64 digits"),
        ("", "Enter the SHA-256"),
    ],
)
def test_a_copy_is_compared_by_its_hash(statistician, release, typed, said):
    page = as_(statistician).post(f"/releases/{release.pk}/", {"sha256": typed.format(release.sha256)})

    assert said in page.content.decode()


def test_the_statistician_downloads_and_the_hash_is_logged(statistician, release):
    response = as_(statistician).post(f"/releases/{release.pk}/download/", {"purpose": "Tables"})

    content = b"".join(response.streaming_content)
    assert response["Content-Disposition"] == 'attachment; filename="GREENRXF_C001_blinded_2026-07-09.zip"'
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert Download.objects.get().sha256 == release.sha256
    assert AccessEvent.objects.filter(kind="downloaded", record=release.file_name).exists()


def test_a_download_without_purpose_says_so_and_logs_nothing(statistician, release):
    page = as_(statistician).post(f"/releases/{release.pk}/download/", {}, follow=True)

    assert "Say what you will use the dataset for" in page.content.decode()
    assert not Download.objects.exists()


def test_a_link_downloads_nothing(statistician, release):
    assert as_(statistician).get(f"/releases/{release.pk}/download/").status_code == 405


def test_who_downloaded_it_is_shown(statistician, release):
    client = as_(statistician)
    fetched = client.post(f"/releases/{release.pk}/download/", {"purpose": "Tables for the report"})
    assert b"".join(fetched.streaming_content)

    page = client.get(f"/releases/{release.pk}/downloads/").content.decode()

    assert "Dr Owen Pryce" in page
    assert "Tables for the report" in page


def test_a_data_manager_sees_no_download(manager, release):
    client = as_(manager)

    assert "Download dataset" not in client.get(f"/releases/{release.pk}/").content.decode()
    assert client.post(f"/releases/{release.pk}/download/", {"purpose": "x"}).status_code == 404


def test_it_is_built_again_on_request(manager, release):
    page = as_(manager).post(f"/releases/{release.pk}/rebuild/", follow=True).content.decode()

    assert "equal, byte for byte" in page


def test_what_changed_is_shown_by_table_and_cell(trial, manager, statistician, cut):
    participant = trial.consented()
    trial.save_form(participant, "V0", "phq9")
    second = locking.make_cut(name="two", reason="x", data_through=TODAY, by=manager, at=NOW)
    assert second.code == "C002"
    trial.save_form(
        participant, "V0", "phq9", {f"phq9_{n}": 0 for n in range(1, 9)} | {"phq9_9": 0, "phq9_10": 0},
        reasons={"phq9_1": "Typing mistake"},
    )  # fmt: skip
    trial.save_form(
        participant, "V0", "phq9", {f"phq9_{n}": int(n == 1) for n in range(1, 11)},
        reasons={"phq9_1": "Typing mistake"},
    )  # fmt: skip
    third = locking.make_cut(name="three", reason="x", data_through=TODAY, by=manager, at=NOW)
    asked = actions.request_release(lock=third, variant="blinded", purpose="x", by=manager, at=NOW)
    later = actions.build_release(release=asked, by=manager)
    client = as_(statistician)

    page = client.get(f"/releases/{later.pk}/?table=phq9").content.decode()
    every = client.get(f"/releases/{later.pk}/changes/phq9/").content.decode()
    text = client.get(f"/releases/{later.pk}/changes.txt").content.decode()

    assert "What changed since C002" in page
    assert "phq9_total" in every
    assert "Typing mistake" in every
    assert "Compared with C002" in text
    assert client.get(f"/releases/{later.pk}/changes/wemwbs/").status_code == 404


def test_a_blinded_person_never_meets_an_unblinded_release(statistician, manager, unblinded_release):
    for user in (statistician, manager):
        client = as_(user)
        base = f"/releases/{unblinded_release.pk}/"
        pages = [client.get(f"{base}{tail}").status_code for tail in ("", "downloads/", "changes.txt", "changes/phq9/")]
        posts = client.post(f"{base}download/", {"purpose": "x"}).status_code
        listed = client.get("/releases/").content.decode()

        assert pages == [404] * 4
        assert posts == 404
        assert "unblinded" not in listed.lower()
        assert "No releases" in listed


def test_an_unblinded_statistician_downloads_it(unblinded_release):
    reader = staff(Role.UNBLINDED_STATISTICIAN)
    client = as_(reader)

    page = client.get(f"/releases/{unblinded_release.pk}/").content.decode()
    response = client.post(f"/releases/{unblinded_release.pk}/download/", {"purpose": "Report"})

    assert "This release reveals allocation" in page
    assert response.status_code == 200
    assert b"".join(response.streaming_content)


def test_the_codebook_of_a_blinded_person_names_nothing_that_reveals(trial, statistician):
    client = as_(statistician)
    trial.consented()

    page = client.get("/codebook/?table=nature_contact").content.decode()

    assert "nc_days" in page
    assert "nc_group_sessions" not in page
    assert client.get("/codebook/?table=randomisation").status_code == 404


def test_the_codebook_of_the_newest_cut_is_shown_page_by_page(statistician, release):
    page = as_(statistician).get("/codebook/?table=wide&page=3").content.decode()

    assert "As of C001" in page
    assert "101 to 150 of" in page


def test_the_number_of_lookups_does_not_grow_with_releases(
    statistician, manager, release, django_assert_max_num_queries
):
    client = as_(statistician)
    client.get("/releases/")
    with django_assert_max_num_queries(15) as one:
        client.get("/releases/")
    for _ in range(3):
        made = locking.make_cut(name="x", reason="x", data_through=TODAY, by=manager, at=NOW)
        actions.request_release(lock=made, variant="blinded", purpose="x", by=manager, at=NOW)

    with django_assert_max_num_queries(len(one.captured_queries)):
        client.get("/releases/")


def test_two_people_record_the_unblinding_on_its_pages(trial, manager):
    chief, office = staff(Role.CHIEF_INVESTIGATOR), staff(Role.TRIAL_MANAGER)
    asked = locking.ask_lock(reason="Analysis", data_through=TODAY, proof=proof(manager), by=manager, at=NOW)
    locking.agree_lock(lock=asked, proof=proof(chief), by=chief, at=NOW)
    as_(chief).post("/releases/unblinding/ask/", {"plan": "SAP 1.0", "reason": "Analysis", "secret": PASSWORD})
    waiting = as_(office).get("/releases/unblinding/").content.decode()
    pk = unblinding.Unblinding.objects.get().pk

    page = as_(office).post(f"/releases/unblinding/{pk}/agree/", {"secret": PASSWORD}, follow=True).content.decode()

    assert "Agree to unblind" in waiting
    assert "The unblinding is recorded" in page
    assert unblinding.is_unblinded()


@pytest.mark.parametrize("path", ["/releases/", "/releases/new/", "/codebook/", "/releases/unblinding/"])
def test_other_roles_are_refused(trial, path):
    assert as_(trial.coordinator).get(path).status_code == 403


def test_a_statistician_has_no_say_in_the_unblinding(statistician):
    assert as_(statistician).get("/releases/unblinding/").status_code == 403
