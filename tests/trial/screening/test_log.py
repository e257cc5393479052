"""Who never consents: anonymous rows for the monitor, identifiers gone by the rule, a certificate left (R-43, BR-02)."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, site, staff
from trial.access.policy import POLICY, Action, Role
from trial.base.keys import KeyDestroyed
from trial.journey import actions as journey
from trial.journey import steps
from trial.participants import disposal, identity
from trial.participants.actions import find_person
from trial.participants.models import BEFORE_CONSENT, Person, Referral, Status
from trial.screening import removal
from trial.screening.log import log_of
from trial.screening.models import _OPEN, IdentifierRemoval

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)
WHO = {"first_name": "Zebedee", "last_name": "Quill", "nhs_number": "9990000018", "phone": "01632 960 007"}


@pytest.fixture
def trial():
    return Trial()


def declined(trial, *reasons, at=NOW, **who):
    referral = trial.refer(at=at - 9 * DAY, **WHO | who)
    steps.contact(referral=referral, contacted_at=at, channel="phone", outcome="two_way", by=trial.coordinator, at=at)
    journey.close(
        referral=referral,
        target=Status.DECLINED,
        reasons=list(reasons) or ["NO_REASON"],
        by=trial.coordinator,
        at=at,
    )
    return Referral.objects.get(pk=referral.pk)


# -- the log


def test_a_line_holds_the_anonymous_fields_and_the_reasons(trial):
    declined(trial, "WANTS_OUTDOOR", "TRAVEL")

    (line,) = log_of([trial.site]).lines

    assert line.cells()[:6] == ("2026-06", "Tamar Vale", "GP practice", "45-59", "Not known", "Declined")
    labels = {one.code: one.label for one in trial.spec.reasons.decline}
    assert (line.reason, line.further) == (labels["WANTS_OUTDOOR"], (labels["TRAVEL"],))


def test_nothing_on_the_page_or_in_the_file_leads_to_a_person(client, trial):
    referral = declined(trial)
    client.force_login(staff(Role.MONITOR, trial.site, blinded=False))

    page = client.get("/screening-log/").content.decode()
    file = client.get("/screening-log/rows.csv").content.decode()

    assert "GP practice" in page
    for text in ("Zebedee", "Quill", "9990000018", "960 007", referral.screening_number, "Tavyside", "30 Jun"):
        assert text not in page
        assert text not in file
    assert len(list(csv.reader(io.StringIO(file)))) == 2


def test_only_who_never_consented_is_in_it(trial):
    trial.refer()
    trial.informed()
    participant = trial.consented()
    journey.close(
        referral=participant.referral,
        target=Status.WITHDRAWN_BEFORE_RANDOMISATION,
        reasons=["DIED"],
        by=trial.coordinator,
        at=NOW,
    )

    assert log_of([trial.site]).lines == []


def test_a_person_with_two_records_counts_by_the_latest(trial):
    declined(trial, "TRAVEL", at=NOW - 20 * DAY)
    again = trial.refer(**WHO)
    journey.close(referral=again, target=Status.PRESCREEN_INELIGIBLE, reasons=["E4"], by=trial.coordinator, at=NOW)

    log = log_of([trial.site])

    assert [line.outcome for line in log.lines] == ["Not eligible before consent"]
    assert log.n_repeats == 1
    assert Referral.objects.get(pk=again.pk).earlier_referral is not None


def test_each_site_sees_its_own_lines(client, trial):
    declined(trial)
    client.force_login(staff(Role.COORDINATOR, site("02")))

    assert client.get("/screening-log/").context["log"].lines == []


def test_monitors_may_look_and_leaders_may_not():
    allowed = {role for role, spec in POLICY.items() if Action.VIEW_SCREENING_LOG in spec.actions}

    assert Role.MONITOR in allowed
    assert allowed.isdisjoint({Role.ACTIVITY_LEADER, Role.OUTCOME_ASSESSOR, Role.ADMINISTRATOR})


# -- identifiers go


def test_identifiers_go_after_the_days_of_the_rule_and_a_certificate_stays(trial):
    referral = declined(trial)
    days = trial.spec.contact.identifiers_kept_days

    assert removal.remove_due(at=NOW + days * DAY) == 0
    assert removal.remove_due(at=NOW + (days + 1) * DAY) == 1
    assert removal.remove_due(at=NOW + (days + 1) * DAY) == 0

    person = Person.objects.get()
    hashes = [person.nhs_number_hash, person.name_birth_hash, person.birth_date_hash, person.surname_hash]
    assert [person.wrapped_key, *hashes] == [""] * 5
    with pytest.raises(KeyDestroyed):
        identity.read(person)
    certificate = IdentifierRemoval.objects.get()
    assert (certificate.closed_date, certificate.n_referrals) == (TODAY, 1)
    assert certificate.rule == "Closed without consent: identifiers are kept for 30 days"
    assert certificate.backups_expire_date > TODAY + days * DAY
    assert len(log_of([trial.site]).lines) == 1
    assert Referral.objects.get().screening_number == referral.screening_number


def test_afterwards_the_person_is_a_new_one(trial):
    referral = declined(trial)
    who = identity.read(referral.person)
    removal.remove_due(at=NOW + 31 * DAY)

    assert find_person(who) is None


def test_words_about_the_person_go_too(trial):
    referral = trial.refer(**WHO)
    steps.contact(
        referral=referral,
        contacted_at=NOW,
        channel="phone",
        outcome="two_way",
        note="Sister is called Zora",
        by=trial.coordinator,
        at=NOW,
    )
    journey.close(referral=referral, target=Status.DECLINED, reasons=["NO_REASON"], by=trial.coordinator, at=NOW)
    removal.remove_due(at=NOW + 31 * DAY)

    note = Referral.objects.get().contact_attempts.get().note_sealed
    assert "Zora" not in identity.open_text(Person.objects.get(), note)
    assert IdentifierRemoval.objects.get().n_texts == 1


def test_an_open_referral_a_consent_and_a_waiting_decision_keep_everything(trial):
    trial.refer()
    trial.consented()
    waiting = declined(trial)
    disposal.ask(referral=waiting, why="erasure", reason="Asked by letter", by=trial.coordinator, at=NOW)

    assert removal.remove_due(at=NOW + 100 * DAY) == 0


def test_a_person_referred_again_is_kept_until_the_last_record_is_closed(trial):
    declined(trial, at=NOW - 60 * DAY)
    trial.refer(**WHO)

    assert removal.remove_due(at=NOW) == 0


def certificate(trial, referral):
    return IdentifierRemoval(
        person=referral.person,
        rule="Try",
        protocol_version=trial.version,
        closed_date=TODAY,
        at=NOW,
        n_referrals=1,
        n_texts=0,
        backups_expire_date=TODAY,
    )


def test_the_database_gives_no_certificate_for_somebody_who_consented(trial):
    with pytest.raises(IntegrityError, match="by two people only"), transaction.atomic():
        certificate(trial, trial.consented().referral).save()


def test_the_database_gives_no_certificate_while_a_referral_is_open(trial):
    with pytest.raises(IntegrityError, match="still open"), transaction.atomic():
        certificate(trial, trial.refer()).save()
    assert all(f"'{status.value}'" in _OPEN for status in BEFORE_CONSENT)


def test_without_a_certificate_no_key_is_destroyed(trial):
    person = declined(trial).person
    person.wrapped_key = person.nhs_number_hash = person.name_birth_hash = ""
    person.birth_date_hash = person.surname_hash = ""

    with pytest.raises(IntegrityError, match="key is destroyed only"), transaction.atomic():
        person.save_by(None, "Try")


def test_a_record_whose_identifiers_are_gone_still_opens(client, trial):
    referral = declined(trial)
    removal.remove_due(at=NOW + 31 * DAY)
    client.force_login(trial.coordinator)
    base = f"/people/{referral.screening_number}/"

    answers = [client.get(base), client.get(f"{base}referral/"), client.get("/people/")]
    shown = client.post(f"{base}contact-details/", {"why": "To contact the person"})

    assert [one.status_code for one in answers] == [200, 200, 200]
    assert "were destroyed" in shown.content.decode()
