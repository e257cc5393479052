"""The record page, the contact details behind it, and what a blinded reader sees of either."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, TODAY, Trial, site, staff
from tests.trial.activities.builders import spec_of
from tests.trial.journey.builders import crowd, one_of_each_arm
from tests.trial.participants.builders import dispose
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.consent.models import DocumentUse, DocumentVersion
from trial.deviations.models import Deviation
from trial.journey import reversal, timeline
from trial.messages.models import OutboxMessage
from trial.participation import actions as participation
from trial.review import actions as review
from trial.rights import requests as data_requests
from trial.safety import actions as safety
from trial.safety import event_actions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def _facts(response):
    return {fact.term: fact for fact in response.context["facts"]}


def _events(response):
    return [f"{event.strong}{event.text}" for event in response.context["events"]]


def _without_numbers(response, *numbers):
    text = response.content.decode()
    for number in numbers:
        text = text.replace(number, "NUMBER")
    text = re.sub(r'(?s)name="csrfmiddlewaretoken" value="[^"]*"', "", text)
    return re.sub(r"\s+", " ", text)


def test_a_referral_has_a_record_before_consent(trial, client):
    referral = trial.informed()
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{referral.screening_number}/")

    assert response.context["grid"] is None
    assert response.context["next"].title == "Ask for consent"
    assert _events(response) == [
        "Given information",
        "Contacted",
        "Information sheet 1.0 given",
        "Telephone: spoke or wrote to each other",
        "Referred by GP practice",
    ]


def test_the_screening_number_still_leads_to_the_record_after_consent(trial, client):
    participant = trial.consented()
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{participant.referral.screening_number}/")

    assert response.context["title"] == participant.study_id


def test_facts_grid_and_links_of_a_randomised_person(trial, client):
    participant = trial.randomised()
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{participant.study_id}/")

    facts = _facts(response)
    assert (facts["Status"].strong, facts["Status"].value) == ("Randomised", ", week 1")
    assert facts["Consent"].value == "Version 1.0."
    assert facts["Participation"].value == "Full"
    assert facts["Allocation"].link.url == f"/people/{participant.study_id}/allocation/"
    assert response.context["grid"].columns[0].title == "V0 screening"
    assert [link.label for link in response.context["links"]] == [
        "Record a contact",
        "Report an adverse event",
        "Change participation",
        "History",
    ]


def test_a_newer_consent_version_is_named_in_the_facts(trial, client):
    participant = trial.consented()
    form = DocumentVersion.objects.filter(kind="consent").first()
    newer = DocumentVersion(
        code="CONSENT_9",
        kind="consent",
        title="Consent form",
        version="9.0",
        document_date=TODAY,
        rec_reference="00/XX/0000",
        approved_date=TODAY,
        requires_reconsent=True,
        statements=form.statements,
        content_sha256="0" * 64,
    ).save_by(None)
    DocumentUse(document=newer, site=trial.site, from_date=TODAY).save_by(None)
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{participant.study_id}/")

    assert _facts(response)["Consent"].link.label == "9.0 is due"


@pytest.mark.parametrize("number", ["GRX-01-999-1", "S-01-9999", "GRX-1", "X-0"])
def test_a_number_that_nobody_has_is_not_found(trial, client, number):
    client.force_login(trial.coordinator)

    assert client.get(f"/people/{number}/").status_code == 404


@pytest.mark.parametrize("page", ["", "history/", "contact-details/", "V2/wemwbs/history/"])
def test_another_sites_record_is_not_found_like_an_absent_one(trial, client, page):
    other = crowd(trial, 1, site=site("02"))[0]
    client.force_login(trial.coordinator)

    assert client.get(f"/people/{other.study_id}/{page}").status_code == 404


def test_the_record_asks_the_database_as_often_however_much_there_is(trial, client):
    few, many = trial.baseline_done(), trial.randomised()
    for text in ("Is this right?", "And this?"):
        form = many.administrations.get(instrument="gad7")
        review.raise_query(participant=many, administration=form, field="", text=text, by=trial.coordinator, at=NOW)
    client.force_login(trial.coordinator)
    client.get(f"/people/{few.study_id}/")

    counts = []
    for participant in (few, many):
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/people/{participant.study_id}/")
        counts.append(len(asked))

    assert abs(counts[0] - counts[1]) <= 4, counts
    assert max(counts) <= 60


def test_an_open_query_shows_in_the_grid_and_the_timeline(trial, client):
    participant = trial.baseline_done()
    form = participant.administrations.get(instrument="gad7")
    review.raise_query(
        participant=participant, administration=form, field="gad7_1", text="Blank?", by=trial.investigator, at=NOW
    )
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{participant.study_id}/")

    row = next(row for row in response.context["grid"].rows if row.form == "GAD-7")
    assert row.cells[1].status == "query_open"
    assert "Query raised on GAD-7 baseline" in _events(response)


def test_the_timeline_is_short_until_everything_is_asked_for(trial, client):
    participant = trial.randomised()
    client.force_login(trial.coordinator)

    short = client.get(f"/people/{participant.study_id}/")
    whole = client.get(f"/people/{participant.study_id}/?events=all")

    assert len(short.context["events"]) == 12
    assert short.context["more"].label == f"All {len(whole.context['events'])} events"
    assert whole.context["more"] is None


# -- contact details


def test_contact_details_ask_for_a_reason_first(trial, client):
    referral = trial.refer(first_name="Zebedee", last_name="Quillfeather")
    client.force_login(trial.coordinator)

    asked = client.get(f"/people/{referral.screening_number}/contact-details/")
    without = client.post(f"/people/{referral.screening_number}/contact-details/", {"why": "", "detail": ""})

    assert b"Quillfeather" not in asked.content + without.content
    assert b"Select why you need the contact details" in without.content
    assert not AccessEvent.objects.filter(kind="identity_viewed").exists()


def test_contact_details_are_shown_once_and_logged(trial, client):
    referral = trial.refer(first_name="Zebedee", last_name="Quillfeather")
    client.force_login(trial.coordinator)

    response = client.post(
        f"/people/{referral.screening_number}/contact-details/", {"why": "To contact the person", "detail": ""}
    )

    assert b"Zebedee Quillfeather" in response.content
    assert "no-store" in response.headers["Cache-Control"]
    event = AccessEvent.objects.get(kind="identity_viewed")
    assert (event.record, event.detail, event.user) == ("S-01-0001", "To contact the person", trial.coordinator)


def test_another_reason_has_to_be_named(trial, client):
    referral = trial.refer()
    client.force_login(trial.coordinator)

    response = client.post(f"/people/{referral.screening_number}/contact-details/", {"why": "other"})

    assert b"Enter which reason" in response.content


def test_an_assessor_sees_how_to_reach_the_person_and_no_more(trial, client):
    participant = trial.consented(nhs_number="9990000018", gp_practice="Tavyside Surgery")
    client.force_login(staff(Role.OUTCOME_ASSESSOR, trial.site))

    response = client.post(f"/people/{participant.study_id}/contact-details/", {"why": "To contact the person"})

    terms = [term for term, _ in response.context["rows"]]
    assert "Telephone" in terms
    assert not {"NHS number", "Date of birth", "GP practice", "Notes from the referral"} & set(terms)


def test_somebody_who_may_not_see_identities_has_no_way_to_them(trial, client):
    referral = trial.refer()
    client.force_login(staff(Role.DATA_MANAGER))

    assert "Contact details" not in _facts(client.get(f"/people/{referral.screening_number}/"))
    assert client.post(f"/people/{referral.screening_number}/contact-details/", {}).status_code == 403


def test_a_broken_key_says_so_instead_of_failing(trial, client, settings):
    referral = trial.refer()
    settings.IDENTITY_KEYS = ["YW5vdGhlci1rZXktdGhhdC1vcGVucy1ub3RoaW5nLTE="]
    client.force_login(trial.coordinator)

    response = client.post(f"/people/{referral.screening_number}/contact-details/", {"why": "To contact the person"})

    assert "cannot be opened" in response.content.decode()


# -- what a blinded reader sees


@pytest.mark.parametrize("role", [Role.OUTCOME_ASSESSOR, Role.DATA_MANAGER, Role.PRINCIPAL_INVESTIGATOR])
@pytest.mark.parametrize("page", ["", "?events=all", "history/", "V1/gad7/history/"])
def test_a_blinded_reader_sees_the_same_page_for_either_arm(trial, client, role, page):
    one, other = one_of_each_arm(trial)
    for participant in (one, other):
        event_actions.report_event(participant=participant, data=_event(), by=trial.coordinator, at=NOW)
        _deviation(trial, participant)
    client.force_login(staff(role, trial.site, blinded=True))

    pages = [client.get(f"/people/{participant.study_id}/{page}") for participant in (one, other)]

    texts = [
        _without_numbers(response, person.study_id, person.referral.screening_number)
        for response, person in zip(pages, (one, other), strict=True)
    ]
    texts = [re.sub(r"AE-\d+|D-01-\d+|/(?:events|queries|alerts)/\d+/", "", text) for text in texts]
    assert pages[0].status_code == 200
    assert texts[0] == texts[1]
    for word in (
        "Session 6",
        "Choose a group",
        "Thursday morning group",
        "Friday afternoon group",
        "Sam Treloar",
        "allocation/",
    ):
        assert word not in texts[0]


def _event():
    return event_actions.EventData(
        onset_date=TODAY,
        aware_date=TODAY,
        category="OTHER",
        description="Slipped",
        severity="mild",
        seriousness=(),
        related_to_activity="possible",
        related_to_procedures="unrelated",
        outcome="recovered",
        resolved_date=None,
    )


def _deviation(trial, participant):
    number = Deviation.objects.count() + 1
    Deviation(
        site=trial.site,
        participant=participant,
        sequence=number,
        occurred_date=TODAY,
        kind="other_arm",
        severity="major",
        reveals_arm=True,
        description_sealed=f"Went to the session of another group {number}",
        recorded_at=NOW,
        recorded_by=trial.coordinator,
    ).save_by(trial.coordinator)


def test_an_unblinded_reader_sees_group_and_attendance(trial, client):
    one, _other = one_of_each_arm(trial)
    client.force_login(trial.coordinator)

    events = _events(client.get(f"/people/{one.study_id}/?events=all"))

    assert "Joined Thursday morning group" in events
    assert "Session 6 attended" in events


def test_messages_to_the_person_are_in_the_timeline(trial, client):
    participant = trial.consented()
    OutboxMessage(
        key="m1",
        kind="invitation",
        referral=participant.referral,
        heading="Your questionnaires",
        body="…",
        state="sent",
        written_at=NOW,
        send_after=NOW,
        sent_at=NOW,
    ).save_by(None)
    client.force_login(trial.coordinator)

    assert "Message: Your questionnaires" in _events(client.get(f"/people/{participant.study_id}/"))


def test_everything_that_happened_has_its_line(trial, client):
    participant = trial.consented()
    trial.save_form(participant, "V0", "phq9", {"phq9_9": 1}, submit=False)
    alert = participant.alerts.get()
    safety.assess(alert=alert, level="low", actions_taken="Rang her", gp_informed_date=None, by=trial.clinician, at=NOW)
    safety.close(alert=alert, by=trial.clinician, at=NOW)
    query = review.raise_query(
        participant=participant, administration=None, field="", text="Why?", by=trial.investigator, at=NOW
    )
    review.answer(query=query, text="Because", by=trial.coordinator, at=NOW)
    review.close(query=query, text="Agreed", by=staff(Role.DATA_MANAGER), at=NOW)
    participation.record_change(
        participant=participant,
        effective_date=TODAY,
        decided_by="participant",
        elements={"reminders": False},
        by=trial.coordinator,
        at=NOW,
        today=TODAY,
    )
    client.force_login(trial.coordinator)

    events = _events(client.get(f"/people/{participant.study_id}/?events=all"))

    for line in (
        "PHQ-9 screening started",
        "Risk alert raised",
        "Risk alert closed",
        "Query raised",
        "Query closed",
        "Participation changed: Reminders stopped",
        "Consent to version 1.0 signed",
    ):
        assert line in events


def test_leaving_a_group_has_its_line(trial, client):
    one, _other = one_of_each_arm(trial)
    membership = one.memberships.get()
    membership.to_date, membership.end_reason = TODAY, "Moved house"
    membership.save_by(trial.coordinator, "Moved house")
    client.force_login(trial.coordinator)

    events = client.get(f"/people/{one.study_id}/?events=all").context["events"]

    assert ("Left Thursday morning group", "9 Jul 2026. Moved house") in [(e.text, e.detail) for e in events]


def test_a_role_without_answers_or_queries_sees_no_line_of_them(trial, client):
    participant = trial.baseline_done()
    client.force_login(trial.randomiser)

    events = _events(client.get(f"/people/{participant.study_id}/?events=all"))

    assert "Baseline complete" in events
    assert not [event for event in events if "GAD-7" in event or "Query" in event]


def test_a_form_of_another_protocol_version_keeps_its_codes(trial):
    spec = spec_of("northbank")
    form = trial.baseline_done().administrations.select_related("visit").get(instrument="gad7")

    assert timeline._form_name(trial.spec, form) == "GAD-7 baseline"
    assert timeline._form_name(spec, form) != "GAD-7 baseline"


@pytest.mark.parametrize(("state", "value"), [("withdrawn", "Not valid")])
def test_a_consent_that_is_not_valid_any_more_is_said(trial, client, state, value):
    participant = trial.consented()
    consent = participant.consents.get()
    consent.state = state
    consent.save_by(trial.coordinator, "For a test")
    client.force_login(trial.coordinator)

    assert _facts(client.get(f"/people/{participant.study_id}/"))["Consent"].value == value


def test_the_eligibility_cell_follows_the_assessment(trial, client):
    participant = trial.consented()
    client.force_login(trial.coordinator)

    def cell():
        return client.get(f"/people/{participant.study_id}/").context["grid"].rows[0].cells[0].status

    before = cell()
    trial.screened(participant)
    trial.assess(participant)

    assert (before, cell()) == ("due", "complete")


def test_a_self_referral_and_a_reversal_are_said(trial, client):
    participant = trial.consented()
    asked = reversal.ask(referral=participant.referral, reason="Wrong person", by=staff(Role.DATA_MANAGER), at=NOW)
    reversal.approve(reversal=asked, by=trial.investigator, at=NOW)
    client.force_login(trial.coordinator)

    events = client.get(f"/people/{participant.study_id}/?events=all").context["events"]

    assert any("Entered in error, taken back" in event.detail for event in events)


def test_what_the_telephone_asks_for_stands_first(trial, client):
    """Issue 5, point 11: next due, last contact, open tasks, preferred channel."""
    consented = trial.consented(preferred_contact="text")
    participant = trial.randomised(trial.baseline_done(trial.eligible(consented)))
    client.force_login(trial.coordinator)

    page = client.get(f"/people/{participant.study_id}/")

    facts = {fact.term: fact for fact in page.context["glance"]}
    assert list(facts) == ["Next due", "Last contact", "Open tasks", "Prefers"]
    assert facts["Next due"].strong == "Week 5, from 6 Aug"
    assert facts["Last contact"].value == "1 Jul 2026, telephone"
    assert facts["Open tasks"].link.url == "#tasks-of-this-person"
    assert facts["Prefers"].value == "Text message"
    html = page.content.decode()
    assert html.index("Next due") < html.index("Status")
    assert 'id="tasks-of-this-person"' in html


def test_a_restriction_stands_before_everything_else(trial, client):
    participant = trial.consented()
    data_requests.record(
        referral=participant.referral,
        kind="restriction",
        received_date=TODAY,
        identity_check="known",
        asked="Stop",
        by=trial.coordinator,
        at=NOW,
    )
    client.force_login(trial.coordinator)

    page = client.get(f"/people/{participant.study_id}/")

    assert page.context["glance"][0].strong == "Stopped"
    assert "Request about data" in page.content.decode()


def test_the_page_of_somebody_whose_details_were_destroyed_still_opens(trial, client):
    participant = trial.consented()
    dispose(participant.referral)
    client.force_login(trial.coordinator)

    page = client.get(f"/people/{participant.study_id}/")
    details = client.post(f"/people/{participant.study_id}/contact-details/", {"why": "To check the details"})

    assert page.context["glance"][0].strong == "Destroyed"
    assert "were destroyed when their time was over" in details.content.decode()
