"""Restricted parameters of the randomisation, sealed apart from the protocol (BR-22, randomisation.md 6.2).

They wait here for the scheme to be locked; from then on the scheme keeps them under a data key of its own.
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from trial.protocol.errors import ParametersUnavailable
from trial.protocol.spec import RestrictedParameters


@sensitive_variables()
def seal(restricted: RestrictedParameters | None) -> str:
    """The parameters as a token; the empty text for none.

    Raises:
        ParametersUnavailable: there is no sealing key.
    """
    if restricted is None:
        return ""
    # Fixed length, because the length of a token follows the length of its text.
    text = json.dumps(restricted.given()).ljust(512)
    return _key_list().encrypt(text.encode("ascii")).decode("ascii")


@sensitive_variables()
def unseal(token: str) -> RestrictedParameters | None:
    """The parameters inside a token; None for the empty text.

    Raises:
        ParametersUnavailable: no sealing key opens it.
    """
    if not token:
        return None
    try:
        text = _key_list().decrypt(token.encode("ascii"))
    except InvalidToken:
        raise ParametersUnavailable from None
    return RestrictedParameters.model_validate_json(text)


def _key_list() -> MultiFernet:
    if not settings.SEALING_KEYS:
        raise ParametersUnavailable
    return MultiFernet([Fernet(key) for key in settings.SEALING_KEYS])
