"""The end of a person's details by two people, and single texts replaced by a marker (R-03, R-36)."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import NOW, Trial, make_user, proof
from tests.trial.participants.builders import dispose
from trial.access.signing import ProofRefused
from trial.base import audit, keys
from trial.base.errors import ReasonMissing
from trial.participants import disposal, identity, redaction
from trial.participants.models import Disposal, Identity, Person, Redaction, Referral, TextKey
from trial.screening.models import ContactAttempt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def referral():
    return Trial().refer(first_name="Zebedee", last_name="Quillfeather", nhs_number="9990000018")


def asked(referral, by=None):
    return disposal.ask(referral=referral, why="retention", reason="Time is over", by=by or make_user(), at=NOW)


def noted(referral, text="Rang her son Peter"):
    note = identity.seal_text(referral.person, text)
    return ContactAttempt(
        referral=referral, at=NOW, channel="phone", outcome="no_answer", note_sealed=note, made_by=make_user()
    ).save_by(None)


def test_two_people_destroy_key_and_hashes_and_every_row_stays(referral):
    wrapped, hashes = referral.person.wrapped_key, identity.hashes(identity.read(referral.person))
    n_rows = Identity.objects.count(), Referral.objects.count()

    person = dispose(referral)

    assert (person.wrapped_key, person.nhs_number_hash, person.birth_date_hash, person.surname_hash) == ("", "", "", "")
    assert (Identity.objects.count(), Referral.objects.count()) == n_rows
    with pytest.raises(keys.KeyDestroyed):
        identity.read(person)
    assert everywhere(wrapped) == []
    assert [found for one in hashes for found in everywhere(one)] == []


def everywhere(value: str) -> list[str]:
    """Tables that hold a value in any column: history too."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of our own tables
            if value in str(cursor.fetchall()):
                found.append(table)
    return found


def test_the_audit_trail_is_whole_after_a_disposal(referral):
    dispose(referral)
    audit.seal(at=NOW)

    assert audit.verify() == []


def test_a_disposal_says_when_backups_expire_and_is_signed(referral, settings):
    settings.BACKUP_RETENTION_DAYS = 35
    dispose(referral)

    done = Disposal.objects.get()
    assert done.backups_expire_date == date(2026, 8, 13)
    assert done.signature.meaning.startswith("I agree")
    assert done.decided_by != done.asked_by


def test_whoever_asked_does_not_agree_and_a_decision_is_final(referral):
    asker, other = make_user(), make_user()
    request = asked(referral, asker)

    with pytest.raises(disposal.DisposalRefused, match="somebody else"):
        disposal.carry_out(disposal=request, proof=proof(asker), by=asker, at=NOW)
    with pytest.raises(ProofRefused):
        disposal.carry_out(disposal=request, proof=proof(asker), by=other, at=NOW)
    with pytest.raises(ReasonMissing):
        disposal.refuse(disposal=request, why="", by=other, at=NOW)
    disposal.refuse(disposal=request, why="A claim is open", by=other, at=NOW)
    with pytest.raises(disposal.DisposalRefused, match="already"):
        disposal.carry_out(disposal=request, proof=proof(other), by=other, at=NOW)

    assert identity.read(Person.objects.get()).first_name == "Zebedee"
    assert asked(referral, asker).pk != request.pk


def test_asked_twice_it_is_one_and_after_it_is_done_there_is_none(referral):
    assert asked(referral) == asked(referral)
    disposal.carry_out(disposal=Disposal.objects.get(), proof=proof(by := make_user()), by=by, at=NOW)

    with pytest.raises(disposal.DisposalRefused, match="destroyed already"):
        asked(referral)
    with pytest.raises(ReasonMissing):
        disposal.ask(referral=referral, why="retention", reason=" ", by=by, at=NOW)


def test_the_database_lets_nobody_destroy_a_key_alone_or_bring_one_back(referral):
    person = referral.person
    old = person.wrapped_key
    person.wrapped_key = person.nhs_number_hash = person.name_birth_hash = ""
    person.birth_date_hash = person.surname_hash = ""

    with pytest.raises(IntegrityError, match="two people"), transaction.atomic():
        person.save_by(None, "Gone")
    gone = dispose(referral)
    gone.wrapped_key = old
    with pytest.raises(IntegrityError, match="never comes back"), transaction.atomic():
        gone.save_by(None, "Back")


