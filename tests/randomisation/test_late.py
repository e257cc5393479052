"""Allocations on paper, entered later (randomisation.md 9.7)."""

import logging
from datetime import timedelta

import pytest
from django.db import connection

from randomisation import high_water, proposals
from randomisation.codes import certificate_code, envelope_code, matches
from randomisation.errors import LateEntryRefused, ListMismatch, SealError
from randomisation.late import enter_envelope
from randomisation.models import Approval, EnvelopePrint, EventLog, Proposal, SealedRow
from randomisation.reveal import reveal
from randomisation.states import close_scheme
from randomisation.unsealed import unseal
from tests.randomisation.life import AT, Study
from tests.randomisation.people import make_participant, make_user
from tests.randomisation.test_methods import PEOPLE, design, minimised
from trial.base.triggers import lifted

pytestmark = pytest.mark.django_db

BOTH = pytest.mark.parametrize(
    "parameters",
    [
        design("permuted_blocks", block_sizes=[4], backup_block_sizes=[2, 4]),
        minimised([2, 1], backup_block_sizes=[3]),
    ],
    ids=["list", "minimisation"],
)
ENTERED = AT + timedelta(days=2)


@pytest.fixture
def study(parameters):
    study = Study()
    study.start(parameters, backup_rows=6)
    print_envelopes(study)
    return study


def print_envelopes(study, key="site=01"):
    EnvelopePrint.objects.create(revision=study.scheme.revision_in_force, key=key, n_envelopes=6, by=study.user, at=AT)


def inside(study, position, key="site=01"):
    """Arm and code of one envelope, as its paper says."""
    unsealed = unseal(study.scheme.revisions.get())
    arm = unsealed.list_arms(purpose="backup", key=key, n_rows=position)[position - 1]
    return unsealed.parameters.arms[arm], envelope_code(unsealed, key=key, position=position, arm=arm)


def enter(study, position, levels=PEOPLE[0], **changes):
    given = {
        "scheme": study.scheme,
        "request": study.request(levels),
        "key": "site=01",
        "position": position,
        "code": changes.get("code") or inside(study, max(position, 1))[1],
        "approver": make_user(),
        "entered_at": ENTERED,
    }
    return enter_envelope(**{**given, **changes}).allocation


@BOTH
def test_envelopes_are_entered_in_order_between_online_allocations(study):
    study.give_many(3, PEOPLE)
    first = enter(study, 1)
    study.give_many(2, PEOPLE)
    second = enter(study, 2, PEOPLE[1])
    study.give_many(3, PEOPLE)

    assert [(one.seq, one.position, one.source) for one in (first, second)] == [(4, 1, "backup"), (7, 2, "backup")]
    assert (first.at, first.entered_at) == (AT, ENTERED)
    arms = study.arms()
    assert [arms[3], arms[6]] == [inside(study, 1)[0], inside(study, 2)[0]]
    study.assert_sound()


@BOTH
def test_an_envelope_leaves_the_main_list_alone(study):
    enter(study, 1)

    online = study.give(PEOPLE[0])

    assert online.seq == 2
    assert online.position in (None, 1)


@BOTH
def test_an_envelope_is_in_the_log_with_its_own_list_and_second_person(study):
    approver = make_user()

    enter(study, 1, approver=approver)

    event = study.scheme.events.get(event="backup")
    assert event.facts["purpose"] == event.facts["source"] == "backup"
    assert (event.facts["stratum"], event.facts["position"], event.seq) == ("site=01", 1, 1)
    assert event.first_approver == approver


@BOTH
@pytest.mark.parametrize("position", [0, 2, 3, 7])
def test_an_envelope_out_of_order_is_refused(study, position):
    with pytest.raises(LateEntryRefused, match="next envelope of this site is number 1"):
        enter(study, position, code="AAAAAAAA")

    assert not study.scheme.allocations.exists()


@BOTH
def test_a_code_that_does_not_fit_raises_an_alarm_and_enters_nothing(study, caplog):
    for code in (" ", "AAAAAAAA", inside(study, 2)[1], inside(study, 1)[1][:7]):
        with pytest.raises(LateEntryRefused, match="does not fit"):
            enter(study, 1, code=code)

    assert {record.levelname for record in caplog.records} == {"CRITICAL"}
    assert not any(arm in caplog.text for arm in ("zq7x", "kv4w"))
    assert not study.scheme.allocations.exists()
    assert enter(study, 1).seq == 1


@BOTH
def test_a_code_may_be_typed_with_spaces_and_in_small_letters(study):
    code = inside(study, 1)[1]

    assert enter(study, 1, code=f"{code[:4].lower()} - {code[4:]}").seq == 1


@BOTH
def test_envelopes_that_were_never_printed_are_not_entered(study):
    for key in ("site=02", "site=99", "all"):
        with pytest.raises(LateEntryRefused, match="No envelopes were printed"):
            enter(study, 1, key=key)


@BOTH
def test_nobody_is_entered_twice_or_without_levels(study):
    person = make_participant()
    online = study.give(PEOPLE[0], participants=[person])

    with pytest.raises(LateEntryRefused, match="randomised already"):
        enter(study, 1, request=study.request(PEOPLE[0], participants=[person], unit="other", key="other"))
    with pytest.raises(LateEntryRefused, match="entered already"):
        enter(study, 1, request=study.request(PEOPLE[0], unit=online.unit))
    with pytest.raises(LateEntryRefused, match="entered already"):
        enter(study, 1, request=study.request(PEOPLE[0], key=online.request_key))
    with pytest.raises(LateEntryRefused, match="stratification factor"):
        enter(study, 1, request=study.request({"site": "01", "age": "90p"}))


