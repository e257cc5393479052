"""Asking for what may be said of an allocation: two people, nothing changed, no arm on any page (section 9)."""

import re

import pytest

from randomisation.models import Allocation, AllocationFlag, EventLog, FactorCorrection
from tests.factories import NOW, Trial, staff
from tests.trial.allocation.exceptions.builders import approved, asked, names_an_arm, requests
from tests.trial.journey.builders import one_of_each_arm
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.policy import Role
from trial.allocation.exceptions import asking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

FLAG = {"category": "ineligible", "reason": "The score was added up wrongly"}
PAGES = ("", "flag/", "twice/", "values/", "code-break/")


@pytest.fixture
def trial():
    return Trial("northbank", site_code="17").open_randomisation()


@pytest.fixture
def person(trial):
    return trial.randomised()


def url(participant, page=""):
    return f"/people/{participant.study_id}/randomisation/{page}"


def ask(client, user, participant, page, typed):
    return as_(client, user).post(url(participant, page), typed)


# -- ineligible, or by mistake


def test_a_mark_is_asked_for_and_stands_beside_the_allocation_once_approved(client, trial, person):
    response = ask(client, trial.coordinator, person, "flag/", FLAG)

    assert response.headers["Location"] == url(person)
    assert not AllocationFlag.objects.exists()
    approved(asked())
    flag = AllocationFlag.objects.get()
    assert (flag.category, flag.excludes, flag.by) == ("ineligible", False, trial.coordinator)
    assert EventLog.objects.filter(event="flag", seq=1).exists()
    assert "Not eligible" in text_of(client.get(url(person)))


def test_the_allocation_itself_is_as_it_was(client, trial, person):
    before = Allocation.objects.values().get()
    ask(client, trial.coordinator, person, "flag/", FLAG)

    approved(asked())

    assert Allocation.objects.values().get() == before


@pytest.mark.parametrize("wrong", [{"category": ""}, {"category": "duplicate"}, {"reason": " "}, {"reason": "a\x00"}])
def test_what_is_missing_is_asked_for_and_what_was_typed_stays(client, trial, person, wrong):
    response = ask(client, trial.coordinator, person, "flag/", FLAG | wrong)

    assert response.status_code in (200, 400)
    assert not requests().exists()
    if response.status_code == 200 and "category" in wrong:
        assert "The score was added up wrongly" in text_of(response)


def test_a_reason_that_tells_the_arm_is_refused_and_stays_on_the_page(client, trial, person):
    response = ask(client, trial.coordinator, person, "flag/", FLAG | {"reason": "Wants Osprey"})

    assert problems_of(response) == ["Leave out which group it is: do not write a group's name or code here"]
    assert "Wants Osprey" in text_of(response)
    assert not requests().exists()


def test_the_same_is_not_asked_for_twice(client, trial, person):
    ask(client, trial.coordinator, person, "flag/", FLAG)

    response = ask(client, trial.coordinator, person, "flag/", FLAG)

    assert problems_of(response) == ["The same has been asked for and waits for approval."]
    assert requests().count() == 1


def test_what_is_marked_already_is_not_asked_for(client, trial, person):
    ask(client, trial.coordinator, person, "flag/", FLAG)
    approved(asked())

    response = ask(client, trial.coordinator, person, "flag/", FLAG)

    assert problems_of(response) == ["This allocation is marked so already."]


# -- the same person twice


def test_the_second_allocation_of_one_person_is_left_out_of_the_balance(client, trial, person):
    second = trial.randomised()

    ask(client, trial.coordinator, second, "twice/", {"first_number": person.study_id.lower(), "reason": "Same birth"})

    approved(asked())
    flag = AllocationFlag.objects.get()
    assert (flag.allocation.unit, flag.category, flag.excludes) == (second.study_id, "duplicate", True)
    assert flag.reason == f"Same person as {person.study_id}. Same birth"


def test_the_first_allocation_is_never_the_one_left_out(client, trial, person):
    second = trial.randomised()

    response = ask(client, trial.coordinator, person, "twice/", {"first_number": second.study_id, "reason": "Same"})

    assert problems_of(response)[0].startswith("No earlier allocation bears this study number")
    assert not requests().exists()


# -- true values


def test_true_values_stand_beside_those_used(client, trial, person):
    frozen = dict(Allocation.objects.get().factors)

    ask(client, trial.coordinator, person, "values/", {"level_1_worry": "high", "reason": "Item 4 misread"})

    approved(asked())
    assert FactorCorrection.objects.get().factors == {"worry": "high"}
    assert Allocation.objects.get().factors == frozen
    page = text_of(client.get(url(person)))
    assert "5 to 9" in page
    assert "13 to 15" in page


