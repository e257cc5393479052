"""Restricted parameters of the randomisation, sealed apart from the protocol (BR-22, randomisation.md 6.2).

They wait here for the scheme to be configured; from then on the scheme keeps them under a data key of its own. Here too
the key list wraps a data key, so that other keys can follow without touching a version that never changes.
"""

import json
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from trial.protocol.errors import ParametersUnavailable
from trial.protocol.spec import RestrictedParameters


class Sealed(NamedTuple):
    """A token and the wrapped data key that opens it; both empty when there is nothing to seal."""

    token: str
    wrapped_key: str


@sensitive_variables()
def seal(restricted: RestrictedParameters | None) -> Sealed:
    """The parameters under a new data key.

    Raises:
        ParametersUnavailable: there is no sealing key.
    """
    if restricted is None:
        return Sealed("", "")
    # Fixed length, because the length of a token follows the length of its text.
    text = json.dumps(restricted.given()).ljust(512)
    data_key = Fernet.generate_key()
    token = Fernet(data_key).encrypt(text.encode("ascii")).decode("ascii")
    return Sealed(token, _key_list().encrypt(data_key).decode("ascii"))


@sensitive_variables()
def unseal(sealed: Sealed) -> RestrictedParameters | None:
    """The parameters inside a token; None for the empty text.

    Raises:
        ParametersUnavailable: no sealing key opens it.
    """
    if not sealed.token:
        return None
    try:
        text = Fernet(_key_list().decrypt(sealed.wrapped_key.encode("ascii"))).decrypt(sealed.token.encode("ascii"))
    except (InvalidToken, ValueError):
        raise ParametersUnavailable from None
    return RestrictedParameters.model_validate_json(text)


def is_current(wrapped_key: str) -> bool:
    """Whether the first key of the list wraps this data key."""
    try:
        Fernet(settings.SEALING_KEYS[0]).decrypt(wrapped_key.encode("ascii"))
    except (InvalidToken, ValueError, IndexError):
        return False
    return True


def rewrap(wrapped_key: str) -> str:
    """The same data key wrapped by the first key of the list.

    Raises:
        ParametersUnavailable: no sealing key opens it.
    """
    try:
        return _key_list().rotate(wrapped_key.encode("ascii")).decode("ascii")
    except InvalidToken:
        raise ParametersUnavailable from None


def _key_list() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.SEALING_KEYS])
    except ValueError:  # none at all, or one that is no key
        raise ParametersUnavailable from None
