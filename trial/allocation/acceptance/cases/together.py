"""People allocated together: households and batches (section 5)."""

from randomisation.allocate import allocate_batch
from randomisation.errors import NotAllocated, Refusal
from randomisation.requests import HOUSEHOLD, SINGLE, UNIT_FACTOR
from randomisation.reveal import contents
from trial.allocation.acceptance import independent
from trial.allocation.acceptance.bench import Bench, agrees, in_words
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.world import Wanted, World

_UNIT = {"code": UNIT_FACTOR, "levels": [SINGLE, HOUSEHOLD], "weight": 1}


def _bench(world: World) -> Bench:
    """The draft itself where it takes households, else a variant that does."""
    if world.households:
        return world.own(Wanted(rows=8))
    if world.method == "minimisation":
        return world.minimised(Wanted(rows=8, households=True))
    return world.listed(Wanted(rows=8, households=True), factors=[_UNIT])


@case(
    "A07",
    "5, 7",
    "Household, and E_HOUSEHOLD",
    "Two people, one allocation, one row, one number; each has a link to it",
)
def household(world: World) -> str:
    """Two members at once; and two at once where that is not offered."""
    bench = _bench(world)
    kind = {UNIT_FACTOR: HOUSEHOLD} if any(f["code"] == UNIT_FACTOR for f in bench.factors) else {}
    made = bench.give(bench.ask({**bench.levels, **kind}, n_people=2)).allocation
    alone = world.own(Wanted(rows=4, households=False))
    codes = alone.refused(alone.ask(n_people=2))

    expect(made.members.count() == 2 and bench.scheme.next_seq == 2, "Not one allocation with two members")
    expect("E_HOUSEHOLD" in codes, f"A scheme for single people: {in_words(codes)}")
    variant = "the draft" if world.households else "a variant of the draft"
    return f"One allocation with two members, in {variant}; refused by a scheme for single people"


@case("A08", "5, 2.1", "Batch", "All or none, in the order that the stream of the batch gives")
def batch(world: World) -> str:
    """Three people; the same batch again; and one of which somebody is refused."""
    bench = world.own(Wanted(rows=8))
    requests = [bench.ask(batch="cohort-1") for _ in range(3)]
    made = allocate_batch(scheme=bench.scheme, batch="cohort-1", requests=requests, check=agrees)
    package = contents(bench.scheme, [bench.revision])
    order = independent.batch_order(package, "cohort-1", [request.unit for request in requests])
    again = allocate_batch(scheme=bench.scheme, batch="cohort-1", requests=requests, check=agrees)
    before = bench.standing()
    codes = _refused_batch(bench)

    expect([one.allocation.unit for one in made] == order, "The order differs from the independent program's")
    expect(not any(one.created for one in again), "Sent again, it made allocations")
    expect(codes == ["E_CONSENT"] and bench.standing() == before, f"Refused batch: {in_words(codes)}")
    return "3 people in the independent program's order; sent again, the same; with one refused, nobody"


def _refused_batch(bench: Bench) -> list[str]:
    requests = [bench.ask(batch="cohort-2") for _ in range(3)]
    last = requests[-1].unit
    try:
        allocate_batch(
            scheme=bench.scheme,
            batch="cohort-2",
            requests=requests,
            check=lambda request: [Refusal("E_CONSENT", "None.")] if request.unit == last else [],
        )
    except NotAllocated as refused:
        return refused.codes
    return []
