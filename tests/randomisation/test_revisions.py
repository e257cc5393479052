"""A new revision goes on where the one before stopped (randomisation.md 4.4, 9.10, 9.11, section 10)."""

import pytest

from randomisation.checking import verify_list
from randomisation.errors import LifeCycleRefused, NotAllocated
from randomisation.exceptions import correct, flag
from randomisation.growth import add_level
from randomisation.models import AllocationFlag, Placement, State
from randomisation.states import close_scheme, pause_scheme
from randomisation.unsealed import unseal
from tests.randomisation.life import AT, Study
from tests.randomisation.people import make_user
from tests.randomisation.test_methods import AGE, PEOPLE, SITE, design, minimised

pytestmark = pytest.mark.django_db

BLOCKS = design("permuted_blocks", block_sizes=[4])
DUPLICATE = AllocationFlag.Category.DUPLICATE


def exclude(study, allocation):
    return flag(
        allocation=allocation,
        category=DUPLICATE,
        excludes=True,
        reason="The same person",
        by=study.user,
        approver=make_user(),
        at=AT,
    )


def put_right(study, allocation, *members):
    return correct(
        allocation=allocation,
        members=list(members),
        reason="Misread",
        by=study.user,
        approver=make_user(),
        at=AT,
    )


def test_a_new_revision_closes_the_old_one_and_goes_on_counting():
    study = Study()
    first = study.start(BLOCKS)
    study.give_many(5, PEOPLE)

    second = study.start(BLOCKS)
    allocation = study.give(PEOPLE[0])

    first.refresh_from_db()
    assert (first.state, second.state) == (State.CLOSED, State.OPEN)
    assert (allocation.seq, allocation.position, allocation.revision) == (6, 1, second)
    assert unseal(first).seed != unseal(second).seed
    study.assert_sound()


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (BLOCKS, minimised()),
        (minimised(), BLOCKS),
        (minimised(), minimised(imbalance="variance")),
        (minimised([2, 1]), minimised([1, 2], unequal="biased_coin")),
        (design("permuted_blocks", [2, 1], block_sizes=[3]), minimised([2, 1])),
        (design("simple", [1, 1, 1]), minimised([2, 1])),
        (minimised(), minimised([1, 1, 1])),
    ],
    ids=["list-min", "min-list", "min-min", "other ratio", "pseudo-arms", "an arm fewer", "an arm more"],
)
def test_earlier_allocations_count_where_their_arm_still_exists(earlier, later):
    study = Study()
    study.start(earlier)
    study.give_many(7, PEOPLE)

    study.start(later)
    study.give_many(7, PEOPLE)

    study.assert_sound()
    assert study.scheme.allocations.count() == 14


def test_an_allocation_known_by_its_arm_stays_where_it_was_placed():
    study = Study()
    study.start(design("permuted_blocks", [2, 1], block_sizes=[3]))
    study.give_many(6, PEOPLE)

    study.start(minimised([2, 1]))
    before = dict(Placement.objects.values_list("allocation__seq", "token"))
    study.give_many(3, PEOPLE)

    assert sorted(before) == [1, 2, 3, 4, 5, 6]
    assert dict(Placement.objects.values_list("allocation__seq", "token")) == before


def test_other_factors_and_fewer_levels_are_passed_over():
    study = Study()
    study.start(design("permuted_blocks", factors=[SITE, {**AGE, "levels": ["u65", "65p", "80p"]}], block_sizes=[4]))
    study.give_many(4, [*PEOPLE, {"site": "01", "age": "80p"}])
    study.give({"site": "02", "age": "80p"})

    gad = {"code": "gad", "levels": ["low", "high"], "weight": 1}
    study.start({**minimised(), "factors": [{**AGE, "weight": 1}, gad]})
    study.give_many(5, [{"age": "u65", "gad": "low"}, {"age": "65p", "gad": "high"}])

    study.assert_sound()


def test_three_revisions_with_exceptions_in_between_replay():
    study = Study()
    study.start(minimised())
    first = study.give_many(5, PEOPLE)
    exclude(study, first[1])
    put_right(study, first[2], {"site": "02", "age": "65p"})
    study.start(BLOCKS)
    second = study.give_many(4, PEOPLE)
    exclude(study, second[0])
    put_right(study, first[3], {"site": "01", "age": "65p"})
    study.start(minimised([2, 1]))
    study.give_many(3, PEOPLE)
    exclude(study, second[1])
    put_right(study, second[2], {"site": "01", "age": "u65"})
    exclude(study, first[4])
    put_right(study, first[4], {"site": "01", "age": "u65"})
    study.give_many(4, PEOPLE)

    study.assert_sound()


