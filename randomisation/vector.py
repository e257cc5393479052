"""One test vector, read with messages that name it and the field (randomisation.md 14)."""

from typing import Any

from randomisation.engine.source import Stream

_TYPE_NAMES = {str: "text", int: "a whole number", list: "a list", dict: "an object"}


class VectorsError(Exception):
    """The file is not one of vectors; says what is wrong and where."""


class Vector:
    """One vector of the file. Each value is asked for by name and kind."""

    def __init__(self, fields: dict[str, Any], *, place: int) -> None:
        self.fields = fields
        self.id = f"number {place}"
        self.id = self.text("id")
        self.kind = self.text("kind")

    def text(self, name: str) -> str:
        return str(self._get(name, str))

    def whole(self, name: str, *, least: int = 0, most: int = 2**32) -> int:
        number = int(self._get(name, int))
        if not least <= number <= most:
            raise VectorsError(f"Vector {self.id}: {name} must be {least} to {most}.")
        return number

    def wholes(self, name: str, *, least: int = 0, most: int = 2**32) -> list[int]:
        numbers = self._items(name, int)
        if not all(least <= number <= most for number in numbers):
            raise VectorsError(f"Vector {self.id}: {name} must hold numbers from {least} to {most}.")
        return numbers

    def texts(self, name: str) -> list[str]:
        return self._items(name, str)

    def items(self, name: str) -> list[Any]:
        return list(self._get(name, list))

    def object(self, name: str) -> dict[str, Any]:
        return dict(self._get(name, dict))

    def value(self, name: str) -> Any:
        if name not in self.fields:
            raise VectorsError(f"Vector {self.id}: {name} is missing.")
        return self.fields[name]

    def hex(self, name: str) -> bytes:
        text = self.text(name)
        try:
            value = bytes.fromhex(text)
        except ValueError:
            value = b""
        if len(text) != 64 or len(value) != 32:
            raise VectorsError(f"Vector {self.id}: {name} must be 64 hexadecimal digits.")
        return value

    def stream(self, purpose: str, key: str) -> Stream:
        """The stream this vector draws from."""
        return Stream(self.hex("seed"), scheme=self.text("scheme"), revision=self.revision, purpose=purpose, key=key)

    @property
    def revision(self) -> int:
        return self.whole("revision", least=1)

    def _get(self, name: str, kind: type) -> Any:
        if name not in self.fields:
            raise VectorsError(f"Vector {self.id}: {name} is missing.")
        if type(self.fields[name]) is not kind:
            raise VectorsError(f"Vector {self.id}: {name} must be {_TYPE_NAMES[kind]}.")
        return self.fields[name]

    def _items(self, name: str, kind: type) -> list[Any]:
        items = list(self._get(name, list))
        if any(type(item) is not kind for item in items):
            raise VectorsError(f"Vector {self.id}: {name} must be a list of {_TYPE_NAMES[kind]} each.")
        return items
