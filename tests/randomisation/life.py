"""A revision through every state up to its lock, with the least that each step asks for; and a scheme in use."""

from datetime import UTC, datetime

from randomisation import high_water
from randomisation.allocate import allocate
from randomisation.checking import verify_event_log, verify_list
from randomisation.drafts import Draft, configure, create_scheme, keep_document, sign_test
from randomisation.engine.replay import verify
from randomisation.locks import lock
from randomisation.models import BEFORE_LOCK, DraftDocument
from randomisation.requests import Member, UnitRequest
from randomisation.reveal import contents
from randomisation.states import open_scheme
from tests.randomisation.people import make_participant, make_user

LOCKED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OPENED_AT = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def ready_revision(*, scheme, parameters, rows_per_stratum, at, backup_rows=0, reason="", list_file=None, by=None):
    """Configured, simulated, tested and signed; by one statistician and one tester."""
    statistician, tester = by or make_user(), make_user()
    draft = Draft(parameters, rows_per_stratum, backup_rows, reason, list_file)
    revision = configure(scheme=scheme, draft=draft, by=statistician, at=at)
    given = {"revision": revision, "at": at, "software_version": "tests"}
    keep_document(kind=DraftDocument.Kind.SIMULATION, document={"n_trials": 0}, by=statistician, **given)
    test = keep_document(kind=DraftDocument.Kind.ACCEPTANCE, document={"cases": []}, by=tester, n_passed=1, **given)
    sign_test(document=test, by=statistician, at=at)
    revision.refresh_from_db()
    return revision


def lock_scheme(*, scheme, parameters, rows_per_stratum, approvers, by, at, **given):
    """The scheme's next revision, locked."""
    revision = ready_revision(scheme=scheme, parameters=parameters, rows_per_stratum=rows_per_stratum, at=at, **given)
    return lock(revision=revision, approvers=approvers, by=by, at=at)


class Study:
    """A scheme in use: each call is one step that somebody takes."""

    def __init__(self, code="main", **options):
        self.scheme = create_scheme(code=code, name=f"Scheme {code}", **options)
        self.user, self.approvers = make_user(), (make_user(), make_user())

    def lock(self, parameters, *, rows_per_stratum=12, **given):
        return lock_scheme(
            scheme=self.scheme,
            parameters=parameters,
            rows_per_stratum=rows_per_stratum,
            approvers=self.approvers,
            by=make_user(),
            at=LOCKED_AT,
            **given,
        )

    def open(self, **given):
        revision = open_scheme(scheme=self.scheme, by=self.user, at=OPENED_AT, **given)
        high_water.reset(self.scheme)
        return revision

    def start(self, parameters, **given):
        """A revision locked and open."""
        self.lock(parameters, **given)
        return self.open()

    def request(self, *levels, participants=None, **changes):
        people = participants or [make_participant() for _ in levels]
        given = {
            "unit": people[0].study_id,
            "key": f"page-{people[0].study_id}",
            "by": self.user,
            "site": levels[0].get("site", "01"),
            "at": AT,
            "software_version": "tests",
        }
        members = [Member(person.pk, one) for person, one in zip(people, levels, strict=True)]
        return UnitRequest(members=members, **{**given, **changes})

    def give(self, *levels, check=lambda request: [], **changes):
        """Allocate one new unit of these levels, one person each."""
        return allocate(scheme=self.scheme, request=self.request(*levels, **changes), check=check).allocation

    def give_many(self, n_units, levels):
        """Allocate so many single people, with the levels in turn."""
        return [self.give(levels[number % len(levels)]) for number in range(n_units)]

    def package(self):
        revisions = list(self.scheme.revisions.exclude(state__in=BEFORE_LOCK).order_by("number"))
        return contents(self.scheme, revisions)

    def arms(self):
        """The arm code of every allocation, in order."""
        return [allocation["arm"] for allocation in self.package()["allocations"]]

    def assert_sound(self):
        """Lists, margins, log and arms are those of the secret, by the database and by the verifier."""
        assert [str(difference) for difference in verify(self.package()).differences] == []
        assert verify_list(self.scheme) == 0
        assert verify_event_log(self.scheme) is None
