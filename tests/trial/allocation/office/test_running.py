"""A scheme that runs: pause, sites, leak, growth, log, balance, first check, late allocations (randomisation.md 9, 10)."""

import hashlib
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client

from randomisation import codes, high_water, proposals, states
from randomisation.models import ArmAccessLog, EventLog, Proposal, Revision, SealedRow
from randomisation.unsealed import unseal
from tests.factories import NOW, PASSWORD
from tests.trial.allocation.office.test_life import DRAFT, base
from trial.access.signing import reauthenticate
from trial.allocation.models import FirstCheck
from trial.allocation.office import deciding
from trial.base import triggers
from trial.participants.models import Participant

ARMS = ("nature", "indoor", "Nature group", "Indoor group")


def post(office, who, where, **data):
    return office.as_(who).post(f"{base(office)}{where}", data, follow=True)


# -- sites and leak


def test_an_investigator_pauses_their_own_site_at_once(running):
    page = post(running, "investigator", "sites/01/", state="paused", reason="Staff away").content.decode()

    assert "Randomisation at Tamar Vale is paused" in page
    assert running.scheme.sites.get(site="01").state == "paused"


def test_an_investigator_opens_no_site_and_reaches_no_other(running):
    post(running, "investigator", "sites/01/", state="paused", reason="Staff away")

    page = post(running, "investigator", "sites/01/", state="open", reason="Back").content.decode()

    assert "Select what should happen" in page
    assert "Back" in page
    assert running.as_("investigator").get(f"{base(running)}sites/02/").status_code == 404
    assert running.as_("coordinator").get(f"{base(running)}sites/01/").status_code == 403


def test_a_pause_needs_a_reason(running):
    page = post(running, "manager", "pause/", reason=" ").content.decode()

    assert "Enter the reason" in page
    assert running.scheme.state == "open"


def test_people_who_wait_are_listed_for_their_own_site_while_paused(running):
    waits = running.trial.baseline_done()
    before = running.as_("coordinator").get(base(running)).content.decode()

    post(running, "manager", "pause/", reason="Heat")

    page = running.as_("coordinator").get(base(running)).content.decode()
    assert "Consented and waiting" not in before
    assert waits.study_id in page


def test_a_suspected_leak_stops_everything_and_says_what_follows(running):
    shown = running.as_("manager").get("/randomisation/leak/").content.decode()

    page = running.as_("manager").post("/randomisation/leak/", {"reason": "List seen"}, follow=True).content.decode()
    again = running.as_("manager").post("/randomisation/leak/", {"reason": "List seen"}).content.decode()

    assert "rotates the sealing key" in shown
    assert "Now rotate the sealing key" in page
    assert running.scheme.state == "paused"
    assert EventLog.objects.get(event="pause").facts["reason"] == "Suspected leak: List seen"
    assert "No scheme is open" in again


# -- growth


@pytest.mark.parametrize(
    ("where", "data", "kind", "facts"),
    [
        ("extend/", {"rows_per_stratum": "400"}, "extend", {"rows_per_stratum": 400}),
        ("level/", {"factor": "site", "level": " 04 "}, "add_level", {"factor": "site", "level": "04"}),
        ("ceiling/", {"site": "all", "ceiling": "200"}, "raise_ceiling", {"ceiling": 200}),
        ("ceiling/", {"site": "01", "ceiling": "200"}, "raise_ceiling", {"ceiling": 200, "site": "01"}),
        ("close/", {}, "close", {}),
    ],
)
def test_a_step_is_asked_for_and_waits(running, where, data, kind, facts):
    page = post(running, "manager", where, reason="More people come", **data).content.decode()
    again = post(running, "manager", where, reason="More people come", **data).content.decode()

    asked = Proposal.objects.get(kind=kind)
    assert "Asked" in page
    assert (asked.facts, asked.state, asked.reason) == (facts, "asked", "More people come")
    assert "waits for approval" in again


@pytest.mark.parametrize(
    ("where", "data", "words"),
    [
        ("extend/", {"rows_per_stratum": "x"}, "must be a number"),
        ("extend/", {"rows_per_stratum": "20000"}, "between 1 and 10000"),
        ("level/", {"factor": "moon", "level": "04"}, "Select"),
        ("ceiling/", {"site": "99", "ceiling": "5"}, "Select"),
        ("ceiling/", {"site": "all", "ceiling": ""}, "Enter the new highest number"),
    ],
)
def test_bad_growth_is_told_and_kept(running, where, data, words):
    page = post(running, "manager", where, reason="More people come", **data).content.decode()

    assert words in page
    assert "More people come" in page


def test_a_reopening_says_what_is_missing(running):
    level = post(running, "manager", "reopen/", reason="Restored").content.decode()
    running.trial.randomised()
    high_water.advance(running.scheme, high_water.Mark(999, 4, "00" * 32))

    shown = running.as_("manager").get(f"{base(running)}reopen/").content.decode()
    page = post(running, "manager", "reopen/", reason="Restored").content.decode()

    assert "level with its high-water mark" in level
    assert "3. Enter each from its certificate" in shown or "4. Enter each from its certificate" in shown
    assert "missing from the database" in page


