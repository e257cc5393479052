"""What the tests of randomisation share: an open scheme, and a way to allocate in it."""

from itertools import count

import pytest

from randomisation.allocate import allocate
from randomisation.drafts import create_scheme
from randomisation.requests import Member, UnitRequest
from randomisation.states import open_scheme
from tests.randomisation.life import AT, LOCKED_AT, OPENED_AT, lock_scheme
from tests.randomisation.people import make_participant, make_user

SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
ARMS = ["zq7x", "kv4w"]
PARAMETERS = {
    "arms": ARMS,
    "ratio": [1, 1],
    "method": "permuted_blocks",
    "block_sizes": [4, 6],
    "factors": [SITE],
}


@pytest.fixture
def user(db):
    return make_user()


@pytest.fixture
def approvers(db):
    return make_user(), make_user()


@pytest.fixture
def scheme(db):
    return create_scheme(code="main", name="Main randomisation")


@pytest.fixture
def lock(scheme, user, approvers):
    """Lock the scheme's next revision; parameters and lengths may be changed."""

    def do_lock(*, rows_per_stratum=8, backup_rows=0, by=user, approvers=approvers, **changes):
        return lock_scheme(
            scheme=scheme,
            parameters={**PARAMETERS, **changes},
            rows_per_stratum=rows_per_stratum,
            backup_rows=backup_rows,
            approvers=approvers,
            by=by,
            at=LOCKED_AT,
        )

    return do_lock


@pytest.fixture
def open_revision(scheme, lock, user):
    """The first revision, open."""
    lock()
    return open_scheme(scheme=scheme, by=user, at=OPENED_AT)


@pytest.fixture
def give(scheme, user):
    """Allocate one participant, a new one unless said, at site 01 unless said."""
    numbers = count(1)

    def do_give(participant=None, **changes):
        participant = participant or make_participant()
        levels = changes.pop("levels", {"site": "01"})
        given = {
            "unit": participant.study_id,
            "members": [Member(participant.pk, levels)],
            "key": f"request-{next(numbers)}",
            "by": user,
            "site": "01",
            "at": AT,
            "software_version": "0.1.0",
        }
        asked = {name: changes.pop(name) for name in list(changes) if name in given}
        request = UnitRequest(**{**given, **asked})
        return allocate(**{"scheme": scheme, "request": request, "check": lambda request: [], **changes})

    return do_give
