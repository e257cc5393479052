"""Check, confirm, allocate (T12, ux.md 4.1): one allocation, however often the button is pressed."""

import re
from datetime import timedelta

import pytest

from randomisation.models import Allocation
from tests.factories import NOW, PASSWORD, Trial, give_role, staff
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import AccessEvent, Delegation, Signature
from trial.access.policy import Role
from trial.participants.models import Participant, Referral, Status
from trial.safety import actions as safety

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LEVELS = {"level_site": "01", "level_phq9_band": "5-9"}


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def ready(trial):
    return trial.baseline_done()


def url(participant):
    return f"/people/{participant.study_id}/randomise/"


def result(participant):
    return f"/people/{participant.study_id}/allocation/"


def key_in(response):
    """The key of the confirmation page that was rendered."""
    return re.search(r'name="request_key" value="([0-9a-f-]{36})"', text_of(response))[1]


def confirm(client, participant, key, **more):
    return client.post(url(participant), {**LEVELS, "request_key": key, "secret": PASSWORD, **more})


def is_untouched(participant):
    return (
        not Allocation.objects.exists()
        and Referral.objects.get(pk=participant.referral_id).status == Status.BASELINE_DONE
        and Participant.objects.get(pk=participant.pk).randomised_date is None
    )


def test_first_everything_is_checked_with_ways_to_change_it(client, trial, ready):
    page = text_of(as_(client, trial.randomiser).get(url(ready)))

    for words in ("Version 1.0, signed", "Signed by Dr Helen Okafor", "Every required form is complete"):
        assert words in page
    for link in ("consent/", "screening/"):
        assert f'href="/people/{ready.study_id}/{link}"' in page
    assert " checked" not in page, "the factors are chosen again, not shown"


def test_then_it_is_confirmed_and_nothing_has_happened_yet(client, trial, ready):
    response = as_(client, trial.randomiser).post(url(ready), LEVELS)

    page = text_of(response)
    assert f"Randomise {ready.study_id}?" in page
    assert "You cannot undo this." in page
    assert "5 to 9" in page or "5-9" in page
    assert 'name="secret"' in page
    assert key_in(response)
    assert is_untouched(ready)


@pytest.mark.parametrize("wrong", [{"level_phq9_band": ""}, {"level_phq9_band": "0-4"}, {"level_site": "\x00"}])
def test_without_every_factor_there_is_no_confirmation(client, trial, ready, wrong):
    response = as_(client, trial.randomiser).post(url(ready), LEVELS | wrong)

    assert problems_of(response)
    assert 'name="secret"' not in text_of(response)
    assert is_untouched(ready)


