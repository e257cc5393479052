"""Sealing at rest: a data key for each revision, wrapped by the key list (randomisation.md 6.2)."""

import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from randomisation.engine.methods import Start
from randomisation.engine.source import VERSION
from randomisation.errors import SealError

_CONTEXT_BYTES = 32
_PADDING = bytes(15)
_RESUME = "|resume"
PLAINTEXT_BYTES = _CONTEXT_BYTES + 1 + len(_PADDING)
RESUME_BYTES = 60
"""The most pseudo-arms there may be (section 1): one byte each in a sealed start."""
ALLOCATION = "alloc"
"""The purpose in the context of an allocation's token."""


class Seal:
    """Seals and opens the tokens of one revision. Its repr is constant: it holds the data key."""

    __slots__ = ("_fernet",)

    def __init__(self, data_key: bytes) -> None:
        self._fernet = Fernet(data_key)

    def __repr__(self) -> str:
        return "<Seal>"

    def seal(self, value: bytes) -> str:
        """The token that holds `value`."""
        return self._fernet.encrypt(value).decode("ascii")

    def open(self, token: str) -> bytes:
        """The value inside `token`.

        Raises:
            SealError: E_SEAL_CONTEXT, the token was altered or belongs to another revision.
        """
        try:
            return self._fernet.decrypt(token.encode("ascii"))
        except (InvalidToken, UnicodeEncodeError):
            raise _wrong_context() from None

    def seal_arm(self, arm: int, context: str) -> str:
        """The token of one arm in its place: always 48 bytes inside, so that its length tells nothing."""
        return self.seal(_digest(context) + bytes([arm]) + _PADDING)

    def open_arm(self, token: str, context: str) -> int:
        """The arm inside the token of the place that `context` names.

        Raises:
            SealError: E_SEAL_CONTEXT, the token was altered or sealed for another place.
        """
        value = self.open(token)
        if len(value) != PLAINTEXT_BYTES or not value.startswith(_digest(context)) or not value.endswith(_PADDING):
            raise _wrong_context()
        return value[_CONTEXT_BYTES]

    def seal_start(self, start: Start, offset: int, context: str) -> str:
        """The token of where a row's block begins, and of the row's place in it: of one length, like an arm's."""
        ahead = bytes(start.ahead)
        place = start.word.to_bytes(8, "big") + bytes([offset, len(ahead)])
        return self.seal(_digest(context + _RESUME) + place + ahead.ljust(RESUME_BYTES, b"\0"))

    def open_start(self, token: str, context: str) -> tuple[Start, int]:
        """Where the row's block begins, and the row's place in it from 0.

        Raises:
            SealError: E_SEAL_CONTEXT, the token was altered or sealed for another place.
        """
        value = self.open(token)
        if len(value) != _CONTEXT_BYTES + 10 + RESUME_BYTES or not value.startswith(_digest(context + _RESUME)):
            raise _wrong_context()
        word, offset, n_ahead = value[_CONTEXT_BYTES:][:8], value[_CONTEXT_BYTES + 8], value[_CONTEXT_BYTES + 9]
        return Start(int.from_bytes(word, "big"), tuple(value[_CONTEXT_BYTES + 10 :][:n_ahead])), offset


def arm_context(*, scheme: str, revision: int, purpose: str, key: str, position: int) -> str:
    """The place of one token; for an allocation the key is its unit and the position its seq."""
    return f"{VERSION}|{scheme}|{revision}|{purpose}|{key}|{position}"


def draw_data_key() -> tuple[Seal, str]:
    """A new data key, ready for use, and the same wrapped for storage.

    Raises:
        SealError: E_SEAL_KEY, no usable key list.
    """
    data_key = Fernet.generate_key()
    return Seal(data_key), _key_list().encrypt(data_key).decode("ascii")


def unwrap(wrapped: str) -> Seal:
    """The seal of the revision whose wrapped data key this is.

    Raises:
        SealError: E_SEAL_KEY, no usable key list or none of its keys fits.
    """
    try:
        return Seal(_key_list().decrypt(wrapped.encode("ascii")))
    except (InvalidToken, ValueError):
        raise _no_key() from None


def rewrap(wrapped: str) -> str:
    """The same data key wrapped by the first key of the list.

    Raises:
        SealError: E_SEAL_KEY, no usable key list or none of its keys fits.
    """
    try:
        return _key_list().rotate(wrapped.encode("ascii")).decode("ascii")
    except (InvalidToken, ValueError):
        raise _no_key() from None


def is_current(wrapped: str) -> bool:
    """Whether the first key of the list wraps this data key."""
    try:
        Fernet(settings.SEALING_KEYS[0]).decrypt(wrapped.encode("ascii"))
    except (InvalidToken, ValueError, IndexError):
        return False
    return True


def token_digest(token: str) -> str:
    """SHA-256 of a token, which is what logs and histories hold instead of an arm (6.3)."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def _key_list() -> MultiFernet:
    keys: Sequence[str] = settings.SEALING_KEYS
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise _no_key() from None


def _digest(context: str) -> bytes:
    return hashlib.sha256(context.encode("ascii")).digest()


def _no_key() -> SealError:
    return SealError("E_SEAL_KEY", "The sealing key is not available. Tell the administrator.")


def _wrong_context() -> SealError:
    return SealError("E_SEAL_CONTEXT", "A sealed value failed its check. Tell the trial manager.")
