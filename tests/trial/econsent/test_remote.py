"""Consent by a link: second check, locked for somebody else, identity checked by the taker, copy by a link (R-31)."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from tests.factories import NOW, PASSWORD, TODAY, Trial, final_lock
from tests.journeys.visitor import day
from tests.trial.econsent.builders import COUNTERSIGNED, AtConsent, consent_link, keep_files, yes_to_all
from tests.trial.journey.steps_by_page import problems_of, text_of
from tests.trial.selfcompletion.builders import BORN, WRONG, send_due
from trial.consent.evidence_models import ConsentEvidence, SealedForm
from trial.consent.models import Consent
from trial.econsent.models import ConsentLink, ConsentSession
from trial.journey import actions as journey
from trial.journey import steps
from trial.messages.models import OutboxMessage, Task
from trial.participants.models import Participant, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scan_folder")]
CHECKED = {
    "identity_check": "phone",
    "identity_items": ["name", "date of birth"],
    **day("identity_checked_date", TODAY),
}


@pytest.fixture
def trial():
    return keep_files(Trial())


@pytest.fixture
def referral(trial):
    return trial.informed()


@pytest.fixture
def home(client, trial, referral):
    """Somebody at home with the link from their e-mail."""
    client.force_login(trial.coordinator)
    client.post(f"/people/{referral.number}/consent/link/", {"interpreter": "no"})
    send_due()
    return AtConsent(consent_link())


def countersign(client, referral, **changes):
    return client.post(
        f"/people/{referral.number}/consent/countersign/", COUNTERSIGNED | CHECKED | changes, follow=True
    )


def test_a_link_is_read_signed_checked_and_countersigned_and_the_copy_comes_by_a_link(client, home, referral):
    home.begin().through()
    assert "Somebody of the study team speaks with you" in home.text

    countersign(client, referral, copy_how="email")
    send_due()

    consent = Consent.objects.get()
    assert consent.method == "econsent_remote"
    evidence = ConsentEvidence.objects.get()
    assert (evidence.identity_check, evidence.identity_items) == ("phone", ["date of birth", "name"])
    assert "Your copy of the consent form" in mail.outbox[-1].subject
    copy = AtConsent(consent_link())
    copy.begin()
    saved = copy.client.post("/consent/copy/")
    assert saved.content.startswith(b"%PDF-")
    assert SealedForm.objects.get().n_bytes == len(saved.content)


def test_only_the_hash_of_a_link_is_stored_and_it_is_in_no_stored_message(home):
    token = home.link.removeprefix("/c/").rstrip("/")

    assert token not in str(list(ConsentLink.objects.values()))
    assert token not in str(list(OutboxMessage.objects.values()))


def test_a_scanner_that_opens_the_link_changes_nothing(home):
    home.open()

    assert "Start now" in home.text
    assert ConsentSession.objects.get().opened_at is None


def test_somebody_else_who_opens_the_link_is_locked_out_and_the_coordinator_is_told(
    home, trial, referral, clock, client
):
    home.open().post()
    for number in range(10):
        clock.move_to(NOW + timedelta(hours=number))
        home.open().post()
        home.post("/consent/check/", **WRONG)

    assert "This link is locked" in home.open().post().text
    task = Task.objects.get(kind="consent_link_locked")
    assert task.role == "coordinator"
    assert "Somebody else may have opened it" in task.detail
    home.post("/consent/check/", **BORN)
    assert "This link is locked" in home.text
    assert ConsentSession.objects.get().opened_at is None

    client.force_login(trial.coordinator)
    page = client.get(f"/people/{referral.number}/consent/").content.decode()
    assert "The link is locked after too many wrong checks" in page


def test_after_five_wrong_ones_there_is_a_pause(home):
    home.open().post()
    for _ in range(5):
        home.post("/consent/check/", **WRONG)

    assert "Try again later" in home.open().post().text


def test_nothing_is_shown_before_the_second_check(home):
    home.open().post()

    for page in ("sheet", "statements", "signature", "certify"):
        assert home.open(f"/consent/{page}/").url == "/consent/check/"
    assert home.client.get("/consent/document/pis.pdf").status_code == 302


def test_the_second_check_of_one_person_opens_nothing_of_another(client, trial, home):
    other = trial.informed()
    client.post(f"/people/{other.number}/consent/link/", {"interpreter": "no"})
    send_due()
    theirs = ConsentSession.objects.get(referral=other)
    home.begin().through()

    theirs.refresh_from_db()
    assert theirs.state == "open"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"identity_check": ""}, "how you checked who signed"),
        ({"identity_items": ["name"]}, "two things at least"),
        ({"identity_items": []}, "two things at least"),
        (day("identity_checked_date", TODAY - timedelta(days=3)), "between sending the link and today"),
        ({"capacity_confirmed": "no"}, "capacity to be confirmed"),
        ({"secret": "wrong"}, "Enter your own password"),
        ({"way": "drawn", "drawn": ""}, "not a signature from the box"),
        ({"copy_how": ""}, "how you give the copy"),
    ],
)
def test_a_countersignature_that_lacks_something_stores_nothing(client, home, referral, wrong, words):
    home.begin().through()

    response = countersign(client, referral, **wrong)

    assert any(words in problem for problem in problems_of(response)), problems_of(response)
    assert not Consent.objects.exists()
    assert ConsentSession.objects.get().state == "signed"


def test_the_taker_must_sign_on_a_later_day_too(client, home, referral, clock, trial):
    home.begin().through()
    clock.shift(timedelta(days=2))
    client.force_login(trial.coordinator)

    countersign(client, referral, **day("identity_checked_date", TODAY + timedelta(days=1)))

    consent = Consent.objects.get()
    assert consent.signed_at == NOW
    assert consent.participant.consented_date == TODAY
    assert ConsentEvidence.objects.get().signature.signed_at == NOW + timedelta(days=2)


def test_a_link_that_is_old_was_stopped_or_is_no_link_says_so_and_names_nobody(client, home, referral, clock, trial):
    assert "This link does not work" in home.open("/c/" + "x" * 32 + "/").text
    client.post(f"/people/{referral.number}/consent/cancel/")
    assert "has been stopped" in home.open().text
    client.post(f"/people/{referral.number}/consent/link/", {"interpreter": "no"})
    send_due()
    newer = AtConsent(consent_link())
    clock.shift(timedelta(days=15))
    assert "has expired" in newer.open().text
    assert "Carol" not in newer.text


def test_a_person_who_declined_meanwhile_signs_nothing_and_gets_no_message(client, trial, referral):
    client.force_login(trial.coordinator)
    client.post(f"/people/{referral.number}/consent/link/", {"interpreter": "no"})
    journey.close(referral=referral, target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW)

    send_due()

    assert mail.outbox == []
    assert OutboxMessage.objects.get(kind="consent_link").state == "stopped"


def test_without_an_address_no_link_is_sent_and_nothing_is_left_behind(client, trial):
    referral = trial.informed(email="")
    client.force_login(trial.coordinator)

    response = client.post(f"/people/{referral.number}/consent/link/", {"interpreter": "no"})

    assert any("no e-mail address" in one for one in problems_of(response))
    assert not ConsentSession.objects.filter(state="open").exists()


def test_the_worklist_shows_what_waits_at_the_persons_own_sites(client, home, referral):
    home.begin().through()

    assert referral.number in text_of(client.get("/consents/"))


def test_a_code_for_the_persons_own_phone_leads_to_the_copy(client, home, referral):
    home.begin().through()
    countersign(client, referral, copy_how="code")
    number = Participant.objects.get().study_id

    page = client.post(f"/people/{number}/consent/copy/", {"do": "code"}).content.decode()

    assert 'aria-label="Code that opens the copy"' in page
    assert ConsentLink.objects.filter(purpose="copy").count() == 1


def test_no_link_opens_after_a_final_lock(home):
    home.begin()
    final_lock()

    home.post("/consent/statements/", **yes_to_all())

    assert "nothing to sign here" in home.text


def test_after_a_death_no_copy_leaves_and_no_link_opens(client, home, referral, trial):
    home.begin().through()
    countersign(client, referral, copy_how="email")
    participant = Participant.objects.get()
    steps.change_participation(
        participant=participant,
        effective_date=TODAY,
        decided_by="administrative",
        elements={},
        cause="death",
        by=trial.coordinator,
        at=NOW,
    )

    send_due()

    assert [message.subject for message in mail.outbox] == ["Your consent form is ready to read"]


def test_a_second_consent_on_its_way_is_refused_by_the_database(home, trial):
    again = ConsentSession.objects.get()
    again.pk, again._state.adding = None, True

    with pytest.raises(IntegrityError), transaction.atomic():
        again.save_by(None)


def test_a_link_always_opens_the_same_consent(home):
    link = ConsentLink.objects.get()
    link.purpose = "copy"

    with pytest.raises(IntegrityError, match="always opens the same"), transaction.atomic():
        link.save_by(None)


def test_signing_in_as_staff_is_not_carried_into_the_pages_of_a_link(home, trial):
    home.client.force_login(trial.coordinator)

    home.begin()

    assert home.client.get("/people/").status_code == 302
    assert PASSWORD not in home.text
