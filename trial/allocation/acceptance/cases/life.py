"""The life of a scheme: separate duties, extension, added levels, a new revision (sections 1, 6.1, 9 and 10)."""

from django.db import DatabaseError, transaction

from randomisation import locks, proposals, states
from randomisation.errors import RandomisationError
from randomisation.models import Revision, State
from trial.allocation.acceptance.bench import Bench, in_words, refusal_of
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.world import Wanted, World


@case("E06", "7, 9.8", "E_LIST_EXHAUSTED, and extension", "Closed when empty; extended with two approvals, same stream")
def exhausted(world: World) -> str:
    """One stratum to its last row, then longer lists."""
    bench = world.listed(Wanted(rows=1))
    n_rows = bench.cursor().n_rows
    for _ in range(n_rows):
        bench.give()
    next_seq = bench.scheme.next_seq
    empty = bench.refused()
    asked = bench.propose(proposals.EXTEND, {"rows_per_stratum": n_rows + 1})
    alone = refusal_of(lambda: proposals.approve(proposal=asked, by=bench.tester, at=moment()))
    bench.approve(asked)
    made = bench.give().allocation

    expect(empty == ["E_LIST_EXHAUSTED"] and bench.scheme.next_seq == next_seq + 1, f"Empty: {in_words(empty)}")
    expect(bool(alone), "Whoever asked could approve")
    expect(made.position == n_rows + 1, "The list did not go on where it ended")
    variant = "" if world.method == bench.revision.params_public["method"] else ", in a variant with lists"
    return f"E_LIST_EXHAUSTED after the last row; after two approvals the next row of the same list{variant}"


@case("L01", "10", "The lock needs a signed test and two people", "Not without either; the secret is drawn once")
def lock(world: World) -> str:
    """An untested draft; one approver twice; a second lock."""
    bench = world.own()
    scheme = bench.scheme
    locked = bench.revision
    again = refusal_of(lambda: _lock(locked, bench))
    draft = world.draft_of(scheme)
    untested = refusal_of(lambda: _lock(draft, bench))

    expect(bool(again), "A locked revision could be locked again")
    expect(bool(untested), "A revision without a signed test could be locked")
    expect(not draft.commitment and draft.state == State.DRAFT, "A secret was drawn")
    return "A locked revision and an untested one: both refused, no secret drawn"


def _lock(revision: Revision, bench: Bench) -> None:
    locks.lock(revision=revision, approvers=bench.approvers, by=bench.tester, at=moment())


@case(
    "L02", "6.1, 10", "Separate duties", "Whoever configured or approved may not randomise, nor approve an own request"
)
def duties(world: World) -> str:
    """The statistician and an approver try to randomise; somebody approves their own request."""
    bench = world.own()
    tried = {"configured": world.statistician, "approved": world.approvers[0]}
    allowed = [who for who, person in tried.items() if not _is_refused(bench, person)]
    own = bench.propose(proposals.CLOSE, {})
    approved = refusal_of(lambda: proposals.approve(proposal=own, by=bench.tester, at=moment()))

    expect(not allowed, f"Could randomise: who {', who '.join(allowed)}")
    expect(bool(approved), "An own request could be approved")
    return "All three refused by the database or the service"


def _is_refused(bench: Bench, person: object) -> bool:
    try:
        with transaction.atomic():
            bench.give_inside(bench.ask(by=person))
    except (DatabaseError, RandomisationError):
        return True
    return False


@case("L03", "1, 9", "A level is added, such as a new site", "Two approvals; the other lists are unchanged")
def added_level(world: World) -> str:
    """One more level of the first factor."""
    bench = world.listed(Wanted(rows=2)) if world.method == "import" else world.own(Wanted(rows=2))
    if not bench.factors:
        return "The scheme has no factor: nothing to add a level to"
    bench.give()
    lists = dict(bench.revision.cursors.values_list("key", "fingerprint"))
    factor = bench.factors[0]["code"]
    bench.done(proposals.ADD_LEVEL, {"factor": factor, "level": "zz-new"})
    made = bench.give(bench.ask({**bench.levels, factor: "zz-new"})).allocation

    kept = dict(bench.revision.cursors.filter(key__in=lists).values_list("key", "fingerprint"))
    expect(kept == lists, "A list that was there changed")
    expect(made.position in (1, None), "The new list does not begin at its first row")
    return "Allocated at the new level; every other list keeps its fingerprint"


@case(
    "L04", "1, 9.11", "New revision", "Opening it closes the one before; numbers go on, old rows are never used again"
)
def new_revision(world: World) -> str:
    """The same parameters again, which is another secret."""
    bench = world.own(Wanted(rows=4))
    bench.give()
    first = bench.revision
    parameters = {key: value for key, value in world.given.items() if key != "backup_block_sizes"}
    world.lock(bench.scheme, parameters, Wanted(rows=4))
    states.open_scheme(scheme=bench.scheme, by=bench.tester, at=moment())
    made = bench.give().allocation

    first.refresh_from_db()
    expect(first.state == State.CLOSED and made.revision.number == 2, "The first revision is not closed")
    expect(made.seq == 2 and made.position in (1, None), "Numbers or rows do not go on as they should")
    expect(made.revision.commitment != first.commitment, "Both revisions have one commitment")
    return "First revision closed; allocation 2 comes from the second one's own secret"
