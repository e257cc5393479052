"""What the tests of randomisation share: an open scheme, and a way to allocate in it."""

from datetime import UTC, datetime
from itertools import count

import pytest

from randomisation.allocate import allocate
from randomisation.services import create_scheme, lock_scheme, open_scheme
from tests.randomisation.people import make_participant, make_user

LOCKED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OPENED_AT = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
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
        request = {
            "scheme": scheme,
            "unit": participant.study_id,
            "participant_ids": [participant.pk],
            "levels": {"site": "01"},
            "request_key": f"request-{next(numbers)}",
            "by": user,
            "site": "01",
            "at": AT,
            "software_version": "0.1.0",
            "check": list,
        }
        return allocate(**{**request, **changes})

    return do_give
