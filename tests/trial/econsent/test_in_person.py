"""Consent on the team's tablet: handed over, signed, certified, taken back, countersigned (BR-12 to BR-15, R-19)."""

import io
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pypdf import PdfReader

from tests.factories import NOW, PASSWORD, Trial
from tests.trial.econsent.builders import (
    COUNTERSIGNED,
    SIGNED,
    TYPED,
    AtConsent,
    a_pdf,
    a_signature,
    keep_files,
    yes_to_all,
)
from tests.trial.journey.steps_by_page import problems_of, text_of
from trial.access.models import AccessEvent, Delegation
from trial.base import triggers
from trial.consent import sealing
from trial.consent.evidence_models import ConsentEvidence, SealedForm
from trial.consent.models import Consent, DocumentFile, DocumentUse
from trial.econsent.forms import SignForm
from trial.econsent.models import ConsentSession
from trial.messages.models import Task
from trial.participants.models import Participant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scan_folder")]


@pytest.fixture
def trial():
    return keep_files(Trial())


@pytest.fixture
def referral(trial):
    return trial.informed()


@pytest.fixture
def tablet(trial, referral):
    """The coordinator's tablet, handed over."""
    found = AtConsent("")
    found.client.force_login(trial.coordinator)
    found.post(f"/people/{referral.number}/consent/screen/", interpreter="no")
    return found


def signed(tablet) -> ConsentSession:
    tablet.through()
    return ConsentSession.objects.get()


def countersign(tablet, referral, **changes):
    """Take the tablet back and sign for the team."""
    tablet.post("/consent/hand-back/", secret=PASSWORD)
    return tablet.client.post(f"/people/{referral.number}/consent/countersign/", COUNTERSIGNED | changes, follow=True)


def test_the_person_signs_the_team_signs_and_only_then_is_there_a_consent(tablet, referral):
    session = signed(tablet)
    assert session.state == "signed"
    assert session.signed_at == NOW
    assert not Participant.objects.exists()

    response = countersign(tablet, referral)

    consent = Consent.objects.get()
    assert "Consent is valid. The study number is GRX-01-001-7." in text_of(response)
    assert (consent.method, consent.state, consent.signed_at) == ("econsent_in_person", "valid", NOW)
    assert sealing.is_unaltered(consent)
    assert ConsentSession.objects.get().state == "finished"
    assert not Task.objects.open().filter(kind="countersign").exists()


def test_on_the_tablet_no_page_of_the_team_opens_without_signing_in(tablet, referral):
    for path in ("/", "/people/", f"/people/{referral.number}/", f"/people/{referral.number}/contact-details/"):
        answer = tablet.client.get(path)

        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/accounts/login/"), path


def test_only_who_handed_the_tablet_over_takes_it_back(tablet, trial, referral):
    tablet.post("/consent/hand-back/", secret="somebody-elses-password")

    assert "Enter your own password" in tablet.text
    assert tablet.client.get("/people/").status_code == 302
    assert AccessEvent.objects.filter(kind="signing_failed", user=trial.coordinator).exists()

    tablet.post("/consent/hand-back/", secret=PASSWORD)

    assert tablet.url == f"/people/{referral.number}/consent/"


def test_nothing_is_chosen_in_advance_and_a_blank_statement_is_named(tablet):
    tablet.post("/consent/sheet/")
    assert " checked" not in tablet.text

    tablet.post("/consent/statements/", **yes_to_all(statement_4=""))

    assert "Select yes or no for statement 4" in tablet.text
    assert ConsentSession.objects.get().answers == {}


def test_a_mandatory_statement_that_is_refused_goes_no_further(tablet):
    tablet.post("/consent/statements/", **yes_to_all(statement_2="no"))

    assert "Taking part needs a yes here" in tablet.text
    tablet.open("/consent/signature/")
    assert tablet.url == "/consent/statements/"


