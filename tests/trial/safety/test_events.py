"""Adverse events: reported, changed, reviewed; their clocks, and what blinded roles never see."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from tests.trial.assessments.builders import NOW, consented, randomised, site, staff
from trial.access.policy import Role
from trial.access.signing import reauthenticate
from trial.base.errors import ReasonMissing
from trial.messages.models import Task
from trial.safety import event_actions as actions
from trial.safety import reads, rules
from trial.safety.models import AdverseEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
SECRET = "correct horse battery"


def data(**given):
    values = {
        "onset_date": date(2026, 7, 6),
        "aware_date": date(2026, 7, 8),
        "category": "TICK_BITE",
        "description": "Bitten in the woods",
        "severity": "mild",
        "seriousness": (),
        "related_to_activity": "unlikely",
        "related_to_procedures": "unrelated",
        "outcome": "recovering",
        **given,
    }
    return actions.EventData(**values)


def report(participant=None, by=None, **given):
    by = by or staff(Role.COORDINATOR)
    return actions.report_event(participant=participant or randomised(), data=data(**given), by=by, at=NOW)


def review(event, by, **given):
    values = {
        "related_to_activity": event.related_to_activity,
        "related_to_procedures": event.related_to_procedures,
        "expected": event.expected,
        "comment": "",
        **given,
    }
    proof = reauthenticate(user=by, secret=SECRET, at=NOW)
    return actions.review_event(event=event, proof=proof, by=by, at=NOW, **values)


def open_roles():
    return set(Task.objects.open().filter(kind="adverse_event").values_list("role", flat=True))


def test_an_event_keeps_the_list_against_which_it_was_judged_and_its_words_sealed():
    event = report()

    assert (event.expected, event.expected_list_version, event.sequence) == (True, "1", 1)
    assert "woods" not in event.description_sealed
    assert actions.description_of(event) == "Bitten in the woods"


def test_the_same_report_again_is_the_same_event():
    participant, coordinator = randomised(), staff(Role.COORDINATOR)

    assert report(participant, coordinator) == report(participant, coordinator)
    assert report(participant, coordinator, description="Another").sequence == 2


def test_a_tick_bite_opens_a_check_after_30_days():
    report()

    assert Task.objects.get(role="coordinator").due_date == date(2026, 8, 5)


def test_a_serious_event_opens_tasks_within_24_hours_of_awareness():
    report(category=actions.OTHER, seriousness=("hospitalisation",))

    assert open_roles() == {"sponsor_reviewer", "principal_investigator"}
    assert set(Task.objects.values_list("due_date", flat=True)) == {date(2026, 7, 9)}


def test_a_related_and_unexpected_serious_event_goes_to_the_ethics_committee_within_15_days():
    event = report(category=actions.OTHER, seriousness=("hospitalisation",), related_to_activity="possible")

    assert actions.goes_to_rec(event)
    assert Task.objects.get(role="chief_investigator").due_date == date(2026, 7, 23)


def test_an_event_that_becomes_serious_opens_its_tasks_then():
    event = report()
    assert "sponsor_reviewer" not in open_roles()

    actions.change_event(
        event=event, data=data(seriousness=("death",)), reason="Died later", by=event.reported_by, at=NOW
    )

    assert "sponsor_reviewer" in open_roles()


@pytest.mark.parametrize(
    "wrong",
    [
        {"onset_date": date(2026, 3, 30)},
        {"aware_date": date(2026, 7, 5)},
        {"aware_date": date(2026, 7, 10)},
        {"resolved_date": date(2026, 7, 5)},
        {"resolved_date": date(2026, 7, 10)},
    ],
    ids=str,
)
def test_dates_that_cannot_be_are_refused(wrong):
    with pytest.raises(actions.EventDatesWrong):
        report(**wrong)


def test_a_change_needs_a_reason_and_keeps_the_earlier_version():
    event = report()

    with pytest.raises(ReasonMissing):
        actions.change_event(event=event, data=data(severity="severe"), reason="", by=event.reported_by, at=NOW)
    changed = actions.change_event(
        event=event, data=data(severity="severe"), reason="Told more", by=event.reported_by, at=NOW
    )

    assert changed.severity == "severe"
    assert [row.severity for row in changed.history.all()] == ["severe", "mild"]


def test_a_review_may_raise_the_sites_judgement_and_never_lower_it():
    event = report(category=actions.OTHER, seriousness=("hospitalisation",), related_to_activity="unlikely")
    sponsor = staff(Role.SPONSOR_REVIEWER)

    with pytest.raises(actions.RelatednessLowered):
        review(event, sponsor, related_to_activity="unrelated")
    review(event, sponsor, related_to_activity="probable", expected=False)

    event.refresh_from_db()
    assert event.related_to_activity == "unlikely"
    assert actions.goes_to_rec(event)
    assert Task.objects.open().filter(role="chief_investigator").count() == 1
    assert "sponsor_reviewer" not in open_roles()


def test_a_change_after_the_review_makes_it_stale_and_an_unchanged_save_does_not():
    event = report()
    review(event, staff(Role.PRINCIPAL_INVESTIGATOR, duty="safety"))
    assert actions.is_reviewed(event)

    event = actions.change_event(event=event, data=data(), reason="Nothing", by=event.reported_by, at=NOW)
    assert actions.is_reviewed(event)

    event = actions.change_event(
        event=event, data=data(severity="severe"), reason="Worse", by=event.reported_by, at=NOW
    )
    assert not actions.is_reviewed(event)


@pytest.mark.parametrize(
    ("serious", "related", "expected", "told"),
    [
        (["death"], True, False, True),
        ([], True, False, False),
        (["death"], False, False, False),
        (["death"], True, True, False),
    ],
)
def test_the_rec_is_told_of_serious_related_and_unexpected_events_only(serious, related, expected, told):
    assert rules.goes_to_rec(seriousness=serious, is_related=related, is_expected=expected) is told


@pytest.mark.parametrize(
    ("judgement", "related"),
    [("unrelated", False), ("unlikely", False), ("possible", True), ("probable", True), ("definite", True)],
)
def test_possible_probable_and_definite_are_related(judgement, related):
    assert rules.is_related(judgement) is related


# -- pages

POSTED = {
    "onset_date_0": "6",
    "onset_date_1": "7",
    "onset_date_2": "2026",
    "aware_date_0": "8",
    "aware_date_1": "7",
    "aware_date_2": "2026",
    "category": "TICK_BITE",
    "description": "Bitten in the woods",
    "severity": "mild",
    "related_to_activity": "unlikely",
    "related_to_procedures": "unrelated",
    "outcome": "recovering",
}


def test_a_coordinator_reports_changes_and_an_investigator_signs(client):
    participant = randomised()
    client.force_login(staff(Role.COORDINATOR))
    assert "Enter what happened" in client.post(f"/people/{participant.study_id}/adverse-event/", {}).content.decode()

    client.post(f"/people/{participant.study_id}/adverse-event/", {**POSTED, "seriousness": ["hospitalisation"]})

    event = AdverseEvent.objects.get()
    url = event.get_absolute_url()
    assert "Bitten in the woods" in client.get(url).content.decode()
    assert "Tick bite" in client.get("/safety/").content.decode()
    changed = client.post(f"{url}change/", {**POSTED, "severity": "severe", "reason": "Told more"})
    assert changed.status_code == 302
    client.force_login(staff(Role.PRINCIPAL_INVESTIGATOR, duty="safety"))
    judged = {"related_to_activity": "possible", "related_to_procedures": "unrelated", "expected": "yes"}
    assert "to sign" in client.post(f"{url}review/", {**judged, "secret": "wrong"}).content.decode()
    client.post(f"{url}review/", {**judged, "secret": SECRET, "comment": "Seen"})
    page = client.get(url).content.decode()
    assert "Reviewed" in page
    assert "Seen" in page


@pytest.mark.parametrize("path", ["", "change/"])
def test_a_blinded_role_sees_no_words_and_no_kind_of_an_event(client, path):
    event = report()
    client.force_login(staff(Role.DUTY_CLINICIAN))

    answer = client.get(event.get_absolute_url() + path)

    assert "woods" not in answer.content.decode()
    assert "Tick" not in answer.content.decode()
    assert answer.status_code == (404 if path else 200)
    for url in ("/safety/", "/safety/events/", "/safety/events/?format=csv"):
        assert "ick bite" not in client.get(url).content.decode()


def test_a_leader_reports_only_on_people_of_their_own_groups(client, monkeypatch):
    participant = randomised()
    client.force_login(staff(Role.ACTIVITY_LEADER))
    url = f"/people/{participant.study_id}/adverse-event/"
    monkeypatch.setattr(reads, "may_report_on", [lambda user, person: True])
    assert client.get(url).status_code == 200

    monkeypatch.setattr(reads, "may_report_on", [lambda user, person: False])

    assert client.get(url).status_code == 404


def test_another_sites_event_answers_like_an_absent_one(client):
    event = report(consented(site("02")), category=actions.OTHER)
    client.force_login(staff(Role.COORDINATOR))

    assert client.get(event.get_absolute_url()).status_code == 404
    assert client.get(f"/people/{event.participant.study_id}/adverse-event/").status_code == 404
    assert client.post(f"{event.get_absolute_url()}change/", POSTED).status_code == 404


@pytest.mark.parametrize("n", [1, 8])
@pytest.mark.parametrize("url", ["/safety/", "/safety/events/"])
def test_the_lists_take_a_constant_number_of_lookups(client, django_assert_max_num_queries, n, url):
    coordinator, investigator = staff(Role.COORDINATOR), staff(Role.PRINCIPAL_INVESTIGATOR, duty="safety")
    for number in range(n):
        participant = randomised()
        review(report(participant, coordinator), investigator)
        report(participant, coordinator, description=f"{number}", seriousness=("death",))
    client.force_login(coordinator)

    with django_assert_max_num_queries(20):
        assert client.get(url).status_code == 200


def test_serious_events_can_be_listed_alone(client):
    participant, coordinator = randomised(), staff(Role.COORDINATOR)
    report(participant, coordinator)
    report(participant, coordinator, description="Fell", seriousness=("hospitalisation",))
    client.force_login(coordinator)

    text = client.get("/safety/events/?serious=yes").content.decode()

    assert "AE-02" in text
    assert "AE-01" not in text


def test_a_late_report_says_so(client):
    event = report(aware_date=date(2026, 7, 7), seriousness=("death",))

    assert reads.due_words(event) == "Reported late: was due by 8 Jul 2026"


@pytest.mark.parametrize("field", [*POSTED, "seriousness", "resolved_date_0"])
@pytest.mark.parametrize("value", ["a\x00b", "x" * 20_000, "-1", "31"])
def test_bad_input_is_answered_with_a_page(client, field, value):
    participant = randomised()
    client.force_login(staff(Role.COORDINATOR))

    response = client.post(f"/people/{participant.study_id}/adverse-event/", {**POSTED, field: value})

    assert response.status_code in (200, 302)
    assert "\x00" not in "".join(actions.description_of(event) for event in AdverseEvent.objects.all())


@pytest.mark.parametrize("change", [{"aware_date": date(2026, 7, 1)}, {"resolved_date": date(2026, 7, 1)}], ids=str)
def test_the_database_refuses_dates_out_of_order(change):
    event = report()
    for name, value in change.items():
        setattr(event, name, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        event.save_by(None, "Try")
