"""Pages of the acceptance test: who runs it, who signs it, what the report tells whom."""

import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from randomisation import proposals
from randomisation.models import AcceptanceSignature, DraftDocument, Scheme, State
from randomisation.simulation import Candidate, Population, candidate, simulate
from tests.factories import NOW, PASSWORD
from tests.trial.allocation.reports.builders import LONG_AGO, URL, Office
from trial.access.models import Signature
from trial.allocation import schemes
from trial.allocation.acceptance import jobs
from trial.allocation.acceptance.jobs import Progress
from trial.allocation.errors import AllocationRefused
from trial.protocol.versions import restricted_parameters

pytestmark = pytest.mark.django_db
ACCEPTANCE = f"{URL}acceptance/"


@pytest.fixture
def office(clock):
    cache.clear()
    return Office()


def url_of(document, end=""):
    return f"/randomisation/acceptance/{document.pk}/{end}"


def text_of(response):
    """The words of a PDF."""
    import pypdf

    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(response.content)).pages)


def test_the_manager_runs_it_and_it_is_kept_sealed(office):
    revision = office.draft()

    answer = office.as_("manager").post(f"{ACCEPTANCE}run/", follow=True)

    kept = DraftDocument.objects.get(kind="acceptance")
    assert (kept.revision_id, kept.by, kept.n_failed) == (revision.pk, office.manager, 0)
    assert kept.n_passed >= 35
    assert f"Test {kept.pk}" in answer.content.decode()
    assert "E_TARGET" not in kept.document_sealed
    assert jobs.progress_of(revision) is None


def test_a_design_that_is_not_simulated_cannot_be_tested(office):
    version = office.trial.version
    restricted = restricted_parameters(version)
    revision = schemes.configure(spec=version.spec, restricted=restricted, by=office.statistician, at=NOW)

    page = office.as_("manager").get(ACCEPTANCE).content.decode()
    answer = office.as_("manager").post(f"{ACCEPTANCE}run/", follow=True)

    assert "must be simulated before" in page
    assert "Run the acceptance test" not in page
    assert "Only a design that is simulated" in answer.content.decode()
    assert not revision.documents.exists()


def test_a_test_on_its_way_is_not_started_twice_and_shows_how_far_it_is(office):
    revision = office.draft()
    cache.set(f"acceptance-test-{revision.pk}", Progress(jobs.RUNNING, NOW, 10, 40))

    office.as_("manager").post(f"{ACCEPTANCE}run/")
    answer = office.as_("monitor").get(ACCEPTANCE)

    assert not revision.documents.filter(kind="acceptance").exists()
    assert "25% done" in answer.content.decode()
    assert answer.headers["Refresh"] == "3"


def test_a_worker_that_died_does_not_stop_the_next_run(office):
    revision = office.draft()
    cache.set(f"acceptance-test-{revision.pk}", Progress(jobs.RUNNING, NOW - timedelta(minutes=11), 10, 40))

    page = office.as_("manager").get(ACCEPTANCE).content.decode()

    assert "Run the acceptance test" in page


def test_why_it_was_not_run_stands_on_the_page(office):
    revision = office.draft()
    cache.set(f"acceptance-test-{revision.pk}", Progress(jobs.FAILED, NOW, error="It did not come to its end."))

    page = office.as_("manager").get(ACCEPTANCE).content.decode()

    assert "It did not come to its end." in page


def test_a_design_that_changed_meanwhile_keeps_no_test(office):
    revision = office.draft()
    revision.configured_at = LONG_AGO - timedelta(days=1)

    def reconfigure(done, total):
        type(revision).objects.filter(pk=revision.pk).update(configured_at=NOW)

    with pytest.raises(AllocationRefused, match="changed while it was tested"):
        jobs.perform(revision=revision, by=office.manager, at=NOW, progress=reconfigure)


def test_the_statistician_signs_with_the_password(office):
    test = office.tested(office.draft())

    answer = office.as_("statistician").post(url_of(test, "sign/"), {"secret": PASSWORD}, follow=True)

    assert "The design can be locked" in answer.content.decode()
    assert AcceptanceSignature.objects.get().by == office.statistician
    assert office.scheme.draft.state == State.TESTED
    assert Signature.objects.get(record=f"randomisation_draftdocument:{test.pk}").signer == office.statistician


def test_a_wrong_password_signs_nothing_and_keeps_what_was_typed(office):
    test = office.tested(office.draft(), failed=1)
    typed = {"secret": "wrong", "deviations": "X00 is a known limit"}

    page = office.as_("statistician").post(url_of(test, "sign/"), typed).content.decode()

    assert "Enter your own password" in page
    assert "X00 is a known limit" in page
    assert not AcceptanceSignature.objects.exists()


def test_failed_cases_need_a_decision(office):
    test = office.tested(office.draft(), failed=2)

    page = office.as_("statistician").post(url_of(test, "sign/"), {"secret": PASSWORD}).content.decode()

    assert "Enter the decision on each failed case" in page
    assert not AcceptanceSignature.objects.exists()


