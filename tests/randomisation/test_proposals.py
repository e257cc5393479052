"""Steps that take more than one person (randomisation.md section 9, general rule, and section 10)."""

import pytest

from randomisation import proposals
from randomisation.codes import envelope_code
from randomisation.errors import LateEntryRefused, LifeCycleRefused, ProposalRefused
from randomisation.models import Allocation, Approval, CodeBreak, EnvelopePrint, EventLog, Proposal, State
from randomisation.states import close_scheme, pause_scheme
from randomisation.unsealed import unseal
from tests.randomisation.conftest import PARAMETERS
from tests.randomisation.life import AT, LOCKED_AT, Study, ready_revision
from tests.randomisation.people import make_participant, make_user

pytestmark = pytest.mark.django_db

BACKUP = {"backup_block_sizes": [4]}


@pytest.fixture
def study():
    study = Study()
    study.start({**PARAMETERS, **BACKUP}, backup_rows=4)
    return study


@pytest.fixture
def allocation(study):
    return study.give({"site": "01"})


def ask(study, kind, facts, allocation=None, by=None, **more):
    by = by or study.user
    given = {"scheme": study.scheme, "kind": kind, "facts": facts, "reason": "Needed", "by": by, "at": AT}
    return proposals.ask(**{**given, "allocation": allocation, **more})


def approve(proposal, by=None, **more):
    return proposals.approve(proposal=proposal, by=by or make_user(), at=AT, **more)


def extension(study, n_rows=40):
    return ask(study, proposals.EXTEND, {"rows_per_stratum": n_rows})


def late_facts(study):
    person = make_participant()
    unsealed = unseal(study.scheme.revisions.get())
    arm = unsealed.list_arms(purpose="backup", key="site=01", n_rows=1)[0]
    EnvelopePrint.objects.create(
        revision=study.scheme.revisions.get(), key="site=01", n_envelopes=4, by=study.user, at=AT
    )
    return {
        "unit": person.study_id,
        "members": [{"participant_id": person.pk, "levels": {"site": "01"}}],
        "key": "paper-1",
        "site": "01",
        "made_at": AT.isoformat(),
        "software_version": "tests",
        "list_key": "site=01",
        "position": 1,
        "code": envelope_code(unsealed, key="site=01", position=1, arm=arm),
    }


CODE_BREAK = {"category": "emergency", "who_knows": "The duty clinician"}


# --- asking and deciding -------------------------------------------------------------------------------


def test_nothing_happens_before_the_last_approval(study):
    proposal = extension(study)
    first = approve(proposal)
    n_events = study.scheme.events.count()

    second = approve(proposal)

    proposal.refresh_from_db()
    assert first is None
    assert second.event.event == "extend"
    assert study.scheme.events.count() == n_events + 1
    assert (proposal.state, proposal.event) == (Proposal.State.DONE, second.event)
    assert {second.event.first_approver, second.event.second_approver} == {a.by for a in proposal.approvals.all()}
    study.assert_sound()


def test_nobody_approves_or_refuses_their_own_request(study):
    proposal = extension(study)

    with pytest.raises(ProposalRefused, match="somebody else"):
        approve(proposal, by=study.user)
    with pytest.raises(ProposalRefused, match="somebody else"):
        proposals.refuse(proposal=proposal, by=study.user, at=AT, note="No")

    assert not Approval.objects.exists()


def test_one_person_approves_once(study):
    proposal, person = extension(study), make_user()
    approve(proposal, by=person)

    with pytest.raises(ProposalRefused, match="another person"):
        approve(proposal, by=person)

    assert proposal.approvals.count() == 1
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.ASKED


def test_a_refusal_says_why_and_ends_the_request(study):
    proposal = extension(study)
    with pytest.raises(ProposalRefused, match="why you refuse"):
        proposals.refuse(proposal=proposal, by=make_user(), at=AT, note=" ")

    proposals.refuse(proposal=proposal, by=make_user(), at=AT, note="Too early")

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.REFUSED
    with pytest.raises(ProposalRefused, match="has been decided"):
        approve(proposal)
    assert not study.scheme.events.filter(event="extend").exists()


def test_a_request_is_withdrawn_by_who_asked_while_it_waits(study):
    proposal = extension(study)
    with pytest.raises(ProposalRefused, match="own request"):
        proposals.withdraw(proposal=proposal, by=make_user(), at=AT)

    proposals.withdraw(proposal=proposal, by=study.user, at=AT)

    with pytest.raises(ProposalRefused, match="has been decided"):
        approve(proposal)
    with pytest.raises(ProposalRefused):
        proposals.withdraw(proposal=proposal, by=study.user, at=AT)


@pytest.mark.parametrize(("kind", "reason"), [("unknown", "Why"), (proposals.EXTEND, " ")])
def test_a_request_is_of_a_known_kind_and_says_why(study, kind, reason):
    with pytest.raises(ProposalRefused):
        ask(study, kind, {}, reason=reason)


def test_the_same_is_not_asked_for_twice_while_it_waits(study):
    first = extension(study)
    with pytest.raises(ProposalRefused, match="waits for approval"):
        extension(study)
    extension(study, 50)
    proposals.refuse(proposal=first, by=make_user(), at=AT, note="No")

    assert extension(study).pk


