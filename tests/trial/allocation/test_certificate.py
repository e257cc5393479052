"""The certificate: every fact on one page, the arm only for who may see it, and otherwise a page that tells nothing."""

import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from randomisation.codes import certificate_code
from randomisation.models import Allocation, ArmAccessLog, Scheme
from randomisation.recording import record_next
from randomisation.requests import Member, UnitRequest
from tests.exports.builders import sentinel_changes
from tests.factories import NOW, Trial, site, staff
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.allocation import certificate
from trial.allocation.reads import arms_for_release, digest_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LABELS = ("Qqlabelone", "Qqlabeltwo")


@pytest.fixture
def trial():
    return Trial(changes=sentinel_changes()).open_randomisation()


def page_of(client, user, participant):
    client.force_login(user)
    return client.get(f"/people/{participant.study_id}/allocation/certificate/")


def words_of(response):
    (page,) = PdfReader(BytesIO(response.content)).pages
    return " ".join(page.extract_text().split())


def test_it_tells_who_when_where_what_was_confirmed_and_what_comes_next(client, trial):
    participant = trial.randomised()
    made = Allocation.objects.get()

    response = page_of(client, trial.coordinator, participant)

    words = words_of(response)
    assert participant.study_id in words
    assert "09 July 2026, 11:00:00, UTC+0100" in words
    for told in ("Number of the allocation 1", "Ruth Vane", "5 to 9", "trial-randomisation/1", "Hedgerow 0.1.0"):
        assert told in words
    assert "First session by 6 August 2026. Welcome call within 3 working days." in words
    assert certificate_code(made) in words.replace(" ", "")
    assert digest_of(made).upper() in words.replace(" ", "").upper()
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="allocation-{participant.study_id}.pdf"'
    assert "no-store" in response["Cache-Control"]


def test_the_arm_stands_on_it_for_who_may_see_it_and_the_showing_is_logged(client, trial):
    participant = trial.randomised()

    words = words_of(page_of(client, trial.coordinator, participant))

    assert sum(label in words for label in LABELS) == 1
    assert "Keep it from everybody who is blinded" in words
    assert ArmAccessLog.objects.get().reason == "Allocation certificate"
    kinds = AccessEvent.objects.filter(user=trial.coordinator, record__contains=participant.study_id)
    assert sorted(kinds.values_list("kind", flat=True)) == ["arm_viewed", "exported"]


def test_a_blinded_investigator_gets_one_without_the_arm(client, trial):
    participant = trial.randomised()
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)

    response = page_of(client, blinded, participant)

    assert not any(label.encode() in response.content for label in LABELS)
    assert "Allocated" in words_of(response)
    assert not ArmAccessLog.objects.exists()


@pytest.mark.parametrize("role", [Role.OUTCOME_ASSESSOR, Role.DATA_MANAGER, Role.ACTIVITY_LEADER])
def test_roles_that_need_none_get_none(client, trial, role):
    participant = trial.randomised()

    assert page_of(client, staff(role, trial.site), participant).status_code == 403


def test_somebody_of_another_site_finds_nobody(client, trial):
    participant = trial.randomised()
    other = staff(Role.COORDINATOR, site("02"))

    assert page_of(client, other, participant).status_code == 404


def test_two_people_who_differ_only_by_arm_get_the_same_page_without_it(client, trial):
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)
    people = [trial.randomised(total=8) for _ in range(6)]
    arms = arms_for_release(by=trial.randomiser, at=NOW, reason="Test")
    one = people[0]
    other = next(person for person in people if arms[person.pk] != arms[one.pk])

    pages = [(person, page_of(client, blinded, person).content) for person in (one, other)]

    assert len({len(content) for _, content in pages}) == 1
    assert len({without_what_is_keyed(person, content) for person, content in pages}) == 1


def without_what_is_keyed(person, content):
    """The bytes with number, sequence, code and digest, and the file's own id, taken out."""
    made = Allocation.objects.get(members__participant=person)
    code, digest = certificate_code(made), digest_of(made)
    text = content.decode("latin-1")
    for part in (person.study_id, spaced(code), spaced(digest[:32]), spaced(digest[32:])):
        assert part in text
        text = text.replace(part, "#")
    text = text.replace(f"({made.seq})", "(#)")
    return re.sub(r"<[0-9a-f]{32}>", "<#>", text)


def spaced(text):
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def test_somebody_who_was_not_randomised_has_none(client, trial):
    participant = trial.consented()

    assert "has not been randomised" in page_of(client, trial.coordinator, participant).content.decode()


def test_without_a_sealing_key_the_page_says_so(client, trial, settings):
    participant = trial.randomised()
    settings.SEALING_KEYS = []

    assert "sealing key is not available" in page_of(client, trial.coordinator, participant).content.decode()


def test_the_allocation_page_leads_to_it(client, trial):
    participant = trial.randomised()
    client.force_login(trial.coordinator)

    page = client.get(f"/people/{participant.study_id}/allocation/").content.decode()

    assert f'href="/people/{participant.study_id}/allocation/certificate/"' in page


def test_its_repr_tells_nothing(trial):
    participant = trial.randomised()

    made = certificate.certificate_for(
        participant=participant, allocation=Allocation.objects.get(), by=trial.coordinator, at=NOW
    )

    assert repr(made) == "<Certificate>"


def test_a_household_is_listed_with_everybody_in_it(client, trial):
    scheme = Scheme.objects.get()
    scheme.households = True
    scheme.save()
    one, other = trial.baseline_done(), trial.baseline_done()
    levels = dict(one.eligibility.strata)
    request = UnitRequest(
        unit="household-1",
        members=[Member(one.pk, levels), Member(other.pk, levels)],
        key="page-1",
        by=trial.randomiser,
        site="01",
        at=NOW,
        software_version="0.1.0",
    )
    record_next(Scheme.objects.get(), request, check=list)

    words = words_of(page_of(client, trial.coordinator, other))

    assert "2 people, allocated together" in words
    assert one.study_id in words
    assert other.study_id in words


def test_an_accented_or_long_name_of_a_site_fits_the_page(client, trial):
    participant = trial.randomised()
    here = trial.site
    here.name = "Gŵyl Tavyside and Moorland Community Hub with the Riverside Gardens and Allotments"
    here.save_by(None, "Renamed")

    assert "Riverside Gardens and Allotments" in words_of(page_of(client, trial.coordinator, participant))
