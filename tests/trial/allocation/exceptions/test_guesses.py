"""What assessors believe: asked at the last visit, sealed at once, read by few and at the end only (BR-27)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from randomisation.models import Scheme
from randomisation.states import close_scheme
from tests.factories import NOW, TODAY, Trial, staff
from tests.trial.allocation.exceptions.builders import names_an_arm
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import Site
from trial.access.policy import Role
from trial.allocation.actions import report_unblinding
from trial.allocation.errors import AllocationRefused
from trial.allocation.exceptions import guesses
from trial.allocation.models import BlindingEvent, BlindingGuess
from trial.messages.models import Task
from trial.schedule.models import Visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TYPED = {"guess": "1", "certainty": "4", "basis": "hunch", "visit": "none"}


@pytest.fixture
def trial():
    return Trial("northbank", site_code="17").open_randomisation()


@pytest.fixture
def person(trial):
    return trial.randomised()


@pytest.fixture
def assessor(trial):
    return staff(Role.OUTCOME_ASSESSOR, trial.site, name="Priya Nair")


def url(participant):
    return f"/people/{participant.study_id}/guess/"


def say(client, user, participant, **more):
    return as_(client, user).post(url(participant), TYPED | more)


def last_visit(participant):
    return Visit.objects.filter(participant=participant).order_by("-number").first()


def test_it_is_kept_sealed_in_the_row_and_its_history(client, trial, person, assessor):
    response = say(client, assessor, person)

    guess = BlindingGuess.objects.get()
    assert response.headers["Location"] == f"/people/{person.study_id}/"
    assert (guess.assessor, guess.certainty, guess.basis, guess.visit) == (assessor, 4, "hunch", "")
    kept = str([*BlindingGuess.objects.values(), *BlindingGuess.history.values()]).lower()
    assert not any(arm.code in kept for arm in trial.spec.arms)
    assert guess.history.get().guess_sealed == guess.guess_sealed


def test_every_token_is_of_the_same_length_and_none_is_the_same(client, trial, person, assessor):
    others = [trial.randomised() for _ in range(3)]

    for participant, choice in zip([person, *others], ("0", "1", "2", "unknown"), strict=True):
        say(client, assessor, participant, guess=choice)

    tokens = list(BlindingGuess.objects.values_list("guess_sealed", flat=True))
    assert len({len(token) for token in tokens}) == 1
    assert len(set(tokens)) == 4


@pytest.mark.parametrize("wrong", [{"guess": ""}, {"guess": "9"}, {"certainty": "6"}, {"basis": ""}, {"visit": "V99"}])
def test_what_is_missing_is_asked_for(client, person, assessor, wrong):
    response = say(client, assessor, person, **wrong)

    assert problems_of(response)
    assert not BlindingGuess.objects.exists()


def test_it_is_said_once_at_each_visit(client, trial, person, assessor):
    visit = last_visit(person).code
    say(client, assessor, person, visit=visit)

    again, elsewhen = say(client, assessor, person, visit=visit), say(client, assessor, person)

    assert problems_of(again) == ["You have said so at this visit already. It is kept as you said it first."]
    assert elsewhen.status_code == 302


def test_who_was_told_or_saw_something_is_recorded_as_exposed(client, trial, person, assessor):
    say(client, assessor, person, basis="told")

    event = BlindingEvent.objects.get()
    assert (event.person, event.kind, event.happened_date) == (assessor, "accidental", TODAY)
    assert event.route == "The participant or somebody else said so"


@pytest.mark.parametrize("more", [{"basis": "hunch"}, {"basis": "told", "guess": "unknown"}])
def test_a_mere_guess_is_no_exposure(client, person, assessor, more):
    say(client, assessor, person, **more)

    assert not BlindingEvent.objects.exists()


def test_only_assessors_are_asked(client, trial, person):
    answers = answers_by_role(client, everyone(trial), url(person))

    assert {role for role, status in answers.items() if status == 200} == {Role.OUTCOME_ASSESSOR}


def test_the_page_is_the_same_whatever_the_arm_and_shows_no_earlier_answer(client, trial, person, assessor):
    other = trial.randomised()
    say(client, assessor, person)
    client.get("/")  # shows the message that it was kept

    pages = [text_of(as_(client, assessor).get(url(one))).replace(one.study_id, "ID") for one in (person, other)]

    assert _without_tokens(pages[0]) == _without_tokens(pages[1])
    assert " checked" not in pages[0]


def _without_tokens(page: str) -> list[str]:
    return [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line and "draft" not in line]


def test_of_another_site_or_before_randomisation_there_is_no_page(client, trial, assessor):
    waiting = trial.baseline_done()

    assert as_(client, assessor).get(url(waiting)).status_code == 404


def test_an_assessor_of_another_site_does_not_find_the_person(client):
    trial = Trial().open_randomisation()

    response = as_(client, elsewhere(Role.OUTCOME_ASSESSOR, blinded=True)).get(url(trial.randomised()))

    assert response.status_code == 404


# -- read at the end


def test_it_is_read_once_randomisation_is_closed_and_by_who_sees_the_balance(client, trial, person, assessor):
    say(client, assessor, person)
    statistician, scheme = staff(Role.UNBLINDED_STATISTICIAN), Scheme.objects.get()

    with pytest.raises(AllocationRefused, match="once randomisation is closed"):
        guesses.opened_guesses(scheme=scheme, by=statistician)
    close_scheme(scheme=scheme, reason="Target reached", by=statistician, at=NOW)
    with pytest.raises(AllocationRefused, match="Your role"):
        guesses.opened_guesses(scheme=scheme, by=trial.coordinator)

    (opened,) = guesses.opened_guesses(scheme=scheme, by=statistician)
    assert (opened.participant, opened.arm, opened.certainty) == (person, trial.spec.arms[1], 4)
    assert "osprey" not in repr(opened)


def test_not_knowing_is_kept_as_such(client, trial, person, assessor):
    say(client, assessor, person, guess="unknown")
    scheme, statistician = Scheme.objects.get(), staff(Role.UNBLINDED_STATISTICIAN)
    close_scheme(scheme=scheme, reason="Target reached", by=statistician, at=NOW)

    (opened,) = guesses.opened_guesses(scheme=scheme, by=statistician)

    assert opened.arm is None


# -- asked at the last visit


def test_the_last_visit_asks_the_assessors_of_the_site_once(client, trial, person, assessor):
    visit = last_visit(person)
    at = NOW + (visit.opens_date - TODAY)

    first, second = guesses.open_tasks(at=at), guesses.open_tasks(at=at + timedelta(minutes=1))

    task = Task.objects.get(kind="guess")
    assert (first, second) == (1, 0)
    assert (task.role, task.site, task.due_date) == (Role.OUTCOME_ASSESSOR, trial.site, visit.closes_date)
    assert guesses.open_tasks(at=NOW) == 0
    assert not any(arm.code in f"{task.title} {task.detail} {task.link}".lower() for arm in trial.spec.arms)


def test_an_answer_closes_the_task(client, trial, person, assessor):
    visit = last_visit(person)
    guesses.open_tasks(at=NOW + (visit.opens_date - TODAY))

    say(client, assessor, person, visit=visit.code)

    assert Task.objects.get(kind="guess").done_at is not None


def test_where_nobody_assesses_nobody_is_asked(trial, person):
    visit = last_visit(person)

    assert guesses.open_tasks(at=NOW + (visit.opens_date - TODAY)) == 0


# -- outcomes that carry a flag


def interviewed(form, assessor, day):
    """The form as if the assessor had held an interview on that day."""
    form.assessor, form.completed_date, form.mode = assessor, day, "interview_phone"
    return form.save_by(assessor, "Assessed")


def expose(assessor, person, day=TODAY):
    return report_unblinding(
        participant=person,
        person=assessor,
        kind="accidental",
        route="She said so",
        happened_date=day,
        by=assessor,
        at=NOW,
    )


def address_of(form):
    return f"/people/{form.participant.study_id}/{form.visit.code}/{form.instrument}/"


def test_outcomes_after_an_exposure_carry_a_flag_and_earlier_ones_do_not(trial, assessor):
    person = trial.baseline_done()
    before, after = person.administrations.order_by("pk")[:2]
    interviewed(before, assessor, TODAY - timedelta(days=1))
    interviewed(after, assessor, TODAY)
    expose(assessor, person)

    assert list(guesses.unblinded_outcomes()) == [after]
    assert guesses.was_unblinded(assessor=assessor, participant=person, on=TODAY)
    assert not guesses.was_unblinded(assessor=assessor, participant=person, on=TODAY - timedelta(days=1))


@pytest.mark.parametrize("page", ["", "history/"])
def test_the_flag_stands_on_the_form_for_unblinded_readers_and_the_data_manager_only(client, trial, assessor, page):
    person = trial.baseline_done()
    before, after = person.administrations.order_by("pk")[:2]
    interviewed(before, assessor, TODAY - timedelta(days=1))
    interviewed(after, assessor, TODAY)
    expose(assessor, person)
    shown = [trial.coordinator, staff(Role.DATA_MANAGER), staff(Role.MONITOR, trial.site, blinded=False)]
    hidden = [assessor, staff(Role.MONITOR, trial.site, blinded=True)]

    def answer(user, form):
        return as_(client, user).get(f"{address_of(form)}{page}")

    assert all(guesses.FLAG in text_of(answer(user, after)) for user in shown)
    assert not any(guesses.FLAG in text_of(answer(user, before)) for user in shown)
    assert not any(guesses.FLAG in text_of(answer(user, after)) for user in hidden)
    assert not any(names_an_arm(answer(user, after)) for user in [*shown[1:2], *hidden])


def test_the_data_page_counts_them_and_leads_to_them(client, trial, assessor):
    person = trial.baseline_done()
    form = interviewed(person.administrations.first(), assessor, TODAY)
    visitor = as_(client, staff(Role.DATA_MANAGER))
    none = text_of(visitor.get("/data/"))

    expose(assessor, person)
    response = visitor.get("/data/")

    assert "No interview was held by an assessor who had learned the allocation" in none
    assert response.context["n_unblinded"] == 1
    assert address_of(form) in text_of(response)
    assert not names_an_arm(response)


def test_the_unblinding_log_counts_those_of_the_readers_sites(client, trial, assessor):
    person = trial.baseline_done()
    interviewed(person.administrations.first(), assessor, TODAY)
    expose(assessor, person)
    away = staff(Role.DUTY_CLINICIAN, Site(code="18", name="Elsewhere", opened_date=TODAY).save_by(None))

    counts = [
        as_(client, user).get("/randomisation/code-breaks/").context["n_unblinded"]
        for user in (staff(Role.TRIAL_MANAGER, blinded=True), trial.clinician, away)
    ]

    assert counts == [1, 1, 0]


def test_the_pages_that_count_ask_as_often_however_many_there_are(client, trial, assessor):
    forms = list(trial.baseline_done().administrations.order_by("pk")[:4])
    pages, counts = ((staff(Role.DATA_MANAGER), "/data/"), (trial.clinician, "/randomisation/code-breaks/")), []
    expose(assessor, forms[0].participant)
    for user, page in pages:
        as_(client, user).get(page)  # what a process reads once
    for some in (forms[:1], forms):
        for form in some:
            interviewed(form, assessor, TODAY)
        for user, page in pages:
            visitor = as_(client, user)
            with CaptureQueriesContext(connection) as queries:
                visitor.get(page)
            counts.append(len(queries))

    assert counts[:2] == counts[2:]


def test_no_page_names_the_arm_that_was_given(client, trial, person, assessor):
    response = as_(client, assessor).get(f"/people/{person.study_id}/")

    assert not names_an_arm(response)