def test_an_earlier_allocation_is_excluded_and_corrected_after_a_minimisation_gave_way_to_another():
    """The margins of the closed revision are of no use any more, and stop nothing."""
    study = Study()
    study.start(minimised())
    first = study.give_many(3, PEOPLE)
    study.start(minimised())
    study.give_many(3, PEOPLE)

    exclude(study, first[0])
    put_right(study, first[1], {"site": "02", "age": "65p"})
    study.give_many(2, PEOPLE)

    study.assert_sound()


def test_exceptions_after_the_end_are_in_the_log_and_replay():
    study = Study()
    study.start(minimised())
    made = study.give_many(4, PEOPLE)
    close_scheme(scheme=study.scheme, reason="Target reached", by=study.user, at=AT)

    exclude(study, made[0])
    put_right(study, made[1], {"site": "02", "age": "65p"})

    study.assert_sound()


def test_a_paused_minimisation_goes_on_with_its_margins():
    study = Study()
    study.start(minimised())
    made = study.give_many(3, PEOPLE)
    pause_scheme(scheme=study.scheme, reason="Staff away", by=study.user, at=AT)
    exclude(study, made[0])
    study.open()

    study.give_many(3, PEOPLE)

    study.assert_sound()


def test_a_level_added_to_an_earlier_revision_counts_in_the_next_one_if_that_has_it():
    study = Study()
    study.start(design("permuted_blocks", block_sizes=[4]))
    add_level(scheme=study.scheme, factor="site", level="03", approvers=study.approvers, by=study.user, at=AT)
    study.give({"site": "03", "age": "u65"})
    wider = [{"code": "site", "levels": ["01", "02", "03"], "weight": 2}, AGE]

    study.start({**minimised(), "factors": wider})
    study.give_many(4, [{"site": "03", "age": "u65"}])

    study.assert_sound()


def test_people_of_a_level_added_later_count_from_when_it_is_added():
    study = Study()
    study.start(design("permuted_blocks", factors=[{**SITE, "levels": ["01", "02", "03"]}, AGE], block_sizes=[4]))
    study.give_many(4, [{"site": "03", "age": "u65"}])
    study.start(minimised())
    study.give_many(2, PEOPLE)

    add_level(scheme=study.scheme, factor="site", level="03", approvers=study.approvers, by=study.user, at=AT)
    study.give_many(4, [{"site": "03", "age": "u65"}])

    study.assert_sound()


def test_seq_one_to_n_over_all_revisions_and_nothing_from_an_old_list():
    study = Study()
    old = study.start(BLOCKS)
    study.give_many(3, PEOPLE)
    study.start(BLOCKS)
    study.give_many(3, PEOPLE)

    seqs = list(study.scheme.allocations.order_by("seq").values_list("seq", flat=True))
    assert seqs == [1, 2, 3, 4, 5, 6]
    assert [cursor.next_position for cursor in old.cursors.order_by("pk")] == [2, 2, 2, 1]
    assert verify_list(study.scheme) == 0


def test_a_scheme_between_two_revisions_allocates_nobody():
    study = Study()
    study.start(BLOCKS)
    close_scheme(scheme=study.scheme, reason="Leak suspected", by=study.user, at=AT)
    study.lock(BLOCKS)

    with pytest.raises(NotAllocated) as refused:
        study.give(PEOPLE[0])

    assert refused.value.codes == ["E_SCHEME_STATE"]
    assert study.open().number == 2


def test_the_number_of_a_revision_that_is_not_there_opens_nothing():
    study = Study()
    study.start(BLOCKS)

    for number in (1, 2, 99):
        with pytest.raises(LifeCycleRefused, match="no locked or paused"):
            study.open(number=number)


def test_a_revision_that_waits_for_its_contribution_disturbs_no_check():
    study = Study()
    study.start(BLOCKS)
    study.give_many(3, PEOPLE)

    study.lock({**BLOCKS, "contribution_source": "beacon"})

    study.assert_sound()
