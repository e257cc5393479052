"""A database that was restored from an older copy repeats and skips nobody (randomisation.md 9.15)."""

import json
from dataclasses import dataclass

import pytest
from django.db import transaction

from randomisation import high_water
from randomisation.codes import certificate_code
from randomisation.errors import LateEntryRefused, LifeCycleRefused, NotAllocated
from randomisation.high_water import Mark, Standing
from randomisation.late import recover
from randomisation.models import State
from randomisation.requests import UnitRequest
from randomisation.states import open_scheme
from tests.randomisation.life import AT, Study
from tests.randomisation.people import make_user
from tests.randomisation.test_methods import PEOPLE, design, minimised
from trial.participants.models import Participant

pytestmark = pytest.mark.django_db

BLOCKS = design("permuted_blocks", block_sizes=[4])
BOTH = pytest.mark.parametrize("parameters", [BLOCKS, minimised([2, 1])], ids=["list", "minimisation"])


@dataclass
class Paper:
    """What people hold of an allocation that the database lost: the request, and the certificate's code."""

    request: UnitRequest
    code: str
    arm: str


@pytest.fixture
def study(parameters):
    study = Study()
    study.start(parameters)
    study.give_many(3, PEOPLE)
    return study


def lose(study, n_units):
    """Allocate, then put an older copy of the database back: the mark outside it stays."""
    requests = [study.request(PEOPLE[number % 5]) for number in range(n_units)]
    copy = transaction.savepoint()
    papers = []
    for request in requests:
        allocation = study.give(*request.levels, participants=[_person(request)])
        papers.append(Paper(request, certificate_code(allocation), study.arms()[-1]))
    transaction.savepoint_rollback(copy)
    return papers


def _person(request):
    return Participant.objects.get(pk=request.participant_ids[0])


def enter(study, paper, **changes):
    given = {"scheme": study.scheme, "request": paper.request, "code": paper.code, "approver": make_user()}
    return recover(**{**given, "entered_at": AT, **changes}).allocation


@BOTH
def test_a_database_behind_its_mark_allocates_nobody_and_is_paused(study):
    lose(study, 2)

    with pytest.raises(NotAllocated, match="do not fit together") as refused:
        study.give(PEOPLE[0])

    assert refused.value.codes == ["E_SCHEME_STATE"]
    assert study.scheme.state == State.PAUSED
    assert study.scheme.allocations.count() == 3
    assert [entry.event for entry in study.scheme.events.order_by("n")][-2:] == ["refused", "pause"]


@BOTH
def test_lost_allocations_are_recovered_in_order_with_the_same_arms(study):
    papers = lose(study, 3)
    with pytest.raises(NotAllocated):
        study.give(PEOPLE[0])

    recovered = [enter(study, paper) for paper in papers]

    assert study.arms()[3:] == [paper.arm for paper in papers]
    assert [one.seq for one in recovered] == [4, 5, 6]
    assert {one.source for one in recovered} == {"recovered"}
    assert high_water.n_lost(fresh(study)) == 0
    open_scheme(scheme=study.scheme, by=study.user, at=AT, approvers=study.approvers)
    high_water.reset(study.scheme)
    study.give_many(3, PEOPLE)
    study.assert_sound()


def fresh(study):
    study.scheme.refresh_from_db()
    return study.scheme


@BOTH
def test_a_scheme_behind_its_mark_is_reopened_only_once_all_are_recovered_and_by_two_people(study):
    papers = lose(study, 2)
    with pytest.raises(NotAllocated):
        study.give(PEOPLE[0])

    enter(study, papers[0])
    with pytest.raises(LifeCycleRefused, match="Recover them first"):
        open_scheme(scheme=study.scheme, by=study.user, at=AT, approvers=study.approvers)
    enter(study, papers[1])
    with pytest.raises(LifeCycleRefused, match="Two people"):
        open_scheme(scheme=study.scheme, by=study.user, at=AT)

    assert open_scheme(scheme=study.scheme, by=study.user, at=AT, approvers=study.approvers).state == State.OPEN


@BOTH
def test_a_wrong_code_or_another_order_recovers_nobody(study, caplog):
    first, second = lose(study, 2)

    with pytest.raises(LateEntryRefused, match="does not fit"):
        enter(study, first, code="AAAAAAAA")
    with pytest.raises(LateEntryRefused, match="does not fit"):
        enter(study, second)

    assert study.scheme.allocations.count() == 3
    assert [record.levelname for record in caplog.records] == ["CRITICAL", "CRITICAL"]
    assert not any(arm in caplog.text for arm in ("zq7x", "kv4w"))


@BOTH
def test_nothing_is_recovered_when_nothing_is_missing(study):
    paper = Paper(study.request(PEOPLE[0]), "AAAAAAAA", "")

    with pytest.raises(LateEntryRefused, match="No allocation is missing"):
        enter(study, paper)


