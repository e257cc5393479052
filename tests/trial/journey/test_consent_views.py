"""Consent as a page (T07, BR-10 to BR-16)."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from tests.factories import NOW, PASSWORD, TODAY, Trial
from tests.journeys.visitor import day, moment
from tests.trial.econsent.builders import a_pdf
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import AccessEvent, Delegation
from trial.access.policy import Role
from trial.base import triggers
from trial.consent.evidence_models import ConsentEvidence, ConsentScan, SealedForm
from trial.consent.models import Consent, DocumentUse
from trial.consent.sealing import is_unaltered
from trial.journey import actions
from trial.messages.models import Task
from trial.participants.models import Participant, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def referral(trial):
    return trial.informed()


@pytest.fixture
def scan_folder(settings, tmp_path):
    settings.SCAN_DIR = tmp_path / "scans"
    return settings.SCAN_DIR


def url(referral):
    return f"/people/{referral.number}/consent/"


def typed(**changes):
    return {
        "method": "paper",
        "capacity_confirmed": "yes",
        "interpreter": "no",
        **{f"statement_{number}": "yes" for number in range(1, 11)},
        **moment("signed_at", NOW - timedelta(hours=1)),
        **day("copy_given_date", TODAY),
        **changes,
    }


def test_nothing_is_chosen_in_advance(client, trial, referral):
    page = text_of(as_(client, trial.coordinator).get(url(referral)))

    assert page.count('type="radio"') > 20
    assert " checked" not in page


def test_a_consent_is_recorded_and_leads_to_the_record_under_the_study_number(client, trial, referral):
    response = as_(client, trial.coordinator).post(url(referral), typed(statement_8="no"))

    consent = Consent.objects.get()
    assert response.headers["Location"] == f"/people/{consent.participant.study_id}/"
    assert list(consent.statements.values()).count(False) == 1
    assert consent.participant.referral.status == Status.CONSENTED


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"statement_1": "no"}, "Statement 1 must be agreed to take part"),
        ({"statement_9": ""}, "Select yes or no for statement 9"),
        ({"statement_3": "maybe"}, "Select yes or no for statement 3"),
        ({"capacity_confirmed": "no"}, "capacity to be confirmed"),
        ({"capacity_confirmed": ""}, "Select yes or no for capacity to consent"),
        ({"method": "telephone_witnessed"}, "Enter the name of the witness"),
        ({"method": "econsent_remote"}, "Answer the question: How was consent given?"),
        (moment("signed_at", NOW + timedelta(hours=3)), "past"),
        (moment("signed_at", NOW - timedelta(days=9)), "before consent"),
        ({"comment": "x\x00"}, "Remove the hidden characters"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_chosen_stays(client, trial, referral, wrong, words):
    response = as_(client, trial.coordinator).post(
        url(referral), typed(**{"comment": "As agreed by telephone"} | wrong)
    )

    assert response.status_code == 200
    assert any(words in problem for problem in problems_of(response)), problems_of(response)
    assert text_of(response).count(" checked") >= 10
    assert not Participant.objects.exists()


def test_a_form_that_is_out_of_use_is_not_offered(client, trial, referral):
    use = DocumentUse.objects.get(document__kind="consent", site=trial.site)
    use.to_date = TODAY - timedelta(days=1)
    use.save_by(None, "Superseded")

    response = as_(client, trial.coordinator).get(url(referral))

    assert "No consent form is approved and in use at Tamar Vale today." in text_of(response)


def test_without_contact_and_sheet_the_page_says_what_comes_first(client, trial):
    response = as_(client, trial.coordinator).get(url(trial.refer()))

    assert "Record a contact with the person first." in text_of(response)
    assert "Give an information sheet first." in text_of(response)


def test_a_closed_referral_takes_no_consent(client, trial, referral):
    actions.close(referral=referral, target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW)

    response = as_(client, trial.coordinator).post(url(referral), typed())

    assert "This referral is closed: declined." in text_of(response)
    assert not Participant.objects.exists()


def test_a_consent_sent_twice_is_recorded_once(client, trial, referral):
    visitor = as_(client, trial.coordinator)
    visitor.post(url(referral), typed())

    again = visitor.post(url(referral), typed())

    assert again.status_code == 200
    assert any("already" in problem for problem in problems_of(again)), problems_of(again)
    assert Consent.objects.count() == Participant.objects.count() == 1
    assert Consent.objects.get().state == "valid"


def test_somebody_whose_duty_ended_is_told_so(client, trial, referral):
    duty = Delegation.objects.get(user=trial.coordinator, duty="consent")
    duty.to_date = TODAY - timedelta(days=1)
    duty.save_by(None, "Left")

    response = as_(client, trial.coordinator).post(url(referral), typed())

    assert any("does not let you take consent at Tamar Vale" in problem for problem in problems_of(response))


def test_who_may_take_consent(client, trial, referral):
    answers = answers_by_role(client, everyone(trial), url(referral))

    assert {role for role, status in answers.items() if status == 200} == {
        Role.COORDINATOR,
        Role.PRINCIPAL_INVESTIGATOR,
    }
    assert as_(client, elsewhere(Role.COORDINATOR)).post(url(referral), typed()).status_code == 404
    assert not Participant.objects.exists()


# -- by telephone, and on paper with its scan


def by_telephone(**changes):
    return (
        typed(
            method="telephone_witnessed",
            witness_name="Bo Witness",
            spoken_name="Carol Tester",
            secret=PASSWORD,
            **moment("witness_heard_at", NOW - timedelta(minutes=30)),
        )
        | changes
    )


def test_a_witnessed_telephone_consent_keeps_both_times_and_makes_the_sealed_form(client, trial, referral, scan_folder):
    as_(client, trial.coordinator).post(url(referral), by_telephone())

    evidence = ConsentEvidence.objects.get()
    assert evidence.signature_kind == "spoken"
    assert evidence.witness_heard_at == NOW - timedelta(minutes=90)  # typed as UK time, an hour ahead of UTC
    assert evidence.consent.signed_at == NOW - timedelta(hours=2)
    assert is_unaltered(Consent.objects.get())
    assert SealedForm.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"witness_name": ""}, "Enter the name of the witness"),
        ({"spoken_name": ""}, "Enter the name as the person said it"),
        ({"secret": ""}, "you sign with it"),
        ({"secret": "wrong"}, "Enter your own password"),
        (moment("witness_heard_at", NOW - timedelta(hours=3)), "heard it after it was said"),
    ],
)
def test_a_telephone_consent_that_lacks_something_is_refused(client, trial, referral, wrong, words):
    response = as_(client, trial.coordinator).post(url(referral), by_telephone(**wrong))

    assert any(words in problem for problem in problems_of(response)), problems_of(response)
    assert not Consent.objects.exists()


def test_paper_comes_with_its_scan_which_lies_sealed(client, trial, referral, scan_folder):
    as_(client, trial.coordinator).post(url(referral), typed(scan=a_scan()))

    scan = ConsentScan.objects.get()
    assert b"%PDF" not in (scan_folder / scan.stored_as).read_bytes()
    assert not Task.objects.filter(kind="consent_scan").exists()
    number = Participant.objects.get().study_id
    assert client.get(f"/people/{number}/consent/scan/1/").content == a_pdf("Signed")
    assert AccessEvent.objects.filter(kind="identity_viewed", record=number, detail="Consent form opened").exists()
    assert client.get(f"/people/{number}/consent/scan/2/").status_code == 404


def test_without_a_scan_a_task_stays_open_until_it_is_attached(client, trial, referral, scan_folder):
    visitor = as_(client, trial.coordinator)
    visitor.post(url(referral), typed())
    task = Task.objects.open().get(kind="consent_scan")

    visitor.post(task.link, {"scan": a_scan()})

    assert not Task.objects.open().filter(kind="consent_scan").exists()
    assert ConsentScan.objects.count() == 1


def test_a_scan_that_is_none_is_named_and_no_consent_is_stored(client, trial, referral, scan_folder):
    response = as_(client, trial.coordinator).post(
        url(referral), typed(scan=SimpleUploadedFile("x.exe", b"MZ", "application/pdf"))
    )

    assert any("not a PDF, PNG or JPEG file" in one for one in problems_of(response)), problems_of(response)
    assert not Consent.objects.exists()


def test_a_file_that_was_changed_on_the_disk_is_not_shown(client, trial, referral, scan_folder):
    as_(client, trial.coordinator).post(url(referral), by_telephone())
    (scan_folder / SealedForm.objects.get().stored_as).write_text("x")
    number = Participant.objects.get().study_id

    response = client.get(f"/people/{number}/consent/form/1.pdf")

    assert response.status_code == 410
    assert "missing or was changed" in text_of(response)


def test_the_signed_form_opens_for_the_site_and_its_monitor_only(client, trial, referral, scan_folder):
    as_(client, trial.coordinator).post(url(referral), by_telephone())
    number = Participant.objects.get().study_id

    answers = answers_by_role(client, everyone(trial), f"/people/{number}/consent/form/1.pdf")

    assert {role for role, status in answers.items() if status == 200} == {
        Role.COORDINATOR,
        Role.PRINCIPAL_INVESTIGATOR,
        Role.MONITOR,
    }


def test_the_ways_on_a_screen_are_those_of_the_protocol(client, trial, referral):
    page = text_of(as_(client, trial.coordinator).get(url(referral)))

    assert "On this tablet, with the person here" in page
    assert "By a link to the person" in page


def a_scan():
    return SimpleUploadedFile("scan.pdf", a_pdf("Signed"), "application/pdf")


def test_nobody_consents_at_a_site_before_its_checklist_is_signed(client, trial, referral):
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_site SET green_light_date = NULL")

    response = as_(client, trial.coordinator).post(url(referral), typed())

    assert any("is not open yet" in one for one in problems_of(response)), problems_of(response)
