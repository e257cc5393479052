"""Restricted parameters stay sealed (BR-22)."""

import pytest
from cryptography.fernet import Fernet

from trial.protocol import sealing
from trial.protocol.errors import ParametersUnavailable
from trial.protocol.spec import RestrictedParameters

PARAMETERS = RestrictedParameters(block_sizes=(4, 6))


def test_parameters_come_back_from_their_token():
    token = sealing.seal(PARAMETERS)

    assert "block" not in token
    assert sealing.unseal(token) == PARAMETERS


def test_no_parameters_need_no_token():
    assert sealing.seal(None) == ""
    assert sealing.unseal("") is None


def test_the_length_of_a_token_says_nothing():
    longer = RestrictedParameters(block_sizes=(4, 6, 8, 10, 12, 14))

    assert len(sealing.seal(longer)) == len(sealing.seal(PARAMETERS))


def test_without_a_sealing_key_nothing_is_sealed(settings):
    settings.SEALING_KEYS = []

    with pytest.raises(ParametersUnavailable, match="sealing keys"):
        sealing.seal(PARAMETERS)


def test_another_key_opens_nothing(settings):
    token = sealing.seal(PARAMETERS)
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(ParametersUnavailable):
        sealing.unseal(token)
