"""Encryption of identity data: each person has a data key, and the key list only wraps data keys.

The key list stays outside the database, so a copy of the database opens nothing. Rotation wraps the
data keys again; disposal destroys one data key, and every sealed text of that person with it, while
rows, hashes and triggers stay as they are.
"""

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from trial.base.errors import TrialError


class SealBroken(TrialError):
    """A sealed text cannot be opened: wrong key list, destroyed data key, or altered text."""

    def __init__(self) -> None:
        super().__init__("The protected details cannot be opened. Tell the administrator: the keys may be wrong.")


class KeyDestroyed(SealBroken):
    """The person's data key was destroyed by a disposal: what it sealed is gone for ever (R-36)."""

    def __init__(self) -> None:
        TrialError.__init__(self, "The protected details of this person were destroyed when their time was over.")


def _key_list() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.IDENTITY_KEYS])


def new_data_key() -> str:
    """A new data key, wrapped by the first key of the list (ASCII token)."""
    return _key_list().encrypt(Fernet.generate_key()).decode("ascii")


def rewrap(wrapped_key: str) -> str:
    """The same data key wrapped by the first key of the list.

    Raises:
        SealBroken: no key of the list opens it.
    """
    try:
        return _key_list().rotate(wrapped_key.encode("ascii")).decode("ascii")
    except InvalidToken as error:
        raise SealBroken from error


def is_current(wrapped_key: str) -> bool:
    """Whether the first key of the list wraps this data key, so that rotation has nothing left to do."""
    try:
        Fernet(settings.IDENTITY_KEYS[0]).decrypt(wrapped_key.encode("ascii"))
    except InvalidToken:
        return False
    return True


def seal_secret(secret: str) -> str:
    """A short secret of the system's own, a second factor's seed, sealed by the first key of the list."""
    return _key_list().encrypt(secret.encode("utf-8")).decode("ascii")


def unseal_secret(token: str) -> str:
    """The secret inside `token`.

    Raises:
        SealBroken: no key of the list opens it.
    """
    try:
        return _key_list().decrypt(token.encode("utf-8")).decode("utf-8")
    except InvalidToken as error:
        raise SealBroken from error


def new_text_key(wrapped_key: str) -> tuple[str, str]:
    """A key for one text, and the same sealed with a person's data key."""
    key = Fernet.generate_key()
    return key.decode("ascii"), _data_key(wrapped_key).encrypt(key).decode("ascii")


def seal_with(key: str, text: str) -> str:
    """`text` sealed with a key of its own (ASCII token)."""
    return Fernet(key).encrypt(text.encode("utf-8")).decode("ascii")


def unseal_with(key: str, token: str) -> str:
    """The text inside `token`.

    Raises:
        SealBroken: the key does not fit, or the token was altered.
    """
    try:
        return Fernet(key).decrypt(token.encode("utf-8")).decode("utf-8")
    except (InvalidToken, ValueError) as error:
        raise SealBroken from error


def seal(wrapped_key: str, text: str) -> str:
    """`text` sealed with the data key (ASCII token); the empty text stays empty."""
    return _data_key(wrapped_key).encrypt(text.encode("utf-8")).decode("ascii") if text else ""


def unseal(wrapped_key: str, token: str) -> str:
    """The text inside `token`. Never returns ciphertext.

    Raises:
        SealBroken: the key does not fit, was destroyed, or the token was altered.
    """
    if not token:
        return ""
    try:
        return _data_key(wrapped_key).decrypt(token.encode("utf-8")).decode("utf-8")
    except InvalidToken as error:
        raise SealBroken from error


def lookup_hash(kind: str, value: str) -> str:
    """Keyed hash for exact look-up (64 hex digits). A bare hash of so short a number could be guessed."""
    message = f"{kind}|{value}".encode()
    return hmac.new(settings.LOOKUP_KEY.encode(), message, hashlib.sha256).hexdigest()


def _data_key(wrapped_key: str) -> Fernet:
    if not wrapped_key:
        raise KeyDestroyed
    try:
        return Fernet(_key_list().decrypt(wrapped_key.encode("ascii")))
    except InvalidToken as error:
        raise SealBroken from error