def test_somebody_who_does_not_want_to_take_part_says_so_and_nothing_counts(tablet):
    tablet.post("/consent/statements/", do="decline")

    assert "You do not take part" in tablet.text
    assert ConsentSession.objects.get().state == "cancelled"
    assert Task.objects.filter(kind="consent_declined").exists()


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        ("", "not a signature from the box"),
        ("data:image/png;base64,AAAA", "could not be read"),
        ("data:image/png;base64,!!!!", "not a signature from the box"),
        ("data:image/jpeg;base64,AAAA", "not a signature from the box"),
        (a_signature(strokes=False), "empty, or nearly so"),
        (a_signature(30, 20, strokes=False), "unusual size"),
        ("data:image/png;base64," + "A" * 300_000, "not a signature from the box"),
    ],
)
def test_a_signature_that_is_none_is_refused_and_says_what_to_do(tablet, drawn, words):
    tablet.post("/consent/statements/", **yes_to_all())

    tablet.post("/consent/signature/", **(SIGNED | {"drawn": drawn}))

    assert words in tablet.text
    assert "type your name instead" in tablet.text
    assert ConsentSession.objects.get().signature_sealed == ""


def test_a_typed_signature_is_recorded_as_typed_instead_of_drawn(tablet, referral):
    tablet.through(sign=TYPED)

    countersign(tablet, referral)

    assert ConsentEvidence.objects.get().get_signature_kind_display() == "Typed instead of drawn"


def test_a_protocol_that_needs_a_drawn_signature_offers_no_other():
    assert [way for way, _ in SignForm(None, may_type=False).fields["way"].choices] == ["drawn"]


def test_nothing_is_signed_before_it_was_read_again_and_certified(tablet):
    tablet.post("/consent/statements/", **yes_to_all(statement_8="no"))
    tablet.post("/consent/signature/", **SIGNED)

    assert tablet.url == "/consent/certify/"
    assert "Nothing is signed yet" in tablet.text
    assert 'src="data:image/png;base64,' in tablet.text
    tablet.post("/consent/certify/")
    assert "Tick the box" in tablet.text
    assert ConsentSession.objects.get().signed_at is None


def test_what_was_signed_never_changes(tablet):
    session = signed(tablet)
    session.answers = session.answers | {"FUTURE_CONTACT": False}

    with pytest.raises(IntegrityError, match="What was signed never changes"), transaction.atomic():
        session.save_by(None, "Try")

    tablet.post("/consent/statements/", **yes_to_all(statement_8="no"))
    assert tablet.url == "/consent/done/"


def test_the_signers_time_is_the_servers_and_cannot_be_moved(tablet, clock):
    session = signed(tablet)
    session.signed_at = NOW - timedelta(days=1)

    with pytest.raises(IntegrityError, match="What was signed never changes"), transaction.atomic():
        session.save_by(None, "Try")


def test_the_sealed_form_holds_both_signatures_versions_hashes_and_every_answer(tablet, referral):
    tablet.through(statements=yes_to_all(statement_8="no"))
    countersign(tablet, referral)

    form = SealedForm.objects.get()
    reader = PdfReader(io.BytesIO(sealing.read_form(form)))
    text = " ".join(page.extract_text() for page in reader.pages).replace("\n", " ")

    evidence = ConsentEvidence.objects.get()
    for words in (
        "Carol Tester",
        "GRX-01-001-7",
        "Asha Patel",
        "10. I agree that my data",
        "Consent form 1.0",
        "Participant information sheet 1.0",
        evidence.content_sha256,
        "UTC 2026-07-09 10:00:00",
        "/consent/verify/",
    ):
        assert words in text, words
    assert text.count("Yes") == 9
    assert sum(len(page.images) for page in reader.pages) == 2
    assert evidence.form_sha256[:16] in text


def test_the_sealed_form_lies_sealed_with_the_persons_own_key(tablet, referral, scan_folder):
    signed(tablet)
    countersign(tablet, referral)

    stored = (scan_folder / SealedForm.objects.get().stored_as).read_bytes()
    assert b"%PDF" not in stored
    assert b"Carol" not in stored
    assert "Carol" not in str(list(ConsentSession.objects.values()))
    assert "Carol" not in str(list(ConsentEvidence.objects.values()))


