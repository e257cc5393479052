"""The database is restored from an older backup: paused, recovered from certificates, reopened by two people (9.15)."""

import shutil
from pathlib import Path

from django.db import connection, connections

from randomisation import proposals, states
from randomisation.checking import verify_event_log, verify_list
from randomisation.codes import certificate_code
from randomisation.high_water import n_lost
from randomisation.models import Allocation
from randomisation.requests import UnitRequest
from trial.allocation.acceptance.bench import Bench, in_words, late_facts, refusal_of
from trial.allocation.acceptance.case import Differs, case, expect
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.world import Wanted, World

N_LOST = 2


@case("R01", "9.15", "An older backup is restored", "Comes up paused; recovered by certificate; no repeat and no skip")
def restored(world: World) -> str:
    """Two allocations are lost with the database, and entered again from their certificates."""
    bench = world.own(Wanted(rows=8))
    bench.give()
    requests = [bench.ask() for _ in range(N_LOST + 1)]
    copy = _copy_of_database()
    lost = [bench.give(request).allocation for request in requests[:N_LOST]]
    certificates = [certificate_code(allocation) for allocation in lost]
    arms = [bench.arm(allocation) for allocation in lost]
    _put_back(copy)
    paused = _comes_up_paused(bench, requests[-1])
    entered = _recover_all(bench, requests[:N_LOST], lost, certificates)
    reopened_alone = refusal_of(lambda: _open(bench))
    bench.done(proposals.REOPEN, {})
    following = bench.give(requests[-1]).allocation

    expect(paused == "", paused)
    expect([bench.arm(one) for one in entered] == arms, "A recovered arm differs from the one on the certificate")
    expect(bool(reopened_alone), "One person could let randomisation go on")
    expect(following.seq == lost[-1].seq + 1, "A number was repeated or skipped")
    expect(not bench.is_list or following.position == (lost[-1].position or 0) + 1, "A row was repeated or skipped")
    expect(verify_list(bench.scheme) == 0 and verify_event_log(bench.scheme) is None, "Lists or log fail their check")
    return f"Paused; {N_LOST} recovered with the same arms; two people reopened; number {following.seq} followed"


def _comes_up_paused(bench: Bench, request: UnitRequest) -> str:
    """Empty where it does: nothing is allocated, every scheme is paused, and it cannot simply be opened."""
    codes = bench.refused(request)
    if codes != ["E_SCHEME_STATE"]:
        return f"After the restore: {in_words(codes)}"
    if bench.scheme.state != "paused" or n_lost(bench.scheme) != N_LOST:
        return "The scheme is not paused, or does not know how many are missing"
    return "" if refusal_of(lambda: _open(bench)) else "It could be opened without recovery"


def _open(bench: Bench) -> None:
    states.open_scheme(scheme=bench.scheme, by=bench.tester, at=moment())


def _recover_all(
    bench: Bench, requests: list[UnitRequest], lost: list[Allocation], certificates: list[str]
) -> list[Allocation]:
    """The last one first is refused, since they go in order; then each with its own code."""
    out_of_order = refusal_of(lambda: _recover(bench, requests[-1], certificates[-1]))
    expect(bool(out_of_order), "Recovered out of order")
    return [_recover(bench, request, code) for request, code in zip(requests, certificates, strict=True)]


def _recover(bench: Bench, request: UnitRequest, code: str) -> Allocation:
    asked = bench.propose(proposals.RECOVERED, late_facts(request, code=code, made_at=request.at))
    try:
        deed = bench.approve(asked)
    except Exception:
        proposals.withdraw(proposal=asked, by=bench.tester, at=moment())
        raise
    if deed is None or deed.allocation is None:
        raise Differs("Approved, and nothing was entered")
    return deed.allocation


def _database() -> Path:
    return Path(connection.settings_dict["NAME"])


def _copy_of_database() -> Path:
    """A copy of the file; with the last connection closed, everything committed is in it."""
    connections.close_all()
    return Path(shutil.copy2(_database(), _database().with_suffix(".backup")))


def _put_back(copy: Path) -> None:
    connections.close_all()
    for ending in ("-wal", "-shm"):
        _database().with_name(_database().name + ending).unlink(missing_ok=True)
    shutil.copy2(copy, _database())
