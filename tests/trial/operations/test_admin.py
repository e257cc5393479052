"""The configuration admin: follows the policy, changes with a reason, shows no identity and no arm (issue 2, 13)."""

import re

import pytest
from django.urls import reverse

from tests.factories import TODAY, Trial, site, staff
from trial.access.policy import Role
from trial.activities.models import Provider, Venue
from trial.assessments.models import InstrumentLicence
from trial.deviations.models import Deviation
from trial.operations.admin import configuration
from trial.participants.models import Identity, Person

pytestmark = pytest.mark.django_db

CLINICAL = ["referral", "participant", "consent", "eligibility", "visit", "administration", "riskalert", "adverseevent"]
BLIND_SECRETS = ["provider", "venue", "session"]


@pytest.fixture
def trial(clock):
    return Trial()


def as_role(client, role, at=None, **more):
    client.force_login(staff(role, at, **more))
    return client


def opens(client, table):
    return client.get(f"/admin/trial/{table}/").status_code == 200


def seen_in(page):
    return re.search(r'name="seen" value="(\d+)"', page.content.decode())[1]


@pytest.mark.parametrize("role", list(Role))
def test_only_three_roles_enter(client, trial, role):
    as_role(client, role, trial.site, blinded=False)

    answer = client.get("/admin/", follow=True)

    enters = role in (Role.ADMINISTRATOR, Role.TRIAL_MANAGER, Role.DATA_MANAGER)
    assert answer.status_code == (200 if enters else 403)


def test_sign_in_goes_through_the_studys_own_page(client, db):
    answer = client.get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=%2Fadmin%2F")
    assert client.get("/admin/login/").headers["Location"].startswith("/accounts/login/")


def test_sign_out_and_passwords_lead_to_the_studys_own_pages(client, trial):
    as_role(client, Role.ADMINISTRATOR)

    assert client.post("/admin/logout/").headers["Location"] == reverse("account_logout")
    assert client.get("/admin/password_change/").headers["Location"] == reverse("account_change_password")
    assert client.get("/admin/login/").headers["Location"] == "/settings/"


def test_an_administrator_sees_configuration_and_no_participant_data(client, trial):
    as_role(client, Role.ADMINISTRATOR)

    shown = client.get("/admin/").content.decode()

    assert opens(client, "site")
    assert opens(client, "roleassignment")
    assert not [table for table in CLINICAL + BLIND_SECRETS if opens(client, table) or f"/{table}/" in shown]


def test_a_data_manager_sees_clinical_rows_and_changes_none(client, trial):
    participant = trial.baseline_done(trial.eligible(trial.consented(first_name="Zebedee", last_name="Quill")))
    as_role(client, Role.DATA_MANAGER)

    tables = [table for table in CLINICAL if opens(client, table)]
    rows = {
        "referral": participant.referral_id,
        "participant": participant.pk,
        "consent": participant.consents.get().pk,
        "eligibility": participant.eligibility.pk,
        "visit": participant.visits.first().pk,
        "administration": participant.administrations.first().pk,
    }

    assert tables == list(rows)
    assert not [table for table in BLIND_SECRETS if opens(client, table)]
    for table, pk in rows.items():
        where = f"/admin/trial/{table}/{pk}/change/"
        shown = client.get(where).content.decode()
        assert 'name="_save"' not in shown
        assert "Zebedee" not in shown
        assert client.post(where, {"reason": "x"}).status_code == 403
        assert client.post(f"/admin/trial/{table}/{pk}/delete/").status_code == 403
        assert client.get(f"/admin/trial/{table}/add/").status_code == 403


def test_a_blinded_trial_manager_sees_nothing_that_tells_an_arm(client, trial):
    as_role(client, Role.TRIAL_MANAGER, blinded=True)

    assert not [table for table in BLIND_SECRETS if opens(client, table)]


def test_identity_arms_and_randomisation_are_not_there(client, trial):
    names = {model.__name__ for model in configuration._registry}

    assert not names & {"Person", "Identity", "ActivityGroup", "Membership", "Mark", "BlindingEvent", "User", "Group"}
    assert not [model for model in configuration._registry if model._meta.app_label != "trial"]
    assert Person not in configuration._registry
    assert Identity not in configuration._registry


