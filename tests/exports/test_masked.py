"""The masked variant: arms as letters, built from no more than the letters, and unknown to whoever is blinded."""

import csv
import io
import json
import re
import zipfile

import pytest

from exports.canonical import masked_key_of, opened
from exports.model import MASKED_TABLE
from exports.release import Source, build
from exports.variants import VARIANTS
from randomisation.arms import labels_for
from randomisation.models import Scheme
from tests.exports.builders import SENTINELS, frozen, moment, named_rows, real_arms, sentinel_changes, small_trial
from tests.factories import Trial
from trial.base.keys import SealBroken
from trial.participants.models import Participant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]
ARM_ONLY_WORDS = ("randomised_at", "list_position", "allocation_seq", "session", "attendance", "venue")


@pytest.fixture
def trial() -> Trial:
    return small_trial()


def masked_source(stored) -> Source:
    return Source(stored.path, masked_key=masked_key_of(stored.path, stored.wrapped_key))


def unpacked(path) -> dict[str, str]:
    """Files of a zip by their name below its one folder."""
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist()}


def built(stored, tmp_path, name="out"):
    (tmp_path / name).mkdir()
    return build(masked_source(stored), "dmc", tmp_path / name)


def letters_in(files) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"data/csv/{MASKED_TABLE}.csv"])))


def expected_letters() -> dict[str, str]:
    """By study number: the closed letter of the arm that was really allocated."""
    labels = labels_for(scheme=Scheme.objects.get(), dataset="closed")
    ids = dict(Participant.objects.values_list("pk", "study_id"))
    return {ids[pk]: labels[arm] for pk, arm in real_arms().items()}


@pytest.mark.parametrize("kind", ["cut", "final"])
def test_a_cut_and_a_lock_give_each_allocated_person_the_letter_of_their_arm(trial, tmp_path, kind):
    release = built(frozen(moment(kind=kind)), tmp_path)

    rows = letters_in(unpacked(release.path))
    assert {row["subjid"]: row["masked_arm"] for row in rows} == expected_letters()
    assert set(rows[0]) - {"not_locked"} == {"subjid", "masked_arm", "weeks_since_allocation"}


@pytest.mark.parametrize(("days", "weeks"), [(0, "0"), (6, "0"), (7, "1"), (13, "1"), (14, "2")])
def test_time_is_told_in_whole_weeks_since_the_allocation(trial, tmp_path, days, weeks):
    release = built(frozen(moment(days=days)), tmp_path)

    assert {row["weeks_since_allocation"] for row in letters_in(unpacked(release.path))} == {weeks}


def test_the_letters_stay_the_same_from_lock_to_lock(trial, tmp_path):
    first = built(frozen(moment("C001", kind="cut")), tmp_path, "first")
    trial.randomised()

    later = built(frozen(moment("L002", days=10)), tmp_path, "later")

    before, after = ({r["subjid"]: r["masked_arm"] for r in letters_in(unpacked(one.path))} for one in (first, later))
    assert before.items() < after.items()


def test_built_twice_the_bytes_are_equal(trial, tmp_path):
    stored = frozen()

    once, again = built(stored, tmp_path, "once"), built(stored, tmp_path, "again")

    assert once.path.read_bytes() == again.path.read_bytes()
    assert once.name == "GREENRXF_L001_dmc_2026-07-09.zip"


def test_stored_again_the_same_data_have_the_same_content(trial, tmp_path):
    once, again = built(frozen(), tmp_path, "once"), built(frozen(), tmp_path, "again")

    assert once.content_sha256 == again.content_sha256


def test_no_file_holds_an_arm_in_any_word_or_the_moment_of_an_allocation(tmp_path):
    small_trial(changes=sentinel_changes())

    release = built(frozen(), tmp_path)

    files = unpacked(release.path)
    words = [word.lower() for word in (*SENTINELS.values(), "2026-07-09T11:00:00")]
    told = [name for name, text in files.items() if any(word in text.lower() for word in words)]
    assert told == []
    assert len(letters_in(files)) == 2


