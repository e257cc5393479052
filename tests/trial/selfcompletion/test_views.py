"""The link and the second check, as a browser without JavaScript sees them, and people who lose their way."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from tests.factories import NOW, Trial, final_lock
from tests.trial.selfcompletion.builders import BORN, FIRST, WRONG, AtHome, a_link, stored
from trial.journey import steps
from trial.messages.models import Task
from trial.participants import identity
from trial.participation.models import ParticipationChange
from trial.selfcompletion.models import SelfCompletion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_opening_a_link_changes_nothing(home):
    for method in (home.client.get, home.client.head):
        assert method(home.link).status_code == 200

    assert stored() is None
    assert SelfCompletion.objects.get().opened_at is None
    assert not Session.objects.exists()


def test_every_page_is_private_and_none_holds_the_token(home):
    home.begin()
    token = home.link.split("/")[2]
    answers = [home.client.get(path) for path in (home.link, FIRST, "/questions/check/", "/questions/saved/", "/q/x/")]

    assert {(one.headers["Cache-Control"], one.headers["Referrer-Policy"]) for one in answers} == {
        ("no-store", "no-referrer")
    }
    assert token not in home.url
    assert [one for one in answers if token in one.content.decode()] == []


def test_a_browser_that_hands_on_no_address_may_still_post(participant):
    home = AtHome(a_link(participant), enforce_csrf_checks=True)
    home.open()
    token = home.client.cookies["csrftoken"].value
    refused = home.client.post(home.link, {}, HTTP_ORIGIN="null")
    foreign = home.client.post(home.link, {"csrfmiddlewaretoken": token}, HTTP_ORIGIN="https://evil.example")

    allowed = home.client.post(home.link, {"csrfmiddlewaretoken": token}, HTTP_ORIGIN="null")

    assert (refused.status_code, foreign.status_code, allowed.status_code) == (403, 403, 302)


def ended(participant, trial, how):
    """Why no more answers are needed."""
    steps.change_participation(
        participant=participant,
        effective_date=NOW.date(),
        decided_by=ParticipationChange.DecidedBy.PARTICIPANT,
        elements={"questionnaires_web": False},
        cause=how,
        by=trial.coordinator,
        at=NOW,
    )


def test_who_left_died_or_is_locked_reads_the_same_page(trial, participant, home):
    home.begin()
    other = trial.randomised(at=NOW - timedelta(days=29))
    third = AtHome(a_link(trial.randomised(at=NOW - timedelta(days=28))))
    at_others = AtHome(a_link(other))

    ended(participant, trial, "choice")
    ended(other, trial, "death")
    texts = {home.open().text, at_others.open().text}
    final_lock()
    texts.add(third.open().text)

    assert len(texts) == 1
    assert (home.heading, home.response.status_code) == ("No more answers are needed", 410)
    assert home.post(FIRST, answer="3").response.status_code == 410
    assert stored() is None


@pytest.mark.parametrize("spoil", ["truncated", "tampered", "none", "other words", "expired"])
def test_links_that_open_nothing(participant, home, clock, spoil):
    if spoil == "expired":
        clock.move_to(NOW + timedelta(days=13))  # the day after the window's last day
    paths = {
        "truncated": home.link[:-5] + "/",
        "tampered": home.link[:-2] + "x/",
        "none": "/q/",
        "other words": "/q/é%20‘quoted’/",
        "expired": home.link,
    }
    home.open(paths[spoil])

    expected = (410, "The time for these questions is over") if spoil == "expired" else (404, "This link does not work")
    assert (home.response.status_code, home.heading) == expected
    assert participant.study_id not in home.text
    assert home.post(paths[spoil]).response.status_code == expected[0]


def test_the_last_day_of_the_window_still_counts(home, clock):
    clock.move_to(NOW.replace(month=7, day=21, hour=22, minute=30))  # half past eleven in London

    assert home.begin().url == FIRST


# -- the second check


def test_nothing_is_shown_or_taken_before_the_second_check(home):
    home.open().post()
    for path in (FIRST, "/questions/", "/questions/answers/"):
        assert home.open(path).url == "/questions/check/"
    home.post(FIRST, answer="3")

    assert home.url == "/questions/check/"
    assert stored() is None


def test_wrong_answers_pause_then_lock_and_tell_the_coordinator(home, clock, participant):
    home.open().post()
    for _ in range(5):
        assert home.post("/questions/check/", **WRONG).heading in ("Check it is you", "Try again later")
    home.post("/questions/check/", **BORN)  # right, and still not looked at
    assert (home.response.status_code, home.heading) == (429, "Try again later")
    assert "11:30am" in home.text
    clock.shift(timedelta(minutes=31))
    for _ in range(5):
        home.open().post()
        home.post(**WRONG)
    clock.shift(timedelta(days=1))
    home.open().post()

    assert (home.response.status_code, home.heading) == (429, "This link is locked")
    assert Task.objects.open().get(kind="link_locked").link == f"/people/{participant.study_id}/V2/link/"
    assert SelfCompletion.objects.get().history.filter(history_change_reason="Second check failed").count() == 10


@pytest.mark.parametrize("typed", [{}, {"check_0": "31", "check_1": "2"}, {"check_0": "१४", "check_1": "3"}])
def test_a_date_that_cannot_be_costs_no_try(home, typed):
    home.open().post()
    home.post(**typed)

    assert "There is a problem" in home.text
    assert SelfCompletion.objects.get().n_failed == 0


def test_a_person_whose_birth_date_is_unknown_never_gets_in(home, participant):
    person = participant.referral.person
    identity.store(person=person, data=identity.IdentityData(email="a@example.org"), by=None, reason="Test")

    assert home.begin().heading == "Check it is you"


def test_the_postcode_where_the_protocol_asks_for_it(clock):
    trial = Trial(changes={"self_completion": {"second_check": "postcode"}}).open_randomisation()
    participant = trial.randomised(
        trial.baseline_done(
            trial.eligible(
                trial.consented(at=NOW - timedelta(days=33), postcode="EX1 2AB"), at=NOW - timedelta(days=32)
            ),
            at=NOW - timedelta(days=31),
        ),
        at=NOW - timedelta(days=30),
    )
    home = AtHome(a_link(participant))

    assert home.begin(check="ex12ab").url == FIRST
