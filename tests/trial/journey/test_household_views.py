"""People who live together: recorded, and where the scheme says so one allocation for all of them (section 5)."""

import re

import pytest
from django.db import IntegrityError, transaction

from randomisation.models import Allocation, AllocationMember
from tests.factories import LIBRARY, NOW, PASSWORD, Trial, staff
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import Signature
from trial.access.policy import Role
from trial.allocation.errors import AllocationRefused
from trial.allocation.households import make_household
from trial.allocation.models import Household, HouseholdMember
from trial.participants.models import Participant, Referral, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def together_changes():
    """GREENRX-F with people of a household randomised together."""
    import json

    randomisation = json.loads((LIBRARY / "greenrx_f.json").read_text())["randomisation"]
    return {"randomisation": randomisation | {"households": True}}


@pytest.fixture
def trial():
    return Trial(changes=together_changes()).open_randomisation()


@pytest.fixture
def couple(trial):
    return [trial.baseline_done(), trial.baseline_done(total=12)]


@pytest.fixture
def household(trial, couple):
    return make_household(site=trial.site, people=couple, by=trial.coordinator, at=NOW)


LEVELS = {"level_1_phq9_band": "5-9", "level_2_phq9_band": "10-14", "chosen": "yes"}


def url(household):
    return f"/people/households/{household.code}/"


def confirm(client, trial, household, **more):
    visitor = as_(client, trial.randomiser)
    page = text_of(visitor.post(f"{url(household)}randomise/", LEVELS))
    key = re.search(r'name="request_key" value="([0-9a-f-]{36})"', page)[1]
    return visitor.post(f"{url(household)}randomise/", {**LEVELS, "request_key": key, "secret": PASSWORD, **more})


# -- recorded


def test_people_of_a_site_are_recorded_as_one_household(client, trial, couple):
    numbers = "\n".join(one.study_id.lower() for one in couple)

    response = as_(client, trial.coordinator).post("/people/households/new/", {"site": "01", "numbers": numbers})

    made = Household.objects.get()
    assert response.headers["Location"] == url(made)
    assert made.code == "H-01-001"
    assert {link.participant for link in made.members.all()} == set(couple)
    assert made.history.get().history_user == trial.coordinator


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ("", "Enter the study numbers"),
        ("GRX-01-001-4", "at least two people"),
        ("nobody\nnothing", "There is no participant NOBODY at your sites."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, trial, couple, numbers, says):
    typed = numbers if not numbers.startswith("GRX") else couple[0].study_id

    response = as_(client, trial.coordinator).post("/people/households/new/", {"site": "01", "numbers": typed})

    assert any(says in problem for problem in problems_of(response))
    assert typed in text_of(response)
    assert not Household.objects.exists()