def test_hashes_do_not_outlive_the_key(referral):
    gone = dispose(referral)
    gone.nhs_number_hash = "0" * 64

    with pytest.raises(IntegrityError, match="hashes_go_with_the_key"), transaction.atomic():
        gone.save_by(None, "Hash")


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "done"},
        {"state": "refused"},
        {"reason": ""},
        {"decided_by": "asker"},
        {"asked_by": "other"},
    ],
)
def test_the_database_holds_what_a_disposal_needs(referral, changes):
    asker = make_user()
    row = asked(referral, asker)
    for name, value in changes.items():
        setattr(row, name, {"asker": asker, "other": make_user()}.get(value, value))

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save_by(asker)


def test_nothing_is_inserted_as_done(referral):
    row = Disposal(
        person=referral.person,
        referral=referral,
        state="done",
        why="erasure",
        reason="x",
        asked_by=make_user(),
        asked_at=NOW,
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save_by(None)


def test_backups_are_confirmed_once_they_have_expired(referral):
    dispose(referral)
    done, by = Disposal.objects.get(), make_user()

    with pytest.raises(disposal.DisposalRefused, match="not expired"):
        disposal.confirm_backups(disposal=done, by=by, at=NOW + timedelta(days=35))
    confirmed = disposal.confirm_backups(disposal=done, by=by, at=NOW + timedelta(days=36))

    assert confirmed.backups_confirmed_by == by


def test_sealed_texts_die_with_the_key(referral):
    note = noted(referral)

    person = dispose(referral)

    assert identity.open_text(person, note.note_sealed) == identity.DESTROYED
    assert Disposal.objects.get().n_texts >= 1


def test_a_redacted_text_is_a_marker_and_its_row_is_untouched(referral):
    note = noted(referral)
    before, by = ContactAttempt.history.filter(id=note.pk).count(), make_user()

    redaction.redact(
        referral=referral,
        token=note.note_sealed,
        what="Contact 1: note",
        marker="third_party",
        reason="It named her son",
        by=by,
        at=NOW,
    )

    stored = ContactAttempt.objects.get(pk=note.pk)
    assert stored.note_sealed == note.note_sealed
    assert ContactAttempt.history.filter(id=note.pk).count() == before
    assert identity.open_text(referral.person, stored.note_sealed) == (
        "[Removed on 9 July 2026: it named another person]"
    )
    assert Redaction.objects.get().by == by


def test_a_redaction_needs_a_reason_and_a_text_of_this_person_and_happens_once(referral):
    note, by = noted(referral), make_user()
    given = {"referral": referral, "what": "x", "marker": "request", "by": by, "at": NOW}

    with pytest.raises(ReasonMissing):
        redaction.redact(token=note.note_sealed, reason="", **given)
    for token in ("", "nonsense", "k999999:abc"):
        with pytest.raises(redaction.CannotRedact):
            redaction.redact(token=token, reason="Asked", **given)
    redaction.redact(token=note.note_sealed, reason="Asked", **given)
    with pytest.raises(redaction.CannotRedact):
        redaction.redact(token=note.note_sealed, reason="Again", **given)


def test_the_key_of_a_text_goes_only_with_a_redaction_and_never_changes(referral):
    noted(referral)
    key = TextKey.objects.get()

    for changes in ({"sealed_key": ""}, {"sealed_key": "other"}):
        row = TextKey.objects.get(pk=key.pk)
        for name, value in changes.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        TextKey.objects.filter(pk=key.pk).delete()


def test_a_text_of_one_person_does_not_open_for_another(referral):
    note = noted(referral)
    other = Person(wrapped_key=keys.new_data_key()).save_by(None)

    with pytest.raises(keys.SealBroken):
        identity.open_text(other, note.note_sealed)
    with pytest.raises(keys.SealBroken):
        identity.open_text(referral.person, note.note_sealed[:-4] + "AAAA")
