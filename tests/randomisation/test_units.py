"""Households and batches (randomisation.md section 5)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from randomisation.allocate import allocate_batch
from randomisation.engine.labels import batch_order
from randomisation.errors import NotAllocated, ParametersRefused, Refusal
from randomisation.unsealed import unseal
from tests.randomisation.life import Study
from tests.randomisation.people import make_participant
from tests.randomisation.test_methods import AGE, SITE, design, minimised

pytestmark = pytest.mark.django_db

UNIT = {"code": "unit", "levels": ["single", "household"], "weight": 1}
OLD, YOUNG = {"site": "01", "age": "65p"}, {"site": "01", "age": "u65"}


def couple(*levels):
    return [{**one, "unit": "household"} for one in levels]


def single(levels):
    return {**levels, "unit": "single"}


@pytest.fixture
def listed():
    study = Study(households=True)
    study.start(design("permuted_blocks", factors=[SITE, AGE, UNIT], block_sizes=[4]))
    return study


@pytest.fixture
def minimising():
    study = Study(households=True)
    study.start(minimised([2, 1]))
    return study


# --- households ----------------------------------------------------------------------------------------


def test_a_household_takes_one_row_of_the_stratum_of_its_first_member(listed):
    allocation = listed.give(*couple(OLD, YOUNG))
    alone = listed.give(single(OLD))

    assert (allocation.stratum_key, allocation.position) == ("site=01;age=65p;unit=household", 1)
    assert (alone.stratum_key, alone.position, alone.seq) == ("site=01;age=65p;unit=single", 1, 2)
    assert [member.factors["age"] for member in allocation.members.all()] == ["65p", "u65"]
    assert listed.scheme.events.get(seq=1).facts["members"] == couple(OLD, YOUNG)
    listed.assert_sound()


def test_everybody_of_a_household_has_its_arm(listed):
    people = [make_participant(), make_participant()]

    allocation = listed.give(*couple(OLD, YOUNG), participants=people)

    assert {member.participant_id for member in allocation.members.all()} == {person.pk for person in people}
    assert len(listed.arms()) == 1


def test_a_minimisation_counts_every_member_at_their_own_levels(minimising):
    for members in ([OLD], [OLD, YOUNG], [YOUNG, YOUNG, OLD], [YOUNG], [OLD, OLD], [{**OLD, "site": "02"}]):
        minimising.give(*members)

    minimising.assert_sound()


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ([single(OLD), single(YOUNG)], "kind of unit"),
        ([{**OLD, "unit": "household"}], "kind of unit"),
        ([{**OLD, "unit": "household"}, single(YOUNG)], "kind of unit"),
    ],
)
def test_the_kind_of_unit_must_fit_the_people(listed, members, text):
    with pytest.raises(NotAllocated, match=text) as refused:
        listed.give(*members)

    assert refused.value.codes == ["E_HOUSEHOLD"]
    assert not listed.scheme.allocations.exists()


def test_a_scheme_without_households_takes_one_person_at_a_time():
    study = Study()
    study.start(minimised())

    with pytest.raises(NotAllocated, match="one person at a time") as refused:
        study.give(OLD, YOUNG)

    assert refused.value.codes == ["E_HOUSEHOLD"]


def test_a_household_is_refused_when_one_member_was_randomised_or_is_not_ready(listed):
    known = make_participant()
    listed.give(single(OLD), participants=[known])

    with pytest.raises(NotAllocated) as duplicate:
        listed.give(*couple(YOUNG, OLD), participants=[make_participant(), known])
    with pytest.raises(NotAllocated) as unready:
        listed.give(*couple(YOUNG, OLD), check=lambda request: [Refusal("E_CONSENT", "No consent.")])

    assert duplicate.value.codes == ["E_DUPLICATE"]
    assert unready.value.codes == ["E_CONSENT"]
    assert listed.scheme.allocations.count() == 1


def test_a_level_of_any_member_must_be_one_of_the_factors(minimising):
    with pytest.raises(NotAllocated) as refused:
        minimising.give(OLD, {**YOUNG, "age": "unknown"})

    assert refused.value.codes == ["E_FACTORS"]


def test_nobody_is_in_a_household_twice(minimising):
    person = make_participant()

    with pytest.raises(ParametersRefused, match="nobody twice"):
        minimising.give(OLD, YOUNG, participants=[person, person])


# --- batches -------------------------------------------------------------------------------------------


def batch_of(study, n_units, levels=YOUNG):
    return [study.request(levels) for _ in range(n_units)]


def together(study, requests, code="cohort-03", check=lambda request: []):
    return allocate_batch(scheme=study.scheme, batch=code, requests=requests, check=check)


def n_allocated(study):
    study.scheme.refresh_from_db()
    assert study.scheme.next_seq - 1 == study.scheme.allocations.count()
    return study.scheme.next_seq - 1


@pytest.mark.parametrize("parameters", [design("permuted_blocks", block_sizes=[4]), minimised()], ids=["list", "min"])
def test_a_batch_is_allocated_in_the_order_of_its_stream(parameters):
    study = Study()
    revision = study.start(parameters)
    requests = batch_of(study, 6)
    units = [request.unit for request in requests]
    order = batch_order(unseal(revision).seed, scheme="main", revision=1, batch="cohort-03", units=units)

    outcomes = together(study, requests)

    assert [outcome.allocation.unit for outcome in outcomes] == order
    assert [outcome.allocation.seq for outcome in outcomes] == [1, 2, 3, 4, 5, 6]
    assert {entry.facts["batch"] for entry in study.scheme.events.filter(event="allocate")} == {"cohort-03"}
    assert {allocation.batch for allocation in study.scheme.allocations.all()} == {"cohort-03"}
    study.assert_sound()


def test_a_repeated_batch_gives_the_same_allocations(minimising):
    requests = batch_of(minimising, 4)
    first = together(minimising, requests)

    again = together(minimising, requests[::-1])

    assert [one.allocation for one in again] == [one.allocation for one in first]
    assert [one.digest for one in again] == [one.digest for one in first]
    assert {one.created for one in again} == {False}
    assert n_allocated(minimising) == 4


def test_a_batch_is_allocated_whole_or_not_at_all(minimising):
    requests = batch_of(minimising, 4)
    unready = {requests[1].unit, requests[3].unit}

    def check(request):
        return [Refusal("E_CONSENT", f"{request.unit} has not consented.")] if request.unit in unready else []

    with pytest.raises(NotAllocated) as refused:
        together(minimising, requests, check=check)

    assert all(unit in refused.value.text for unit in unready)
    assert refused.value.codes == ["E_CONSENT"]
    assert n_allocated(minimising) == 0
    together(minimising, requests)
    minimising.assert_sound()


def test_nobody_joins_or_leaves_a_batch_that_was_allocated(minimising):
    requests = batch_of(minimising, 3)
    together(minimising, requests)

    with pytest.raises(NotAllocated, match="already") as refused:
        together(minimising, [*requests, minimising.request(OLD)])

    assert refused.value.codes == ["E_DUPLICATE"]
    assert n_allocated(minimising) == 3


def test_the_last_place_is_not_given_twice_in_a_batch():
    study = Study(ceiling=2)
    study.start(minimised())

    with pytest.raises(NotAllocated) as refused:
        together(study, batch_of(study, 3))

    assert refused.value.codes == ["E_TARGET"]
    assert n_allocated(study) == 0


def test_one_person_is_not_in_a_batch_twice(minimising):
    person = make_participant()
    requests = [
        minimising.request(YOUNG, participants=[person]),
        minimising.request(YOUNG, participants=[person], unit="other", key="other"),
    ]

    with pytest.raises(NotAllocated) as refused:
        together(minimising, requests)

    assert refused.value.codes == ["E_DUPLICATE"]
    assert n_allocated(minimising) == 0


def test_a_batch_may_be_longer_than_what_is_left_of_the_list_only_after_an_extension():
    study = Study()
    study.start(design("permuted_blocks", block_sizes=[4]), rows_per_stratum=4)

    with pytest.raises(NotAllocated) as refused:
        together(study, batch_of(study, 5))

    assert refused.value.codes == ["E_LIST_EXHAUSTED"]
    assert n_allocated(study) == 0


def test_a_batch_needs_somebody_and_a_code(minimising):
    with pytest.raises(NotAllocated, match="at least one"):
        together(minimising, [])
    for code in ("", "a|b", " padded", "x" * 65):
        with pytest.raises(ParametersRefused, match="batch"):
            together(minimising, batch_of(minimising, 2), code=code)

    assert n_allocated(minimising) == 0


def test_a_unit_is_in_a_batch_once(minimising):
    request = minimising.request(YOUNG)

    with pytest.raises(ParametersRefused, match="once"):
        together(minimising, [request, request])


def test_nobody_belongs_to_two_units_of_a_batch(minimising):
    person = make_participant()
    requests = [minimising.request(YOUNG, participants=[person], unit=unit, key=unit) for unit in ("A", "B")]

    with pytest.raises(NotAllocated) as refused:
        together(minimising, requests)

    assert refused.value.codes == ["E_DUPLICATE"]
    assert n_allocated(minimising) == 0


def test_households_and_single_people_go_in_one_batch(listed):
    requests = [listed.request(*couple(OLD, YOUNG)), listed.request(single(OLD)), listed.request(single(YOUNG))]

    together(listed, requests)

    assert n_allocated(listed) == 3
    listed.assert_sound()


def test_each_unit_of_a_batch_asks_the_database_as_often(minimising):
    counts = {}
    for n_units in (2, 4, 8):
        requests = batch_of(minimising, n_units)
        with CaptureQueriesContext(connection) as queries:
            together(minimising, requests, code=f"cohort-{n_units}")
        counts[n_units] = len(queries)

    assert counts[8] - counts[4] == 2 * (counts[4] - counts[2])
