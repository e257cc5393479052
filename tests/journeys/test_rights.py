"""What a person may ask, from the request to what is left of it: access, restriction, erasure (R-35, R-36)."""

from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from exports.actions import request_release
from exports.errors import ReleaseRefused
from tests.exports.builders import frozen, rows_of
from tests.factories import NOW, PASSWORD, TODAY, Trial, staff
from tests.journeys.visitor import Visitor, day
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.base import audit
from trial.locking import actions as locking
from trial.participants.models import Disposal
from trial.rights import requests
from trial.rights.models import SubjectRequest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def asks(visitor: Visitor, number: str, kind: str) -> SubjectRequest:
    visitor.open(f"/people/{number}/data-request/").send(
        kind=kind, identity_check="known", asked="Please", **day("received_date", TODAY)
    )
    return SubjectRequest.objects.latest("pk")


def test_a_person_asks_for_erasure_and_two_people_carry_it_out(trial, settings, tmp_path, reading):
    settings.SCAN_DIR = tmp_path
    participant = trial.randomised(trial.baseline_done(trial.eligible(trial.consented(first_name="Zebedee"))))
    number = participant.study_id
    coordinator, investigator = Visitor(trial.coordinator), Visitor(trial.investigator)

    request = asks(coordinator, number, "erasure")
    investigator.open(f"/data-requests/{request.pk}/").says("Decide")
    investigator.open(f"/data-requests/{request.pk}/decide/").send(
        decision="granted", reason="Left the study", **day("told_date", TODAY)
    )
    manager = Visitor(staff(Role.TRIAL_MANAGER, name="Nadia Osei", blinded=False))
    manager.open("/retention/").says(f"Decide about {number}", "Not declared yet")
    disposal = Disposal.objects.get()
    manager.open(f"/retention/{disposal.pk}/").send(decision="agree", secret="wrong").says("Enter your own password")
    manager.send(decision="agree", secret=PASSWORD).says("The key is destroyed", "Certificate of", "13 Aug 2026")

    content = manager.client.get(f"/retention/{disposal.pk}/certificate.pdf").content
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    for words in (number, "Nadia Osei", trial.investigator.name, "13 August 2026", "Certificate of disposal"):
        assert words in text, words
    coordinator.open(f"/people/{number}/").says("Destroyed", "Protected details destroyed")
    coordinator.open(f"/people/{number}/contact-details/").send(why="To check the details").says("were destroyed")
    coordinator.open(f"/people/{number}/allocation/").says("Allocat")  # 9.12: the allocation stays
    rows = rows_of(frozen(), "participants")
    assert number in str(rows)
    audit.seal(at=NOW)
    assert audit.verify() == []


def test_whoever_asked_cannot_agree(trial):
    referral = trial.consented().referral
    manager = Visitor(staff(Role.TRIAL_MANAGER, blinded=False))
    manager.open(f"/people/{referral.number}/disposal/").send(why="retention", reason="Asked by the sponsor")
    disposal = Disposal.objects.get()

    manager.open("/retention/").says(referral.number)
    assert f'/retention/{disposal.pk}/"' not in manager.text
    manager.open(f"/retention/{disposal.pk}/").send(decision="agree", secret=PASSWORD).says("somebody else must decide")

    assert Disposal.objects.get().state == "asked"


def test_a_restricted_person_is_left_out_of_new_data_until_it_is_lifted(trial, reading):
    participant, other = trial.consented(), trial.consented()
    coordinator, investigator = Visitor(trial.coordinator), Visitor(trial.investigator)
    before = str(rows_of(frozen(), "participants"))

    request = asks(coordinator, participant.study_id, "objection")
    during = str(rows_of(frozen(), "participants"))
    investigator.open(f"/data-requests/{request.pk}/decide/").send(decision="granted", reason="No grounds against it")
    investigator.open(f"/data-requests/{request.pk}/").send(form="lift/")
    after = str(rows_of(frozen(), "participants"))

    assert participant.study_id in before
    assert participant.study_id in after
    assert participant.study_id not in during
    assert other.study_id in during


def test_data_read_before_a_restriction_make_no_new_release(trial, settings, tmp_path, reading):
    settings.RELEASE_DIR = tmp_path
    participant, manager = trial.consented(), staff(Role.DATA_MANAGER)
    statistician = staff(Role.UNBLINDED_STATISTICIAN)
    cut = locking.make_cut(name="DMC", reason="Meeting", data_through=TODAY, by=manager, at=NOW)
    made = request_release(lock=cut, variant="blinded", purpose="Main", by=manager, at=NOW)

    requests.record(
        referral=participant.referral,
        kind="restriction",
        received_date=TODAY,
        identity_check="known",
        asked="Stop",
        by=trial.coordinator,
        at=NOW + timedelta(hours=1),
    )

    with pytest.raises(ReleaseRefused, match="may not be processed"):
        request_release(lock=cut, variant="dmc", purpose="Main", by=statistician, at=NOW)
    assert request_release(lock=cut, variant="blinded", purpose="Main", by=manager, at=NOW) == made


def test_identity_data_whose_time_is_over_are_listed_and_nothing_disappears_by_itself(trial, settings):
    settings.STUDY_END_DATE, settings.IDENTITY_RETENTION_MONTHS = "2026-01-08", 6
    referral = trial.consented().referral
    manager = Visitor(staff(Role.DATA_MANAGER))

    manager.open("/retention/").says("Kept until 8 July 2026", "Kept until 8 January 2036", referral.number)

    assert referral.person.wrapped_key
    assert not Disposal.objects.exists()


def test_a_text_is_removed_by_the_investigator_and_a_marker_stays(trial):
    participant = trial.consented()
    coordinator, investigator = Visitor(trial.coordinator), Visitor(trial.investigator)
    coordinator.open(f"/people/{participant.study_id}/contact/").send(
        channel="phone",
        outcome="two_way",
        parties="team_person",
        note="Her neighbour Rosalind is unwell",
        contacted_at_0="9",
        contacted_at_1="7",
        contacted_at_2="2026",
        contacted_at_3="09:00",
    )
    investigator.open(f"/people/{participant.study_id}/remove-text/").says("Rosalind")
    number = max(investigator.response.context["form"].fields["text"].choices)[0]

    investigator.send(text=number, marker="third_party", reason="It named a neighbour")

    investigator.open(f"/people/{participant.study_id}/remove-text/").says("it named another person")
    assert "Rosalind" not in investigator.text
    investigator.open(f"/people/{participant.study_id}/?events=all").says("Text removed")
    assert "Rosalind" not in investigator.text


def test_nothing_of_it_is_named_in_the_access_log(trial):
    participant = trial.consented(first_name="Zebedee", last_name="Quillfeather")
    visitor = Visitor(trial.coordinator)
    visitor.client.post(f"/people/{participant.study_id}/data-copy/", {"format": "pdf"})

    events = str(list(AccessEvent.objects.values()))
    assert "Zebedee" not in events
    assert "Quillfeather" not in events
