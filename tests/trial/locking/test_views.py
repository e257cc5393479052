"""The lock room through the browser's eyes: who sees what, what each step does, what a repeated post does."""

import pytest
from django.test import Client

from tests.factories import NOW, PASSWORD, TODAY, Trial, staff
from trial.access.models import AccessEvent, User
from trial.access.policy import Role
from trial.locking import checks
from trial.locking.models import DatasetLock
from trial.review import actions as review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]
DAY = {"data_through_0": "9", "data_through_1": "7", "data_through_2": "2026"}


@pytest.fixture(autouse=True)
def _releases_here(settings, tmp_path):
    settings.RELEASE_DIR = tmp_path


@pytest.fixture
def trial() -> Trial:
    return Trial()


@pytest.fixture
def manager(trial) -> User:
    return staff(Role.DATA_MANAGER, name="Tom Ellery")


@pytest.fixture
def chief(trial) -> User:
    return staff(Role.CHIEF_INVESTIGATOR, name="Dr Ruth Sayer")


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ask(user: User, **more):
    return as_(user).post("/locks/ask/", {"reason": "Analysis", "secret": PASSWORD, **DAY} | more, follow=True)


def lock() -> DatasetLock:
    return DatasetLock.objects.get()


def test_the_room_shows_each_check_by_site(trial, manager):
    page = as_(manager).get("/locks/").content.decode()

    assert all(words in page for words in ("Expected forms", "Open queries", "Audit trail", "Tamar Vale", "Moorside"))
    assert "Checked Thursday 9 July 2026 at 11am." in page


def test_what_is_left_to_do_is_listed_and_no_lock_offered(trial, manager):
    review.raise_query(participant=trial.consented(), text="Why?", by=trial.coordinator, at=NOW)
    checks.run_slow(at=NOW, on=TODAY)

    page = as_(manager).get("/locks/").content.decode()

    assert "Close 1 query" in page
    assert "at Tamar Vale" in page
    assert "/locks/ask/" not in page


def test_when_every_check_is_met_the_lock_is_offered(manager):
    as_(manager).post("/locks/check/")

    page = as_(manager).get("/locks/").content.decode()

    assert "Nothing left to do" in page
    assert "/locks/ask/" in page


def test_an_investigator_sees_own_sites_only(trial):
    review.raise_query(participant=trial.consented(), text="Why?", by=trial.coordinator, at=NOW)
    other = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site.__class__.objects.get(code="02"), blinded=True)

    page = as_(other).get("/locks/").content.decode()

    assert "Exe Coast" in page
    assert "Tamar Vale" not in page


def test_a_blinded_person_gets_no_link_to_sessions(manager):
    assert "/sessions/" not in as_(manager).get("/locks/").content.decode()


def test_the_number_of_lookups_does_not_grow_with_people(trial, manager, django_assert_max_num_queries):
    client = as_(manager)
    client.get("/locks/")
    trial.consented()
    with django_assert_max_num_queries(60) as few:
        client.get("/locks/")
    for _ in range(3):
        trial.consented()

    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get("/locks/")


def test_two_people_lock_and_unlock_through_the_pages(manager, chief):
    ask(manager)
    base = f"/locks/{lock().pk}/"
    agreed = as_(chief).post(f"{base}agree/", {"secret": PASSWORD}, follow=True).content.decode()
    as_(manager).post(f"{base}unlock/", {"reason": "Paper found", "secret": PASSWORD})
    unlocked = as_(chief).post(f"{base}agree-unlock/", {"secret": PASSWORD}, follow=True).content.decode()

    assert "The dataset is locked as L001" in agreed
    assert "L001 is unlocked" in unlocked
    assert lock().state == "unlocked"


def test_a_wrong_password_signs_nothing_and_keeps_what_was_typed(manager):
    page = ask(manager, secret="wrong").content.decode()

    assert "Enter your own password" in page
    assert "Analysis" in page
    assert not DatasetLock.objects.exists()


def test_a_future_last_day_is_refused(manager):
    page = ask(manager, data_through_0="10").content.decode()

    assert "There is a problem" in page
    assert not DatasetLock.objects.exists()


def test_a_repeated_post_asks_once(manager):
    ask(manager)

    page = ask(manager).content.decode()

    assert "meanwhile" in page
    assert DatasetLock.objects.count() == 1


def test_an_agreement_sent_twice_locks_once(manager, chief):
    ask(manager)
    url = f"/locks/{lock().pk}/agree/"
    as_(chief).post(url, {"secret": PASSWORD})

    page = as_(chief).post(url, {"secret": PASSWORD}).content.decode()

    assert "locked already" in page


@pytest.mark.parametrize("step", ["refuse", "keep"])
def test_a_no_needs_a_reason(manager, chief, step):
    ask(manager)

    page = as_(chief).post(f"/locks/{lock().pk}/{step}/", {"reason": " "}).content.decode()

    assert "Enter the reason" in page
    assert lock().state == "asked"


def test_a_cut_is_made_on_its_page(manager):
    page = as_(manager).post("/locks/cut/", {"name": "DMC", "reason": "Meeting", **DAY}, follow=True).content.decode()

    assert "Data cut C001 made" in page
    assert "Data cut by Tom Ellery: DMC" in page


def test_a_cut_is_no_lock_to_agree_to(manager, chief):
    as_(manager).post("/locks/cut/", {"name": "DMC", "reason": "Meeting", **DAY})

    assert as_(chief).get(f"/locks/{lock().pk}/agree/").status_code == 404


@pytest.mark.parametrize("path", ["/locks/", "/locks/ask/", "/locks/cut/", "/locks/1/agree/"])
def test_other_roles_are_refused(trial, path):
    assert as_(trial.coordinator).get(path).status_code == 403


def test_an_attempt_to_change_locked_data_is_logged(trial, manager, chief):
    participant = trial.consented()
    DatasetLock(
        code="L001", kind="final", state="locked", reason="x", data_through=TODAY,
        asked_by=manager, asked_at=NOW, agreed_by=chief, locked_at=NOW,
    ).save_by(manager)  # fmt: skip

    page = as_(trial.coordinator).post(
        f"/people/{participant.study_id}/V1/gad7/",
        {f"gad7_{n}": 0 for n in range(1, 8)} | {"mode": "interview_in_person", "what": "submit"},
    )

    event = AccessEvent.objects.filter(kind=AccessEvent.Kind.REFUSED, detail__contains="locked data").last()
    assert page.status_code < 500
    assert event is not None
    assert (event.user, event.detail) == (trial.coordinator, "Tried to change locked data (L001)")


def test_what_only_a_trigger_stops_gets_a_page(trial, manager, chief, rf, client, settings):
    from django.db import IntegrityError

    from trial.base.triggers import LOCK_MESSAGE
    from trial.locking.middleware import LockedData

    request = rf.post("/anything/")
    request.user = trial.coordinator

    response = LockedData(lambda _: None).process_exception(request, IntegrityError(LOCK_MESSAGE))

    assert response.status_code == 409
    assert "The dataset is locked" in response.content.decode()
    assert LockedData(lambda _: None).process_exception(request, IntegrityError("other")) is None
