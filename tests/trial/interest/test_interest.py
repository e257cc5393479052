"""The public page of a poster: what it takes, what it never tells, and what becomes of an entry (BR-01)."""

import gzip
import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from pypdf import PdfReader

from tests.factories import NOW, TODAY, Trial, final_lock, site, staff
from tests.journeys.visitor import day
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.interest import actions, limits, poster
from trial.interest.actions import Left
from trial.interest.models import Interest, InterestSource
from trial.messages.models import Task
from trial.participants import identity
from trial.participants.models import Referral
from trial.protocol.working_time import add_working_days

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TYPED = {"name": "Zebedee Quill", "phone": "01632 960 007", "times": ["morning"], "consent": "on"}


@pytest.fixture(autouse=True)
def _no_counts():
    cache.clear()


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def source(trial):
    return actions.add_source(
        site=trial.site,
        name="Tavyside Surgery, waiting room",
        source_type="gp_practice",
        referral_model="signposting",
        by=trial.coordinator,
        at=NOW,
    )


@pytest.fixture
def entry(source):
    return actions.receive(source=source, left=Left("Zebedee Quill", phone="01632 960007"), consents=True, at=NOW)


def page_of(source):
    return f"/interest/{source.code}/"


# -- the public page


def test_somebody_leaves_a_name_and_one_way_to_be_reached(client, source):
    answer = client.post(page_of(source), TYPED, follow=True)

    assert "Thank you" in answer.content.decode()
    entry = Interest.objects.get()
    assert actions.left_by(entry) == Left("Zebedee Quill", "01632 960 007", "", ("morning",))
    assert not Referral.objects.exists()


def test_what_was_left_lies_sealed_and_never_in_history_or_tasks(client, source):
    client.post(page_of(source), TYPED)

    stored = repr(list(Interest.objects.values())) + repr(list(Interest.history.values())) + repr(Task.objects.values())
    assert "Zebedee" not in stored
    assert "960 007" not in stored
    assert "sealed" not in {field.name for field in Interest.history.model._meta.fields}


def test_a_coordinator_of_the_site_gets_a_task(client, trial, source):
    client.post(page_of(source), TYPED)

    task = Task.objects.get(kind="interest")
    assert (task.role, task.site) == (Role.COORDINATOR, trial.site)
    assert task.due_date == add_working_days(trial.spec, TODAY, 5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, "Enter your name"),
        ({"phone": ""}, "Enter a telephone number or an e-mail address"),
        ({"email": "z@example.org"}, "Leave either the telephone number or the e-mail address blank"),
        ({"phone": "call me"}, "Enter a telephone number, like 01632 960 001"),
        ({"phone": "", "email": "z"}, "Enter an e-mail address"),
        ({"consent": ""}, "Tick the box if we may contact you"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, source, wrong, words):
    answer = client.post(page_of(source), TYPED | {"name": "Zebedee"} | wrong)

    page = answer.content.decode()
    assert words in page
    assert "There is a problem" in page
    assert "Zebedee" in page or "name" in wrong
    assert not Interest.objects.exists()


def test_the_page_asks_nothing_about_health_and_takes_no_free_text(client, source):
    page = client.get(page_of(source)).content.decode()

    assert "<textarea" not in page
    assert set(client.get(page_of(source)).context["form"].fields) == {
        "name",
        "phone",
        "email",
        "times",
        "consent",
        "website",
    }


def test_a_machine_that_fills_every_box_is_thanked_and_nothing_is_kept(client, source):
    answer = client.post(page_of(source), TYPED | {"website": "https://spam.example"}, follow=True)

    assert "Thank you" in answer.content.decode()
    assert not Interest.objects.exists()


def test_the_answer_is_the_same_for_somebody_who_is_known(client, trial, source):
    trial.refer(first_name="Zebedee", last_name="Quill", phone="01632 960 007")

    known = client.post(page_of(source), TYPED, follow=True)
    unknown = client.post(page_of(source), TYPED | {"name": "Nobody Known"}, follow=True)

    assert known.redirect_chain == unknown.redirect_chain
    assert known.content.decode() == unknown.content.decode()


