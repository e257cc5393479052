"""Rotating the key list wraps data keys again; what they seal stays as it is."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from randomisation.checking import verify_list
from randomisation.models import EventLog, Revision, Scheme, SealedRow
from tests.factories import NOW, Trial, make_user
from tests.trial.participants.builders import dispose
from trial.access import drafts
from trial.access.models import Draft
from trial.allocation import seals
from trial.allocation.errors import AllocationRefused
from trial.allocation.reads import arms_for_release
from trial.allocation.seals import sealing_keys_work
from trial.base import keys
from trial.operations.rotation import rotate
from trial.participants import identity
from trial.participants.models import Identity, Person
from trial.protocol import sealing as protocol_sealing
from trial.protocol.errors import ParametersUnavailable
from trial.protocol.versions import current, restricted_parameters

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

    assert rotate(at=NOW) == 2
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

    assert rotate(at=NOW) == 1
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

    assert rotate(at=NOW) == 1
    assert rotate(at=NOW) == 0

    assert keys.is_current(Person.objects.get(pk=waiting.pk).wrapped_key)


def test_a_destroyed_key_stays_destroyed(trial):
    dispose(trial.refer())

    assert rotate(at=NOW) == 0


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

    assert rotate(at=NOW) == 1
    assert keys.is_current(Draft.objects.get().wrapped_key)


# -- the randomisation


def new_sealing_key(settings):
    new = Fernet.generate_key().decode()
    settings.SEALING_KEYS = [new, *settings.SEALING_KEYS]
    return new


def test_after_rotation_the_new_sealing_key_alone_opens_lists_allocations_and_parameters(trial, settings):
    trial.open_randomisation()
    participant = trial.randomised()
    tokens = list(SealedRow.objects.order_by("pk").values_list("token", flat=True))
    before = arms_for_release(by=trial.randomiser, at=NOW, reason="Before")
    new = new_sealing_key(settings)

    assert rotate(at=NOW) == 2
    settings.SEALING_KEYS = [new]

    assert sealing_keys_work()
    assert list(SealedRow.objects.order_by("pk").values_list("token", flat=True)) == tokens
    assert arms_for_release(by=trial.randomiser, at=NOW, reason="After") == before
    assert restricted_parameters(current()).block_sizes == (4, 6)
    assert verify_list(Scheme.objects.get()) == 0
    assert trial.randomised().pk != participant.pk


def test_the_log_of_the_scheme_tells_of_the_rotation_once_and_names_who_did_it(trial, settings):
    trial.open_randomisation()
    keeper = make_user("Key keeper")
    new_sealing_key(settings)

    rotate(at=NOW, by=keeper)
    rotate(at=NOW, by=keeper)

    entry = EventLog.objects.get(event="rotate")
    assert (entry.actor, entry.facts) == (keeper, {"revisions": [1]})


def test_a_sealing_key_that_opens_nothing_rotates_no_parameters(trial, settings):
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(ParametersUnavailable):
        rotate(at=NOW)


def test_a_sealing_key_that_opens_no_list_rotates_no_list(trial, settings):
    trial.open_randomisation()
    wrapped = Revision.objects.get().data_key_wrapped
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(AllocationRefused, match="sealing key"):
        seals.rotate(by=None, at=NOW)

    assert Revision.objects.get().data_key_wrapped == wrapped
    assert not sealing_keys_work()


def test_a_rotation_that_stopped_before_the_lists_goes_on_with_them(trial, settings):
    trial.open_randomisation()
    new = new_sealing_key(settings)
    version = current()
    version.restricted_key = protocol_sealing.rewrap(version.restricted_key)
    version.save_by(None, "Wrapped before the stop")

    assert rotate(at=NOW) == 1
    settings.SEALING_KEYS = [new]

    assert sealing_keys_work()


def test_the_command_names_the_person_given_or_says_that_there_is_none(trial, settings):
    trial.open_randomisation()
    new_sealing_key(settings)

    with pytest.raises(CommandError, match="There is no account"):
        call_command("rotate_keys", "--by", "nobody@example.org")
    call_command("rotate_keys", "--by", trial.randomiser.email)

    assert EventLog.objects.get(event="rotate").actor == trial.randomiser
