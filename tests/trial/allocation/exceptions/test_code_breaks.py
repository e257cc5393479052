"""One participant's arm, told to one person for a short while, after two have agreed (randomisation.md 6.6)."""

from datetime import timedelta

import pytest

from randomisation.models import ArmAccessLog, CodeBreak, EventLog, Scheme
from randomisation.states import close_scheme, pause_scheme
from tests.factories import NOW, PASSWORD, TODAY, Trial, staff
from tests.trial.allocation.exceptions.builders import approved, asked, names_an_arm, requests
from tests.trial.journey.builders import arm_number
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.allocation.exceptions import notices
from trial.allocation.models import BlindingEvent
from trial.messages.models import OutboxMessage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TYPED = {
    "category": "emergency",
    "reason": "Collapsed at home, the ambulance asks",
    "recipient": "me",
    "third_party": "",
    "who_knows": "The duty clinician",
    "stays_in_follow_up": "yes",
}
LIST = "/randomisation/code-breaks/"


@pytest.fixture
def trial():
    return Trial("northbank", site_code="17").open_randomisation()


@pytest.fixture
def person(trial):
    return trial.randomised()


@pytest.fixture
def manager(trial):
    return staff(Role.TRIAL_MANAGER, blinded=False, name="Mo Manager")


def ask(client, user, participant, **more):
    return as_(client, user).post(f"/people/{participant.study_id}/randomisation/code-break/", {**TYPED, **more})


def broken(client, user, participant, by, **more) -> str:
    """A code break that was asked for and authorised; the address that opens it."""
    ask(client, user, participant, **more)
    approved(requests().latest("pk"), by)
    return f"{LIST}{CodeBreak.objects.latest('pk').pk}/"


def open_(client, user, where, secret=PASSWORD):
    return as_(client, user).post(where, {"secret": secret})


def test_it_is_asked_for_and_nobody_is_told_before_another_person_authorises(client, trial, person):
    response = ask(client, trial.clinician, person)

    assert response.headers["Location"] == f"/people/{person.study_id}/randomisation/"
    assert asked().facts == {
        "category": "emergency",
        "who_knows": "The duty clinician",
        "third_party": "",
        "stays_in_follow_up": True,
    }
    assert not CodeBreak.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": ""},
        {"reason": ""},
        {"who_knows": "Everybody in kestrel"},
        {"reason": "He is in the Merlin programme"},
        {"recipient": "third"},
        {"recipient": "third", "third_party": "Dr Osprey"},
        {"stays_in_follow_up": ""},
    ],
)
def test_what_is_missing_or_tells_the_arm_is_refused_and_nothing_typed_is_lost(client, trial, person, wrong):
    response = ask(client, trial.clinician, person, **wrong)

    assert problems_of(response)
    assert not requests().exists()
    for field in ("reason", "who_knows"):
        if field not in wrong:
            assert TYPED[field] in text_of(response)


def test_who_asked_is_shown_one_arm_with_the_password_and_it_is_logged_twice(client, trial, person, manager):
    where = broken(client, trial.investigator, person, manager)

    page = text_of(open_(client, trial.investigator, where))

    arm = trial.spec.arms[arm_number(trial, person)]
    assert arm.label in page
    assert not any(other.label in page for other in trial.spec.arms if other != arm)
    assert ArmAccessLog.objects.get(reason__startswith="Code break").by == trial.investigator
    event = AccessEvent.objects.get(kind="arm_viewed")
    assert (event.user, event.record) == (trial.investigator, person.study_id)
    assert EventLog.objects.filter(event="code_break", seq=1).exists()


def test_every_showing_is_logged(client, trial, person, manager):
    where = broken(client, trial.investigator, person, manager)

    for _ in range(3):
        open_(client, trial.investigator, where)

    assert ArmAccessLog.objects.filter(reason__startswith="Code break").count() == 3


def test_opening_the_page_shows_nothing_before_the_password(client, trial, person, manager):
    where = broken(client, trial.investigator, person, manager)

    response = as_(client, trial.investigator).get(where)

    assert not names_an_arm(response)
    assert 'name="secret"' in text_of(response)
    assert not AccessEvent.objects.filter(kind="arm_viewed").exists()


@pytest.mark.parametrize("secret", ["", "wrong", "\x00"])
def test_a_wrong_password_shows_nothing(client, trial, person, manager, secret):
    where = broken(client, trial.investigator, person, manager)

    response = open_(client, trial.investigator, where, secret)

    assert not names_an_arm(response)
    assert not ArmAccessLog.objects.filter(reason__startswith="Code break").exists()


def test_no_browser_keeps_it_and_no_title_or_address_tells_it(client, trial, person, manager):
    where = broken(client, trial.investigator, person, manager)

    response = open_(client, trial.investigator, where)

    title = text_of(response).split("<title>")[1].split("</title>")[0].lower()
    assert "no-store" in response.headers["Cache-Control"]
    assert not any(arm.code in title for arm in trial.spec.arms)


def test_after_an_hour_it_is_over(client, trial, person, manager, clock):
    where = broken(client, trial.investigator, person, manager)

    clock.move_to(NOW + timedelta(minutes=61))
    response = open_(client, trial.investigator, where)

    assert not names_an_arm(response)
    assert "The time to read it is over" in text_of(response)
    assert not ArmAccessLog.objects.filter(reason__startswith="Code break").exists()


