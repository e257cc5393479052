"""Licences and wording: recorded and uploaded by the study, shown on its pages only."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils.html import escape

import instruments
from tests.trial.assessments.builders import licence, randomised, save, staff, study
from tests.trial.assessments.test_views import text_of, url
from tests.trial.assessments.wordings import MARK, as_csv, as_json, eq5d5l
from trial.access.policy import Role
from trial.assessments import wording_actions
from trial.assessments.models import InstrumentLicence, StudyWording
from trial.assessments.wording import LicenceMissing
from trial.base.models import Unattributed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
PAGE = "/licences/eq5d5l/wording/"
EQ5D5L = instruments.get("eq5d5l")
ANSWERS = {item.code: item.min for item in EQ5D5L.items}


@pytest.fixture
def manager(client):
    study()
    user = staff(Role.TRIAL_MANAGER, name="Mina Osei", blinded=False)
    client.force_login(user)
    return user


def upload(client, data, name="wording.json"):
    return text_of(client.post(PAGE, {"file": SimpleUploadedFile(name, data)}))


def checked_content(page):
    return re.search(r'name="content" value="(.*?)"', page)[1]


def stored(content=None, by=None):
    return wording_actions.store_wording(instrument=EQ5D5L, content=content or eq5d5l(), by=by)


def test_a_licence_is_recorded_with_reference_holder_date_and_copyright_line(client, manager):
    page = text_of(client.get("/licences/wemwbs/"))
    given = {"reference": "W-1", "holder": "University of Westmarch", "copyright_line": "© Owner 2026"}
    day = {f"licence_date_{n}": value for n, value in enumerate(("5", "1", "2026"))}
    lacking = text_of(client.post("/licences/wemwbs/", {**given, **day, "copyright_line": ""}))
    client.post("/licences/wemwbs/", {**given, **day})

    row = InstrumentLicence.objects.get()
    assert escape(instruments.get("wemwbs").copyright) in page
    assert "Enter the copyright line" in lacking
    assert (row.reference, row.holder, row.copyright_line) == ("W-1", "University of Westmarch", "© Owner 2026")


def test_the_database_keeps_no_licence_without_holder_or_copyright_line():
    for lacking in ("reference", "holder", "copyright_line"):
        values = {"reference": "R", "holder": "H", "copyright_line": "C", lacking: ""}
        with pytest.raises(IntegrityError), transaction.atomic():
            InstrumentLicence(instrument="wemwbs", licence_date="2026-01-05", **values).save_by(None)


@pytest.mark.parametrize(("data", "name"), [(as_json(eq5d5l()), "w.json"), (as_csv(eq5d5l()), "w.csv")])
def test_a_file_is_looked_at_first_and_then_stored(client, manager, data, name):
    licence("eq5d5l")

    looked = upload(client, data, name)
    before = StudyWording.objects.exists()
    answer = client.post(PAGE, {"content": _unescaped(checked_content(looked))}, follow=True)

    assert f"{MARK} question 1" in looked
    assert not before
    assert "Wording of EQ-5D-5L stored" in text_of(answer)
    assert StudyWording.objects.get().content == eq5d5l()


def test_what_is_wrong_with_a_file_is_said_and_nothing_is_stored(client, manager):
    licence("eq5d5l")
    content = eq5d5l()
    del content["items"]["eq5d5l_vas"]

    assert "eq5d5l_vas is missing" in upload(client, as_json(content))
    assert "The file is empty" in upload(client, b"")
    assert "is missing" in text_of(client.post(PAGE, {"content": as_json(content).decode()}))
    assert "Choose a file" in text_of(client.post(PAGE))
    assert not StudyWording.objects.exists()


def test_without_a_licence_no_wording_is_stored(client, manager):
    page = text_of(client.post(PAGE, {"content": as_json(eq5d5l()).decode()}))

    assert "only after the study has recorded its licence" in page
    with pytest.raises(LicenceMissing):
        stored()


def test_wording_that_comes_with_the_software_cannot_be_uploaded(client, manager):
    licence("wemwbs")
    licence("eq5d5l")

    assert "comes with the software" in text_of(client.get("/licences/wemwbs/wording/"))
    with pytest.raises(wording_actions.WordingComesWithSoftware):
        wording_actions.store_wording(instrument=instruments.get("wemwbs"), content={}, by=manager)
    assert "Withheld: upload it" in text_of(client.get("/licences/"))


def test_the_form_shows_the_uploaded_wording_with_the_recorded_copyright_line(client):
    participant = randomised()
    licence("eq5d5l")
    client.force_login(staff(Role.COORDINATOR))
    withheld = text_of(client.get(url(participant, form="eq5d5l")))
    stored()

    shown = text_of(client.get(url(participant, form="eq5d5l")))

    assert "withheld" in withheld
    assert "withheld" not in shown
    for words in (f"{MARK} today", f"{MARK} question 1", f"{MARK} 5.5", f"100 {MARK} best", "EuroQol"):
        assert words in shown


def test_the_downloaded_history_of_a_form_holds_none_of_it(client):
    participant = randomised()
    licence("eq5d5l")
    stored()
    save(participant, "V3", "eq5d5l", answers=ANSWERS)
    client.force_login(staff(Role.COORDINATOR))

    read = text_of(client.get(url(participant, form="eq5d5l")))
    history = b"".join(client.get(url(participant, form="eq5d5l", more="history/") + "?format=csv"))

    assert f"{MARK} 1.1 (1)" in read
    assert MARK.encode() not in history


def test_wording_under_which_answers_are_stored_never_changes():
    participant = randomised()
    licence("eq5d5l")
    row = stored()
    stored(eq5d5l(instructions="Other"))
    save(participant, "V3", "eq5d5l", answers=ANSWERS)

    with pytest.raises(wording_actions.WordingInUse):
        stored()
    row.refresh_from_db()
    with pytest.raises(IntegrityError, match="Answers are stored"), transaction.atomic():
        row.save_by(None, "Around the action")
    assert stored(eq5d5l(instructions="Other")).pk == row.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        StudyWording(instrument="eq5d5l", version="1.0.0", content={}).save_by(None)
    with pytest.raises(Unattributed):
        StudyWording.objects.update(content={})


def _unescaped(text):
    return text.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")
