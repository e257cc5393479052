"""The inspection pack: complete, the same bytes twice, no arm, and no more than its reader may see."""

import csv
import hashlib
import io
import json
import zipfile

import pytest

from randomisation import proposals
from tests.factories import NOW, site, staff
from tests.trial.allocation.reports.builders import URL, Office
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.allocation import actions
from trial.allocation.reads import show_arm

pytestmark = pytest.mark.django_db
FILES = {
    "README.txt",
    "SHA256SUMS",
    "allocations.csv",
    "arm-access.csv",
    "certificates/revision-1.txt",
    "delegation.csv",
    "envelopes.csv",
    "events.csv",
    "exceptions.csv",
    "parameters/revision-1.json",
    "recruitment.csv",
    "statement.txt",
    "unblinding.csv",
}


@pytest.fixture
def office(clock):
    return Office()


def pack_of(office, who):
    answer = office.as_(who).post(f"{URL}inspection/pack/")
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return {name: archive.read(name) for name in archive.namelist()}


def rows_of(pack, name):
    return list(csv.DictReader(io.StringIO(pack[name].decode("utf-8"))))


def busy(office):
    """Two people, of whom one is marked, one code broken, one arm looked at and one leaked."""
    office.trial.open_randomisation()
    first, second = office.trial.randomised(), office.trial.randomised()
    allocations = list(office.scheme.allocations.order_by("seq"))
    office.step(
        proposals.FLAG,
        {"category": "ineligible", "excludes": False},
        by=office.manager,
        approvers=[office.sponsor],
        allocation=allocations[0],
        site=allocations[0].site,
    )
    facts = {"category": "emergency", "who_knows": "The sunny allotment nurse"}
    office.step(proposals.CODE_BREAK, facts, by=office.manager, approvers=[office.sponsor], allocation=allocations[1])
    show_arm(participant=first, by=office.manager, at=NOW)
    actions.report_unblinding(
        participant=second,
        person=office.monitor,
        kind="accidental",
        route="Heard of the sunny allotment",
        happened_date=NOW.date(),
        by=office.manager,
        at=NOW,
    )
    return first, second


def test_it_holds_every_part_and_their_digests(office):
    busy(office)

    pack = pack_of(office, "manager")

    assert set(pack) == FILES
    sums = dict(line.split("  ")[::-1] for line in pack["SHA256SUMS"].decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in pack.items() if name != "SHA256SUMS"}
    assert [row["seq"] for row in rows_of(pack, "allocations.csv")] == ["1", "2"]
    kinds = [row["kind"] for row in rows_of(pack, "exceptions.csv")]
    assert kinds == ["Lock the revision", "Mark an allocation", "Break the code"]
    assert {row["kind"] for row in rows_of(pack, "unblinding.csv")} == {"code break", "blinding event"}
    assert rows_of(pack, "arm-access.csv")[0]["why"] == "Allocation page"
    assert AccessEvent.objects.latest("pk").record == "Inspection pack of main"


def test_the_same_records_give_the_same_bytes(office):
    busy(office)

    first, again = (office.as_("sponsor").post(f"{URL}inspection/pack/").content for _ in range(2))

    assert first == again


@pytest.mark.parametrize("who", ["manager", "monitor", "sponsor", "statistician"])
def test_no_file_tells_an_arm_or_a_restricted_parameter(office, who):
    busy(office)

    pack = pack_of(office, who)

    told = {
        name: data.decode("utf-8") for name, data in pack.items() if not name.startswith(("param", "cert", "state"))
    }
    for arm in office.trial.spec.arms:
        assert not [name for name, text in told.items() if arm.code in text or arm.label in text]
    assert not [name for name, data in pack.items() if b"block_sizes" in data]


def test_blinded_readers_get_digests_and_nothing_that_was_typed(office):
    busy(office)

    pack = pack_of(office, "monitor")

    log = rows_of(pack, "events.csv")
    assert all(row["digest"] and not row["entry"] for row in log)
    assert b"sunny allotment" not in b"".join(pack.values())
    assert all(row["reason"] == "" for row in rows_of(pack, "exceptions.csv"))


def test_the_log_of_an_unblinded_reader_can_be_chained_again(office):
    busy(office)

    rows = rows_of(pack_of(office, "manager"), "events.csv")

    digest = office.scheme.revisions.get().commitment
    for row in rows:
        digest = hashlib.sha256(bytes.fromhex(digest) + row["entry"].encode()).hexdigest()
        assert (digest, json.loads(row["entry"])["n"]) == (row["digest"], int(row["n"]))


def test_participant_numbers_stand_only_where_their_reader_may_see_them(office):
    first, _ = busy(office)

    seen = rows_of(pack_of(office, "manager"), "allocations.csv")[0]["participants"]
    hidden = rows_of(pack_of(office, "sponsor"), "allocations.csv")[0]["participants"]

    assert seen == first.study_id
    assert hidden == ""


def test_exceptions_of_other_sites_are_not_in_the_pack_of_a_monitor(office):
    busy(office)
    office.elsewhere = staff(Role.MONITOR, site("02"), name="Other monitor", blinded=True)

    own, other = pack_of(office, "monitor"), pack_of(office, "elsewhere")

    assert {row["site"] for row in rows_of(own, "exceptions.csv")} == {"", "01"}
    assert {row["site"] for row in rows_of(other, "exceptions.csv")} == {""}
    assert rows_of(other, "unblinding.csv") == []


def test_after_the_reveal_the_verification_is_in_it(office):
    office.revealed(n_people=1)

    assert "verification.pdf" in pack_of(office, "sponsor")


def test_a_signed_acceptance_test_is_in_it(office):
    revision = office.draft()
    test = office.tested(revision)
    from trial.allocation import schemes

    schemes.sign_acceptance_test(document=test, by=office.statistician, at=NOW)
    office.step(proposals.LOCK, {"revision": 1}, by=office.manager, approvers=[office.second, office.sponsor])

    assert f"acceptance/revision-1-test-{test.pk}.pdf" in pack_of(office, "manager")


def test_the_page_says_what_it_holds(office):
    office.trial.open_randomisation()

    assert "Every decryption" in office.as_("monitor").get(f"{URL}inspection/").content.decode()
    assert office.as_("monitor").get("/randomisation/schemes/nothing/inspection/").status_code == 404
