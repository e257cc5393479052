"""A trial with its office, a draft with a kept acceptance test, and a finished small trial to reveal."""

from datetime import timedelta

from django.test import Client

from randomisation import proposals
from randomisation.models import Revision, Scheme
from tests.factories import NOW, Trial, staff
from trial.access.policy import Role
from trial.allocation import schemes
from trial.allocation.acceptance.case import Outcome, Status
from trial.allocation.acceptance.covered import COVERED
from trial.protocol.versions import restricted_parameters

CODE = "main"
URL = f"/randomisation/schemes/{CODE}/"
LONG_AGO = NOW - timedelta(days=50)


class Office:
    """The people of the office, by role. `as_("sponsor")` signs somebody in."""

    def __init__(self) -> None:
        self.trial = Trial()
        self.manager = staff(Role.TRIAL_MANAGER, name="Mina Khan", blinded=False)
        self.statistician = staff(Role.UNBLINDED_STATISTICIAN, name="Ivo Brandt")
        self.second = staff(Role.UNBLINDED_STATISTICIAN, name="Lena Moss")
        self.sponsor = staff(Role.SPONSOR_REPRESENTATIVE, name="Carys Pugh")
        self.monitor = staff(Role.MONITOR, self.trial.site, name="Ned Vale", blinded=True)

    def as_(self, name: str) -> Client:
        client = Client()
        client.force_login(getattr(self, name))
        return client

    @property
    def scheme(self) -> Scheme:
        return Scheme.objects.get(code=CODE)

    def draft(self, *, simulation=None) -> Revision:
        """Configured by the statistician and simulated."""
        version = self.trial.version
        restricted = restricted_parameters(version)
        revision = schemes.configure(spec=version.spec, restricted=restricted, by=self.statistician, at=LONG_AGO)
        schemes.keep_simulation(revision=revision, document=simulation or {}, by=self.statistician, at=LONG_AGO)
        revision.refresh_from_db()
        return revision

    def tested(self, revision, *, failed: int = 0):
        """An acceptance test that the manager ran."""
        found = document(failed=failed)
        return schemes.keep_acceptance_test(
            revision=revision, document=found, n_passed=2, n_failed=failed, by=self.manager, at=LONG_AGO
        )

    def finished(self, *, n_people: int = 3) -> Scheme:
        """Open, some people randomised, and closed by two people."""
        self.trial.open_randomisation()
        for number in range(n_people):
            self.trial.randomised(at=NOW - timedelta(days=1, hours=number))
        self.step(proposals.CLOSE, {}, by=self.manager, approvers=[self.sponsor])
        return self.scheme

    def revealed(self, **given) -> Scheme:
        """Finished, and revealed by two people."""
        scheme = self.finished(**given)
        facts = {"analysis": "Master file 11.2"}
        self.step(proposals.REVEAL, facts, by=self.statistician, approvers=[self.second, self.sponsor])
        return scheme

    def step(self, kind, facts, *, by, approvers, **more):
        """Asked for and approved."""
        asked = proposals.ask(scheme=self.scheme, kind=kind, facts=facts, reason="As planned", by=by, at=NOW, **more)
        for person in approvers:
            proposals.approve(proposal=asked, by=person, at=NOW)
        return asked


def document(*, failed: int = 0):
    """What an acceptance test keeps."""
    passed = [
        Outcome("A01", "12", "One allocation in every stratum", "One each", "6 in 6", Status.PASSED, 12),
        Outcome("E05", "7, 9.5", "E_TARGET", "Refused", "E_TARGET", Status.PASSED, 3),
    ]
    broken = [Outcome(f"X0{n}", "9.3", "Wrong level", "Stands", "Changed", Status.FAILED, 5) for n in range(failed)]
    outcomes = [*passed, *broken, *(one.outcome() for one in COVERED)]
    return {
        "software_version": "0.1.0",
        "commit": "0" * 40,
        "engine_version": "trial-randomisation/1",
        "database": "SQLite 3, a temporary file",
        "python": "3.11",
        "vectors": [{"id": f"R{n:02}", "outcome": "pass"} for n in range(1, 34)],
        "cases": [one.as_json() for one in outcomes],
        "began": LONG_AGO.isoformat(),
    }
