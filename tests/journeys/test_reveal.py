"""A small trial's randomisation from draft to reveal, through the pages, and its package in an empty folder."""

import json
import subprocess
import sys

import pytest
from django.core.cache import cache

from randomisation.models import DraftDocument, Proposal
from tests.factories import NOW, PASSWORD
from tests.trial.allocation.reports.builders import URL, Office

pytestmark = pytest.mark.django_db(transaction=True)
N_PEOPLE = 4


def post(office, who, url, **data):
    """Send a form; it must be taken, which leads on to another page."""
    answer = office.as_(who).post(url, data)
    assert answer.status_code == 302, f"{url}: {answer.content.decode()[-3000:]}"


def approve(office, kind, *people):
    """Each signs the newest request of a kind with the password."""
    asked = Proposal.objects.filter(kind=kind).latest("pk")
    for who in people:
        post(office, who, f"/randomisation/requests/{asked.pk}/approve/", note="Agreed", secret=PASSWORD)
    asked.refresh_from_db()
    assert asked.state == Proposal.State.DONE


def verify(folder):
    """The verifier in a process of its own, without site packages and without anything of this folder's parents."""
    command = [sys.executable, "-I", "hedgerow-verify.pyz", "package.json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_trial_goes_from_draft_to_reveal_and_anybody_can_verify_it(clock, tmp_path):
    cache.clear()
    office = Office()
    office.draft()

    post(office, "manager", f"{URL}acceptance/run/")
    test = DraftDocument.objects.get(kind="acceptance")
    post(office, "statistician", f"/randomisation/acceptance/{test.pk}/sign/", secret=PASSWORD)
    post(office, "manager", f"{URL}lock/", reason="Ready")
    approve(office, "lock", "second", "sponsor")
    post(office, "manager", f"{URL}open/", checks=["published", "green_light"])
    for _ in range(N_PEOPLE):
        office.trial.randomised(at=NOW)
    post(office, "manager", f"{URL}close/", reason="Target reached")
    approve(office, "close", "sponsor")
    post(office, "statistician", f"{URL}reveal/ask/", analysis="Master file 11.2", reason="Signed off")
    approve(office, "reveal", "second", "sponsor")
    package = office.as_("statistician").post(f"{URL}reveal/package/").content
    verifier = office.as_("statistician").get("/randomisation/hedgerow-verify.pyz").content

    (tmp_path / "hedgerow-verify.pyz").write_bytes(verifier)
    (tmp_path / "package.json").write_bytes(package)
    honest = verify(tmp_path)
    assert (honest.returncode, honest.stderr) == (0, "")
    assert f"All {N_PEOPLE} allocations agree." in honest.stdout

    for altered in _one_byte_altered(package):
        (tmp_path / "package.json").write_bytes(altered)
        assert verify(tmp_path).returncode == 1


def _one_byte_altered(package):
    """One digit of the secret, and one letter of the log: each a package of the same length."""
    read = json.loads(package)
    secret = read["revisions"][0]["secret"]
    digit = b"0" if secret[0] != "0" else b"1"
    place = package.index(secret.encode())
    yield package[:place] + digit + package[place + 1 :]
    place = package.index(b'\\"site\\":\\"01\\"') + len(b'\\"site\\":\\"0')
    yield package[:place] + b"2" + package[place + 1 :]