def test_then_with_the_password_it_is_done(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    key = key_in(visitor.post(url(ready), LEVELS))

    response = confirm(visitor, ready, key)

    assert response.headers["Location"] == result(ready)
    allocation = Allocation.objects.get()
    assert (allocation.unit, allocation.request_key, allocation.by_id) == (ready.study_id, key, trial.randomiser.pk)
    assert Signature.objects.get(meaning__contains="randomised").signer == trial.randomiser
    assert Referral.objects.get(pk=ready.referral_id).status == Status.RANDOMISED


def test_a_button_pressed_twice_gives_one_allocation(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    key = key_in(visitor.post(url(ready), LEVELS))

    answers = [confirm(visitor, ready, key) for _ in range(3)]

    assert {answer.headers["Location"] for answer in answers} == {result(ready)}
    assert Allocation.objects.count() == 1
    assert Signature.objects.filter(meaning__contains="randomised").count() == 1


def test_two_people_confirming_give_one_allocation(client, trial, ready):
    other = staff(Role.RANDOMISER)
    keys = [key_in(as_(client, person).post(url(ready), LEVELS)) for person in (trial.randomiser, other)]

    for person, key in zip((trial.randomiser, other), keys, strict=True):
        assert confirm(as_(client, person), ready, key).headers["Location"] == result(ready)

    assert Allocation.objects.count() == 1
    assert Allocation.objects.get().by_id == trial.randomiser.pk


def test_a_wrong_password_keeps_the_page_with_its_key(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    key = key_in(visitor.post(url(ready), LEVELS))

    response = confirm(visitor, ready, key, secret="not-my-password")

    page = text_of(response)
    assert response.status_code == 200
    assert "Enter your own password" in page
    assert key_in(response) == key
    assert 'name="level_phq9_band" value="5-9"' in page
    assert "not-my-password" not in page
    assert is_untouched(ready)
    assert confirm(visitor, ready, key).headers["Location"] == result(ready)


def test_an_empty_password_is_asked_for_and_is_no_failure(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    key = key_in(visitor.post(url(ready), LEVELS))

    response = confirm(visitor, ready, key, secret="")

    assert problems_of(response) == ["Enter your password"]
    assert not AccessEvent.objects.filter(kind="signing_failed").exists()
    assert is_untouched(ready)


@pytest.mark.parametrize("key", ["", "x", "' OR 1=1", "0" * 400])
def test_a_key_that_is_not_ours_is_replaced(client, trial, ready, key):
    response = confirm(as_(client, trial.randomiser), ready, key)

    assert response.headers["Location"] == result(ready)
    assert len(Allocation.objects.get().request_key) == 36


def test_other_factors_than_those_signed_are_refused_in_words(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    wrong = LEVELS | {"level_phq9_band": "10-14"}
    key = key_in(visitor.post(url(ready), wrong))

    response = visitor.post(url(ready), {**wrong, "request_key": key, "secret": PASSWORD})

    assert "No allocation was made" in text_of(response)
    assert "differ from those fixed when eligibility was signed" in text_of(response)
    assert is_untouched(ready)


def test_what_is_missing_is_a_link_and_not_a_dead_button(client, trial):
    participant = trial.eligible()

    page = text_of(as_(client, trial.randomiser).get(url(participant)))

    assert "Before you can go on" in page
    assert f'<a href="/people/{participant.study_id}/">Complete first:' in page
    assert "<button" not in page.split("<main")[1]


def test_what_came_up_since_the_page_was_opened_stops_it(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    key = key_in(visitor.post(url(ready), LEVELS))
    safety.raise_concern(participant=ready, text="Very low", by=trial.coordinator, at=NOW)

    response = confirm(visitor, ready, key)

    assert "A risk alert is not assessed" in text_of(response)
    assert is_untouched(ready)


def test_a_duty_that_ended_stops_it(client, trial, ready):
    duty = Delegation.objects.get(user=trial.randomiser, site=trial.site)
    duty.to_date = NOW.date() - timedelta(days=1)
    duty.save_by(None, "Ended")

    page = text_of(as_(client, trial.randomiser).get(url(ready)))

    assert "The delegation log does not let you randomise here today." in page


def test_a_lost_session_leads_to_sign_in_and_back_to_the_check(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    key = key_in(visitor.post(url(ready), LEVELS))
    client.logout()

    lost = confirm(client, ready, key)
    back = client.post(
        lost.headers["Location"], {"login": trial.randomiser.email, "password": PASSWORD, "next": url(ready)}
    )

    assert lost.headers["Location"] == f"/accounts/login/?next={url(ready)}"
    assert is_untouched(ready)
    assert back.headers["Location"] == url(ready)
    assert "Check before you randomise" in text_of(client.get(url(ready)))


def test_who_may_randomise(client, trial, ready):
    people = everyone(trial)

    answers = answers_by_role(client, people, url(ready))

    assert {role for role, status in answers.items() if status == 200} == {Role.RANDOMISER}
    assert set(answers.values()) == {200, 403}


def test_a_randomiser_who_is_also_blinded_does_not(client, trial, ready):
    person = staff(Role.RANDOMISER)
    give_role(person, Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)

    assert as_(client, person).get(url(ready)).status_code == 403
    assert confirm(client, ready, "").status_code == 403
    assert is_untouched(ready)


@pytest.mark.parametrize("number", ["GRX-01-999-9", "S-01-9999"])
def test_somebody_who_is_not_there_is_not_found(client, trial, number):
    assert as_(client, trial.randomiser).get(f"/people/{number}/randomise/").status_code == 404


def test_a_referral_without_consent_cannot_be_randomised(client, trial):
    referral = trial.refer()

    assert as_(client, trial.randomiser).get(f"/people/{referral.screening_number}/randomise/").status_code == 404


def test_nothing_of_it_is_kept_by_browsers(client, trial, ready):
    for response in (as_(client, trial.randomiser).get(url(ready)), client.post(url(ready), LEVELS)):
        assert "no-store" in response.headers["Cache-Control"]


def test_a_coordinator_of_another_site_learns_nothing(client, trial, ready):
    assert as_(client, elsewhere(Role.COORDINATOR)).get(url(ready)).status_code == 403
    assert as_(client, elsewhere(Role.COORDINATOR)).get(result(ready)).status_code == 404


def test_a_page_opened_again_says_when_it_was_allocated(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    key = key_in(visitor.post(url(ready), LEVELS))
    confirm(visitor, ready, key)

    confirm(visitor, ready, key)

    page = text_of(visitor.get(result(ready)))
    assert "Already allocated on 9 July 2026 at 11am. This is the same result" in page
    assert "Already allocated" not in text_of(visitor.get(result(ready)))


def test_a_failure_says_that_nothing_was_allocated_and_that_trying_again_is_safe(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    wrong = LEVELS | {"level_phq9_band": "10-14"}
    key = key_in(visitor.post(url(ready), wrong))

    page = text_of(visitor.post(url(ready), {**wrong, "request_key": key, "secret": PASSWORD}))

    assert "No allocation was made" in page
    assert "You can try again; trying again cannot change the result." in page
    assert "01632 960" in page


def test_the_confirmation_says_what_to_do_when_the_connection_is_lost(client, trial, ready):
    page = text_of(as_(client, trial.randomiser).post(url(ready), LEVELS))

    assert "If the connection is lost, open the record of the person" in page


def test_success_shows_number_time_confirmation_code_and_what_comes_next(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    confirm(visitor, ready, key_in(visitor.post(url(ready), LEVELS)))

    page = text_of(visitor.get(result(ready)))

    for words in ("Number of the allocation", "9 July 2026 at 11am", "Confirmation code", "What happens next"):
        assert words in page
    assert f'href="/people/{ready.study_id}/allocation/certificate/"' in page
