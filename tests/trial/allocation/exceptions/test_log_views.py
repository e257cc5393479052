"""The exceptions log: every request, who decided, and no arm (randomisation.md 15)."""

import pytest

from randomisation.models import Scheme
from tests.factories import NOW, Trial, staff
from tests.trial.allocation.exceptions.builders import approved, names_an_arm
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, text_of
from trial.access.policy import Role
from trial.allocation.exceptions import asking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LOG = "/randomisation/exceptions/"
REASON = "The score was added up wrongly"
READERS = {
    Role.CHIEF_INVESTIGATOR,
    Role.TRIAL_MANAGER,
    Role.MONITOR,
    Role.UNBLINDED_STATISTICIAN,
    Role.SPONSOR_REPRESENTATIVE,
}


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def flagged(trial):
    person = trial.randomised()
    asked = asking.ask_flag(participant=person, category="ineligible", reason=REASON, by=trial.coordinator, at=NOW)
    approved(asked, staff(Role.CHIEF_INVESTIGATOR, name="Dr Chief", blinded=False))
    return person


def test_who_may_read_it(client, trial):
    for page in (LOG, "/randomisation/error/"):
        answers = answers_by_role(client, everyone(trial), page)

        assert {role for role, status in answers.items() if status == 200} == READERS
        assert set(answers.values()) == {200, 403}


@pytest.mark.parametrize("where", [LOG, f"{LOG}?format=csv"])
def test_it_says_what_who_when_and_the_decision(client, trial, flagged, where):
    page = text_of(as_(client, staff(Role.TRIAL_MANAGER, blinded=False)).get(where))

    for words in ("Not eligible", "Asha Patel", "Dr Chief", "Approved and done", REASON, "9 July 2026", "main"):
        assert words in page


@pytest.mark.parametrize("where", [LOG, f"{LOG}?format=csv"])
def test_what_somebody_typed_is_not_told_to_blinded_readers(client, trial, flagged, where):
    page = text_of(as_(client, staff(Role.MONITOR, trial.site, blinded=True)).get(where))

    assert "Not eligible" in page
    assert REASON not in page


def test_a_monitor_reads_of_the_own_site_only(client, trial, flagged):
    page = text_of(as_(client, elsewhere(Role.MONITOR)).get(LOG))

    assert "Not eligible" not in page


def test_it_tells_no_restricted_parameter_and_no_arm(client):
    trial = Trial("northbank", site_code="17").open_randomisation()
    trial.randomised()

    response = as_(client, staff(Role.TRIAL_MANAGER, blinded=False)).get(LOG)

    assert Scheme.objects.get().code in text_of(response)
    assert not names_an_arm(response)
    assert "block" not in text_of(response).lower().split("<main")[1]


def test_a_cell_that_a_spreadsheet_would_run_is_defused(client, trial):
    person = trial.randomised()
    asking.ask_flag(participant=person, category="error", reason="=1+1", by=trial.coordinator, at=NOW)

    page = text_of(as_(client, staff(Role.TRIAL_MANAGER, blinded=False)).get(f"{LOG}?format=csv"))

    assert ",'=1+1" in page


def test_the_steps_of_a_system_error_never_allocate_again(client, trial):
    page = text_of(as_(client, staff(Role.TRIAL_MANAGER, blinded=False)).get("/randomisation/error/"))

    for words in ("Pause randomisation at once", "Replay the log", "Nobody is allocated again"):
        assert words in page
