"""Vouchers and travel: two people, pence, no arm and no name."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, staff
from tests.journeys.visitor import day
from tests.trial.journey.steps_by_page import as_, elsewhere, text_of
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.claims import actions
from trial.claims.models import Claim

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def participant(trial):
    return trial.consented()


@pytest.fixture
def other(trial):
    return staff(Role.COORDINATOR, trial.site, name="Sam Treloar")


def travel(trial, participant, **more):
    given = {"kind": "travel", "travel_date": TODAY, "mode": "bus", "amount_pence": 340, "by": trial.coordinator}
    return actions.offer(participant=participant, at=NOW, **(given | more))


def voucher(trial, participant, **more):
    visit = participant.visits.first()
    given = {"kind": "voucher", "visit": visit, "amount_pence": 1000, "by": trial.coordinator}
    return actions.offer(participant=participant, at=NOW, **(given | more))


def test_a_claim_is_offered_approved_and_paid_by_another_person(trial, participant, other):
    claim = travel(trial, participant)

    actions.approve(claim=claim, by=other, at=NOW)
    paid = actions.pay(claim=claim, by=other, at=NOW)

    assert (paid.state, paid.approved_by, paid.paid_by, paid.amount_pence) == ("paid", other, other, 340)


def test_whoever_recorded_it_neither_approves_nor_pays(trial, participant, other):
    claim = travel(trial, participant)

    with pytest.raises(actions.ClaimRefused, match="somebody else"):
        actions.approve(claim=claim, by=trial.coordinator, at=NOW)
    actions.approve(claim=claim, by=other, at=NOW)
    with pytest.raises(actions.ClaimRefused, match="somebody else"):
        actions.pay(claim=claim, by=trial.coordinator, at=NOW)


def test_the_database_holds_the_two_people_the_steps_and_the_amount(trial, participant, other):
    claim = travel(trial, participant)

    for change in (
        {"state": "approved", "approved_by": trial.coordinator, "approved_at": NOW},
        {"state": "paid", "approved_by": other, "approved_at": NOW, "paid_by": other, "paid_at": NOW},
        {"state": "approved"},
        {"amount_pence": 400},
        {"amount_pence": 0},
    ):
        row = Claim.objects.get(pk=claim.pk)
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save_by(other)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"amount_pence": 0}, "amount"),
        ({"amount_pence": 50_001}, "£500"),
        ({"travel_date": None}, "day of travel"),
        ({"mode": "bicycle"}, "day of travel"),
        ({"travel_date": TODAY + timedelta(days=1)}, "future"),
        ({"travel_date": TODAY - timedelta(days=60)}, "consent"),
    ],
)
def test_a_travel_claim_that_cannot_be_says_why(trial, participant, more, words):
    with pytest.raises(actions.ClaimRefused, match=words):
        travel(trial, participant, **more)


def test_a_visit_has_one_voucher_and_another_after_it_was_not_paid(trial, participant):
    first = voucher(trial, participant)

    with pytest.raises(actions.ClaimRefused, match="already"):
        voucher(trial, participant)
    actions.decline(claim=first, by=trial.coordinator, at=NOW)

    assert voucher(trial, participant).pk
    with pytest.raises(actions.ClaimRefused, match="not paid"):
        actions.decline(claim=first, by=trial.coordinator, at=NOW)


def test_a_voucher_is_for_a_visit_of_the_same_person(trial, participant):
    with pytest.raises(actions.ClaimRefused, match="Select the visit"):
        voucher(trial, participant, visit=trial.consented().visits.first())


def test_the_page_records_and_another_person_pays(client, trial, participant, other):
    url = f"/people/{participant.study_id}/claims/"
    typed = {"kind": "travel", "mode": "bus", "amount": "3.40", **day("travel_date", TODAY)}

    as_(client, trial.coordinator).post(url, typed)
    own = text_of(client.get(url))
    claim = Claim.objects.get()
    refused = text_of(client.post(f"/claims/{claim.pk}/approve/", follow=True))
    as_(client, other).post(f"/claims/{claim.pk}/approve/")
    client.post(f"/claims/{claim.pk}/pay/")

    claim.refresh_from_db()
    assert "£3.40" in own
    assert ">Approve<" not in own.replace("\n", "").replace(" ", "")
    assert "somebody else must approve" in refused
    assert (claim.state, claim.amount_pence) == ("paid", 340)


def test_a_blinded_reader_sees_no_travel(client, trial, participant):
    travel(trial, participant)
    voucher(trial, participant)
    blinded = staff(Role.TRIAL_MANAGER, blinded=True)

    page = text_of(as_(client, blinded).get("/claims/"))
    table = client.get("/claims/?format=csv").content.decode()

    assert "Bus" not in page
    assert "Travel" not in table
    assert "Voucher for questionnaires" in table
    assert client.post(f"/claims/{Claim.objects.get(kind='travel').pk}/approve/").status_code == 404


def test_the_finance_office_gets_sums_and_nobodys_number(client, trial, participant):
    travel(trial, participant)
    travel(trial, participant, travel_date=TODAY - timedelta(days=1), amount_pence=1_060)
    manager = staff(Role.TRIAL_MANAGER, blinded=False)

    table = as_(client, manager).get("/claims/?format=csv").content.decode("utf-8-sig")

    assert "2026-07,Tamar Vale,Travel,Offered,2,14.00" in table
    assert participant.study_id not in table
    assert AccessEvent.objects.filter(kind="exported", record="Vouchers and travel").exists()


def test_another_sites_claims_are_not_there(client, trial, participant):
    claim = travel(trial, participant)
    stranger = elsewhere(Role.COORDINATOR)

    assert as_(client, stranger).get(f"/people/{participant.study_id}/claims/").status_code == 404
    assert client.post(f"/claims/{claim.pk}/approve/").status_code == 404
    assert trial.site.name not in text_of(client.get("/claims/"))


@pytest.mark.parametrize("amount", ["", "abc", "-1", "0", "3.405", "1e3", "999999"])
def test_an_amount_that_is_none_is_refused(client, trial, participant, amount):
    url = f"/people/{participant.study_id}/claims/"

    page = as_(client, trial.coordinator).post(
        url, {"kind": "travel", "mode": "bus", "amount": amount, **day("travel_date", TODAY)}
    )

    assert page.status_code == 200
    assert not Claim.objects.exists()
