"""A definition under which answers are stored never changes; a new version stands beside the old one."""

import pytest
from django.db import IntegrityError, transaction

import instruments
from tests.factories import Trial, protocol_with_demo
from tests.instruments.builders import definition, item
from trial import checks
from trial.assessments.in_use import DefinitionChanged
from trial.assessments.models import Administration, InstrumentInUse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
ANSWERS = {"demo_1": 1, "demo_2": 1, "demo_3": 1}


@pytest.fixture
def study(own_instruments):
    """A trial whose baseline has an instrument of the study's own, without touching code."""
    own_instruments(definition())
    return Trial(changes=protocol_with_demo("1.0.0"))


def save(study, person, **more):
    return study.save_form(person, "V1", "demo", ANSWERS, **more)


def test_a_study_uses_a_file_of_its_own_and_its_first_answers_fix_what_it_says(study):
    form = save(study, study.consented())

    used = InstrumentInUse.objects.get(instrument="demo")
    assert (form.instrument_version, form.scores["demo_sum"]["value"]) == ("1.0.0", 3)
    assert used.checksum == instruments.get("demo", "1.0.0").checksum
    assert checks.definitions_are_unchanged(None) == []


def test_a_file_edited_in_place_stops_the_start_and_every_save(study, own_instruments):
    first, second = study.consented(), study.consented()
    save(study, first)
    own_instruments(definition(items=[item("demo_1", text="Another question"), item("demo_2"), item("demo_3")]))

    with pytest.raises(DefinitionChanged, match=r"demo 1\.0\.0 was changed after answers were stored"):
        save(study, second)

    (error,) = checks.definitions_are_unchanged(None)
    assert error.id == "trial.E005"
    assert "demo 1.0.0 was edited" in error.msg
    assert Administration.objects.count() == 1


def test_a_file_that_is_gone_stops_the_start(study, own_instruments):
    save(study, study.consented())
    own_instruments(definition(version="2.0.0"))

    assert [error.id for error in checks.definitions_are_unchanged(None)] == ["trial.E005"]


def test_a_new_version_leaves_earlier_answers_on_theirs(study, own_instruments):
    person = study.consented()
    save(study, person)
    own_instruments(
        definition(version="2.0.0", items=[item("demo_1"), item("demo_2"), item("demo_3", max=4)]), "demo-2.0.0.json"
    )

    form = study.save_form(person, "V1", "demo", {**ANSWERS, "demo_1": 4}, reasons={"demo_1": "Typing mistake"})

    assert form.instrument_version == "1.0.0"
    assert [instruments.get("demo", version).version for version in ("1.0.0", "2.0.0")] == ["1.0.0", "2.0.0"]
    assert checks.definitions_are_unchanged(None) == []


def test_a_version_is_in_use_once(study):
    form = save(study, study.consented())
    row = {"instrument": "demo", "version": form.instrument_version, "checksum": "0" * 64}

    with pytest.raises(IntegrityError), transaction.atomic():
        InstrumentInUse(**row, first_used_at=form.first_entered_at).save()