@BOTH
def test_an_envelope_opened_before_the_end_is_entered_after_it(study):
    study.give_many(2, PEOPLE)
    close_scheme(scheme=study.scheme, reason="Target reached", by=study.user, at=AT)

    assert enter(study, 1).seq == 3
    study.assert_sound()


@BOTH
def test_nothing_is_entered_after_the_reveal(study):
    close_scheme(scheme=study.scheme, reason="Target reached", by=study.user, at=AT)
    reveal(scheme=study.scheme, analysis="Report 1", approvers=study.approvers, by=study.user, at=AT)

    with pytest.raises(LateEntryRefused, match="revealed"):
        enter(study, 1)


@BOTH
def test_a_tampered_emergency_row_enters_nothing(study):
    rows = SealedRow.objects.filter(purpose="backup", key="site=01")
    with lifted(connection):
        rows.filter(position=1).update(token=rows.get(position=2).token)
    with pytest.raises(SealError) as moved:
        enter(study, 1)
    with lifted(connection):
        rows.filter(position=1)._raw_delete("default")
    with pytest.raises(ListMismatch):
        enter(study, 1)

    assert moved.value.code == "E_SEAL_CONTEXT"
    assert not study.scheme.allocations.exists()


def asked(study, kind, **facts):
    person = make_participant()
    facts = {
        "unit": person.study_id,
        "members": [{"participant_id": person.pk, "levels": PEOPLE[0]}],
        "key": "paper-1",
        "site": "01",
        "made_at": AT.isoformat(),
        "software_version": "tests",
    } | facts
    return proposals.ask(scheme=study.scheme, kind=kind, facts=facts, reason="Needed", by=study.user, at=AT)


def swap_tokens(purpose):
    rows = SealedRow.objects.filter(purpose=purpose)
    for row in list(rows):
        other = rows.filter(key=row.key).exclude(pk=row.pk).exclude(token=row.token).first()
        rows.filter(pk=row.pk).update(token=other.token)


def remove_rows(purpose):
    SealedRow.objects.filter(purpose=purpose)._raw_delete("default")


def assert_stopped_and_alarmed(study, proposal, approver, code, caplog):
    proposal.refresh_from_db()
    study.scheme.refresh_from_db()
    assert study.scheme.state == "paused"
    told = [(entry.event, entry.actor, entry.at) for entry in study.scheme.events.order_by("n")][-2:]
    assert told == [("refused", approver, ENTERED), ("pause", approver, ENTERED)]
    assert study.scheme.events.get(event="refused").facts["codes"] == [code]
    critical = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert critical == [f"{code} in scheme main"]
    assert proposal.state == Proposal.State.ASKED
    assert not Approval.objects.exists()
    assert not any(arm in caplog.text for arm in ("zq7x", "kv4w"))


@BOTH
@pytest.mark.parametrize(
    ("tamper", "code"), [(swap_tokens, "E_SEAL_CONTEXT"), (remove_rows, "E_LIST_MISMATCH")], ids=["swapped", "removed"]
)
def test_an_envelope_whose_row_was_tampered_with_pauses_and_alarms_when_it_is_approved(study, tamper, code, caplog):
    proposal = asked(study, proposals.BACKUP, list_key="site=01", position=1, code=inside(study, 1)[1])
    approver = make_user()
    with lifted(connection):
        tamper("backup")

    with pytest.raises((SealError, ListMismatch)):
        proposals.approve(proposal=proposal, by=approver, at=ENTERED)

    assert not study.scheme.allocations.exists()
    assert_stopped_and_alarmed(study, proposal, approver, code, caplog)


def test_a_recovered_allocation_whose_row_was_tampered_with_pauses_and_alarms(caplog):
    study = Study()
    study.start(design("permuted_blocks", block_sizes=[4]))
    newest = study.scheme.events.order_by("n").last()
    high_water.advance(study.scheme, high_water.Mark(newest.n + 1, 1, "0" * 64))
    proposal, approver = asked(study, proposals.RECOVERED, code="AAAAAAAA"), make_user()
    with lifted(connection):
        swap_tokens("list")

    with pytest.raises(SealError):
        proposals.approve(proposal=proposal, by=approver, at=ENTERED)

    assert not study.scheme.allocations.exists()
    assert_stopped_and_alarmed(study, proposal, approver, "E_SEAL_CONTEXT", caplog)


@BOTH
def test_without_its_key_an_envelope_alarms_and_nothing_is_paused(study, settings, caplog):
    proposal = asked(study, proposals.BACKUP, list_key="site=01", position=1, code=inside(study, 1)[1])
    settings.SEALING_KEYS = []

    with pytest.raises(SealError):
        proposals.approve(proposal=proposal, by=make_user(), at=ENTERED)

    study.scheme.refresh_from_db()
    assert study.scheme.state == "open"
    assert EventLog.objects.order_by("n").last().facts["codes"] == ["E_SEAL_KEY"]
    assert "E_SEAL_KEY in scheme main" in caplog.text


def test_no_envelope_is_entered_in_a_scheme_that_was_never_open():
    study = Study()
    study.lock(design("permuted_blocks", block_sizes=[4], backup_block_sizes=[4]), backup_rows=4)

    with pytest.raises(LateEntryRefused, match="never open"):
        enter(study, 1, code="AAAAAAAA")


@BOTH
def test_a_certificate_has_a_code_of_its_own(study):
    made = study.give_many(4, PEOPLE)
    found = [certificate_code(allocation) for allocation in made]

    assert len(set(found)) == 4
    assert {len(code) for code in found} == {8}
    assert matches(found[0].lower(), found[0])
    assert not matches(found[1], found[0])