def test_whoever_ran_it_cannot_sign_it_nor_a_role_that_may_not(office):
    test = office.tested(office.draft())

    assert office.as_("manager").get(url_of(test, "sign/")).status_code == 403
    assert office.as_("monitor").get(url_of(test, "sign/")).status_code == 403
    assert office.as_("monitor").post(f"{ACCEPTANCE}run/").status_code == 403


def test_only_the_newest_test_can_be_signed(office):
    revision = office.draft()
    first = office.tested(revision)
    office.tested(revision)

    assert office.as_("statistician").get(url_of(first, "sign/")).status_code == 404


def test_a_decision_typed_freely_is_not_shown_to_the_blinded(office):
    test = office.tested(office.draft(), failed=1)
    data = {"secret": PASSWORD, "deviations": "The sunny allotment"}
    office.as_("statistician").post(url_of(test, "sign/"), data)

    blinded = office.as_("monitor").get(url_of(test)).content.decode()
    unblinded = office.as_("manager").get(url_of(test)).content.decode()

    assert "sunny allotment" not in blinded
    assert "sunny allotment" in unblinded
    assert "sunny allotment" not in text_of(office.as_("monitor").get(url_of(test, "report.pdf")))


def test_the_public_report_has_its_parts_and_no_restricted_parameter(office):
    test = office.tested(office.draft())

    words = text_of(office.as_("monitor").get(url_of(test, "report.pdf")))

    for part in ("Requirements and their cases", "Published test vectors", "Simulation", "Initials", "Signatures"):
        assert part in words
    assert "TEST. Every case ran with a test secret" in words
    assert "block_sizes" not in words
    assert "There is no commitment" in words or "there is no commitment" in words


def test_the_restricted_report_is_for_those_who_may_see_it(office):
    design: Candidate = candidate(
        "Own design", {"arms": ["a", "b"], "ratio": [1, 1], "method": "simple", "factors": []}
    )
    people = Population.of({"site": {"01": 1}})
    compared = simulate([design], population=people, target=10, n_trials=20)
    test = office.tested(office.draft(simulation=compared.as_json()))

    words = text_of(office.as_("statistician").get(url_of(test, "restricted.pdf")))

    assert "block_sizes" in words
    assert "Own design" in words
    assert "20 simulated trials of 10 people" in words
    assert office.as_("manager").get(url_of(test, "restricted.pdf")).status_code == 403


def test_the_report_tells_the_commitment_once_locked_and_has_fixed_bytes(office):
    revision = office.draft()
    test = office.tested(revision)
    schemes.sign_acceptance_test(document=test, by=office.statistician, at=NOW)
    office.step(proposals.LOCK, {"revision": 1}, by=office.manager, approvers=[office.second, office.sponsor])
    revision.refresh_from_db()

    first, again = (office.as_("monitor").get(url_of(test, "report.pdf")) for _ in range(2))

    assert revision.commitment in "".join(text_of(first).split())
    assert first.content == again.content


def test_a_test_of_an_earlier_design_shows_no_cases(office):
    revision = office.draft()
    test = office.tested(revision)
    version = office.trial.version
    schemes.configure(
        spec=version.spec, restricted=restricted_parameters(version), by=office.statistician, at=NOW, reason="Again"
    )

    page = office.as_("statistician").get(url_of(test)).content.decode()

    assert "The design was configured again" in page
    assert office.as_("statistician").get(url_of(test, "report.pdf")).status_code == 404
    assert office.as_("statistician").get(url_of(test, "sign/")).status_code == 404


def test_an_unknown_scheme_or_test_is_not_found(office):
    assert office.as_("manager").get("/randomisation/schemes/nothing/acceptance/").status_code == 404
    assert office.as_("manager").post("/randomisation/schemes/nothing/acceptance/run/").status_code == 404
    assert office.as_("manager").get("/randomisation/acceptance/987654/").status_code == 404


def test_without_a_draft_there_is_nothing_to_run(office):
    office.trial.open_randomisation()

    answer = office.as_("manager").post(f"{ACCEPTANCE}run/", follow=True)

    assert "no design in preparation" in answer.content.decode()


def test_the_command_runs_it_by_somebody_who_may(office, capsys):
    office.draft()

    call_command("acceptance_test", by=office.manager.email)

    told = capsys.readouterr().out
    assert "A01 pass" in told
    assert "A statistician must sign" in told
    assert DraftDocument.objects.get(kind="acceptance").by == office.manager


def test_the_command_refuses_others_and_says_when_nothing_is_in_preparation(office):
    with pytest.raises(CommandError, match="may not do this"):
        call_command("acceptance_test", by=office.statistician.email)
    with pytest.raises(CommandError, match="in preparation"):
        call_command("acceptance_test", by=office.manager.email)

    assert not Scheme.objects.exists()
