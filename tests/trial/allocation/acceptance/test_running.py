"""The acceptance test runs for real, apart from the live database, and tells nothing it must not."""

import json
import os
import re
from pathlib import Path

import pytest
from django.conf import settings

from randomisation.drafts import Draft, configure, create_scheme
from randomisation.models import Scheme
from tests.factories import NOW
from tests.randomisation.people import make_user
from trial.allocation.acceptance.case import Outcome, Status
from trial.allocation.acceptance.covered import COVERED
from trial.allocation.acceptance.running import _environment, run_cases
from trial.allocation.errors import AllocationRefused
from trial.participants.models import Participant

SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
BLOCKS = {"method": "permuted_blocks", "block_sizes": [4, 6]}
MINIMISATION = {
    "method": "minimisation",
    "imbalance": "range",
    "p": "4/5",
    "burn_in": 2,
    "overall_weight": 1,
    "unequal": "pseudo_arms",
}
DESIGNS = {
    "blocks": {**BLOCKS, "ratio": [1, 1], "factors": [SITE], "backup_block_sizes": [4]},
    "minimisation": {**MINIMISATION, "ratio": [2, 1], "factors": [{**SITE, "weight": 2}]},
    "big stick": {"method": "big_stick", "mti": 3, "ratio": [1, 1], "factors": []},
    "simple": {"method": "simple", "ratio": [1, 1], "factors": [SITE]},
    "import": {"method": "import", "file_sha256": "", "ratio": [1, 1], "factors": [SITE]},
}


def draft_of(design, *, households=False):
    """A draft as its statistician configured it, with arms that occur nowhere else."""
    import hashlib

    from randomisation.drafts import parameters_for
    from trial.allocation.acceptance.world import made_up_list

    scheme = create_scheme(code="main", name="Main", households=households)
    parameters, file = {"arms": ["zq7x", "kv4w"], **design}, None
    if design["method"] == "import":
        file = made_up_list(parameters_for(scheme, {**parameters, "file_sha256": "0" * 64}), rows=8)
        parameters["file_sha256"] = hashlib.sha256(file).hexdigest()
    backup_rows = 4 if "backup_block_sizes" in design else 0
    draft = Draft(parameters, 8, backup_rows, "", file)
    return configure(scheme=scheme, draft=draft, by=make_user(), at=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one == "blocks" else pytest.mark.drill) for one in DESIGNS]
)
def test_every_case_passes_for_every_method(name):
    revision = draft_of(DESIGNS[name], households=name == "minimisation")

    document = run_cases(revision)

    outcomes = [Outcome.from_json(one) for one in document["cases"]]
    assert [(one.id, one.observed) for one in outcomes if one.status == Status.FAILED] == []
    assert sum(one.status == Status.PASSED for one in outcomes) == len(outcomes) - len(COVERED) >= 35
    assert {one["outcome"] for one in document["vectors"]} == {"pass"}


@pytest.mark.django_db
def test_nothing_is_written_to_the_live_database_and_nothing_restricted_is_told():
    revision = draft_of({**DESIGNS["blocks"], "block_sizes": [46, 58]})
    told = []

    document = run_cases(revision, lambda done, total: told.append((done, total)))

    text = json.dumps(document)
    assert Scheme.objects.count() == 1
    assert not Participant.objects.exists()
    assert told[-1][0] == told[-1][1] == len(told)
    for secret in ("zq7x", "kv4w", "46", "58"):
        assert not re.search(rf"\b{secret}\b", re.sub(r'"duration_ms": \d+', "", text))


def test_the_program_is_given_no_key_of_this_installation(tmp_path):
    given = _environment(tmp_path)

    ours = {*settings.SEALING_KEYS, *settings.IDENTITY_KEYS, settings.SECRET_KEY, settings.LOOKUP_KEY}
    assert not ours & set(given.values())
    assert given["VAR_DIR"] == str(tmp_path)
    assert os.environ.get("DATABASE_URL") != given["DATABASE_URL"]


@pytest.mark.django_db
def test_a_program_that_dies_is_a_refusal_and_no_result(monkeypatch):
    revision = draft_of(DESIGNS["simple"])
    monkeypatch.setattr(settings, "BASE_DIR", Path("/"))  # where the program is not found
    monkeypatch.delenv("PYTHONPATH", raising=False)

    with pytest.raises(AllocationRefused, match="did not come to its end"):
        run_cases(revision)


@pytest.mark.parametrize("one", COVERED, ids=lambda one: one.id)
def test_a_covered_case_names_tests_that_exist(one):
    for test in one.tests:
        file, _, function = test.partition("::")

        assert f"def {function}(" in (Path(settings.BASE_DIR) / file).read_text(encoding="utf-8")
