"""A site opens only after its checklist is complete and signed by two people (green light)."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import NOW, PASSWORD, TODAY, Trial, proof, staff
from tests.trial.econsent.builders import keep_files
from tests.trial.journey.steps_by_page import problems_of, text_of
from trial.access.checklist_models import SiteChecklist
from trial.access.models import Site
from trial.access.policy import Role
from trial.base import triggers
from trial.journey import green_light

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
EVIDENCE = {code: "Filed on 1 July 2026" for code, _ in green_light.JUDGED}


@pytest.fixture
def trial():
    """Everything in place at a site that is not open yet."""
    made = keep_files(Trial()).open_randomisation()
    staff(Role.SAFEGUARDING_LEAD, name="Sal Lead")
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_site SET green_light_date = NULL")
    made.site.refresh_from_db()
    return made


@pytest.fixture
def manager():
    return staff(Role.TRIAL_MANAGER, name="Mary Manager", blinded=False)


def test_the_manager_fills_in_and_signs_then_the_investigator_and_the_site_is_open(client, trial, manager):
    client.force_login(manager)
    client.post("/green-light/01/", EVIDENCE | {"do": "tick"})
    client.post("/green-light/01/", {"do": "sign", "secret": PASSWORD})
    assert not Site.objects.get(code="01").is_recruiting(TODAY)
    client.force_login(trial.investigator)

    client.post("/green-light/01/", {"do": "sign", "secret": PASSWORD})

    opened = Site.objects.get(code="01")
    assert opened.green_light_date == TODAY
    assert opened.is_recruiting(TODAY)
    assert not opened.is_recruiting(date(2026, 7, 8))
    found = SiteChecklist.objects.get()
    assert (found.manager_signature.printed_name, found.investigator_signature.printed_name) == (
        "Mary Manager",
        "Dr Helen Okafor",
    )


def test_each_computed_line_is_named_while_it_is_missing(trial, manager):
    assert green_light.missing(trial.site, EVIDENCE, TODAY) == []
    assert green_light.missing(trial.site, {}, TODAY)[0] == "The sponsor's green light for this site: Not ticked"

    elsewhere = Site.objects.get(code="03")
    lacking = " ".join(green_light.missing(elsewhere, EVIDENCE, TODAY))

    for words in (
        "Nobody is principal investigator here",
        "Nobody is delegated and trained: take consent",
        "Nobody is delegated and trained: sign eligibility",
        "Nobody is coordinator here",
        "Nobody is duty clinician here",
    ):
        assert words in lacking


def test_before_documents_and_scheme_are_ready_nothing_is_green(clock):
    trial = Trial()

    lacking = " ".join(green_light.missing(trial.site, EVIDENCE, TODAY))

    assert "The approved file of Information sheet 1.0 is not uploaded" in lacking
    assert "The scheme has no signed acceptance test" in lacking
    assert "Nobody is safeguarding lead here" in lacking


def test_an_incomplete_list_cannot_be_signed(client, trial, manager):
    client.force_login(manager)

    response = client.post("/green-light/01/", {"do": "sign", "secret": PASSWORD})

    assert any("Not complete yet" in one for one in problems_of(response)), problems_of(response)
    assert not SiteChecklist.objects.filter(manager_signature__isnull=False).exists()


def test_a_wrong_password_signs_nothing(client, trial, manager):
    client.force_login(manager)
    client.post("/green-light/01/", EVIDENCE | {"do": "tick"})

    response = client.post("/green-light/01/", {"do": "sign", "secret": "wrong"})

    assert any("Enter your own password" in one for one in problems_of(response))


def test_two_people_sign_in_their_order(trial, manager):
    green_light.tick(site=trial.site, ticks=EVIDENCE, by=manager)
    with pytest.raises(green_light.NotGreen, match="The trial manager signs first"):
        green_light.sign_as_investigator(
            site=trial.site, proof=proof(trial.investigator), by=trial.investigator, at=NOW
        )
    green_light.sign_as_manager(site=trial.site, proof=proof(manager), by=manager, at=NOW)

    with pytest.raises(green_light.NotGreen, match="Two people sign"):
        green_light.sign_as_investigator(site=trial.site, proof=proof(manager), by=manager, at=NOW)
    with pytest.raises(green_light.NotGreen, match="signed already"):
        green_light.sign_as_manager(site=trial.site, proof=proof(manager), by=manager, at=NOW)


def test_evidence_that_changes_after_the_first_signature_takes_it_away(trial, manager):
    green_light.tick(site=trial.site, ticks=EVIDENCE, by=manager)
    green_light.sign_as_manager(site=trial.site, proof=proof(manager), by=manager, at=NOW)

    green_light.tick(site=trial.site, ticks=EVIDENCE | {"SPONSOR": "Another letter"}, by=manager)

    assert SiteChecklist.objects.get().manager_signature is None


def test_past_the_checklist_the_database_opens_no_site(trial):
    trial.site.green_light_date = TODAY

    with pytest.raises(IntegrityError, match="signed by two people"), transaction.atomic():
        trial.site.save_by(None, "Try")


def test_a_signed_checklist_and_its_day_never_change(trial, manager):
    green_light.tick(site=trial.site, ticks=EVIDENCE, by=manager)
    green_light.sign_as_manager(site=trial.site, proof=proof(manager), by=manager, at=NOW)
    green_light.sign_as_investigator(site=trial.site, proof=proof(trial.investigator), by=trial.investigator, at=NOW)
    found, site = SiteChecklist.objects.get(), Site.objects.get(code="01")
    found.ticks, site.green_light_date = {}, None

    with pytest.raises(IntegrityError, match="A signed checklist never changes"), transaction.atomic():
        found.save_by(None, "Try")
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        site.save_by(None, "Try")
    with pytest.raises(green_light.NotGreen, match="signed by both"):
        green_light.tick(site=trial.site, ticks={}, by=manager)


def test_an_investigator_sees_their_own_site_only_and_fills_in_nothing(client, trial):
    client.force_login(trial.investigator)

    assert "Keep the evidence" not in text_of(client.get("/green-light/01/"))
    assert client.get("/green-light/02/").status_code == 404
    assert client.post("/green-light/01/", EVIDENCE | {"do": "tick"}).status_code == 404
    assert "Exe Coast" not in text_of(client.get("/green-light/"))
