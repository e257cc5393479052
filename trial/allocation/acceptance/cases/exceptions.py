"""Exceptions: envelopes, code break, corrections, duplicates. Documented by two people, never corrected (section 9)."""

from typing import Any

from randomisation import proposals, states
from randomisation.codes import envelope_code
from randomisation.models import Allocation, ArmAccessLog, EnvelopePrint, Purpose, SealedRow
from randomisation.requests import UNIT_FACTOR
from randomisation.unsealed import unseal
from trial.allocation.acceptance.bench import Bench, late_facts, refusal_of
from trial.allocation.acceptance.case import Differs, case, expect
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.world import Wanted, World


@case(
    "X01",
    "9.7",
    "Emergency envelopes, in order and out of order",
    "In order only, with the code inside; main list unmoved",
)
def envelopes(world: World) -> str:
    """Printed, then the second before the first, a wrong code, and the first."""
    bench = _with_envelopes(world)
    cursor = bench.cursor(Purpose.BACKUP)
    unprinted = refusal_of(lambda: _enter(bench, cursor.key, 1))
    EnvelopePrint.objects.create(
        revision=bench.revision, key=cursor.key, n_envelopes=cursor.n_rows, by=bench.approvers[0], at=moment()
    )
    main = _main_positions(bench)
    out_of_order = refusal_of(lambda: _enter(bench, cursor.key, 2))
    wrong_code = refusal_of(lambda: _enter(bench, cursor.key, 1, code="AAAAAAAA"))
    made = [_enter(bench, cursor.key, place) for place in (1, 2)]

    expect(all((unprinted, out_of_order, wrong_code)), "Taken unprinted, out of order, or with a wrong code")
    expect([one.position for one in made] == [1, 2] and made[0].source == "backup", "Not entered in order")
    expect(_main_positions(bench) == main, "The main list moved")
    return "Refused unprinted, out of order and with a wrong code; then 1 and 2 entered, main list unmoved"


def _with_envelopes(world: World) -> Bench:
    sizes = world.given.get("backup_block_sizes") or [2 * sum(world.given["ratio"])]
    return world.opened({**world.given, "backup_block_sizes": sizes}, Wanted(rows=4, backup_rows=4))


def _main_positions(bench: Bench) -> list[int]:
    return list(
        bench.revision.cursors.filter(purpose=Purpose.LIST).order_by("pk").values_list("next_position", flat=True)
    )


def _enter(bench: Bench, key: str, position: int, code: str = "") -> Allocation:
    unsealed = unseal(bench.revision)
    row = SealedRow.objects.get(revision=bench.revision, purpose=Purpose.BACKUP, key=key, position=position)
    fitting = envelope_code(unsealed, key=key, position=position, arm=unsealed.open_row(row))
    facts = late_facts(bench.ask(), code=code or fitting, made_at=moment(), list_key=key, position=position)
    asked = bench.propose(proposals.BACKUP, facts)
    try:
        deed = bench.approve(asked)
    except Exception:
        proposals.withdraw(proposal=asked, by=bench.tester, at=moment())
        raise
    if deed is None or deed.allocation is None:
        raise Differs("Approved, and nothing was entered")
    return deed.allocation


@case("X02", "6.6", "Code break", "By two people, one participant, logged; also while randomisation is paused")
def code_break(world: World) -> str:
    """Asked for, approved by the asker in vain, then by somebody else."""
    bench = world.own()
    allocation = bench.give().allocation
    states.pause_scheme(scheme=bench.scheme, reason="Acceptance test", by=bench.tester, at=moment())
    facts = {"category": "emergency", "who_knows": "Test", "third_party": "", "stays_in_follow_up": True}
    asked = bench.propose(proposals.CODE_BREAK, facts, allocation)
    alone = refusal_of(lambda: proposals.approve(proposal=asked, by=bench.tester, at=moment()))
    deed = bench.approve(asked)
    n_before = ArmAccessLog.objects.count()
    shown = bench.arm(allocation)

    expect(bool(alone), "Whoever asked could approve")
    expect(deed is not None and deed.event is not None and deed.event.event == "code_break", "It is not in the log")
    expect(ArmAccessLog.objects.count() == n_before + 1 and bool(shown), "The opening of the arm is not logged")
    return "Approved by another person while paused; in the event log; the opening of the arm logged apart"


@case(
    "X03", "9.3", "Wrong level, corrected", "Arm and frozen level stand; the true level beside them; no row given back"
)
def correction(world: World) -> str:
    """The first factor with a choice is corrected."""
    bench = world.main
    factor = next((f for f in bench.factors if f["code"] != UNIT_FACTOR), None)
    if factor is None:
        return "The scheme has no factor: nothing to correct"
    allocation = bench.scheme.allocations.filter(members__place=1).earliest("seq")
    before, arm = bench.standing(), bench.arm(allocation)
    given = [_corrected(member.factors, factor) for member in allocation.members.order_by("place")]
    bench.done(proposals.CORRECT, {"members": given}, allocation)

    allocation.refresh_from_db()
    member = allocation.members.get(place=1)
    expect(bench.arm(allocation) == arm and member.factors != given[0], "The arm or the frozen level changed")
    expect(member.corrections.get().factors == given[0], "The true level is not kept")
    expect(bench.standing() == before, "A counter moved")
    return "Arm and frozen level unchanged, the true level kept beside them with two names"


def _corrected(levels: dict[str, str], factor: dict[str, Any]) -> dict[str, str]:
    others = [level for level in factor["levels"] if level != levels[factor["code"]]]
    return {**levels, factor["code"]: others[0]}


@case(
    "X04", "9.2", "The same person twice, found later", "The first stands; the second is excluded, its row stays used"
)
def duplicate(world: World) -> str:
    """A second number turns out to be the same person."""
    bench = world.main
    second = bench.give().allocation
    before = bench.standing()
    bench.done(proposals.FLAG, {"category": "duplicate", "excludes": True}, second)
    entry = bench.scheme.events.latest("n")

    expect(entry.event == "exclude" and entry.seq == second.seq, "The exclusion is not in the log")
    expect(bench.standing() == before, "A row or a number was given back")
    twice = refusal_of(lambda: bench.done(proposals.FLAG, {"category": "duplicate", "excludes": True}, second))
    expect(bool(twice), "It could be excluded twice")
    return "Excluded with two names; its row and number stay used; not twice"


@case("X05", "9.1", "Randomised in error", "The allocation stands and is marked; it still counts")
def in_error(world: World) -> str:
    """Somebody who was not eligible."""
    bench = world.main
    allocation = bench.give().allocation
    before = bench.standing()
    bench.done(proposals.FLAG, {"category": "ineligible", "excludes": False}, allocation)
    excluded = refusal_of(lambda: bench.done(proposals.FLAG, {"category": "error", "excludes": True}, allocation))

    expect(bench.scheme.events.filter(event="flag", seq=allocation.seq).exists(), "The mark is not in the log")
    expect(bench.standing() == before, "A row or a number was given back")
    expect(bool(excluded), "Something other than a duplicate could be excluded")
    return "Marked with two names, and counted as before; only a duplicate can be excluded"
