"""The reveal: its conditions, two approvals, the package, and what blinded roles do not get."""

import json
import stat

import pytest
from django.core.management import CommandError, call_command

from randomisation import proposals
from randomisation.models import Allocation, ArmAccessLog
from tests.factories import NOW
from tests.trial.allocation.reports.builders import URL, Office
from trial.access.models import AccessEvent
from trial.allocation.errors import AllocationRefused
from trial.allocation.reports import reveal
from trial.base import triggers

pytestmark = pytest.mark.django_db
REVEAL = f"{URL}reveal/"


@pytest.fixture
def office(clock):
    return Office()


def ask(office, **more):
    data = {"analysis": "Master file 11.2, version 1.0", "reason": "Analysis signed off"} | more
    return office.as_("statistician").post(f"{REVEAL}ask/", data, follow=True)


def test_before_the_end_the_page_says_what_is_lacking(office):
    office.trial.open_randomisation()

    page = office.as_("statistician").get(REVEAL).content.decode()
    answer = ask(office).content.decode()

    assert "Revision 1 is closed" in page
    assert "Ask for the reveal" not in page
    assert "It cannot be asked for yet" in answer
    assert "Master file 11.2" in answer
    assert not office.scheme.proposals.filter(kind=proposals.REVEAL).exists()


def test_it_is_asked_for_once_and_waits_for_two_others(office):
    office.finished()

    page = ask(office).content.decode()
    again = ask(office).content.decode()

    assert "Two others must approve" in page
    assert "has been asked for already" in again
    assert office.scheme.state == "closed"


def test_the_analysis_and_the_reason_must_be_named(office):
    office.finished()

    page = ask(office, analysis="", reason="").content.decode()

    assert "Enter where the signed-off analysis is" in page
    assert "Enter the reason" in page


def test_closing_alone_is_not_enough(office):
    office.trial.open_randomisation()
    from randomisation.states import close_scheme

    close_scheme(scheme=office.scheme, reason="End", by=office.manager, at=NOW)

    with pytest.raises(AllocationRefused, match="closed by two people"):
        reveal.ask(scheme=office.scheme, analysis="A", reason="B", by=office.statistician, at=NOW)


def test_the_package_is_downloaded_and_each_download_is_logged(office):
    office.revealed()

    answer = office.as_("statistician").post(f"{REVEAL}package/")

    package = json.loads(answer.content)
    assert [one["seq"] for one in package["allocations"]] == [1, 2, 3]
    assert len(package["revisions"][0]["secret"]) == 64
    assert ArmAccessLog.objects.latest("pk").reason == "Package of the reveal"
    assert AccessEvent.objects.latest("pk").record == "Package of scheme main"


def test_before_the_reveal_there_is_no_package_and_no_report(office):
    office.finished()

    answer = office.as_("statistician").post(f"{REVEAL}package/", follow=True)

    assert "The scheme is not revealed" in answer.content.decode()
    assert office.as_("statistician").get(f"{REVEAL}verification.pdf").status_code == 404
    with pytest.raises(AllocationRefused, match="not revealed"):
        reveal.verification(office.scheme)


def test_after_the_reveal_the_page_verifies_and_offers_the_verifier(office):
    office.revealed()

    page = office.as_("sponsor").get(REVEAL).content.decode()
    verifier = office.as_("sponsor").get("/randomisation/hedgerow-verify.pyz")
    report = office.as_("sponsor").get(f"{REVEAL}verification.pdf")

    assert "All 3 allocations agree" in page
    assert verifier.content.startswith(b"#!/usr/bin/env python3")
    assert report.content.startswith(b"%PDF")
    assert report.content == office.as_("sponsor").get(f"{REVEAL}verification.pdf").content


def test_an_altered_log_shows_as_a_difference_without_any_arm(office):
    scheme = office.revealed()
    from django.db import connection

    entry = scheme.events.filter(event="allocate").first()
    with triggers.lifted(connection):
        type(entry).objects.filter(pk=entry.pk).update(entry=entry.entry.replace('"position":1', '"position":2'))

    page = office.as_("statistician").get(REVEAL).content.decode()

    assert "Allocations differ" in page


def test_an_altered_allocation_cannot_be_opened_and_the_page_says_so(office):
    scheme = office.revealed()
    from django.db import connection

    with triggers.lifted(connection):
        Allocation.objects.filter(scheme=scheme, seq=1).update(arm_sealed="gAAAAA")

    page = office.as_("statistician").get(REVEAL).content.decode()
    package = office.as_("statistician").post(f"{REVEAL}package/", follow=True).content.decode()
    report = office.as_("statistician").get(f"{REVEAL}verification.pdf", follow=True).content.decode()

    for text in (page, package, report):
        assert "A sealed value failed its check" in text


@pytest.mark.parametrize("who", ["manager", "monitor"])
def test_others_see_nothing_of_it(office, who):
    office.revealed()

    assert office.as_(who).get(REVEAL).status_code == 403
    assert office.as_(who).post(f"{REVEAL}package/").status_code == 403
    assert office.as_(who).get("/randomisation/hedgerow-verify.pyz").status_code == 403


def test_the_command_writes_a_file_for_its_owner_only(office, tmp_path, capsys):
    office.revealed()
    file = tmp_path / "package.json"

    call_command("reveal_package", str(file), by=office.statistician.email)

    package = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert package["revisions"][0]["secret"] not in capsys.readouterr().out


def test_the_command_leaves_no_file_when_it_is_refused(office, tmp_path):
    office.finished()
    file, there = tmp_path / "package.json", tmp_path / "there.json"
    there.write_text("mine")

    with pytest.raises(CommandError, match="not revealed"):
        call_command("reveal_package", str(file), by=office.statistician.email)
    with pytest.raises(CommandError, match="may not do this"):
        call_command("reveal_package", str(file), by=office.manager.email)
    with pytest.raises(CommandError, match="exists already"):
        call_command("reveal_package", str(there), by=office.statistician.email)
    with pytest.raises(CommandError, match="no scheme nothing"):
        call_command("reveal_package", str(file), by=office.statistician.email, scheme="nothing")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("reveal_package", str(tmp_path / "no" / "folder.json"), by=office.statistician.email)

    assert not file.exists()
    assert there.read_text() == "mine"
