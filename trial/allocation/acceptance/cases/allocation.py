"""Allocations one by one: every stratum, repeated requests, and processes that race or die (8.1 to 8.5)."""

import os
from collections.abc import Callable
from functools import partial

from django.db import connections
from django.db.models.signals import post_save

from randomisation.engine.parameters import MAX_STRATA
from randomisation.models import Allocation
from randomisation.requests import UnitRequest
from trial.allocation.acceptance.bench import Bench, in_words
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.world import LEAST_RECOMPUTED, Wanted, World, combinations

N_RACING = 4
_KILLED = 9


def _strata(world: World, bench: Bench) -> list[dict[str, str]]:
    """Every stratum of the lists; for minimisation, levels so that each occurs, since it has no strata."""
    if bench.is_list:
        return combinations(bench.factors)[:MAX_STRATA]
    longest = max((len(factor["levels"]) for factor in bench.factors), default=1)
    return [
        {f["code"]: f["levels"][min(place, len(f["levels"]) - 1)] for f in bench.factors} for place in range(longest)
    ]


@case("A01", "12", "One allocation in every stratum", "Each stratum, or with minimisation each level, gets one")
def every_stratum(world: World) -> str:
    """The draft itself as a test scheme."""
    wanted = _strata(world, world.main)
    made = [world.main.give(world.main.ask(levels)) for levels in wanted]

    seqs = [outcome.allocation.seq for outcome in made]
    expect(all(outcome.created for outcome in made), "Not every request made an allocation")
    expect(seqs == list(range(1, len(wanted) + 1)), "Numbers have gaps")
    return f"{len(made)} allocations in {len(wanted)} strata, numbered without gaps"


@case("A02", "12", "At least 30 test allocations", "30 or more allocations, to be computed again at the end")
def many(world: World) -> str:
    """Filled up in turn; each list is left with rows for the cases that follow."""
    strata = _strata(world, world.main)
    while world.main.scheme.next_seq <= LEAST_RECOMPUTED + 4:
        for levels in strata:
            world.main.give(world.main.ask(levels))
            if world.main.scheme.next_seq > LEAST_RECOMPUTED + 4:
                break
    return f"{world.main.scheme.next_seq - 1} allocations"


@case("A03", "8.1", "Double click", "The same allocation again, and nothing else changes")
def double_click(world: World) -> str:
    """The same request sent twice."""
    request = world.main.ask()
    first = world.main.give(request)
    before = world.main.standing()
    again = world.main.give(request)

    expect(not again.created and again.allocation == first.allocation, "Another allocation was made")
    expect(again.digest == first.digest and world.main.standing() == before, "Something changed")
    return "The second request returned the first allocation; counters unchanged"


@case("A04", "8.1, BR-21", "Two users, the same participant", "One allocation; the second user gets the same one")
def same_participant(world: World) -> str:
    """The same unit from another page, and the same person under another unit."""
    request = world.main.ask()
    first = world.main.give(request)
    other_page = UnitRequest(
        request.unit, request.members, "another-page", world.tester, request.site, request.at, request.software_version
    )
    again = world.main.give(other_page)
    other_unit = UnitRequest(
        "OTHER-UNIT", request.members, "third", world.randomiser, request.site, request.at, request.software_version
    )
    codes = world.main.refused(other_unit)

    expect(not again.created and again.allocation == first.allocation, "A second allocation was made")
    expect(codes == ["E_DUPLICATE"], f"Under another unit: {in_words(codes)}")
    return "The second user got the first allocation; under another unit E_DUPLICATE"


@case("A05", "8.3, 8.4", "Two processes, the same stratum", "All allocated, no number or row twice, none skipped")
def race(world: World) -> str:
    """Two processes at once, both with the same people in opposite order."""
    bench = world.own(Wanted(rows=4 * N_RACING))
    requests = [bench.ask() for _ in range(2 * N_RACING)]
    children = [_in_child(partial(_give_all, bench, order)) for order in (requests, requests[::-1])]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

    made = list(bench.scheme.allocations.order_by("seq"))
    numbers = list(range(1, len(requests) + 1))
    expect(statuses == [0, 0], "A process failed")
    expect([one.seq for one in made] == numbers, "Numbers have gaps, or somebody was allocated twice")
    expect(not bench.is_list or sorted(one.position or 0 for one in made) == numbers, "A row was used twice or skipped")
    return f"{len(made)} people tried by both processes: each allocated once, no gap"


@case("A06", "8.5", "The process is killed between insert and counter", "Nothing is left; repeated, the same place")
def killed(world: World) -> str:
    """A process that ends in the middle of the transaction; then the same request again."""
    bench = world.own(Wanted(rows=8))
    bench.give()
    request, before = bench.ask(), bench.standing()
    status = os.waitstatus_to_exitcode(os.waitpid(_in_child(lambda: _die_inside(bench, request)), 0)[1])
    after = bench.standing()
    repeated = bench.give(request).allocation

    expect(status == _KILLED, "The process was not killed where it should be")
    expect(after == before, "The killed process left something behind")
    expect(repeated.seq == before[1], "The number was skipped")
    return f"Nothing was left; repeated, the allocation took number {repeated.seq} and the same row"


def _give_all(bench: Bench, requests: list[UnitRequest]) -> None:
    for request in requests:
        bench.give(request)


def _die_inside(bench: Bench, request: UnitRequest) -> None:
    def die(**_signal: object) -> None:
        os._exit(_KILLED)

    post_save.connect(die, sender=Allocation, weak=False)
    bench.give(request)


def _in_child(work: Callable[[], None]) -> int:
    """A forked process that does `work`; its exit status is 0 when it came to the end."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        connections.close_all()
        status = 0
    finally:
        os._exit(status)
