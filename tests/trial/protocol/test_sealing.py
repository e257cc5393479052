"""Restricted parameters stay sealed (BR-22)."""

import pytest
from cryptography.fernet import Fernet

from trial.protocol import sealing
from trial.protocol.errors import ParametersUnavailable
from trial.protocol.spec import RestrictedParameters

PARAMETERS = RestrictedParameters(block_sizes=(4, 6))


def test_parameters_come_back_from_their_token():
    sealed = sealing.seal(PARAMETERS)

    assert "block" not in sealed.token
    assert sealing.unseal(sealed) == PARAMETERS


def test_no_parameters_need_no_token():
    assert sealing.seal(None) == ("", "")
    assert sealing.unseal(sealing.Sealed("", "")) is None


def test_the_length_of_a_token_says_nothing():
    longer = RestrictedParameters(block_sizes=(4, 6, 8, 10, 12, 14))

    assert len(sealing.seal(longer).token) == len(sealing.seal(PARAMETERS).token)


@pytest.mark.parametrize("keys", [[], ["no key"]])
def test_without_a_sealing_key_nothing_is_sealed(settings, keys):
    settings.SEALING_KEYS = keys

    with pytest.raises(ParametersUnavailable, match="sealing keys"):
        sealing.seal(PARAMETERS)
    assert not sealing.is_current("x")


def test_another_key_opens_nothing(settings):
    sealed = sealing.seal(PARAMETERS)
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(ParametersUnavailable):
        sealing.unseal(sealed)
    with pytest.raises(ParametersUnavailable):
        sealing.rewrap(sealed.wrapped_key)


def test_after_the_key_was_wrapped_again_the_new_key_alone_opens_the_same_token(settings):
    sealed = sealing.seal(PARAMETERS)
    new = Fernet.generate_key().decode()
    settings.SEALING_KEYS = [new, *settings.SEALING_KEYS]
    assert not sealing.is_current(sealed.wrapped_key)

    wrapped_again = sealing.rewrap(sealed.wrapped_key)
    settings.SEALING_KEYS = [new]

    assert sealing.is_current(wrapped_again)
    assert sealing.unseal(sealing.Sealed(sealed.token, wrapped_again)) == PARAMETERS