# -- log and checks


def test_the_log_hides_from_recruiters_what_helps_to_guess(running):
    running.trial.randomised()

    recruiter = running.as_("coordinator").get(f"{base(running)}log/").content.decode()
    statistician = running.as_("statistician").get(f"{base(running)}log/").content.decode()

    assert "Allocation 1" in recruiter
    assert not any(words in recruiter for words in ("Stratum", "Position", "Levels", *ARMS))
    assert all(words in statistician for words in ("Stratum", "Position", "Levels"))
    assert not any(arm in statistician for arm in ARMS)


def test_blinded_overseers_read_no_reason(running):
    post(running, "manager", "pause/", reason="Told at the allotment")

    assert "Told at the allotment" not in running.as_("monitor").get(f"{base(running)}log/").content.decode()
    assert "Told at the allotment" in running.as_("chief").get(f"{base(running)}log/").content.decode()


def test_the_log_as_csv_is_the_same(running):
    running.trial.randomised()

    answer = running.as_("coordinator").get(f"{base(running)}log/?format=csv")

    text = answer.content.decode()
    assert "Allocated" in text
    assert "Stratum" not in text
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_check_says_that_all_is_well(running):
    running.trial.randomised()

    page = post(running, "manager", "log/check/").content.decode()

    assert "The log is whole" in page


def test_the_check_counts_what_differs(running):
    running.trial.randomised()

    with triggers.lifted(connections["default"]):
        SealedRow.objects.filter(position=2).delete()

    page = post(running, "statistician", "log/check/").content.decode()

    assert "rows or allocations differ" in page
    assert not any(arm in page for arm in ARMS)


# -- accrual, balance, first check


def test_accrual_counts_people_by_site_and_month(running):
    running.trial.randomised()

    page = running.as_("coordinator").get(f"{base(running)}accrual/").content.decode()
    text = running.as_("coordinator").get(f"{base(running)}accrual/?format=csv").content.decode("utf-8-sig")

    assert "Jul 2026" in page
    assert text.splitlines() == [
        "Site,Jul 2026,Total",
        "01 Tamar Vale,1,1",
        "02 Exe Coast,0,0",
        "03 Moorside,0,0",
        "All sites,1,1",
    ]


def test_every_look_at_the_balance_is_logged(running):
    running.trial.randomised()
    before = ArmAccessLog.objects.count()

    page = running.as_("statistician").get(f"{base(running)}balance/").content.decode()
    paper = running.as_("statistician").get(f"{base(running)}balance.pdf")

    assert all(words in page for words in ("Nature group", "By stratum", "By site", "Imbalance"))
    assert paper.content.startswith(b"%PDF")
    assert ArmAccessLog.objects.count() == before + 2
    assert ArmAccessLog.objects.filter(reason="Balance report", by=running.statistician).count() == 2


def test_no_arm_on_the_pages_of_whoever_may_not_see_the_balance(running):
    running.trial.randomised()

    for who in ("coordinator", "manager", "chief", "sponsor", "monitor"):
        for where in ("", "accrual/", "revisions/1/"):
            page = running.as_(who).get(f"{base(running)}{where}").content.decode()
            assert "Imbalance" not in page
            assert "block" not in page.replace("Permuted blocks", "").partition("<main")[2]


def test_the_first_check_is_due_and_then_recorded(running):
    for _ in range(5):
        running.trial.randomised()
    due = running.as_("statistician").get("/randomisation/").content.decode()

    page = post(running, "statistician", "first-allocations/", site="all", plausible="yes", note="").content.decode()
    post(running, "statistician", "first-allocations/", site="01", plausible="yes", note="")

    after = running.as_("statistician").get("/randomisation/").content.decode()
    assert "Check the first allocations" in due
    assert "5 allocations replayed, 0 differ" in page
    assert [(one.site, one.n_checked) for one in FirstCheck.objects.order_by("pk")] == [("", 5), ("01", 5)]
    assert "Check the first allocations" not in after


def test_trouble_found_by_the_first_check_must_be_explained(running):
    running.trial.randomised()

    page = post(running, "statistician", "first-allocations/", site="all", plausible="no", note="").content.decode()
    nobody = post(running, "statistician", "first-allocations/", site="02", plausible="yes", note="").content.decode()

    assert "Say in the note what does not look as expected" in page
    assert "Select which allocations" in nobody
    assert not FirstCheck.objects.exists()


# -- certificate


def test_the_lock_certificate_tells_no_block_size_and_no_secret(running):
    answer = running.as_("coordinator").get(f"{base(running)}revisions/1/certificate.pdf")

    assert answer.content.startswith(b"%PDF")
    page = running.as_("coordinator").get(f"{base(running)}revisions/1/").content.decode()
    assert "block_sizes" not in page
    assert "First approver" in page