def test_every_table_but_the_letters_is_that_of_the_blinded_variant(trial, tmp_path):
    stored = frozen()
    (tmp_path / "blinded").mkdir()

    masked, blinded = built(stored, tmp_path), build(Source(stored.path), "blinded", tmp_path / "blinded")

    tables, plain = (
        {name: text for name, text in unpacked(one.path).items() if name.startswith("data/")}
        for one in (masked, blinded)
    )
    assert tables.pop(f"data/csv/{MASKED_TABLE}.csv")
    assert tables == plain
    assert not any(word in name for name in tables for word in ARM_ONLY_WORDS)


@pytest.mark.parametrize("variant", ["blinded", "unblinded", "allocation"])
def test_no_other_variant_knows_of_the_letters(trial, tmp_path, variant):
    stored = frozen()

    release = build(Source(stored.path, stored.wrapped_key), variant, tmp_path)

    told = [name for name, text in unpacked(release.path).items() if re.search("masked_arm|masked_allocation", text)]
    assert told == []


def test_the_letters_change_no_other_variant(trial):
    with opened(frozen().path) as canonical:
        model = canonical.model
    tables = tuple(table for table in model.tables if table.name != MASKED_TABLE)
    lists = tuple(codelist for codelist in model.codelists if codelist.name != "masked_arm")

    unblinded, blinded = VARIANTS["unblinded"].view(model), VARIANTS["blinded"].view(model)

    assert (unblinded.tables, unblinded.codelists) == (tables, lists)
    assert blinded == VARIANTS["blinded"].view(unblinded)


def test_the_key_of_the_letters_opens_no_other_table(trial):
    stored = frozen()
    source = masked_source(stored)

    with opened(stored.path, stored.wrapped_key) as whole:
        revealing = [t.name for t in whole.model.tables if t.reveals_allocation and t.name != MASKED_TABLE]
        sealed = {name for name in revealing if list(whole.all_rows(name))}

    with opened(source.path, source.wrapped_key, source.masked_key) as canonical:
        letters = named_rows(canonical, MASKED_TABLE)
        for name in sealed:
            with pytest.raises(SealBroken):
                list(canonical.all_rows(name))

    assert len(letters) == 2
    assert {"randomisation", "participants", "consent"} <= sealed


def test_as_a_key_of_the_rest_it_fits_nothing(trial):
    stored = frozen()
    key = masked_key_of(stored.path, stored.wrapped_key)

    with opened(stored.path, key) as canonical, pytest.raises(SealBroken):
        list(canonical.all_rows("randomisation"))


def test_the_letters_lie_sealed_on_the_disk(trial):
    stored = frozen()

    with zipfile.ZipFile(stored.path) as archive:
        assert archive.read(f"open/{MASKED_TABLE}.jsonl") == b""
        assert f"sealed/{MASKED_TABLE}.tokens" in archive.namelist()
    with opened(stored.path) as canonical, pytest.raises(SealBroken):
        list(canonical.all_rows(MASKED_TABLE))


def test_the_readme_states_what_masking_cannot_do(trial, tmp_path):
    text = unpacked(built(frozen(), tmp_path).path)["README.txt"]

    for limit in (
        "Arms of unequal size",
        "variables of one arm only",
        "dates of one arm's sessions",
        "are therefore left out",
        "whole weeks since allocation stand in their place",
        "held apart",
    ):
        assert limit in text, limit
    assert "Nothing in this release reveals allocation" not in text
    assert "Release L001, DMEC, masked" in text


def test_another_reader_finds_what_was_stored(trial, tmp_path):
    stored = frozen()
    release = built(stored, tmp_path)

    import pandas as pd

    with zipfile.ZipFile(release.path) as archive:
        top = release.name.removesuffix(".zip")
        read = pd.read_csv(archive.open(f"{top}/data/csv/{MASKED_TABLE}.csv")).to_dict("records")
        lists = pd.read_csv(archive.open(f"{top}/codebook/codelists.csv"), dtype=str)
    source = masked_source(stored)
    with opened(source.path, "", source.masked_key) as canonical:
        assert read == named_rows(canonical, MASKED_TABLE)
    assert list(lists[lists.codelist == "masked_arm"].label) == ["Arm A", "Arm B"]
    assert json.loads(unpacked(release.path)["MANIFEST.json"])["release"]["variant"] == "dmc"
