"""The parameter of an imported list (randomisation.md 4.6). The file is read by `randomisation.engine.imported`."""

from randomisation.engine.methods import Setting
from randomisation.engine.reading import read_text
from randomisation.errors import ParametersRefused

_HEXADECIMAL = frozenset("0123456789abcdef")


class Imported:
    """`file_sha256`: the digest of the file, 64 lower-case hexadecimal digits."""

    keys: tuple[str, ...] = ("file_sha256",)
    max_weight = 1
    has_strata = True

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, object]:
        digest = read_text("file_sha256", given["file_sha256"])
        if len(digest) != 64 or not set(digest) <= _HEXADECIMAL:
            raise ParametersRefused("file_sha256", "must be 64 lower-case hexadecimal digits")
        return {"file_sha256": digest}

    def warnings(self, settings: dict[str, object], *, ratio: tuple[int, ...], trial: Setting) -> list[str]:
        return []