def test_the_team_signs_with_a_password_and_while_delegated(tablet, referral, trial):
    signed(tablet)
    wrong = countersign(tablet, referral, secret="not-the-password")
    assert any("Enter your own password" in one for one in problems_of(wrong))

    duty = Delegation.objects.get(user=trial.coordinator, duty="consent")
    duty.to_date = (NOW - timedelta(days=1)).date()
    duty.save_by(None, "Left")
    refused = tablet.client.post(f"/people/{referral.number}/consent/countersign/", COUNTERSIGNED)

    assert any("does not let you take consent" in one for one in problems_of(refused))
    assert not Consent.objects.exists()


def test_a_version_withdrawn_yesterday_cannot_be_signed(tablet, trial):
    tablet.post("/consent/statements/", **yes_to_all())
    tablet.post("/consent/signature/", **SIGNED)
    use = DocumentUse.objects.get(document__kind="consent", site=trial.site)
    use.to_date = (NOW - timedelta(days=1)).date()
    use.save_by(None, "Withdrawn")

    tablet.post("/consent/certify/", certify="yes")

    assert "went out of use on 8 July 2026" in tablet.text
    assert ConsentSession.objects.get().signed_at is None


def test_without_the_approved_file_nothing_starts(trial, referral, client):
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("DELETE FROM trial_documentfile")
    assert not DocumentFile.objects.exists()
    client.force_login(trial.coordinator)

    response = client.post(f"/people/{referral.number}/consent/screen/", {"interpreter": "no"})

    assert any("approved file is not uploaded yet" in one for one in problems_of(response))


def test_what_is_shown_is_the_approved_file_byte_for_byte(tablet):
    answer = tablet.client.get("/consent/document/pis.pdf")

    assert answer.content == a_pdf("Demonstration PIS_EN_1")
    assert answer.headers["Cache-Control"] == "no-store"
    assert ConsentSession.objects.get().sheet_opened_at == NOW
    assert tablet.client.get("/consent/document/other.pdf").status_code == 404


def test_a_second_person_at_the_tablet_sees_nothing_of_the_first(trial, referral, tablet):
    signed(tablet)
    countersign(tablet, referral)

    stranger = Client(HTTP_HOST="localhost")

    assert "Start again from your link" in stranger.get("/consent/certify/").content.decode()


def test_somebody_without_the_duty_cannot_hand_a_tablet_over(trial, referral, client):
    duty = Delegation.objects.get(user=trial.coordinator, duty="consent")
    duty.to_date = (NOW - timedelta(days=1)).date()
    duty.save_by(None, "Left")
    client.force_login(trial.coordinator)

    response = client.post(f"/people/{referral.number}/consent/screen/", {"interpreter": "no"})

    assert any("does not let you take consent" in one for one in problems_of(response))
    assert not ConsentSession.objects.exists()


def test_a_changed_record_shows_as_void(tablet, referral, trial, client):
    signed(tablet)
    countersign(tablet, referral)
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_consent SET comment = 'changed behind our back'")

    consent = Consent.objects.get()
    assert not sealing.is_unaltered(consent)
    client.force_login(trial.coordinator)
    page = client.get(f"/people/{consent.participant.study_id}/consent/given/").content.decode()
    assert "Void: no longer what was signed" in page


def test_a_signed_consent_cannot_be_changed_nor_come_back(tablet, referral):
    signed(tablet)
    countersign(tablet, referral)
    consent = Consent.objects.get()
    consent.statements = {}

    with pytest.raises(IntegrityError, match="A signed consent never changes"), transaction.atomic():
        consent.save_by(None, "Try")

    consent = Consent.objects.get()
    consent.state = "void"
    consent.save_by(None, "Entered in error")
    consent.state = "valid"
    with pytest.raises(IntegrityError, match="never in force again"), transaction.atomic():
        consent.save_by(None, "Try")
