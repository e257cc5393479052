"""Rotating the key list wraps data keys again; what they seal stays as it is."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from tests.factories import NOW, Trial
from trial.access import drafts
from trial.access.models import Draft
from trial.base import keys
from trial.operations.rotation import rotate
from trial.participants import identity
from trial.participants.models import Identity, Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial()


def test_after_rotation_the_new_key_alone_opens_everything(trial, settings):
    referral = trial.refer(first_name="Zebedee")
    drafts.keep(user=trial.coordinator, path="/people/new/", fields={"first_name": ["Zebedee"]}, at=NOW)
    sealed = Identity.objects.get(person=referral.person).sealed
    new = Fernet.generate_key().decode()
    settings.IDENTITY_KEYS = [new, *settings.IDENTITY_KEYS]

    assert rotate() == 2
    settings.IDENTITY_KEYS = [new]

    person = Person.objects.get(pk=referral.person_id)
    assert identity.read(person).first_name == "Zebedee"
    assert Identity.objects.get(person=person).sealed == sealed
    assert drafts.kept(trial.coordinator, "/people/new/")[0]["first_name"] == "Zebedee"


def test_a_second_factor_lies_sealed_and_survives_rotation(trial, settings):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    TOTP.activate(trial.coordinator, secret)
    stored = Authenticator.objects.get(user=trial.coordinator)
    new = Fernet.generate_key().decode()
    settings.IDENTITY_KEYS = [new, *settings.IDENTITY_KEYS]

    assert rotate() == 1
    settings.IDENTITY_KEYS = [new]

    assert secret not in str(stored.data)
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert Authenticator.objects.get(pk=stored.pk).wrap().validate_code(code)
    settings.IDENTITY_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(keys.SealBroken):
        Authenticator.objects.get(pk=stored.pk).wrap().validate_code(code)


def test_rotation_that_was_stopped_goes_on_where_it_was(trial, settings):
    done, waiting = trial.refer().person, trial.refer().person
    new = Fernet.generate_key().decode()
    settings.IDENTITY_KEYS = [new, *settings.IDENTITY_KEYS]
    done.wrapped_key = keys.rewrap(done.wrapped_key)
    done.save_by(None, "Wrapped before the stop")

    assert rotate() == 1
    assert rotate() == 0

    assert keys.is_current(Person.objects.get(pk=waiting.pk).wrapped_key)


def test_a_destroyed_key_stays_destroyed(trial):
    person = trial.refer().person
    person.wrapped_key = ""
    person.save_by(None, "Disposed of")

    assert rotate() == 0


def test_the_command_says_how_many_and_refuses_a_list_that_opens_nothing(trial, settings, capsys):
    trial.refer()
    settings.IDENTITY_KEYS = [Fernet.generate_key().decode(), *settings.IDENTITY_KEYS]
    call_command("rotate_keys")
    assert "1 data keys were wrapped again" in capsys.readouterr().out
    settings.IDENTITY_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("rotate_keys")


def test_drafts_are_rotated_where_there_is_no_person(trial, settings):
    drafts.keep(user=trial.coordinator, path="/people/new/", fields={}, at=NOW)
    settings.IDENTITY_KEYS = [Fernet.generate_key().decode(), *settings.IDENTITY_KEYS]

    assert rotate() == 1
    assert keys.is_current(Draft.objects.get().wrapped_key)
