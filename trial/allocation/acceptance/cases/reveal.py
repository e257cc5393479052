"""The finished test trial: closed, revealed, verified by the stand-alone program and an independent one (3.4, 12)."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from randomisation import pack, proposals
from randomisation.checking import verify_event_log, verify_list
from randomisation.reveal import package
from trial.allocation.acceptance import independent
from trial.allocation.acceptance.bench import Bench, refusal_of
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.world import LEAST_RECOMPUTED, World

AGREES, DIFFERS = 0, 1


@case(
    "Z01",
    "3.4",
    "Closure and reveal of the finished test trial",
    "Not before closure; two people; then nothing reopens",
)
def finish(world: World) -> str:
    """Too early, then closed, then revealed."""
    bench = world.main
    if bench.scheme.state == "paused":
        bench.done(proposals.REOPEN, {})
    early = bench.propose(proposals.REVEAL, {"analysis": "Acceptance test"})
    too_early = refusal_of(lambda: bench.approve(early))
    unpublished = refusal_of(lambda: _package(bench))
    expect(verify_list(bench.scheme) == 0 and verify_event_log(bench.scheme) is None, "Lists or log fail their check")
    bench.done(proposals.CLOSE, {})
    bench.approve_rest(early)

    expect(bool(too_early) and bool(unpublished), "Revealed, or given out, before recruitment was closed")
    expect(bench.scheme.state == "revealed", "The scheme is not revealed")
    expect(bench.refused() == ["E_SCHEME_STATE"], "Somebody could be randomised after the reveal")
    return "Refused before closure; revealed after it by two people; randomisation stays closed"


def _package(bench: Bench) -> dict[str, Any]:
    return package(scheme=bench.scheme, by=bench.tester, at=moment())


@case("Z02", "3.4", "Stand-alone verification", "The verifier agrees, and finds one altered byte")
def verified(world: World) -> str:
    """The packed verifier in an empty folder, in a process of its own."""
    text = json.dumps(_package(world.main))
    secret = json.loads(text)["revisions"][0]["secret"]
    other = ("0" if secret[0] != "0" else "1") + secret[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pack.pack(folder / "hedgerow-verify.pyz")
        honest = _verify(folder, text)
        altered = _verify(folder, text.replace(secret, other))

    expect(honest == AGREES, f"The verifier ends with {honest} for the package as it is")
    expect(altered == DIFFERS, f"The verifier ends with {altered} for a package with one altered byte")
    return "All agrees; with one altered byte it reports the difference"


def _verify(folder: Path, text: str) -> int:
    (folder / "package.json").write_text(text, encoding="utf-8")
    command = [sys.executable, "-I", "hedgerow-verify.pyz", "package.json"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


@case("Z03", "12", "Independent computation, row by row", "A second program gives every arm of 30 or more allocations")
def recomputed(world: World) -> str:
    """Written from the text alone, without the engine."""
    revealed = _package(world.main)
    found = independent.recompute(revealed)
    given = {one["seq"]: one["arm"] for one in revealed["allocations"]}
    n_differing = sum(found.get(seq) != arm for seq, arm in given.items())

    expect(len(given) >= LEAST_RECOMPUTED, f"Only {len(given)} allocations")
    expect(n_differing == 0 and len(found) == len(given), f"{n_differing} of {len(given)} allocations differ")
    return f"{len(given)} of {len(given)} allocations agree"