def test_nobody_lives_in_two(trial, couple, household):
    third = trial.consented()

    with pytest.raises(AllocationRefused, match="belongs to a household already"):
        make_household(site=trial.site, people=[couple[0], third], by=trial.coordinator, at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        HouseholdMember(household=household, participant=couple[0]).save_by(None)

    assert Household.objects.count() == 1


def test_who_may_open_households(client, trial, household):
    people = everyone(trial)

    lists = answers_by_role(client, people, "/people/households/")
    pages = answers_by_role(client, people, url(household))
    confirmations = answers_by_role(client, people, f"{url(household)}randomise/")

    makers = {Role.COORDINATOR, Role.PRINCIPAL_INVESTIGATOR, Role.RANDOMISER}
    assert {role for role, status in lists.items() if status == 200} == makers
    assert {role for role, status in pages.items() if status == 200} == makers
    assert {role for role, status in confirmations.items() if status == 200} == {Role.RANDOMISER}


def test_another_sites_household_does_not_exist(client, trial, household):
    assert as_(client, elsewhere(Role.COORDINATOR)).get(url(household)).status_code == 404
    assert household.code not in text_of(client.get("/people/households/"))


# -- randomised together


def test_one_allocation_holds_everybody_with_their_own_levels(client, trial, couple, household):
    response = confirm(client, trial, household)

    made = Allocation.objects.get()
    assert response.headers["Location"] == url(household)
    assert (made.unit, made.seq) == (household.code, 1)
    assert [(one.participant, one.factors["phq9_band"]) for one in made.members.order_by("place")] == [
        (couple[0], "5-9"),
        (couple[1], "10-14"),
    ]
    assert {one.factors["unit"] for one in made.members.all()} == {"household"}
    assert Signature.objects.filter(meaning__contains="randomised").count() == 1


def test_each_of_them_goes_on(client, trial, couple, household):
    confirm(client, trial, household)

    for one in couple:
        fresh = Participant.objects.get(pk=one.pk)
        assert Referral.objects.get(pk=one.referral_id).status == Status.RANDOMISED
        assert fresh.randomised_date == NOW.date()
        assert fresh.visits.filter(target_date__isnull=False).exists()


def test_a_second_press_gives_the_same_allocation(client, trial, household):
    confirm(client, trial, household)

    again = as_(client, trial.randomiser).post(f"{url(household)}randomise/", {**LEVELS, "secret": PASSWORD})

    assert again.headers["Location"] == url(household)
    assert Allocation.objects.count() == 1


@pytest.mark.parametrize("secret", ["", "wrong"])
def test_without_the_password_nobody_is_allocated(client, trial, household, secret):
    response = confirm(client, trial, household, secret=secret)

    assert response.status_code == 200
    assert not Allocation.objects.exists()


def test_other_values_than_those_signed_stop_it_with_every_reason(client, trial, couple, household):
    response = confirm(client, trial, household, level_2_phq9_band="5-9")

    page = text_of(response)
    assert "No allocation was made" in page
    assert f"{couple[1].study_id}: The values you chose differ" in page
    assert "trying again cannot change the result" in page
    assert not Allocation.objects.exists()


def test_everybody_must_be_ready(client, trial):
    early, ready = trial.eligible(), trial.baseline_done()
    household = make_household(site=trial.site, people=[early, ready], by=trial.coordinator, at=NOW)

    page = text_of(as_(client, trial.randomiser).get(f"{url(household)}randomise/"))

    assert "Before you can go on" in page
    assert f"{early.study_id}: Complete first" in page


def test_nobody_of_it_is_randomised_alone(client, trial, couple, household):
    page = text_of(as_(client, trial.randomiser).get(f"/people/{couple[0].study_id}/randomise/"))

    assert f"Household {household.code} is randomised together." in page


def test_who_joins_later_cannot_be_randomised(client, trial, household):
    confirm(client, trial, household)
    late = trial.baseline_done()
    HouseholdMember(household=household, participant=late).save_by(trial.coordinator)

    page = text_of(as_(client, trial.randomiser).get(f"/people/{late.study_id}/randomise/"))

    assert f"Somebody of household {household.code} has been randomised" in page


def test_a_person_alone_counts_as_single(trial):
    person = trial.randomised()

    assert AllocationMember.objects.get(participant=person).factors["unit"] == "single"


def test_where_people_go_alone_the_household_is_only_recorded(client):
    trial = Trial().open_randomisation()
    couple = [trial.baseline_done(), trial.baseline_done()]
    household = make_household(site=trial.site, people=couple, by=trial.coordinator, at=NOW)

    page = text_of(as_(client, trial.randomiser).get(url(household)))

    assert "Randomise together" not in page
    assert "each person is randomised alone" in page
    trial.randomised(couple[0])
    assert "unit" not in Allocation.objects.get().factors


def test_the_page_names_no_arm(client, trial, household):
    confirm(client, trial, household)

    for person in (trial.randomiser, trial.coordinator, staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)):
        page = text_of(as_(client, person).get(url(household))).lower()
        assert not any(arm.label.lower() in page for arm in trial.spec.arms)
