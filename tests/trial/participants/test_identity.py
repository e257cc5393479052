"""The vault: sealed with the person's own key, found by keyed hash, never readable in the database."""

from datetime import date

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, Trial
from tests.trial.participants.builders import dispose
from trial.access.models import AccessEvent
from trial.base import keys
from trial.base.errors import ReasonMissing
from trial.participants import identity
from trial.participants.identity import IdentityData
from trial.participants.models import Identity, Person

pytestmark = pytest.mark.django_db
WHO = {"first_name": "Zebedee", "last_name": "Quillfeather", "nhs_number": "9990000018", "phone": "01632 960777"}


def test_no_table_holds_a_name_a_phone_or_an_nhs_number(clock):
    Trial().refer(**WHO)

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of our own tables
            dump = str(cursor.fetchall())
            for secret in ("Zebedee", "Quillfeather", "9990000018", "960777"):
                assert secret not in dump, table


def test_showing_contact_details_is_logged_with_its_reason(clock):
    trial = Trial()
    referral = trial.refer(**WHO)

    shown = identity.show(referral=referral, by=trial.coordinator, at=NOW, reason="Ring about the visit")

    assert shown.name == "Zebedee Quillfeather"
    event = AccessEvent.objects.get(kind="identity_viewed")
    assert (event.user, event.detail, event.record) == (
        trial.coordinator,
        "Ring about the visit",
        referral.screening_number,
    )


def test_a_wrong_key_raises_and_never_returns_ciphertext(clock, settings):
    referral = Trial().refer(**WHO)
    settings.IDENTITY_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(keys.SealBroken):
        identity.read(referral.person)


def test_rotation_wraps_the_data_key_again_and_touches_no_sealed_text(clock, settings):
    referral = Trial().refer(**WHO)
    sealed = Identity.objects.get(person=referral.person).sealed
    old = settings.IDENTITY_KEYS
    settings.IDENTITY_KEYS = [Fernet.generate_key().decode(), *old]
    person = Person.objects.get(pk=referral.person_id)

    person.wrapped_key = keys.rewrap(person.wrapped_key)
    person.save_by(None, "Key rotation")
    settings.IDENTITY_KEYS = settings.IDENTITY_KEYS[:1]

    assert identity.read(person).first_name == "Zebedee"
    assert Identity.objects.get(person=person).sealed == sealed


def test_a_destroyed_key_leaves_rows_that_nobody_can_read(clock):
    person = dispose(Trial().refer(**WHO))

    with pytest.raises(keys.SealBroken):
        identity.read(person)


def test_a_change_needs_a_reason(clock):
    trial = Trial()
    referral = trial.refer(**WHO)

    with pytest.raises(ReasonMissing):
        identity.store(person=referral.person, data=IdentityData(**WHO), by=trial.coordinator)


def test_another_persons_nhs_number_is_refused(clock):
    trial = Trial()
    trial.refer(**WHO)
    other = trial.refer(first_name="Another", last_name="Person")

    with pytest.raises(identity.BelongsToAnother, match="another record"):
        identity.change(referral=other, data=IdentityData(**WHO), reason="Typed wrong", by=trial.coordinator)


@given(
    st.builds(
        IdentityData,
        first_name=st.text(max_size=30),
        last_name=st.text(max_size=30),
        birth_date=st.none() | st.dates(date(1900, 1, 1), date(2030, 1, 1)),
        address=st.text(max_size=80),
    )
)
def test_what_is_sealed_comes_back_as_it_was(data):
    key = keys.new_data_key()

    assert IdentityData.from_text(keys.unseal(key, keys.seal(key, data.as_text()))) == data
