"""A batch: chosen, checked, confirmed once, all or none, in an order that nobody chooses (section 5)."""

import re

import pytest

from randomisation import high_water
from randomisation.models import Allocation, Scheme
from tests.factories import NOW, PASSWORD, Trial, staff
from tests.trial.journey.steps_by_page import answers_by_role, as_, everyone, problems_of, text_of
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.participants.models import Referral, Status
from trial.safety import actions as safety

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

BATCH = "/randomisation/batch/"


@pytest.fixture
def trial():
    opened = Trial("northbank", site_code="17").open_randomisation()
    high_water.reset(Scheme.objects.get())  # what the commit of the opening does, which no test has
    return opened


@pytest.fixture
def ready(trial):
    return [trial.baseline_done() for _ in range(3)]


def chosen(people, **more):
    return {"code": "cohort-03", "people": [one.study_id for one in people], **more}


def levels(people):
    return {"chosen": "yes", **{f"level_{number}_worry": "mild" for number, _ in enumerate(people, start=1)}}


def confirm(client, trial, people, **more):
    visitor = as_(client, trial.randomiser)
    page = text_of(visitor.post(BATCH, chosen(people) | levels(people)))
    key = re.search(r'name="request_key" value="([0-9a-f-]{36})"', page)[1]
    return visitor.post(BATCH, {**chosen(people), **levels(people), "request_key": key, "secret": PASSWORD, **more})


def statuses(people):
    return {Referral.objects.get(pk=one.referral_id).status for one in people}


def test_the_confirmation_shows_who_is_in_it_and_nothing_has_happened(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    first = text_of(visitor.post(BATCH, chosen(ready)))
    second = text_of(visitor.post(BATCH, chosen(ready) | levels(ready)))

    assert " checked" not in first, "the values are chosen again, not shown"
    assert "Randomise these 3 people together?" in second
    assert all(one.study_id in second for one in ready)
    assert not Allocation.objects.exists()


def test_with_one_password_all_are_allocated_in_the_order_of_the_stream(client, trial, ready):
    response = confirm(client, trial, ready)

    made = list(Allocation.objects.order_by("seq"))
    assert response.headers["Location"] == f"{BATCH}cohort-03/"
    assert [one.seq for one in made] == [1, 2, 3]
    assert {one.unit for one in made} == {one.study_id for one in ready}
    assert {one.batch for one in made} == {"cohort-03"}
    assert statuses(ready) == {Status.RANDOMISED}


def test_one_who_is_not_ready_any_more_stops_all_of_them(client, trial, ready):
    visitor = as_(client, trial.randomiser)
    page = text_of(visitor.post(BATCH, chosen(ready) | levels(ready)))
    key = re.search(r'name="request_key" value="([0-9a-f-]{36})"', page)[1]
    safety.raise_concern(participant=ready[1], text="Very low", by=trial.coordinator, at=NOW)

    response = visitor.post(BATCH, {**chosen(ready), **levels(ready), "request_key": key, "secret": PASSWORD})

    assert f"{ready[1].study_id}: A risk alert is not assessed" in text_of(response)
    assert not Allocation.objects.exists()
    assert statuses(ready) == {Status.BASELINE_DONE}


def test_values_other_than_those_signed_stop_all_of_them(client, trial, ready):
    response = confirm(client, trial, ready, level_2_worry="high")

    assert "No allocation was made" in text_of(response)
    assert f"{ready[1].study_id}: The values you chose differ" in text_of(response)
    assert not Allocation.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"code": ""}, {"code": "a|b"}, {"code": "x" * 41}, {"people": []}, {"people": ["x"]}]
)
def test_what_is_wrong_is_said(client, trial, ready, wrong):
    response = as_(client, trial.randomiser).post(BATCH, chosen(ready) | wrong)

    assert problems_of(response)
    assert not Allocation.objects.exists()


def test_a_code_is_used_for_one_batch(client, trial, ready):
    confirm(client, trial, ready)

    response = confirm(client, trial, [trial.baseline_done()])

    assert "The code cohort-03 was used for another batch" in text_of(response)
    assert Allocation.objects.count() == 3


def test_the_result_lists_everybody_with_arms_and_logs_each(client, trial, ready):
    confirm(client, trial, ready)

    page = text_of(as_(client, trial.randomiser).get(f"{BATCH}cohort-03/"))

    assert all(one.study_id in page for one in ready)
    assert any(arm.label in page for arm in trial.spec.arms)
    assert AccessEvent.objects.filter(kind="arm_viewed", user=trial.randomiser).count() == 3


def test_who_may_randomise_a_batch(client, trial, ready):
    answers = answers_by_role(client, everyone(trial), BATCH)

    assert {role for role, status in answers.items() if status == 200} == {Role.RANDOMISER}


def test_a_batch_that_is_not_there_is_not_found(client, trial):
    assert as_(client, trial.randomiser).get(f"{BATCH}nothing/").status_code == 404


def test_when_nobody_is_ready_the_page_says_so(client, trial):
    assert "Nobody is ready" in text_of(as_(client, trial.randomiser).get(BATCH))


def test_a_randomiser_who_is_blinded_elsewhere_opens_nothing(client, trial, ready):
    from tests.factories import give_role

    person = give_role(staff(Role.RANDOMISER), Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)

    assert as_(client, person).get(BATCH).status_code == 403