def test_values_that_change_nothing_are_not_asked_for(client, trial, person):
    used = Allocation.objects.get().factors["worry"]

    response = ask(client, trial.coordinator, person, "values/", {"level_1_worry": used, "reason": "Item 4 misread"})

    assert problems_of(response) == ["These are the values on record. Change at least one."]


@pytest.mark.parametrize("level", ["", "none", "\x01"])
def test_a_value_that_the_scheme_does_not_know_is_no_value(client, trial, person, level):
    response = ask(client, trial.coordinator, person, "values/", {"level_1_worry": level, "reason": "Item 4"})

    assert response.status_code in (200, 400)
    assert not requests().exists()


def test_the_site_that_randomised_is_not_chosen_again(client):
    trial = Trial().open_randomisation()
    person = trial.randomised()

    page = text_of(as_(client, trial.coordinator).get(url(person, "values/")))

    assert "level_1_phq9_band" in page
    assert "level_1_site" not in page


# -- who may


def test_who_may_ask(client, trial, person):
    people = everyone(trial)

    answers = {page: answers_by_role(client, people, url(person, page)) for page in PAGES}

    asks = {
        Role.COORDINATOR,
        Role.RANDOMISER,
        Role.PRINCIPAL_INVESTIGATOR,
        Role.CHIEF_INVESTIGATOR,
        Role.TRIAL_MANAGER,
    }
    breaks = {
        Role.PRINCIPAL_INVESTIGATOR,
        Role.CHIEF_INVESTIGATOR,
        Role.TRIAL_MANAGER,
        Role.DUTY_CLINICIAN,
    }
    may = {page: {role for role, status in found.items() if status == 200} for page, found in answers.items()}
    assert may == {"": asks | breaks, "flag/": asks, "twice/": asks, "values/": asks, "code-break/": breaks}


@pytest.mark.parametrize("page", PAGES)
def test_a_person_of_another_site_does_not_exist(client, page):
    trial = Trial().open_randomisation()
    person = trial.randomised()
    role = Role.DUTY_CLINICIAN if page == "code-break/" else Role.COORDINATOR

    response = as_(client, elsewhere(role, blinded=role == Role.DUTY_CLINICIAN)).get(url(person, page))

    assert response.status_code == 404


@pytest.mark.parametrize("page", PAGES[1:])
def test_of_somebody_who_was_not_randomised_nothing_is_asked(client, trial, page):
    waiting = trial.baseline_done()

    response = as_(client, trial.investigator).get(url(waiting, page))

    assert response.status_code == 404


def test_the_page_of_somebody_who_was_not_randomised_says_so(client, trial):
    page = text_of(as_(client, trial.coordinator).get(url(trial.consented())))

    assert "has not been randomised" in page


# -- no arm


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_an_arm_to_anybody(client, trial, person, page):
    people = [trial.coordinator, trial.investigator, staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)]

    assert not any(names_an_arm(as_(client, one).get(url(person, page))) for one in people)


def test_what_somebody_typed_is_not_shown_to_blinded_readers(client, trial, person):
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)
    ask(client, trial.coordinator, person, "flag/", FLAG)

    assert FLAG["reason"] in text_of(as_(client, trial.coordinator).get(url(person)))
    assert FLAG["reason"] not in text_of(as_(client, blinded).get(url(person)))
    assert "Not eligible" in text_of(as_(client, blinded).get(url(person)))


def test_everything_else_leads_to_where_it_is_recorded(client, trial, person):
    page = text_of(as_(client, trial.coordinator).get(url(person)))

    for where in ("participation/", "deviation/", "unblinding/"):
        assert f'href="/people/{person.study_id}/{where}"' in page
    for words in ("keep the site that randomised", "The allocation under the study number stays"):
        assert words in page


def test_whoever_may_see_the_arm_finds_the_way_to_it_and_others_do_not(client, trial, person):
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)

    assert "/allocation/" in text_of(as_(client, trial.coordinator).get(url(person)))
    assert "/allocation/" not in text_of(as_(client, blinded).get(url(person)))


@pytest.mark.parametrize("page", PAGES)
def test_two_people_who_differ_only_by_their_arm_give_equal_pages(client, page):
    trial = Trial().open_randomisation()
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)
    for person in (people := one_of_each_arm(trial)):
        asking.ask_flag(participant=person, category="error", reason="By mistake", by=trial.coordinator, at=NOW)

    one, other = (_without_numbers(text_of(as_(client, blinded).get(url(person, page))), person) for person in people)

    assert one == other


def _without_numbers(page: str, person) -> list[str]:
    """The page without what differs from person to person: study number, allocation number, tokens of the form."""
    plain = re.sub(r"<dd[^>]*>\s*\d+\s*</dd>", "", page.replace(person.study_id, "ID"))
    return [line for line in plain.splitlines() if "csrfmiddlewaretoken" not in line and "draft" not in line]
