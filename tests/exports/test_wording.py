"""Wording that a licence keeps with the study is in no file of a release, its codebook included."""

import io
import zipfile

import pypdf
import pytest

import instruments
from exports import actions
from exports.datasets.questionnaire_columns import WORDING_MAY_LEAVE
from tests.factories import NOW, TODAY, Trial, staff
from tests.trial.assessments.wordings import MARK, eq5d5l
from trial.access.policy import Role
from trial.assessments.wording_actions import store_wording
from trial.locking import actions as locking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]


def readable(path):
    """Every file of a zip, and of the zips in it, as text; the pages of a PDF as a reader sees them."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if name.endswith(".zip"):
                yield from readable(io.BytesIO(data))
            elif name.endswith(".pdf"):
                pages = pypdf.PdfReader(io.BytesIO(data)).pages
                yield name, " ".join(" ".join(page.extract_text() for page in pages).split())
            else:
                yield name, " ".join(data.decode("utf-8", "replace").split())


def protected(spec):
    """Sentences that the licences of the protocol's instruments do not let out, and the study's own wording."""
    used = [instruments.get(one.code, one.version) for one in spec.instruments]
    kept = [one for one in used if one.licence.redistribution not in WORDING_MAY_LEAVE]
    return [MARK, *(item.text for one in kept for item in one.items if item.text)]


def test_no_file_of_a_release_holds_wording_that_must_stay(release_dir):
    trial = Trial().open_randomisation()
    store_wording(instrument=instruments.get("eq5d5l"), content=eq5d5l(), by=trial.coordinator)
    person = trial.consented()
    for form in ("eq5d5l", "wemwbs"):
        trial.save_form(person, "V1", form)
    manager = staff(Role.DATA_MANAGER)
    cut = locking.make_cut(name="C", reason="Meeting", data_through=TODAY, by=manager, at=NOW)

    release = actions.request_release(lock=cut, variant="blinded", purpose="Analysis", by=manager, at=NOW)
    files = dict(readable(actions.build_release(release=release, by=manager).path))

    words = protected(trial.spec)
    assert len(words) > 14  # WEMWBS at least
    assert any("eq5d5l_mobility" in text for text in files.values())
    assert [(name, each) for name, text in files.items() for each in words if each in text] == []