def test_another_person_than_who_asked_does_not_find_it(client, trial, person, manager):
    where = broken(client, trial.investigator, person, manager)

    for other in (manager, trial.clinician, staff(Role.CHIEF_INVESTIGATOR, blinded=False)):
        response = open_(client, other, where)
        assert response.status_code == 404


def test_told_to_a_clinician_outside_only_who_authorised_reads_it(client, trial, person, manager):
    third = {"recipient": "third", "third_party": "Dr Shah, emergency department"}
    where = broken(client, trial.clinician, person, manager, **third)

    asker, authoriser = open_(client, trial.clinician, where), open_(client, manager, where)

    assert asker.status_code == 404
    assert names_an_arm(authoriser)
    assert "Read it to Dr Shah, emergency department only" in text_of(authoriser)


def test_a_blinded_person_who_is_shown_it_is_blinded_no_longer_once(client, trial, person, manager):
    where = broken(client, trial.clinician, person, manager)

    for _ in range(2):
        assert names_an_arm(open_(client, trial.clinician, where))

    event = BlindingEvent.objects.get()
    assert (event.participant, event.person, event.kind) == (person, trial.clinician, "emergency")
    assert event.happened_date == TODAY


def test_of_somebody_unblinded_no_blinding_event_is_made(client, trial, person, manager):
    where = broken(client, trial.investigator, person, manager)

    open_(client, trial.investigator, where)

    assert not BlindingEvent.objects.exists()


@pytest.mark.parametrize("stop", [pause_scheme, close_scheme])
def test_it_works_while_randomisation_is_paused_or_closed(client, trial, person, manager, stop):
    stop(scheme=Scheme.objects.get(), reason="For a while", by=manager, at=NOW)

    where = broken(client, trial.clinician, person, manager)

    assert names_an_arm(open_(client, trial.clinician, where))


def test_who_may_open_the_log_of_code_breaks(client, trial, person):
    answers = answers_by_role(client, everyone(trial), LIST)

    assert {role for role, status in answers.items() if status == 200} == {
        Role.PRINCIPAL_INVESTIGATOR,
        Role.CHIEF_INVESTIGATOR,
        Role.DUTY_CLINICIAN,
        Role.TRIAL_MANAGER,
        Role.MONITOR,
        Role.UNBLINDED_STATISTICIAN,
        Role.SPONSOR_REPRESENTATIVE,
    }


def test_the_log_tells_who_and_why_and_no_arm(client, trial, person, manager):
    open_(client, trial.investigator, broken(client, trial.investigator, person, manager))

    for answer in (as_(client, manager).get(LIST), client.get(f"{LIST}?format=csv")):
        assert not names_an_arm(answer)
        for words in (person.study_id, "Medical emergency", "Mo Manager", "The duty clinician"):
            assert words in text_of(answer)


def test_who_knows_is_not_told_to_blinded_readers(client, trial, person, manager):
    broken(client, trial.investigator, person, manager)
    monitor = staff(Role.MONITOR, trial.site, blinded=True)

    for where in (LIST, f"{LIST}?format=csv"):
        page = text_of(as_(client, monitor).get(where))
        assert person.study_id in page
        assert "The duty clinician" not in page


def test_a_monitor_of_another_site_reads_nothing_of_it(client):
    trial = Trial().open_randomisation()
    person = trial.randomised()
    broken(client, trial.investigator, person, staff(Role.TRIAL_MANAGER, blinded=False))

    assert person.study_id not in text_of(as_(client, elsewhere(Role.MONITOR)).get(LIST))


def test_a_study_number_leads_to_the_page_that_asks(client, trial, person):
    visitor = as_(client, trial.clinician)

    found = visitor.get(f"{LIST}ask/", {"number": f" {person.study_id.lower()} "})
    absent = visitor.get(f"{LIST}ask/", {"number": "nobody"})

    assert found.headers["Location"] == f"/people/{person.study_id}/randomisation/code-break/"
    assert absent.headers["Location"] == LIST


def test_trial_manager_and_sponsor_are_told_once_and_without_the_arm(client, trial, person, manager):
    people = [manager, staff(Role.SPONSOR_REVIEWER), staff(Role.SPONSOR_REPRESENTATIVE)]
    broken(client, trial.clinician, person, manager)

    first, second = notices.write_due(at=NOW), notices.write_due(at=NOW + timedelta(minutes=1))

    sent = OutboxMessage.objects.filter(kind="code_break")
    assert (first, second) == (3, 0)
    assert {message.to_user for message in sent} == set(people)
    for message in sent:
        text = f"{message.heading} {message.body}".lower()
        assert not any(arm.code in text for arm in trial.spec.arms)
        assert person.study_id.lower() in text


def test_the_record_of_it_holds_no_arm_in_any_table_or_history(client, trial, person, manager):
    open_(client, trial.clinician, broken(client, trial.clinician, person, manager))

    rows = [
        *CodeBreak.objects.values(),
        *requests().values(),
        *BlindingEvent.history.values(),
        *AccessEvent.objects.values(),
        *ArmAccessLog.objects.values(),
        *EventLog.objects.values(),
    ]
    text = str(rows).lower()
    assert not any(arm.code in text for arm in trial.spec.arms)
