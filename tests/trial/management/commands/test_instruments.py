"""manage.py instruments and manage.py rescore: what is used, and that its scores are what they were."""

import pytest
from django.core.management import CommandError, call_command

from instruments import catalogue
from tests.trial.assessments.builders import consented, licence, phq9, randomised, save
from trial.assessments.verify import rescored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def listed(capsys):
    call_command("instruments")
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}


def test_every_instrument_is_listed_with_its_licence_and_where_it_is_used(capsys):
    save(randomised())
    licence("wemwbs")

    lines = listed(capsys)

    assert {path.stem for path in catalogue.LIBRARY.glob("*.json")} == lines.keys() - {"CODE"}
    assert "none needed" in lines["phq9"]
    assert "visits V0, V1, V2, V3, V4; 1 form stored" in lines["phq9"]
    assert "recorded 5 Jan 2026" in lines["wemwbs"]
    assert "NOT RECORDED" in lines["eq5d5l"]
    assert "withheld" in lines["eq5d5l"]
    assert lines["wsas"].endswith("not used")


def test_before_a_protocol_is_active_the_library_is_listed_all_the_same(capsys):
    assert listed(capsys)["phq9"].endswith("not used")


def test_a_definition_that_cannot_be_used_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUMENTS_DIR", str(tmp_path))
    (tmp_path / "broken.json").write_text("{")

    with pytest.raises(CommandError, match=r"broken\.json: not JSON"):
        call_command("instruments")


def test_scores_that_come_out_as_stored_are_counted(capsys):
    save(randomised())

    call_command("rescore", "--check")

    assert "1 form scored again. Every score and count is as stored." in capsys.readouterr().out


def test_a_score_and_a_count_that_differ_are_named(capsys):
    form = save(randomised())
    form.scores = {**form.scores, "phq9_total": {"value": 3, "status": "complete", "band": "minimal"}}
    form.n_answered = 9
    form.save_by(None, "Tampered")

    with pytest.raises(CommandError, match="1 of 1 forms differ"):
        call_command("rescore", "--check")

    out = capsys.readouterr().out
    assert f"{form}: phq9_total is stored as 3, complete, minimal and scored as 8, complete, mild" in out
    assert f"{form}: 9 of 10 answered is stored, and 10 of 10 is counted" in out


def test_without_check_nothing_is_done():
    with pytest.raises(CommandError, match="--check"):
        call_command("rescore")


def test_scoring_again_asks_the_database_once(django_assert_num_queries):
    for _ in range(3):
        save(consented(), "V0", mode="interview_in_person", answers=phq9(1, 1, 1, 1, 1, 1, 1, 1, 0, 1))

    with django_assert_num_queries(1):
        assert [form.differences for form in rescored()] == [()] * 3
