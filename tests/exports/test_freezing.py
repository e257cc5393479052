"""A cut or lock becomes its canonical file, from a consistent snapshot, with nothing that identifies a person."""

import zipfile
from dataclasses import replace

import pytest

from exports.canonical import opened
from exports.checks import ModelBroken
from exports.release import Source, build
from exports.variants import dataset_of
from tests.exports.builders import MOMENT, SENTINELS, frozen, moment, real_arms, rows_of, sentinel_changes, small_trial
from tests.factories import TODAY, Trial
from trial.participants.models import Participant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]


@pytest.fixture
def trial() -> Trial:
    return small_trial()


def unpacked(path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def test_the_file_lies_under_its_own_hash_and_cannot_be_written(trial, release_dir):
    stored = frozen()

    assert stored.path == release_dir / "canonical" / f"{stored.sha256}.zip"
    assert stored.path.stat().st_mode & 0o777 == 0o400
    assert list((release_dir / "canonical").iterdir()) == [stored.path]


def test_every_person_who_consented_has_a_row(trial):
    people = rows_of(frozen(), "participants")

    assert [(row["subjid"], row["randomised"]) for row in people] == [
        (study_id, int(randomised is not None))
        for study_id, randomised in Participant.objects.order_by("study_id").values_list("study_id", "randomised_date")
    ]


def test_arms_are_those_of_the_allocation(trial):
    arms = real_arms()

    rows = rows_of(frozen(), "randomisation")

    ids = dict(Participant.objects.values_list("study_id", "pk"))
    assert {ids[row["subjid"]]: row["arm"] for row in rows} == arms
    assert rows[0]["randomised_at"] == "2026-07-09T11:00:00+01:00"


def test_somebody_randomised_without_allocation_stops_the_file(trial, release_dir):
    with pytest.raises(ModelBroken, match="has no allocation"):
        frozen(arms={})

    assert list((release_dir / "canonical").iterdir()) == []


def test_what_comes_after_the_last_day_is_left_out(trial):
    stored = frozen(replace(MOMENT, through=TODAY.replace(day=3)))

    assert rows_of(stored, "participants") == []
    assert rows_of(stored, "phq9") == []


def test_blinded_releases_of_a_trial_with_sentinel_arms_hold_no_arm(tmp_path):
    small_trial(changes=sentinel_changes())
    stored = frozen()

    release = build(Source(stored.path), "blinded", tmp_path)

    words = [word.lower() for word in SENTINELS.values()]
    told = [name for name, text in unpacked(release.path).items() if any(word in text.lower() for word in words)]
    assert told == []


def test_people_who_differ_only_by_arm_give_the_same_blinded_bytes(trial, tmp_path):
    arms = real_arms()
    swapped = {pk: {"nature": "indoor", "indoor": "nature"}[arm] for pk, arm in arms.items()}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()

    one = build(Source(frozen(arms=arms).path), "blinded", tmp_path / "one")
    two = build(Source(frozen(arms=swapped).path), "blinded", tmp_path / "two")

    assert one.path.read_bytes() == two.path.read_bytes()


def test_an_unblinded_release_holds_the_arm(trial, tmp_path):
    stored = frozen()

    release = build(Source(stored.path, stored.wrapped_key), "unblinded", tmp_path)

    text = next(text for name, text in unpacked(release.path).items() if name.endswith("data/csv/randomisation.csv"))
    assert "nature" in text or "indoor" in text


def test_no_identity_and_no_user_name_leaves(trial, tmp_path):
    stored = frozen()

    release = build(Source(stored.path, stored.wrapped_key), "unblinded", tmp_path)

    everything = " ".join(unpacked(release.path).values()).lower()
    for seeded in ("carol", "tester", "tavyside", "01632 960001", "carol1", "asha patel", "okafor", "1971-03-14"):
        assert seeded not in everything, seeded


def test_variables_remember_the_lock_since_which_they_exist(trial):
    first = frozen()

    second = frozen(moment("L002"), previous=first.path)

    with opened(second.path) as canonical:
        since = {variable.since_lock for table in canonical.model.tables for variable in table.variables}
        assert since == {"L001"}
        assert canonical.provenance.previous == "L001"
        assert canonical.model.retired == ()


def test_both_views_of_one_file_agree(trial):
    stored = frozen()

    with opened(stored.path, stored.wrapped_key) as canonical:
        for table in dataset_of(canonical, "blinded", {}).model.tables:
            whole = canonical.model.table(table.name)
            kept = [
                [row[n] for n in whole.open_positions] for row in canonical.all_rows(table.name) if not whole.hides(row)
            ]
            assert kept == list(canonical.open_rows(table.name)), table.name


def test_a_second_protocol_is_frozen_without_a_line_of_code(tmp_path):
    trial = Trial("northbank", site_code="17")
    trial.save_form(trial.consented(), "CALL", "gad7")
    stored = frozen()

    release = build(Source(stored.path), "blinded", tmp_path)

    assert release.counts["participants"] == 1
    assert release.counts["tables"]["gad7"]["rows"] >= 1