# -- an allocation that the database learns of later


def test_an_approved_recovery_moves_status_visits_and_tasks(running):
    person = running.trial.baseline_done()
    scheme = running.scheme
    levels = person.eligibility.strata
    newest = scheme.events.order_by("-n").first()
    high_water.advance(scheme, high_water.Mark(newest.n, 0, newest.digest))
    high_water.advance(scheme, high_water.Mark(999, 1, "00" * 32))
    revision = Revision.objects.get()
    unsealed = unseal(revision)
    key = ";".join(f"{f.code}={levels[f.code]}" for f in unsealed.parameters.factors)
    arm = unsealed.list_arms(purpose="list", key=key, n_rows=1)[0]
    code = codes.expected_certificate_code(unsealed, unit=person.study_id, seq=1, arm=arm)
    states.pause_scheme(scheme=scheme, reason="high-water mark", by=running.manager, at=NOW)
    asked = proposals.ask(
        scheme=scheme,
        kind=proposals.RECOVERED,
        facts={
            "unit": person.study_id,
            "members": [{"participant_id": person.pk, "levels": levels}],
            "key": uuid.uuid4().hex,
            "site": "01",
            "made_at": NOW.isoformat(),
            "software_version": "0.1.0",
            "code": code,
        },
        reason="Lost with the restore",
        by=running.manager,
        at=NOW,
        site="01",
    )

    deciding.approve(
        proposal=asked,
        note="",
        proof=reauthenticate(user=running.sponsor, secret=PASSWORD, at=NOW),
        by=running.sponsor,
        at=NOW,
    )

    person = Participant.objects.get(pk=person.pk)
    assert person.referral.status == "RANDOMISED"
    assert person.randomised_date == NOW.date()
    assert person.visits.filter(code="V3").exists()
    assert person.referral.tasks.filter(kind="choose_group").exists()


# -- a list made elsewhere

HEAD = "stratum_key,position,arm\n"


def listed(spec, n=8, salt=True):
    arms = [arm.code for arm in spec.arms]
    site, band = spec.randomisation.factors
    lines = ["# salt: " + "ab" * 32 + "\n"] if salt else []
    lines.append(HEAD)
    for one in site.levels:
        for two in band.levels:
            for position in range(1, n + 1):
                arm = arms[(position + (position // 3)) % 2]
                lines.append(f"{site.code}={one.code};{band.code}={two.code},{position},{arm}\n")
    return "".join(lines).encode()


def upload(office, data, sha256=None, **changes):
    form = DRAFT | {"rows_per_stratum": "8", "file_sha256": sha256 or hashlib.sha256(data).hexdigest()} | changes
    form["file"] = SimpleUploadedFile("list.csv", data)
    return office.as_("statistician").post(f"{base(office)}configure/?method=import", form, follow=True)


def test_a_list_is_taken_and_its_digest_shown(office):
    data = listed(office.trial.spec)

    page = upload(office, data).content.decode()

    assert "The draft is saved" in page
    assert "List in the draft" in page
    assert Revision.objects.get().params_public["method"] == "import"


def test_every_defect_of_a_list_is_shown_by_line_with_the_computed_digest(office):
    data = listed(office.trial.spec).replace(b",2,", b",3,", 1).replace(b"site=02", b"site=99", 1)

    page = upload(office, data).content.decode()

    digest = hashlib.sha256(data).hexdigest()
    assert "What is wrong with the list" in page
    assert page.count("app-lines__lead") >= 2
    assert digest[:4] in page
    assert not Revision.objects.exists()
    assert not any(f">{arm.code}<" in page for arm in office.trial.spec.arms)


def test_another_digest_by_the_other_route_refuses_the_list(office):
    page = upload(office, listed(office.trial.spec), sha256="ab" * 32).content.decode()

    assert "not the one whose SHA-256" in page
    assert not Revision.objects.exists()


def test_a_list_that_is_too_large_or_missing_is_refused(office):
    large = upload(office, b"x" * (2 * 1024 * 1024 + 1)).content.decode()
    huge = upload(office, b"x" * (6 * 1024 * 1024)).content.decode()

    assert "must be 2 MB or smaller" in large
    assert "Choose a file of 2 MB or less" in huge


def test_a_short_list_needs_a_reason(office):
    data = listed(office.trial.spec)

    refused = upload(office, data, rows_per_stratum="20").content.decode()
    taken = upload(office, data, rows_per_stratum="20", reason="The rest follows").content.decode()

    assert "Say why it is taken nevertheless" in refused
    assert "The draft is saved" in taken


def test_a_post_without_its_token_is_refused(office):
    client = Client(enforce_csrf_checks=True)
    client.force_login(office.statistician)

    assert client.post(f"{base(office)}configure/?method=permuted_blocks", DRAFT).status_code == 403
