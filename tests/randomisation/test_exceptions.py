"""What is said of an allocation afterwards (randomisation.md 9.1 to 9.3)."""

import pytest

from randomisation.errors import LifeCycleRefused
from randomisation.exceptions import correct, flag
from randomisation.margins import load
from randomisation.models import AllocationFlag, FactorCorrection
from randomisation.unsealed import unseal
from tests.randomisation.life import AT, Study
from tests.randomisation.people import make_user
from tests.randomisation.test_methods import PEOPLE, design, minimised

pytestmark = pytest.mark.django_db

Category = AllocationFlag.Category
BLOCKS = design("permuted_blocks", block_sizes=[4])
BOTH = pytest.mark.parametrize("parameters", [BLOCKS, minimised()], ids=["list", "minimisation"])


def mark(study, allocation, category=Category.DUPLICATE, excludes=True):
    return flag(
        allocation=allocation,
        category=category,
        excludes=excludes,
        reason="Found by the monitor",
        by=study.user,
        approver=make_user(),
        at=AT,
    )


def put_right(study, allocation, *members):
    return correct(
        allocation=allocation, members=list(members), reason="Misread", by=study.user, approver=make_user(), at=AT
    )


def counts_of(study):
    revision = study.scheme.revision_in_force
    return load(revision, unseal(revision)).overall


@pytest.fixture
def study(parameters):
    study = Study()
    study.start(parameters)
    return study


@BOTH
def test_a_flag_changes_nothing_but_is_on_record(study, parameters):
    made = study.give_many(4, PEOPLE)

    entry = mark(study, made[0], Category.INELIGIBLE, excludes=False)
    study.give_many(2, PEOPLE)

    assert (entry.event, entry.seq, entry.facts["category"]) == ("flag", 1, "ineligible")
    assert made[0].flags.get().reason == "Found by the monitor"
    study.assert_sound()


@BOTH
def test_a_second_allocation_of_one_person_is_excluded_and_keeps_row_and_seq(study, parameters):
    made = study.give_many(4, PEOPLE)

    entry = mark(study, made[3])
    later = study.give(PEOPLE[3])

    assert (entry.event, entry.seq) == ("exclude", 4)
    assert later.seq == 5
    assert later.position in (None, 3)
    study.assert_sound()


@pytest.mark.parametrize("parameters", [minimised()])
def test_an_excluded_allocation_leaves_the_margins_with_its_whole_unit(parameters):
    study = Study(households=True)
    study.start(parameters)
    pair = study.give(PEOPLE[0], PEOPLE[1])
    study.give(PEOPLE[2])
    before = sum(counts_of(study))

    mark(study, pair)

    assert (before, sum(counts_of(study))) == (3, 1)
    study.assert_sound()


@pytest.mark.parametrize("parameters", [BLOCKS])
@pytest.mark.parametrize("category", [Category.INELIGIBLE, Category.ERROR])
def test_nothing_but_a_duplicate_is_excluded(study, category):
    with pytest.raises(LifeCycleRefused, match="second allocation"):
        mark(study, study.give(PEOPLE[0]), category, excludes=True)

    assert not AllocationFlag.objects.exists()


@pytest.mark.parametrize("parameters", [BLOCKS])
def test_an_allocation_is_marked_once_in_each_way(study):
    allocation = study.give(PEOPLE[0])
    mark(study, allocation, Category.ERROR, excludes=False)
    mark(study, allocation, Category.INELIGIBLE, excludes=False)

    with pytest.raises(LifeCycleRefused, match="already"):
        mark(study, allocation, Category.ERROR, excludes=False)

    assert allocation.flags.count() == 2


@BOTH
def test_a_correction_stands_beside_the_frozen_levels(study, parameters):
    made = study.give_many(3, PEOPLE)
    true = {"site": "01", "age": "65p"}

    entry = put_right(study, made[0], true)
    study.give_many(3, PEOPLE)

    member = made[0].members.get()
    assert member.factors == made[0].factors == PEOPLE[0]
    assert member.corrections.get().factors == true
    assert (entry.event, entry.seq, entry.facts["members"]) == ("correct", 1, [true])
    study.assert_sound()


@BOTH
def test_a_correction_gives_no_row_back(study, parameters):
    allocation = study.give(PEOPLE[0])
    put_right(study, allocation, PEOPLE[1])

    later = study.give(PEOPLE[0])

    assert later.position in (None, 2)
    study.assert_sound()


@BOTH
def test_with_the_option_off_no_event_is_written_and_the_margins_stay(parameters):
    study = Study(corrections_count=False)
    study.start(parameters)
    made = study.give_many(4, PEOPLE)

    entry = put_right(study, made[0], PEOPLE[1])
    study.give_many(3, PEOPLE)
    mark(study, made[0])
    study.give_many(2, PEOPLE)

    assert entry is None
    assert FactorCorrection.objects.count() == 1
    assert not study.scheme.events.filter(event="correct").exists()
    study.assert_sound()


@BOTH
def test_corrected_twice_the_last_levels_count(study, parameters):
    made = study.give_many(2, PEOPLE)
    put_right(study, made[0], PEOPLE[1])
    put_right(study, made[0], PEOPLE[2])

    with pytest.raises(LifeCycleRefused, match="values on record"):
        put_right(study, made[0], PEOPLE[2])
    put_right(study, made[0], PEOPLE[0])
    study.give_many(3, PEOPLE)

    assert made[0].members.get().corrections.count() == 3
    study.assert_sound()


@BOTH
def test_an_excluded_allocation_is_corrected_and_still_does_not_count(study, parameters):
    made = study.give_many(3, PEOPLE)
    mark(study, made[1])

    put_right(study, made[1], PEOPLE[0])
    study.give_many(3, PEOPLE)

    study.assert_sound()


def test_one_member_of_a_household_is_corrected():
    study = Study(households=True)
    study.start(minimised())
    pair = study.give(PEOPLE[0], PEOPLE[1])

    put_right(study, pair, PEOPLE[0], PEOPLE[4])
    study.give_many(4, PEOPLE)

    first, second = pair.members.all()
    assert (first.corrections.count(), second.corrections.count()) == (0, 1)
    study.assert_sound()


@pytest.mark.parametrize("parameters", [minimised()])
@pytest.mark.parametrize(
    "members", [[], [{}], [{"site": "01"}], [{"site": "09", "age": "u65"}], [PEOPLE[0], PEOPLE[0]], [PEOPLE[0]]]
)
def test_a_correction_that_says_nothing_possible_is_refused(study, members):
    allocation = study.give(PEOPLE[0])

    with pytest.raises(LifeCycleRefused):
        put_right(study, allocation, *members)

    assert not FactorCorrection.objects.exists()
    assert study.scheme.events.last().event == "allocate"
