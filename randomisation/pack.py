"""Packs the stand-alone verifier into one file: `python -m randomisation.pack dist/hedgerow-verify.pyz`.

The same sources give the same bytes on every machine, so the file's SHA-256 can be published beside a package.
"""

import io
import sys
import zipapp
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parent
_START = "from randomisation.verify import main\n\nmain()\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def sources() -> list[Path]:
    """The files the verifier needs and no others, in a fixed order."""
    own = [PACKAGE / name for name in ("__init__.py", "errors.py", "verify.py")]
    return sorted([*own, *PACKAGE.glob("engine/*.py"), *PACKAGE.glob("schemes/*.py")])


def pack(target: Path) -> None:
    """Write the verifier to `target`, making its folder."""
    texts = {path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes() for path in sources()}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for name, data in {"__main__.py": _START.encode("ascii"), **texts}.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system = 3  # otherwise the byte depends on the machine it is packed on
            file.writestr(entry, data)
    archive.seek(0)
    target.parent.mkdir(parents=True, exist_ok=True)
    zipapp.create_archive(archive, target, interpreter="/usr/bin/env python3")


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
