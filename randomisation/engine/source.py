"""Where every draw comes from: HMAC-SHA-256 in counter mode (randomisation.md sections 2 and 3)."""

import hashlib
import hmac
from typing import TypeVar

from randomisation.errors import ParametersRefused

VERSION = "trial-randomisation/1"
SECRET_BYTES = 32
MAX_CONTRIBUTION_BYTES = 512
_WORDS = 2**32
_WORDS_PER_BLOCK = 8
_LOWER_ALPHANUMERIC = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")

T = TypeVar("T")


def derive_seed(secret: bytes, contribution: str) -> bytes:
    """The 32-byte seed: the secret and the contribution, which is applied even when empty (3.2)."""
    if len(secret) != SECRET_BYTES:
        raise ParametersRefused("secret", "must be 32 bytes")
    return hmac.digest(secret, _text(f"{VERSION}|contribution|") + contribution_bytes(contribution), "sha256")


def contribution_bytes(contribution: str) -> bytes:
    """The contribution exactly as recorded, 0 to 512 UTF-8 bytes (3.2)."""
    try:
        encoded = contribution.encode("utf-8")
    except UnicodeEncodeError:
        raise ParametersRefused("contribution", "must be text that UTF-8 can hold") from None
    if len(encoded) > MAX_CONTRIBUTION_BYTES:
        raise ParametersRefused("contribution", "must be 512 bytes or fewer")
    return encoded


def commitment(secret: bytes, canonical: bytes) -> str:
    """The published digest that binds secret and parameters and tells neither (3.3), in hexadecimal."""
    digest = hashlib.sha256(_text(f"{VERSION}|commit|") + secret + hashlib.sha256(canonical).digest())
    return digest.hexdigest()


def check_scheme_code(scheme: str) -> None:
    """Refuse a scheme code that is not `[a-z0-9-]{1,32}` (section 1)."""
    if not 1 <= len(scheme) <= 32 or not set(scheme) <= _LOWER_ALPHANUMERIC | {"-"}:
        raise ParametersRefused("scheme", "must be 1 to 32 lower-case letters, digits or hyphens")


def check_label_code(field: str, code: str) -> None:
    """Refuse a batch, unit or data-set code the streams cannot carry (2.1)."""
    printable = all(" " <= character <= "~" for character in code)
    if not 1 <= len(code) <= 64 or not printable or "|" in code or code != code.strip(" "):
        raise ParametersRefused(
            field, "must be 1 to 64 printable ASCII characters without | and without spaces at the ends"
        )


def stream_label(*, scheme: str, revision: int, purpose: str, key: str) -> str:
    """The name of one stream (2.1)."""
    check_scheme_code(scheme)
    if revision < 1:
        raise ParametersRefused("revision", "must be 1 or more")
    if "|" in purpose or "|" in key or not (purpose + key).isascii():
        raise ParametersRefused("key", "must be ASCII without |")
    return f"{VERSION}|{scheme}|{revision}|{purpose}|{key}"


def stream_key(seed: bytes, label: str) -> bytes:
    """The key of the stream called `label` (2.1)."""
    if len(seed) != SECRET_BYTES:
        raise ParametersRefused("seed", "must be 32 bytes")
    return hmac.digest(seed, _text(label), "sha256")


class Stream:
    """The words of one named stream, read in order, from word `start`. Its repr is constant: it holds a secret."""

    __slots__ = ("_key", "_next_block", "_next_words", "words_used")

    def __init__(self, seed: bytes, *, scheme: str, revision: int, purpose: str, key: str, start: int = 0) -> None:
        label = stream_label(scheme=scheme, revision=revision, purpose=purpose, key=key)
        self._key = stream_key(seed, label)
        self._next_words: list[int] = []
        self._next_block, n_passed = divmod(start, _WORDS_PER_BLOCK)
        self.words_used = start - n_passed
        for _ in range(n_passed):
            self.word()

    def __repr__(self) -> str:
        return "<Stream>"

    def block(self, index: int) -> bytes:
        """T(index), 32 bytes. Consumes nothing."""
        return hmac.digest(self._key, index.to_bytes(8, "big"), "sha256")

    def word(self) -> int:
        """The next 32-bit word."""
        if not self._next_words:
            block = self.block(self._next_block)
            self._next_words = [int.from_bytes(block[at : at + 4], "big") for at in range(28, -4, -4)]
            self._next_block += 1
        self.words_used += 1
        return self._next_words.pop()

    def below(self, n: int) -> int:
        """A uniform integer in 0 … n-1, 1 <= n <= 2^32, without modulo bias (2.2)."""
        if not 1 <= n <= _WORDS:
            raise ValueError("below() takes 1 to 2^32.")
        if n == 1:
            return 0
        limit = _WORDS - _WORDS % n
        word = self.word()
        while word >= limit:
            word = self.word()
        return word % n

    def shuffle(self, items: list[T]) -> None:
        """Put `items` in random order, in place: Fisher-Yates, descending (2.3)."""
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]

    def weighted(self, weights: tuple[int, ...]) -> int:
        """An index, drawn in proportion to non-negative integer weights (2.4)."""
        remaining, index = self.below(sum(weights)), 0
        while remaining >= weights[index]:
            remaining -= weights[index]
            index += 1
        return index


def _text(text: str) -> bytes:
    return text.encode("ascii")
