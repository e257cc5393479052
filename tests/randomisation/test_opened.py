"""What was opened before the lock is used under it only while it is still in force."""

import pytest

from randomisation.errors import NotAllocated, SealError
from randomisation.growth import add_level
from randomisation.opened import open_in_force, still_in_force
from randomisation.recording import record_next, situation_for
from randomisation.states import pause_scheme
from tests.randomisation.life import AT, Study
from tests.randomisation.people import make_user
from tests.randomisation.test_methods import SITE, design

pytestmark = pytest.mark.django_db

BLOCKS = design("permuted_blocks", factors=[SITE], block_sizes=[4])
HERE = {"site": "01"}


@pytest.fixture
def study():
    study = Study()
    study.start(BLOCKS)
    return study


def test_nothing_is_opened_of_a_scheme_that_is_not_in_use():
    study = Study()
    study.lock(BLOCKS)

    assert open_in_force(study.scheme) is None


def test_it_is_used_while_nothing_came_between(study):
    opened = open_in_force(study.scheme)

    assert still_in_force(study.scheme, opened, situation_for(study.scheme, study.request(HERE))) is opened


def test_a_level_added_before_the_lock_is_known_under_it(study):
    opened = open_in_force(study.scheme)
    given = {"approvers": study.approvers, "by": study.user, "at": AT}
    add_level(scheme=study.scheme, factor="site", level="03", **given)

    recorded = record_next(study.scheme, study.request({"site": "03"}), check=list, opened=opened)

    assert recorded.allocation.stratum_key == "site=03"


def test_a_revision_opened_before_the_lock_is_the_one_that_allocates(study):
    opened = open_in_force(study.scheme)
    study.start(BLOCKS)

    recorded = record_next(study.scheme, study.request(HERE), check=list, opened=opened)

    assert recorded.allocation.revision.number == 2
    study.assert_sound()


def test_a_pause_before_the_lock_is_known_under_it(study):
    opened = open_in_force(study.scheme)
    pause_scheme(scheme=study.scheme, reason="Holiday", by=make_user(), at=AT)

    with pytest.raises(NotAllocated) as refused:
        record_next(study.scheme, study.request(HERE), check=list, opened=opened)

    assert refused.value.codes == ["E_SCHEME_STATE"]


def test_without_a_key_it_says_so_when_asked(study, settings):
    settings.SEALING_KEYS = ["b3RoZXIta2V5LWZvci10ZXN0cy1vbmx5LTAwMDAwMDE="]

    opened = open_in_force(study.scheme)

    assert [refusal.code for refusal in opened.refusals()] == ["E_SEAL_KEY"]
    with pytest.raises(SealError):
        opened.unsealed()


def test_nothing_of_it_is_shown(study):
    assert repr(open_in_force(study.scheme)) == "<Opened>"
