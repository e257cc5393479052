"""The arm on a page: for permitted roles at the site, each showing logged, nothing for blinded people (BR-26, BR-27)."""

import pytest

from tests.factories import TODAY, Trial, give_role, staff
from tests.journeys.visitor import day
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.allocation.models import BlindingEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SENTINELS = ("kestrel", "osprey", "merlin")


@pytest.fixture
def trial():
    return Trial("northbank", site_code="17").open_randomisation()


@pytest.fixture
def randomised(trial):
    return trial.randomised()


def url(participant, page="allocation"):
    return f"/people/{participant.study_id}/{page}/"


def names_an_arm(response):
    return any(word in text_of(response).lower() for word in SENTINELS)


def test_the_arm_is_shown_to_permitted_roles_and_each_showing_is_logged(client, trial, randomised):
    for person in (trial.coordinator, trial.investigator, trial.randomiser):
        assert names_an_arm(as_(client, person).get(url(randomised)))

    events = AccessEvent.objects.filter(kind="arm_viewed", record=randomised.study_id)
    assert [e.user for e in events.order_by("id")] == [trial.coordinator, trial.investigator, trial.randomiser]


def test_the_certificate_says_when_by_whom_and_under_what(client, trial, randomised):
    page = text_of(as_(client, trial.coordinator).get(url(randomised)))

    for words in ("Ruth Vane", "17 Northbank", "Protocol 2.0", "9 July 2026", randomised.study_id):
        assert words in page


def test_the_arm_stands_neither_in_title_nor_in_address_nor_in_the_browsers_store(client, trial, randomised):
    response = as_(client, trial.coordinator).get(url(randomised))

    title = text_of(response).split("<title>")[1].split("</title>")[0].lower()
    assert not any(word in title for word in SENTINELS)
    assert "no-store" in response.headers["Cache-Control"]


def test_who_is_shown_the_arm(client, trial, randomised):
    answers = answers_by_role(client, everyone(trial), url(randomised))

    assert {role for role, status in answers.items() if status == 200} == {
        Role.COORDINATOR,
        Role.RANDOMISER,
        Role.PRINCIPAL_INVESTIGATOR,
        Role.TRIAL_MANAGER,
    }
    assert set(answers.values()) == {200, 403}


@pytest.mark.parametrize("role", [Role.PRINCIPAL_INVESTIGATOR, Role.TRIAL_MANAGER])
def test_who_is_blinded_by_choice_is_refused_and_not_logged_as_having_seen_it(client, trial, randomised, role):
    person = staff(role, trial.site, blinded=True)

    response = as_(client, person).get(url(randomised))

    assert response.status_code == 403
    assert not names_an_arm(response)
    assert not AccessEvent.objects.filter(kind="arm_viewed", user=person).exists()
    assert AccessEvent.objects.filter(kind="refused", user=person).exists()


def test_a_permitted_role_at_another_place_makes_up_for_no_blinding(client, trial, randomised):
    person = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)
    give_role(person, Role.TRIAL_MANAGER, blinded=False)

    assert as_(client, person).get(url(randomised)).status_code == 403


def test_before_randomisation_there_is_nothing_to_show(client, trial):
    participant = trial.consented()

    response = as_(client, trial.coordinator).get(url(participant))

    assert "has not been randomised" in text_of(response)
    assert not AccessEvent.objects.filter(kind="arm_viewed").exists()


@pytest.mark.parametrize("page", ["", "history/"])
def test_the_record_names_no_arm_to_anybody(client, trial, randomised, page):
    for role, person in everyone(trial).items():
        response = as_(client, person).get(f"/people/{randomised.study_id}/{page}")

        assert response.status_code in (200, 403), role
        assert not names_an_arm(response), role


def test_another_sites_allocation_does_not_exist(client):
    trial = Trial().open_randomisation()
    participant = trial.randomised()

    for page in ("allocation", "unblinding"):
        response = as_(client, elsewhere(Role.COORDINATOR)).get(url(participant, page))
        assert response.status_code == 404


# -- somebody has found out


def test_an_accident_is_recorded_without_the_arm(client, trial, randomised):
    assessor = staff(Role.OUTCOME_ASSESSOR, trial.site, name="Priya Nair")
    visitor = as_(client, assessor)
    typed = {"person": str(assessor.pk), "kind": "accidental", "route": "She said so", **day("happened_date", TODAY)}

    response = visitor.post(url(randomised, "unblinding"), typed)

    event = BlindingEvent.objects.get()
    assert response.headers["Location"] == f"/people/{randomised.study_id}/"
    assert (event.person, event.kind, event.happened_date) == (assessor, "accidental", TODAY)
    assert event.history.get().history_user == assessor


@pytest.mark.parametrize(
    "wrong", [{"person": "999999"}, {"person": "x"}, {"kind": ""}, {"route": ""}, {"happened_date_0": ""}]
)
def test_what_is_missing_is_asked_for_and_what_was_typed_stays(client, trial, randomised, wrong):
    assessor = staff(Role.OUTCOME_ASSESSOR, trial.site)
    typed = {"person": str(assessor.pk), "kind": "accidental", "route": "She said so", **day("happened_date", TODAY)}

    response = as_(client, trial.coordinator).post(url(randomised, "unblinding"), typed | wrong)

    assert problems_of(response)
    assert "She said so" in text_of(response) or "route" in wrong
    assert not BlindingEvent.objects.exists()


# -- the way to what is not right


def test_whoever_sees_the_allocation_finds_the_way_to_say_that_something_is_not_right(client, trial, randomised):
    page = text_of(as_(client, trial.coordinator).get(url(randomised)))

    assert f'href="/people/{randomised.study_id}/randomisation/"' in page


def test_a_blinded_investigator_and_an_assessor_find_theirs_on_the_record(client, trial, randomised):
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)
    assessor = staff(Role.OUTCOME_ASSESSOR, trial.site)

    assert f'href="/people/{randomised.study_id}/randomisation/"' in text_of(
        as_(client, blinded).get(f"/people/{randomised.study_id}/")
    )
    assert f'href="/people/{randomised.study_id}/guess/"' in text_of(
        as_(client, assessor).get(f"/people/{randomised.study_id}/")
    )
