"""What the tests of the office share: a trial and the people of the office, by role."""

import pytest
from django.test import Client

from randomisation.models import Scheme
from tests.factories import Trial, staff
from trial.access.models import User
from trial.access.policy import Role


class Office:
    """One trial with its office. `as_("sponsor")` signs somebody in."""

    def __init__(self) -> None:
        self.trial = Trial()
        self.people = {
            "coordinator": self.trial.coordinator,
            "investigator": self.trial.investigator,
            "randomiser": self.trial.randomiser,
            "manager": staff(Role.TRIAL_MANAGER, name="Mina Khan"),
            "chief": staff(Role.CHIEF_INVESTIGATOR, name="Dr Ruth Sayer"),
            "statistician": staff(Role.UNBLINDED_STATISTICIAN, name="Ivo Brandt"),
            "second": staff(Role.UNBLINDED_STATISTICIAN, name="Lena Moss"),
            "sponsor": staff(Role.SPONSOR_REPRESENTATIVE, name="Carys Pugh"),
            "monitor": staff(Role.MONITOR, self.trial.site, name="Ned Vale", blinded=True),
        }

    def __getattr__(self, name: str) -> User:
        return self.people[name]

    def as_(self, name: str) -> Client:
        client = Client()
        client.force_login(self.people[name])
        return client

    @property
    def scheme(self) -> Scheme:
        return Scheme.objects.get(code=self.trial.spec.randomisation.scheme)


@pytest.fixture
def office(db, clock) -> Office:
    """The office before anything is configured."""
    return Office()


@pytest.fixture
def running(office) -> Office:
    """The office of a scheme that is open."""
    office.trial.open_randomisation()
    return office