def test_a_code_that_never_was_and_one_taken_down_look_alike(client, trial, source):
    actions.close_source(source=source, by=trial.coordinator, at=NOW)

    gone, never = client.get(page_of(source)), client.get("/interest/zzzzzzzz/")

    assert (gone.status_code, never.status_code) == (404, 404)
    assert gone.content == never.content
    assert client.post(page_of(source), TYPED).status_code == 404
    assert not Interest.objects.exists()


def test_after_recruitment_or_under_a_lock_nobody_is_asked(client, trial, source):
    trial.site.recruitment_closed_date = TODAY - timedelta(days=1)
    trial.site.save_by(None, "Closed")
    closed = client.get(page_of(source)).status_code
    trial.site.recruitment_closed_date = None
    trial.site.save_by(None, "Opened again")
    final_lock()

    assert (closed, client.get(page_of(source)).status_code) == (404, 404)


def test_an_address_that_sends_too_often_waits_and_others_do_not(client, source, settings):
    settings.INTEREST_PER_ADDRESS = 2
    answers = [client.post(page_of(source), TYPED).status_code for _ in range(3)]

    other = client.post(page_of(source), TYPED, REMOTE_ADDR="192.0.2.7").status_code

    assert answers == [302, 302, 429]
    assert other == 302
    assert Interest.objects.count() == 3


def test_all_together_send_no_more_than_a_limit_and_typing_is_kept(client, source, settings):
    settings.INTEREST_ALTOGETHER = 1
    client.post(page_of(source), TYPED)

    answer = client.post(page_of(source), TYPED | {"name": "Jo"}, REMOTE_ADDR="192.0.2.8")

    assert answer.status_code == 429
    assert "Jo" in answer.content.decode()
    assert "Too many people" in answer.content.decode()


