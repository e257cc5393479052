"""Every method through allocate(), checked against its secret by the verifier (randomisation.md 4 and 8)."""

import hashlib
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from randomisation.errors import NotAllocated
from randomisation.models import SealedMargins, SealedRow
from tests.randomisation.life import Study
from tests.randomisation.people import make_participant
from trial.base.triggers import lifted

pytestmark = pytest.mark.django_db

SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
AGE = {"code": "age", "levels": ["u65", "65p"], "weight": 1}
PEOPLE = [
    {"site": "01", "age": "u65"},
    {"site": "01", "age": "65p"},
    {"site": "02", "age": "u65"},
    {"site": "01", "age": "u65"},
    {"site": "02", "age": "65p"},
]
ARMS = ["zq7x", "kv4w", "jx9q", "wy3k"]


def design(method, ratio=(1, 1), factors=(SITE, AGE), **own):
    return {
        "arms": ARMS[: len(ratio)],
        "ratio": list(ratio),
        "method": method,
        "factors": list(factors),
        **own,
    }


def minimised(ratio=(1, 1), **own):
    rules = {"imbalance": "range", "p": "4/5", "burn_in": 0, "overall_weight": 1, "unequal": "pseudo_arms"}
    factors = [{**SITE, "weight": 2}, AGE]
    return design("minimisation", ratio, factors, **{**rules, **own})


def import_file(strata, rows=("zq7x", "kv4w", "kv4w", "zq7x")):
    lines = [f"{key},{place},{arm}" for key in strata for place, arm in enumerate(rows, start=1)]
    return ("stratum_key,position,arm\n" + "\n".join(lines) + "\n").encode()


STRATA = [f"site={site};age={age}" for site in SITE["levels"] for age in AGE["levels"]]
FILE = import_file(STRATA)

LISTS = {
    "simple": design("simple", [3, 1]),
    "blocks": design("permuted_blocks", block_sizes=[4, 6]),
    "blocks 2:1:1": design("permuted_blocks", [2, 1, 1], block_sizes=[4, 8]),
    "big stick": design("big_stick", mti=2),
    "big stick 3:2": design("big_stick", [3, 2], mti=1),
}
MINIMISED = {
    "range": minimised(),
    "variance, burn-in": minimised(imbalance="variance", burn_in=3),
    "total, biased coin 2:1": minimised([2, 1], imbalance="total", unequal="biased_coin"),
    "pseudo-arms 2:1:1": minimised([2, 1, 1], p="3/4"),
    "four arms, 3:2:1:1": minimised([3, 2, 1, 1], overall_weight=0),
}


@pytest.mark.parametrize("parameters", [*LISTS.values(), *MINIMISED.values()], ids=[*LISTS, *MINIMISED])
def test_a_method_allocates_what_its_secret_gives(parameters):
    study = Study()
    study.start(parameters)

    study.give_many(12, PEOPLE)

    study.assert_sound()
    assert set(study.arms()) <= set(parameters["arms"])


def test_an_imported_list_is_used_row_by_row():
    study = Study()
    digest = hashlib.sha256(FILE).hexdigest()
    study.start(design("import", file_sha256=digest), rows_per_stratum=4, list_file=FILE)

    study.give_many(10, PEOPLE)

    positions = [(a.stratum_key, a.position) for a in study.scheme.allocations.order_by("seq")]
    given = dict(zip(positions, study.arms(), strict=True))
    listed = ("zq7x", "kv4w", "kv4w", "zq7x")
    assert given == {(key, position): listed[position - 1] for key, position in positions}
    assert not SealedRow.objects.exclude(resume_sealed="").exists()
    study.assert_sound()


def test_an_imported_list_that_was_changed_anywhere_in_the_stratum_allocates_nobody():
    study = Study()
    digest = hashlib.sha256(FILE).hexdigest()
    study.start(design("import", file_sha256=digest), rows_per_stratum=4, list_file=FILE)
    with lifted(connection):
        SealedRow.objects.filter(key=STRATA[0], position=4)._raw_delete("default")

    with pytest.raises(NotAllocated) as refused:
        study.give(PEOPLE[0])

    assert refused.value.codes == ["E_LIST_MISMATCH"]
    assert study.scheme.state == "paused"
    assert not study.scheme.allocations.exists()


def test_schemes_at_work_at_once_keep_to_themselves():
    studies = [Study("main"), Study("sub-study")]
    studies[0].start(LISTS["blocks"])
    studies[1].start(MINIMISED["range"])
    people = [make_participant() for _ in range(6)]

    for number, person in enumerate(people):
        for study in studies:
            study.give(PEOPLE[number % 5], participants=[person], key=f"{study.scheme.code}-{person.study_id}")

    for study in studies:
        assert list(study.scheme.allocations.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4, 5, 6]
        study.assert_sound()


def test_minimisation_keeps_the_arms_level():
    study = Study()
    study.start(minimised(p="1/1"), reason="As the protocol says")

    study.give_many(16, [PEOPLE[0]])

    assert Counter(study.arms()) == {"zq7x": 8, "kv4w": 8}


@pytest.mark.parametrize("parameters", [LISTS["blocks"], MINIMISED["range"]], ids=["list", "minimisation"])
def test_an_allocation_asks_the_database_as_often_late_as_early(parameters):
    study = Study()
    study.start(parameters, rows_per_stratum=40)
    people = [make_participant() for _ in range(24)]
    n_queries = []

    for person in people:
        with CaptureQueriesContext(connection) as queries:
            study.give(PEOPLE[0], participants=[person])
        n_queries.append(len(queries))

    assert len(set(n_queries[2:])) == 1
    assert n_queries[-1] <= 40


def test_margins_are_sealed_and_of_one_length():
    study = Study()
    study.start(MINIMISED["range"])
    lengths = set()

    for number in range(6):
        study.give(PEOPLE[number % 5])
        lengths.add(len(SealedMargins.objects.get().token))

    assert len(lengths) == 1


def test_scores_are_sealed_and_of_one_length():
    study = Study()
    study.start(MINIMISED["variance, burn-in"])

    study.give_many(8, PEOPLE)

    assert len({len(allocation.scores_sealed) for allocation in study.scheme.allocations.all()}) == 1