@BOTH
def test_nobody_is_recovered_twice_or_without_levels(study):
    first, second = lose(study, 2)
    enter(study, first)

    with pytest.raises(LateEntryRefused, match="already"):
        enter(study, first)
    with pytest.raises(LateEntryRefused, match="stratification factor"):
        enter(study, Paper(study.request({"site": "01"}), second.code, ""))


@pytest.mark.parametrize("parameters", [BLOCKS])
@pytest.mark.parametrize("n_before", [1, 3])
def test_a_missing_mark_pauses_every_scheme(n_before, parameters):
    studies = [Study("main"), Study("other")]
    for study in studies:
        study.start(parameters)
        study.give_many(n_before, PEOPLE)
    high_water.path().unlink()

    for _ in range(2):
        with pytest.raises(NotAllocated):
            studies[0].give(PEOPLE[0])

    assert [study.scheme.state for study in studies] == [State.PAUSED, State.PAUSED]
    assert high_water.compare(fresh(studies[0])) is Standing.MISSING
    with pytest.raises(LifeCycleRefused, match="Two people"):
        open_scheme(scheme=studies[0].scheme, by=make_user(), at=AT)


@pytest.mark.parametrize("parameters", [BLOCKS])
def test_refusals_written_behind_the_mark_do_not_raise_it(study, django_capture_on_commit_callbacks):
    lose(study, 1)
    kept = high_water.path().read_text()

    for _ in range(8):
        with django_capture_on_commit_callbacks(execute=True), pytest.raises(NotAllocated):
            study.give(PEOPLE[0])

    assert high_water.path().read_text() == kept
    assert high_water.compare(fresh(study)) is Standing.BEHIND


@pytest.mark.parametrize("parameters", [BLOCKS])
@pytest.mark.parametrize("n_before", [1, 3])
def test_refusals_written_without_a_mark_make_none(n_before, parameters, django_capture_on_commit_callbacks):
    study = Study()
    study.start(parameters)
    study.give_many(n_before, PEOPLE)
    high_water.path().unlink()

    for _ in range(3):
        with django_capture_on_commit_callbacks(execute=True), pytest.raises(NotAllocated):
            study.give(PEOPLE[0])

    assert high_water.compare(fresh(study)) is Standing.MISSING


@pytest.mark.parametrize("parameters", [BLOCKS])
def test_another_log_of_the_same_length_is_noticed(study):
    papers = lose(study, 1)
    assert papers
    mark = high_water._read()["main"]
    high_water.path().write_text(json.dumps({"main": {"n": mark.n, "seq": 3, "digest": "0" * 64}}))

    assert high_water.compare(fresh(study)) is Standing.OTHER_LOG
    with pytest.raises(NotAllocated) as refused:
        study.give(PEOPLE[0])
    assert refused.value.codes == ["E_SCHEME_STATE"]


@pytest.mark.parametrize("parameters", [BLOCKS])
@pytest.mark.parametrize("text", ["", "{", "[]", '{"main": 3}', '{"main": {"n": 1}}'])
def test_a_mark_that_cannot_be_read_counts_as_missing(study, text):
    high_water.path().write_text(text)

    assert high_water.compare(fresh(study)) is Standing.MISSING


@pytest.mark.parametrize("parameters", [BLOCKS])
def test_an_older_mark_never_replaces_a_newer_one(study):
    newest = study.scheme.events.order_by("-n").first()
    kept = high_water.path().read_text()

    high_water.advance(study.scheme, Mark(newest.n - 1, 2, "0" * 64))
    high_water.advance(study.scheme, Mark(newest.n, 3, "0" * 64))

    assert high_water.path().read_text() == kept


@pytest.mark.parametrize("parameters", [BLOCKS])
def test_every_entry_raises_the_mark_once_it_is_committed(django_capture_on_commit_callbacks, parameters):
    study = Study()
    with django_capture_on_commit_callbacks(execute=True):
        study.lock(parameters)
        study.open()
    with django_capture_on_commit_callbacks(execute=True):
        study.give(PEOPLE[0])

    newest = study.scheme.events.order_by("-n").first()
    assert json.loads(high_water.path().read_text()) == {"main": {"n": newest.n, "seq": 1, "digest": newest.digest}}
    assert set(json.loads(high_water.path().read_text())["main"]) == {"n", "seq", "digest"}


@pytest.mark.parametrize("parameters", [BLOCKS])
def test_a_mark_is_reset_only_for_a_scheme_with_a_log(parameters):
    study = Study()

    high_water.reset(study.scheme)

    assert high_water.compare(study.scheme) is Standing.LEVEL
    assert high_water.n_lost(study.scheme) == 0
