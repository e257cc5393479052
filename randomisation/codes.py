"""A short code that proves what a certificate or an envelope says, without anybody typing an arm (9.7, 9.15)."""

import hashlib
import hmac

from django.views.decorators.debug import sensitive_variables

from randomisation.engine.source import VERSION
from randomisation.models import Allocation
from randomisation.unsealed import Unsealed, unseal

_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_LENGTH = 8


@sensitive_variables()
def certificate_code(allocation: Allocation) -> str:
    """The code on the certificate of an allocation: eight letters and digits, keyed by the seed."""
    unsealed = unseal(allocation.revision)
    return _code(unsealed, f"certificate|{allocation.unit}|{allocation.seq}", unsealed.arm_code(allocation))


def expected_certificate_code(unsealed: Unsealed, *, unit: str, seq: int, arm: int) -> str:
    """The code that the certificate of this unit bears if it was given this arm."""
    return _code(unsealed, f"certificate|{unit}|{seq}", unsealed.parameters.arms[arm])


def envelope_code(unsealed: Unsealed, *, key: str, position: int, arm: int) -> str:
    """The code inside one emergency envelope."""
    return _code(unsealed, f"envelope|{key}|{position}", unsealed.parameters.arms[arm])


def matches(typed: str, expected: str) -> bool:
    """Whether a typed code is the expected one; case, spaces and hyphens do not count."""
    plain = "".join(letter for letter in typed.upper() if letter.isalnum())
    return hmac.compare_digest(plain.encode(), expected.encode())


def _code(unsealed: Unsealed, what: str, arm_code: str) -> str:
    """Keyed by the seed, so that it may be shown to anybody: without the seed it tells nothing of the arm."""
    parameters = unsealed.parameters
    label = f"{VERSION}|{parameters.scheme}|{parameters.revision}|code|{what}|{arm_code}"
    digest = hmac.digest(unsealed.seed, label.encode("ascii"), hashlib.sha256)
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_LENGTH])