def test_the_count_begins_again_with_the_hour_and_names_no_address(client, source, settings, clock):
    settings.INTEREST_PER_ADDRESS = 1
    client.post(page_of(source), TYPED)

    clock.shift(timedelta(hours=1))

    assert client.post(page_of(source), TYPED).status_code == 302
    assert "127.0.0.1" not in limits.counter(address="127.0.0.1", at=NOW)


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(client, source, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.INTEREST_PER_ADDRESS = 1
    forged = [client.post(page_of(source), TYPED, HTTP_X_FORWARDED_FOR=f"10.0.0.{n}, 192.0.2.9") for n in (1, 2)]

    assert [one.status_code for one in forged] == [302, 429]


def test_the_page_is_small(client, source):
    """75 KiB with all it loads, compressed as it is served."""
    page = client.get(page_of(source)).content
    static = Path(django_settings.BASE_DIR) / "static"
    loaded = [static / name for name in ("app.css", "app.js", "nhsuk-frontend.min.js")]

    total = len(gzip.compress(page)) + sum(len(gzip.compress(one.read_bytes())) for one in loaded)

    assert total <= 75 * 1024, total


# -- what becomes of an entry


def test_each_showing_is_logged(client, trial, entry):
    client.force_login(trial.coordinator)

    page = client.get(f"/people/interest/{entry.pk}/").content.decode()

    assert "Zebedee Quill" in page
    assert AccessEvent.objects.get(kind=AccessEvent.Kind.IDENTITY_VIEWED).record == f"Entry {entry.pk}"


def test_the_list_names_nobody_and_no_other_site(client, trial, entry):
    client.force_login(trial.coordinator)
    page = client.get("/people/interest/").content.decode()
    client.force_login(staff(Role.COORDINATOR, site("02")))
    elsewhere = client.get("/people/interest/").content.decode()

    assert f"Entry {entry.pk}" in page
    assert "Zebedee" not in page
    assert f"Entry {entry.pk}" not in elsewhere
    assert client.get(f"/people/interest/{entry.pk}/").status_code == 404


def test_an_entry_is_closed_with_a_reason_and_what_was_left_is_gone(client, trial, entry):
    client.force_login(trial.coordinator)
    without = client.post(f"/people/interest/{entry.pk}/", {})

    client.post(f"/people/interest/{entry.pk}/", {"reason": "no_longer"})

    assert "Select why you are closing it" in without.content.decode()
    entry.refresh_from_db()
    assert (entry.state, entry.close_reason, entry.wrapped_key, entry.sealed) == ("closed", "no_longer", "", "")
    assert Task.objects.get(kind="interest").done_at == NOW
    with pytest.raises(actions.AlreadySettled):
        actions.close(entry=entry, reason="known", by=trial.coordinator, at=NOW)


REST = {
    "sex": "male",
    "gp_practice": "Tavyside Surgery",
    **day("birth_date", TODAY.replace(year=1970)),
}


def filled(page):
    """The form as the browser would post it without a change."""
    form = page.context["form"]
    given = {name: form[name].initial for name in form.fields if isinstance(form[name].initial, str)}
    return given | day("received_date", TODAY) | day("permission_date", TODAY)


def test_an_entry_becomes_a_referral_by_the_same_form(client, trial, entry):
    client.force_login(trial.coordinator)
    page = client.get(f"/people/interest/{entry.pk}/refer/")
    assert "Quill" in page.content.decode()

    answer = client.post(f"/people/interest/{entry.pk}/refer/", filled(page) | REST)

    referral = Referral.objects.get()
    assert answer.headers["Location"] == f"/people/{referral.screening_number}/"
    assert (referral.source_type, referral.referral_model, referral.channel, referral.contact_basis) == (
        "gp_practice",
        "signposting",
        "interest",
        "self_referral",
    )
    assert identity.read(referral.person).name == "Zebedee Quill"
    entry.refresh_from_db()
    assert (entry.state, entry.referral, entry.sealed) == ("referred", referral, "")
    assert Task.objects.get(kind="interest").done_at == NOW
    assert client.get(f"/people/interest/{entry.pk}/refer/").status_code == 302


def test_somebody_known_is_refused_as_on_any_form_and_the_entry_stays(client, trial, entry):
    born = TODAY.replace(year=1970)
    trial.refer(first_name="Zebedee", last_name="Quill", birth_date=born)
    client.force_login(trial.coordinator)
    page = client.get(f"/people/interest/{entry.pk}/refer/")

    answer = client.post(f"/people/interest/{entry.pk}/refer/", filled(page) | REST)

    assert "already has an open referral" in answer.content.decode()
    assert Interest.objects.get().state == "open"


def test_entries_that_nobody_reached_go_after_the_time_that_was_set(entry, settings):
    assert actions.forget_old(at=NOW + timedelta(days=settings.INTEREST_KEPT_DAYS)) == 0
    assert actions.forget_old(at=NOW + timedelta(days=settings.INTEREST_KEPT_DAYS, minutes=1)) == 1

    entry.refresh_from_db()
    assert (entry.close_reason, entry.sealed) == ("not_reached", "")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"consents_to_contact": False}, "interest_with_consent_to_contact"),
        ({"state": "closed", "settled_at": NOW, "close_reason": "known"}, "settled_interest_holds_no_identifier"),
        ({"state": "closed", "settled_at": NOW, "sealed": "", "wrapped_key": ""}, "closed_interest_has_a_reason"),
        (
            {"state": "referred", "settled_at": NOW, "sealed": "", "wrapped_key": ""},
            "referred_interest_has_its_referral",
        ),
    ],
)
def test_the_database_refuses_what_must_never_be(entry, changes, match):
    for name, value in changes.items():
        setattr(entry, name, value)

    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        entry.save_by(None, "Try")


def test_what_was_removed_never_comes_back(trial, entry):
    sealed, key = entry.sealed, entry.wrapped_key
    entry = actions.close(entry=entry, reason="known", by=trial.coordinator, at=NOW)
    entry.sealed, entry.wrapped_key, entry.state = sealed, key, "open"

    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save_by(None, "Try")


# -- posters


def test_each_place_has_an_address_of_its_own(client, trial):
    client.force_login(trial.coordinator)

    client.post(
        "/people/interest/sources/", {"name": "Library", "source_type": "voluntary", "referral_model": "signposting"}
    )

    source = InterestSource.objects.get()
    assert (source.site, len(source.code)) == (trial.site, 8)
    assert source.url in client.get("/people/interest/sources/").content.decode().replace("<wbr>", "")


def test_the_poster_is_one_page_with_the_address_and_says_nothing_of_arms(source, trial):
    file = poster.draw(source, trial.spec)

    reader = PdfReader(io.BytesIO(file))
    text = reader.pages[0].extract_text()
    assert len(reader.pages) == 1
    assert source.url in text.replace("\n", "")
    assert trial.spec.study.office_phone in text
    assert not any(arm.label in text for arm in trial.spec.arms)
    assert file == poster.draw(source, trial.spec)
