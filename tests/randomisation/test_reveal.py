"""The reveal and its package, checked by the stand-alone verifier in a process of its own (randomisation.md 3.4)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from randomisation.errors import LifeCycleRefused, NotAllocated
from randomisation.exceptions import correct, flag
from randomisation.growth import add_level, extend
from randomisation.locks import TWO_TEXTS, add_contribution_part
from randomisation.models import AllocationFlag, ArmAccessLog, State
from randomisation.reveal import package, reveal
from randomisation.states import close_scheme, open_scheme
from tests.randomisation.life import AT, Study
from tests.randomisation.people import make_user
from tests.randomisation.test_methods import PEOPLE, design, minimised

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = design("permuted_blocks", block_sizes=[4])


def end(study, analysis="Signed report of 1 March", **changes):
    given = {"scheme": study.scheme, "analysis": analysis, "approvers": study.approvers, "by": study.user, "at": AT}
    return reveal(**{**given, **changes})


def close(study):
    return close_scheme(scheme=study.scheme, reason="Target reached", by=study.user, at=AT)


def run_verifier(path):
    command = [sys.executable, "-m", "randomisation.verify", str(path)]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def eventful():
    """Two revisions, with a contribution of two people, a new level, longer lists, an exclusion and a correction."""
    study = Study(households=True)
    first = study.lock({**BLOCKS, "contribution_source": TWO_TEXTS})
    for part in (2, 1):
        add_contribution_part(revision=first, part=part, text=f"text {part} ŷ", by=make_user(), at=AT)
    study.open()
    made = study.give_many(5, PEOPLE)
    extend(scheme=study.scheme, rows_per_stratum=20, approvers=study.approvers, by=study.user, at=AT)
    study.start(minimised([2, 1], burn_in=7))
    study.give_many(4, PEOPLE)
    add_level(scheme=study.scheme, factor="site", level="03", approvers=study.approvers, by=study.user, at=AT)
    study.give({"site": "03", "age": "u65"}, PEOPLE[1])
    people = {"by": study.user, "approver": make_user(), "at": AT}
    flag(allocation=made[4], category=AllocationFlag.Category.DUPLICATE, excludes=True, reason="Twice", **people)
    correct(allocation=made[0], members=[PEOPLE[1]], reason="Misread", **people)
    study.give_many(4, PEOPLE)
    return study


def test_the_package_of_an_eventful_scheme_verifies_on_its_own(eventful, tmp_path):
    close(eventful)
    end(eventful)
    path = tmp_path / "package.json"
    path.write_text(json.dumps(package(scheme=eventful.scheme, by=eventful.user, at=AT)))

    finished = run_verifier(path)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "All 14 allocations agree." in finished.stdout
    eventful.assert_sound()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: flipped(text, '"secret": "'),
        lambda text: flipped(text, '"commitment": "'),
        lambda text: flipped(text, '"fingerprint": "'),
        lambda text: flipped(text, '"digest": "'),
        lambda text: text.replace("text 1", "text 3"),
        lambda text: text.replace('"arm": "zq7x"', '"arm": "kv4w"', 1),
        lambda text: text.replace("65p", "u65", 1),
    ],
    ids=["secret", "commitment", "fingerprint", "digest", "contribution", "arm", "level"],
)
def test_one_altered_byte_is_found(eventful, tmp_path, spoil):
    close(eventful)
    end(eventful)
    text = json.dumps(package(scheme=eventful.scheme, by=eventful.user, at=AT))
    path = tmp_path / "package.json"
    path.write_text(spoil(text))

    assert path.read_text() != text
    assert run_verifier(path).returncode in (1, 2)


def flipped(text, before):
    """The text with another first hexadecimal digit after the first `before`."""
    at = text.index(before) + len(before)
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def test_a_reveal_waits_until_every_revision_is_closed():
    study = Study()
    study.start(BLOCKS)
    study.lock(BLOCKS)

    for _ in range(2):
        with pytest.raises(LifeCycleRefused, match="Every revision must be closed"):
            end(study)
    close(study)

    assert end(study).event == "reveal"
    assert {revision.state for revision in study.scheme.revisions.all()} == {State.REVEALED}


def test_a_scheme_that_was_closed_before_its_second_revision_opened_verifies(tmp_path):
    study = Study()
    study.start(BLOCKS)
    study.give_many(3, PEOPLE)
    study.lock({**BLOCKS, "contribution_source": "beacon"})
    close(study)
    end(study)
    path = tmp_path / "package.json"
    path.write_text(json.dumps(package(scheme=study.scheme, by=study.user, at=AT)))

    finished = run_verifier(path)

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_reveal_takes_two_people_and_a_signed_analysis():
    study = Study()
    study.start(BLOCKS)
    close(study)

    with pytest.raises(LifeCycleRefused, match="Two different"):
        end(study, approvers=(study.user, study.user))
    with pytest.raises(LifeCycleRefused, match="analysis"):
        end(study, analysis=" ")
    assert study.scheme.state == State.CLOSED


def test_no_package_is_made_before_the_reveal():
    study = Study()
    with pytest.raises(LifeCycleRefused, match="not revealed"):
        package(scheme=study.scheme, by=study.user, at=AT)
    study.start(BLOCKS)
    close(study)

    with pytest.raises(LifeCycleRefused, match="not revealed"):
        package(scheme=study.scheme, by=study.user, at=AT)
    assert not ArmAccessLog.objects.exists()


def test_a_package_is_logged_and_tells_no_participant():
    study = Study()
    study.start(BLOCKS)
    allocation = study.give(PEOPLE[0])
    close(study)
    end(study)

    text = json.dumps(package(scheme=study.scheme, by=study.user, at=AT))

    assert allocation.unit not in text
    assert ArmAccessLog.objects.get().n_arms == 1


def test_after_the_reveal_nothing_opens_again():
    study = Study()
    study.start(BLOCKS)
    close(study)
    end(study)

    with pytest.raises(LifeCycleRefused):
        open_scheme(scheme=study.scheme, by=study.user, at=AT)
    with pytest.raises(LifeCycleRefused):
        end(study)
    with pytest.raises(NotAllocated):
        study.give(PEOPLE[0])