@pytest.mark.parametrize("n_rows", [0, 10_001])
def test_a_step_that_is_refused_leaves_no_approval(study, n_rows):
    proposal, last = extension(study, n_rows), make_user()
    approve(proposal)

    with pytest.raises(LifeCycleRefused):
        approve(proposal, by=last)

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.ASKED
    assert not proposal.approvals.filter(by=last).exists()
    assert not study.scheme.events.filter(event="extend").exists()


# --- every kind ----------------------------------------------------------------------------------------


def decided(study, kind, facts, allocation=None):
    """Asked for and approved by as many as it takes; the deed of the last."""
    proposal = ask(study, kind, facts, allocation)
    deeds = [approve(proposal) for _ in range(proposals.KINDS[kind].n_approvals)]
    assert deeds[:-1] == [None] * (len(deeds) - 1)
    return deeds[-1]


def test_a_lock_is_approved_by_two_who_did_not_ask():
    study = Study()
    ready_revision(scheme=study.scheme, parameters=PARAMETERS, rows_per_stratum=8, at=LOCKED_AT)

    deed = decided(study, proposals.LOCK, {"revision": 1})

    assert deed.event.event == "lock"
    assert study.scheme.revisions.get().state == State.LOCKED


def test_every_kind_that_changes_the_scheme_is_logged(study):
    study.give({"site": "01"})
    for kind, facts, event in (
        (proposals.EXTEND, {"rows_per_stratum": 40}, "extend"),
        (proposals.ADD_LEVEL, {"factor": "site", "level": "03"}, "add_level"),
        (proposals.RAISE_CEILING, {"ceiling": 500}, "extend"),
        (proposals.RAISE_CEILING, {"ceiling": 50, "site": "01"}, "extend"),
        (proposals.CLOSE, {}, "close"),
        (proposals.REVEAL, {"analysis": "Signed report of 1 March"}, "reveal"),
    ):
        assert decided(study, kind, facts).event.event == event

    study.assert_sound()
    assert study.scheme.state == State.REVEALED


def test_every_kind_about_an_allocation_is_logged_with_its_number(study, allocation):
    for kind, facts, event in (
        (proposals.FLAG, {"category": "error"}, "flag"),
        (proposals.FLAG, {"category": "duplicate", "excludes": True}, "exclude"),
        (proposals.CORRECT, {"members": [{"site": "02"}]}, "correct"),
        (proposals.CODE_BREAK, CODE_BREAK, "code_break"),
    ):
        deed = decided(study, kind, facts, allocation)
        assert (deed.event.event, deed.event.seq, deed.allocation) == (event, allocation.seq, None)

    study.assert_sound()


@pytest.mark.parametrize("kind", [proposals.FLAG, proposals.CORRECT, proposals.CODE_BREAK])
def test_a_step_about_an_allocation_needs_one(study, kind):
    proposal = ask(study, kind, {"category": "error", "members": [], "who_knows": "x"})

    with pytest.raises((ProposalRefused, LifeCycleRefused), match="has not been randomised"):
        approve(proposal)

    assert not Approval.objects.exists()


def test_a_scheme_is_reopened_by_two_people(study):
    pause_scheme(scheme=study.scheme, reason="Why", by=study.user, at=AT)

    assert decided(study, proposals.REOPEN, {}).event.event == "open"
    assert study.scheme.state == State.OPEN


def test_an_envelope_is_entered_with_what_the_caller_writes_beside_it(study):
    proposal, seen = ask(study, proposals.BACKUP, late_facts(study)), []

    deed = approve(proposal, after_allocate=seen.append)

    assert seen == [deed.allocation] == [Allocation.objects.get()]
    assert (deed.event.event, deed.event.seq) == ("backup", 1)
    study.assert_sound()


def test_a_failure_of_the_callers_writing_undoes_envelope_and_approval(study):
    proposal = ask(study, proposals.BACKUP, late_facts(study))

    def fail(allocation):
        raise RuntimeError("The outbox is full.")

    with pytest.raises(RuntimeError, match="outbox"):
        approve(proposal, after_allocate=fail)

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.ASKED
    assert not Approval.objects.exists()
    assert not Allocation.objects.exists()


def test_a_wrong_code_leaves_the_request_waiting(study):
    proposal = ask(study, proposals.BACKUP, {**late_facts(study), "code": "AAAAAAAA"})

    with pytest.raises(LateEntryRefused):
        approve(proposal)

    assert not Approval.objects.exists()


def test_nothing_is_recovered_when_nothing_is_missing(study):
    with pytest.raises(LateEntryRefused, match="No allocation is missing"):
        approve(ask(study, proposals.RECOVERED, late_facts(study)))


# --- code breaks ---------------------------------------------------------------------------------------


def test_a_code_break_is_recorded_without_the_arm_and_may_come_after_the_end(study, allocation):
    close_scheme(scheme=study.scheme, reason="Target reached", by=study.user, at=AT)

    facts = {**CODE_BREAK, "third_party": "Dr Grey", "stays_in_follow_up": False}
    decided(study, proposals.CODE_BREAK, facts, allocation)

    broken = CodeBreak.objects.get()
    assert (broken.allocation, broken.who_knows, broken.third_party) == (allocation, "The duty clinician", "Dr Grey")
    assert (broken.stays_in_follow_up, broken.requested_by) == (False, study.user)
    assert broken.authorised_by != study.user
    entry = EventLog.objects.get(event="code_break").entry
    assert not any(arm in entry for arm in PARAMETERS["arms"])
