"""Departures from the protocol: recorded, kept from blinded roles where they say the arm, reviewed."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from tests.trial.assessments.builders import NOW, consented, randomised, site, staff
from trial.access.policy import Role
from trial.base.models import AuditLeaf
from trial.deviations import actions, reads
from trial.deviations.models import Deviation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def record(participant=None, **given):
    values = {
        "site": participant.site if participant else site(),
        "participant": participant,
        "occurred_date": date(2026, 7, 1),
        "kind": "visit",
        "severity": "minor",
        "description": "Questionnaire given at the wrong visit",
        "reveals_arm": False,
        "by": None,
        "at": NOW,
        **given,
    }
    return actions.record_deviation(**values)


def test_numbers_run_by_site():
    first, second = record(), record(description="Another")
    elsewhere = record(site=site("02"))

    assert [str(one) for one in (first, second, elsewhere)] == ["D-01-001", "D-01-002", "D-02-001"]


def test_the_same_deviation_again_is_the_same_row():
    assert record() == record()


def test_a_deviation_in_the_future_is_refused():
    with pytest.raises(actions.DeviationDateWrong):
        record(occurred_date=date(2026, 7, 10))


@pytest.mark.parametrize(("kind", "kept"), [("other_arm", True), ("activity", True), ("visit", False)])
def test_kinds_that_say_where_somebody_was_are_always_kept_from_blinded_roles(kind, kept):
    deviation = record(kind=kind)

    assert deviation.reveals_arm is kept
    blinded = reads.deviations_for(staff(Role.DATA_MANAGER))
    assert (deviation in blinded) is not kept
    assert deviation in reads.deviations_for(staff(Role.COORDINATOR))


def test_a_review_is_stored_once():
    investigator = staff(Role.PRINCIPAL_INVESTIGATOR)
    given = {
        "severity": "major",
        "root_cause": "New colleague",
        "corrective_action": "Trained",
        "effect_on_analysis": "",
        "by": investigator,
        "at": NOW,
    }
    deviation = record()
    with pytest.raises(actions.DeviationDateWrong):
        actions.review_deviation(deviation=deviation, **given, sponsor_told_date=date(2026, 6, 1))

    reviewed = actions.review_deviation(deviation=deviation, **given)

    assert (reviewed.reviewed_by, reviewed.severity) == (investigator, "major")
    with pytest.raises(actions.AlreadyReviewed):
        actions.review_deviation(deviation=deviation, **given)


def test_the_pages_record_list_filter_download_and_review(client):
    participant = randomised()
    coordinator, investigator = staff(Role.COORDINATOR), staff(Role.PRINCIPAL_INVESTIGATOR)
    client.force_login(coordinator)
    posted = {
        "occurred_date_0": "1",
        "occurred_date_1": "7",
        "occurred_date_2": "2026",
        "kind": "visit",
        "severity": "minor",
        "description": "=1+1",
        "reveals_arm": "no",
    }

    response = client.post(reverse("deviations:record", args=[participant.study_id]), posted)

    assert response.status_code == 302
    deviation = Deviation.objects.get()
    assert "D-01-001" in client.get("/deviations/?kind=visit&reviewed=no").content.decode()
    assert "No deviations" in client.get("/deviations/?kind=consent").content.decode()
    listed = client.get("/deviations/?format=csv").content.decode()
    assert "D-01-001" in listed
    assert "=1+1" not in listed  # words stay in the database, sealed
    assert "=1+1" not in deviation.description_sealed
    assert "=1+1" in client.get(f"/deviations/{deviation.pk}/").content.decode()
    detail = reverse("deviations:detail", args=[deviation.pk])
    assert client.post(detail, {}).status_code == 403
    client.force_login(investigator)
    assert b"Enter why it happened" in client.post(detail, {}).content
    answer = client.post(detail, {"severity": "major", "root_cause": "x", "corrective_action": "y"})
    assert answer.status_code == 302
    assert client.post(detail, {"severity": "major", "root_cause": "x", "corrective_action": "y"}).status_code == 200


@pytest.mark.parametrize("what", ["deviation", "participant"])
def test_another_sites_records_answer_like_absent_ones(client, what):
    other = consented(site("02"))
    deviation = record(other)
    client.force_login(staff(Role.COORDINATOR))
    url = f"/deviations/{deviation.pk}/" if what == "deviation" else f"/people/{other.study_id}/deviation/"

    assert client.get(url).status_code == 404


@pytest.mark.parametrize("field", ["occurred_date_0", "kind", "severity", "description", "reveals_arm"])
@pytest.mark.parametrize("value", ["", "a\x00b", "x" * 5000, "\x7f"])
def test_bad_input_is_answered_with_a_page_and_nothing_is_stored(client, field, value):
    participant = randomised()
    client.force_login(staff(Role.COORDINATOR))
    posted = {
        "occurred_date_0": "1",
        "occurred_date_1": "7",
        "occurred_date_2": "2026",
        "kind": "visit",
        "severity": "minor",
        "description": "x",
        "reveals_arm": "no",
        field: value,
    }

    response = client.post(f"/people/{participant.study_id}/deviation/", posted)

    assert response.status_code in (200, 400)
    assert not Deviation.objects.exists()


@pytest.mark.parametrize("n", [3, 40])
def test_the_list_takes_a_constant_number_of_lookups(client, django_assert_max_num_queries, n):
    participant = randomised()
    for number in range(n):
        record(participant, description=f"Deviation {number}")
    client.force_login(staff(Role.COORDINATOR))

    with django_assert_max_num_queries(12):
        assert client.get("/deviations/").status_code == 200


@pytest.mark.parametrize(
    "change", [{"description_sealed": ""}, {"reviewed_at": NOW, "reviewed_by": None}, {"site": None}], ids=str
)
def test_the_database_refuses_what_must_not_be(change):
    deviation = record()
    for name, value in change.items():
        setattr(deviation, name, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        deviation.save_by(None, "Try")


def test_two_deviations_of_a_site_never_share_a_number():
    deviation = record()
    deviation.pk, deviation._state.adding = None, True

    with pytest.raises(IntegrityError), transaction.atomic():
        deviation.save_by(None)


def test_every_change_leaves_history_with_a_leaf():
    deviation = record()

    deviation.description_sealed = "Corrected"
    deviation.save_by(None, "Typing mistake")

    assert deviation.history.count() == 2
    assert AuditLeaf.objects.filter(table_name="trial_historicaldeviation").count() == 2
    assert deviation.history.first().history_date - NOW < timedelta(days=1)
