"""sign(): nobody signs without proving again who they are (R-16, R-18 to R-20)."""

import time
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache

from tests.factories import NOW, PASSWORD, make_user, staff
from trial.access import signing
from trial.access.models import AccessEvent, Signature, Site
from trial.access.policy import Role
from trial.base.errors import NeverDeleted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def user():
    return make_user("Dr Helen Okafor")


@pytest.fixture
def record():
    return Site(code="01", name="Tamar Vale", opened_date=NOW.date()).save_by(None)


def attempt(user, secret, at=NOW):
    return signing.reauthenticate(user=user, secret=secret, at=at)


def fail(user, n=1, at=NOW):
    for _ in range(n):
        with pytest.raises(signing.ProofRefused):
            attempt(user, "wrong", at)


def code_now():
    counter = int(time.time()) // 30
    return totp.format_hotp_value(totp.hotp_value(SECRET, counter))


def test_the_password_is_proof(user):
    proof = attempt(user, PASSWORD)

    assert proof == signing.Proof(user.pk, NOW, "password")
    assert not AccessEvent.objects.exists()


def test_a_code_of_the_authenticator_app_is_proof_once(user):
    cache.clear()
    totp.TOTP.activate(user, SECRET)
    code = code_now()

    assert attempt(user, f" {code} ").evidence == "second factor"
    with pytest.raises(signing.ProofRefused):
        attempt(user, code)


def test_a_code_is_no_proof_without_an_app_or_for_somebody_else(user):
    cache.clear()
    totp.TOTP.activate(make_user(), SECRET)

    with pytest.raises(signing.ProofRefused):
        attempt(user, code_now())


@pytest.mark.parametrize("secret", ["", " ", "wrong", PASSWORD.upper(), f"{PASSWORD} ", "000000"])
def test_anything_else_is_refused_and_logged_without_what_was_typed(user, secret):
    totp.TOTP.activate(user, SECRET)

    with pytest.raises(signing.ProofRefused, match="own password"):
        attempt(user, secret)

    event = AccessEvent.objects.get()
    assert (event.user, event.kind, event.record, event.detail, event.at) == (user, "signing_failed", "", "", NOW)


def test_five_failures_close_signing_for_a_while(user):
    fail(user, 4)
    attempt(user, PASSWORD)
    fail(user, 1)

    with pytest.raises(signing.TooManyFailures, match="15 minutes"):
        attempt(user, PASSWORD)

    later = NOW + signing.FAILURES_WITHIN
    assert attempt(user, PASSWORD, later).at == later


def test_attempts_while_it_is_closed_do_not_prolong_it(user):
    fail(user, 5)
    for minutes in (5, 10, 14):
        with pytest.raises(signing.TooManyFailures):
            attempt(user, PASSWORD, NOW + timedelta(minutes=minutes))

    assert AccessEvent.objects.count() == 5


def test_one_persons_failures_do_not_close_anothers_signing(user):
    fail(user, 5)

    assert attempt(make_user(), PASSWORD)


def test_a_signature_says_who_in_which_role_what_when_and_how(record):
    person = staff(Role.PRINCIPAL_INVESTIGATOR, record, name="Dr Helen Okafor", blinded=False)

    signature = signing.sign(
        proof=attempt(person, PASSWORD), by=person, meaning="I agree.", record=record, content={"a": 1}, at=NOW
    )

    stored = Signature.objects.latest("pk")
    assert stored == signature
    assert (stored.printed_name, stored.role, stored.meaning) == (
        "Dr Helen Okafor",
        "principal_investigator",
        "I agree.",
    )
    assert (stored.signed_at, stored.evidence, stored.record) == (NOW, "password", f"trial_site:{record.pk}")
    # SHA-256 of {"a":1}
    assert stored.content_sha256 == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_nobody_signs_with_anothers_proof(user, record):
    with pytest.raises(signing.ProofRefused):
        signing.sign(proof=attempt(make_user(), PASSWORD), by=user, meaning="", record=record, content={}, at=NOW)

    assert not Signature.objects.exists()


def test_a_signature_is_stale_for_other_content_or_another_record(user, record):
    other = Site(code="02", name="Exe Coast", opened_date=NOW.date()).save_by(None)
    signature = signing.sign(
        proof=attempt(user, PASSWORD), by=user, meaning="", record=record, content={"a": 1, "b": [2]}, at=NOW
    )

    assert not signing.is_stale(signature, record, {"b": [2], "a": 1})
    assert signing.is_stale(signature, record, {"a": 2, "b": [2]})
    assert signing.is_stale(signature, record, {"a": 1})
    assert signing.is_stale(signature, other, {"a": 1, "b": [2]})
    assert signing.is_stale(signature, user, {"a": 1, "b": [2]})


def test_a_signature_is_never_changed(user, record):
    signature = signing.sign(proof=attempt(user, PASSWORD), by=user, meaning="", record=record, content={}, at=NOW)
    signature.meaning = "Something else"

    with pytest.raises(NeverDeleted):
        signature.save()


def test_content_hashes_tell_types_apart():
    contents = [{"a": 1}, {"a": "1"}, {"a": None}, {"a": True}, {"a": 1.5}, {}, [], "é", "e"]

    assert len({signing.content_hash(content) for content in contents}) == len(contents)
