import shutil

import pytest

from instruments import LIBRARY, UnknownInstrument, all_instruments, get
from instruments.catalogue import reload
from instruments.schema import DefinitionError
from tests.instruments.builders import definition, write


@pytest.fixture(autouse=True)
def _read_again():
    reload()
    yield
    reload()


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUMENTS_DIR", str(tmp_path))
    return tmp_path


def test_the_library_holds_every_instrument_of_the_trial():
    codes = [instrument.code for instrument in all_instruments()]

    assert codes == sorted(codes)
    assert {
        "wemwbs",
        "phq9",
        "gad7",
        "ons4",
        "nr6",
        "ucla3",
        "eq5d5l",
        "demographics",
        "nature_contact",
    } <= set(codes)


def test_definitions_are_read_once():
    assert get("phq9") is get("phq9")


def test_own_instruments_of_this_product_are_free_to_use():
    for code in ("demographics", "activity_preference", "nature_contact"):
        licence = get(code).licence

        assert (licence.verification, licence.registration_required) == ("own_design", False)


def test_the_newest_version_is_given_unless_one_is_named(own_folder):
    write(own_folder, definition(version="1.9.0"), "demo.json")
    write(own_folder, definition(version="1.10.0"), "demo-1.10.0.json")

    assert get("demo").version == "1.10.0"
    assert get("demo", "1.9.0").version == "1.9.0"
    assert get("phq9").version == "1.0.0"


def test_a_folder_of_a_study_adds_to_the_library(own_folder):
    write(own_folder, definition())
    write(own_folder, {"not": "read"}, ".hidden.json")

    assert len(all_instruments()) == len(all_instruments([LIBRARY])) + 1


def test_an_unknown_code_or_version_is_named():
    with pytest.raises(UnknownInstrument, match="no instrument 'phq99'"):
        get("phq99")
    with pytest.raises(UnknownInstrument, match=r"no version '9.9.9' of phq9. Known: 1\.0\.0"):
        get("phq9", "9.9.9")


def test_the_same_version_twice_is_refused(own_folder):
    shutil.copy(LIBRARY / "phq9.json", own_folder / "phq9-1.0.0.json")

    with pytest.raises(DefinitionError, match=r"version: phq9 1\.0\.0 is also defined in phq9\.json"):
        all_instruments()


def test_a_file_named_after_another_code_is_refused(own_folder):
    write(own_folder, definition(), "other.json")

    with pytest.raises(DefinitionError, match=r"demo belongs in a file named demo\.json or demo-1\.0\.0\.json"):
        all_instruments()


def test_a_folder_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("INSTRUMENTS_DIR", str(tmp_path / "gone"))

    with pytest.raises(DefinitionError, match="is not a folder"):
        get("phq9")
