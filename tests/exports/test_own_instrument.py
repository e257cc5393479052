"""A questionnaire of the study's own, in its own folder: answered, scored and released without touching code."""

import csv
import io
import zipfile

import pytest

from exports import actions
from tests.factories import NOW, TODAY, Trial, protocol_with_demo, staff
from tests.instruments.builders import definition
from trial.access.policy import Role
from trial.locking import actions as locking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]


def test_a_questionnaire_of_the_studys_own_is_released_with_its_scores(own_instruments):
    own_instruments(definition())
    trial = Trial(changes=protocol_with_demo("1.0.0")).open_randomisation()
    trial.save_form(trial.consented(), "V1", "demo", {"demo_1": 1, "demo_2": 2, "demo_3": 4})
    manager = staff(Role.DATA_MANAGER)
    cut = locking.make_cut(name="C", reason="Meeting", data_through=TODAY, by=manager, at=NOW)

    release = actions.request_release(lock=cut, variant="blinded", purpose="Analysis", by=manager, at=NOW)
    with zipfile.ZipFile(actions.build_release(release=release, by=manager).path) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("csv/demo.csv")]
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))

    assert [row["demo_sum"] for row in rows if row["demo_1"] == "1"] == ["7"]
