"""A second scheme beside the protocol's: offered where it is open, confirmed alike, and nothing else follows."""

import re

import pytest

from randomisation.drafts import create_scheme
from randomisation.models import Allocation
from randomisation.states import open_scheme
from tests.factories import NOW, PASSWORD, Trial, make_user
from tests.randomisation.life import lock_scheme
from tests.trial.journey.steps_by_page import answers_by_role, as_, everyone, text_of
from trial.access.policy import Role
from trial.participants.models import Referral, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial("northbank", site_code="17").open_randomisation()


@pytest.fixture
def sub(trial):
    scheme = create_scheme(code="texts", name="Reminder by text")
    parameters = {
        "arms": ["zq7x", "kv4w"],
        "ratio": [1, 1],
        "method": "permuted_blocks",
        "block_sizes": [4, 6],
        "factors": [{"code": "phone", "levels": ["mobile", "landline"], "weight": 1}],
    }
    lock_scheme(
        scheme=scheme,
        parameters=parameters,
        rows_per_stratum=8,
        approvers=(make_user(), make_user()),
        by=make_user(),
        at=NOW,
    )
    open_scheme(scheme=scheme, by=make_user(), at=NOW)
    return scheme


def url(person, scheme=""):
    return f"/people/{person.study_id}/schemes/{scheme}"


LEVELS = {"chosen": "yes", "level_1_phone": "mobile"}


def confirm(client, trial, person):
    visitor = as_(client, trial.randomiser)
    page = text_of(visitor.post(url(person, "texts/"), LEVELS))
    key = re.search(r'name="request_key" value="([0-9a-f-]{36})"', page)[1]
    return visitor.post(url(person, "texts/"), {**LEVELS, "request_key": key, "secret": PASSWORD})


def test_open_schemes_other_than_the_protocols_are_offered(client, trial, sub):
    page = text_of(as_(client, trial.randomiser).get(url(trial.randomised())))

    assert "Reminder by text" in page
    assert "Not yet" in page
    assert "programmes" not in page.split("<main")[1]


def test_one_who_was_randomised_is_allocated_again_and_nothing_else_changes(client, trial, sub):
    person = trial.randomised()

    response = confirm(client, trial, person)

    made = Allocation.objects.get(scheme=sub)
    assert response.headers["Location"] == url(person)
    assert (made.unit, made.factors) == (person.study_id, {"phone": "mobile"})
    assert Referral.objects.get(pk=person.referral_id).status == Status.RANDOMISED
    assert "number 1" in text_of(client.get(url(person)))


def test_a_second_time_gives_the_same(client, trial, sub):
    person = trial.randomised()
    confirm(client, trial, person)

    again = as_(client, trial.randomiser).post(url(person, "texts/"), LEVELS)

    assert again.headers["Location"] == url(person)
    assert Allocation.objects.filter(scheme=sub).count() == 1


def test_no_page_names_its_arm(client, trial, sub):
    person = trial.randomised()
    confirm(client, trial, person)

    page = text_of(client.get(url(person)))

    assert "zq7x" not in page
    assert "kv4w" not in page


def test_a_scheme_that_is_not_open_is_not_found(client, trial):
    person = trial.randomised()

    assert as_(client, trial.randomiser).get(url(person, "nosuch/")).status_code == 404
    assert as_(client, trial.randomiser).get(url(person, "programmes/")).status_code == 404


def test_who_may(client, trial, sub):
    answers = answers_by_role(client, everyone(trial), url(trial.randomised(), "texts/"))

    assert {role for role, status in answers.items() if status == 200} == {Role.RANDOMISER}
