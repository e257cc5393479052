"""Find instruments: the library that comes with the software, and a study's own folder."""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from instruments.model import Instrument
from instruments.schema import DefinitionError, load

LIBRARY = Path(__file__).with_name("library")
OWN_FOLDER_VARIABLE = "INSTRUMENTS_DIR"

Folders = tuple[Path, ...]


class UnknownInstrument(LookupError):
    """No definition has this code, or this version of it."""


def search_folders() -> Folders:
    """Where definitions are looked for: the library, then the folder that INSTRUMENTS_DIR names."""
    own = os.environ.get(OWN_FOLDER_VARIABLE)
    return (LIBRARY, Path(own)) if own else (LIBRARY,)


def all_instruments(folders: Iterable[Path] | None = None) -> tuple[Instrument, ...]:
    """Every instrument in every version, by code and then version, oldest first.

    Raises:
        DefinitionError: a file does not load, is not named after its code, or repeats another.
    """
    return tuple(_by_key(_given(folders)).values())


def get(code: str, version: str | None = None, folders: Iterable[Path] | None = None) -> Instrument:
    """One instrument; without a version, its newest.

    Raises:
        UnknownInstrument: there is no such code or version.
        DefinitionError: as `all_instruments`.
    """
    versions = [each for (known, _), each in _by_key(_given(folders)).items() if known == code]
    if not versions:
        raise UnknownInstrument(f"There is no instrument {code!a}.")
    if version is None:
        return versions[-1]
    for instrument in versions:
        if instrument.version == version:
            return instrument
    known = ", ".join(instrument.version for instrument in versions)
    raise UnknownInstrument(f"There is no version {version!a} of {code}. Known: {known}.")


def reload() -> None:
    """Forget what was read, so that changed files are read again."""
    _by_key.cache_clear()


def _given(folders: Iterable[Path] | None) -> Folders:
    return search_folders() if folders is None else tuple(folders)


@cache
def _by_key(folders: Folders) -> Mapping[tuple[str, str], Instrument]:
    found: dict[tuple[str, str], tuple[Instrument, Path]] = {}
    for path in (path for folder in folders for path in _files(folder)):
        instrument = _load_named(path)
        key = (instrument.code, instrument.version)
        if key in found:
            raise DefinitionError(path, [("version", f"{instrument} is also defined in {found[key][1].name}")])
        found[key] = (instrument, path)
    every = sorted((instrument for instrument, _ in found.values()), key=lambda each: (each.code, each.version_key))
    return {(instrument.code, instrument.version): instrument for instrument in every}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DefinitionError(folder, [("", "is not a folder of instrument definitions")])
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def _load_named(path: Path) -> Instrument:
    instrument = load(path)
    names = (f"{instrument.code}.json", f"{instrument.code}-{instrument.version}.json")
    if path.name not in names:
        raise DefinitionError(path, [("code", f"{instrument.code} belongs in a file named {' or '.join(names)}")])
    return instrument
