"""One text out of a stored release."""

import zipfile
from pathlib import Path


def text_inside(path: Path, name: str) -> str:
    """The text file `name` of the top folder of a zip."""
    with zipfile.ZipFile(path) as archive:
        inside = next(one for one in archive.namelist() if one.count("/") == 1 and one.endswith(f"/{name}"))
        return archive.read(inside).decode("utf-8")