def test_every_page_of_every_table_opens_for_who_may(client, trial):
    trial.baseline_done()
    Venue(provider=Provider(name="Trust").save_by(None), name="Barn").save_by(None)
    for role in (Role.ADMINISTRATOR, Role.TRIAL_MANAGER, Role.DATA_MANAGER):
        as_role(client, role, blinded=False)
        for model in configuration._registry:
            base = f"/admin/trial/{model._meta.model_name}/"
            listed = client.get(base)
            assert listed.status_code in (200, 403), (role, base)
            row = model._default_manager.first()
            if listed.status_code == 200:
                assert client.get(base, {"q": "a"}).status_code == 200
                assert client.get(f"{base}add/").status_code in (200, 403)
                assert client.get(f"{base}999999/change/", follow=True).status_code == 200
            if listed.status_code == 200 and row is not None:
                assert client.get(f"{base}{row.pk}/change/").status_code == 200, (role, base)
                assert client.get(f"{base}{row.pk}/history/").status_code == 404


def test_a_venue_is_made_and_changed_with_a_reason(client, trial):
    as_role(client, Role.TRIAL_MANAGER, blinded=False)
    client.post("/admin/trial/provider/add/", {"name": "Trust", "insurance_expires_date": "", "safeguarding_phone": ""})
    provider = Provider.objects.get()
    client.post("/admin/trial/venue/add/", {"provider": provider.pk, "name": "Barn", "has_mobile_signal": "on"})
    venue = Venue.objects.get()
    where = f"/admin/trial/venue/{venue.pk}/change/"
    seen = seen_in(client.get(where))

    without = client.post(where, {"provider": provider.pk, "name": "Old Barn", "seen": seen})
    client.post(where, {"provider": provider.pk, "name": "Old Barn", "seen": seen, "reason": "Renamed"})

    assert "Enter why you are changing this" in without.content.decode()
    newest = Venue.objects.get().history.first()
    assert (newest.name, newest.history_change_reason, newest.history_user.name) == (
        "Old Barn",
        "Renamed",
        "Trial manager",
    )


def test_two_people_saving_one_row_see_what_differs_and_lose_nothing(client, trial):
    as_role(client, Role.TRIAL_MANAGER, blinded=False)
    provider = Provider(name="Trust").save_by(None)
    where = f"/admin/trial/provider/{provider.pk}/change/"
    seen = seen_in(client.get(where))
    client.post(where, {"name": "Woodland Trust", "seen": seen, "reason": "Full name"})

    second = client.post(where, {"name": "The Trust", "seen": seen, "reason": "Article"})
    shown = second.content.decode()
    client.post(where, {"name": "The Trust", "seen": seen_in(second), "reason": "Article"})

    assert "Trial manager saved this meanwhile" in shown
    assert "Woodland Trust" in shown
    assert 'value="The Trust"' in shown
    assert Provider.objects.get().name == "The Trust"


def test_a_site_changes_only_its_recruitment(client, trial):
    as_role(client, Role.ADMINISTRATOR)
    where = f"/admin/trial/site/{trial.site.pk}/change/"
    seen = seen_in(client.get(where))

    client.post(
        where, {"abbreviation": "TAV", "recruitment_paused": "on", "seen": seen, "reason": "Storm", "name": "Other"}
    )

    assert (site().recruitment_paused, site().name) == (True, "Tamar Vale")
    assert client.get("/admin/trial/site/add/").status_code == 403


def test_a_licence_is_put_right_with_a_reason(client, trial):
    as_role(client, Role.DATA_MANAGER)
    licence = InstrumentLicence.objects.first()
    where = f"/admin/trial/instrumentlicence/{licence.pk}/change/"
    given = {"reference": "R-2", "holder": "H", "copyright_line": "C", "reason": "Typing error"}

    late = client.post(where, {**given, "licence_date": "2027-01-01", "seen": seen_in(client.get(where))})
    client.post(where, {**given, "licence_date": str(TODAY), "seen": seen_in(client.get(where))})

    assert "must be today or in the past" in late.content.decode()
    stored = InstrumentLicence.objects.get(pk=licence.pk)
    assert (stored.reference, stored.instrument) == ("R-2", licence.instrument)
    assert client.get("/admin/trial/instrumentlicence/add/").status_code == 403


def test_deviations_that_reveal_an_arm_are_kept_from_blinded_people(client, trial):
    for number, reveals in ((1, False), (2, True)):
        Deviation(
            site=trial.site,
            sequence=number,
            occurred_date=TODAY,
            kind="other_arm" if reveals else "data",
            severity="minor",
            reveals_arm=reveals,
            description_sealed="x",
            recorded_at="2026-07-09T10:00Z",
        ).save_by(None)
    as_role(client, Role.DATA_MANAGER)

    shown = client.get("/admin/trial/deviation/").content.decode()

    assert "Data handling" in shown
    assert "not allocated to" not in shown
