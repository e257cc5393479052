"""Simulating a draft beside other designs, as a job whose page may be closed (randomisation.md section 11)."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from randomisation.drafts import draft_parameters, open_document
from randomisation.engine.parameters import Parameters
from randomisation.errors import RandomisationError, SealError
from randomisation.models import BEFORE_LOCK, DraftDocument, Revision
from randomisation.sealing import unwrap
from randomisation.simulation import (
    MINIMISATION,
    OWN_DESIGN,
    Candidate,
    Comparison,
    Population,
    candidate,
    simulate,
    usual_candidates,
)
from randomisation.simulation.candidates import IMPORT
from trial.access.models import User
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import SimulationRun
from trial.allocation.schemes import keep_simulation

CHANGED = "The draft was configured again since: its earlier simulations no longer open. Simulate it anew."
TROUBLE = "The simulation stopped with an error. Tell the administrator; it can be started again."
State = SimulationRun.State


@sensitive_variables()
def designs_of(parameters: Parameters, *, own: bool, usual: bool, others: Mapping[str, Any]) -> list[Candidate]:
    """The designs to compare, each with arms, ratio and factors of the draft.

    Args:
        others: `block_sizes`, `mti`, or `p` with `imbalance`, where such a design is wanted.

    Raises:
        AllocationRefused: none is wanted, or one breaks a rule.
    """
    try:
        found = [Candidate(OWN_DESIGN, parameters)] if own else []
        found += list(usual_candidates(parameters))[1:] if usual and parameters.method != IMPORT else []
        found += [candidate("Simple", {**_shape(parameters, 1), "method": "simple"})] if usual and not found else []
        found += _others(parameters, others)
    except RandomisationError as error:
        raise AllocationRefused(error.text) from error
    if not found:
        raise AllocationRefused("Choose at least one design.")
    return found


def _others(parameters: Parameters, wanted: Mapping[str, Any]) -> list[Candidate]:
    shape, found = _shape(parameters, 1), []
    if sizes := wanted.get("block_sizes"):
        label = f"Blocks of {', '.join(str(size) for size in sizes)}"
        found.append(candidate(label, {**shape, "method": "permuted_blocks", "block_sizes": sizes}))
    if mti := wanted.get("mti"):
        found.append(candidate(f"Big stick {mti}", {**shape, "method": "big_stick", "mti": mti}))
    if p := wanted.get("p"):
        imbalance = wanted.get("imbalance") or "range"
        unequal = "biased_coin" if len(set(parameters.ratio)) == 1 else "pseudo_arms"
        own = {"imbalance": imbalance, "p": p, "burn_in": 0, "overall_weight": 1, "unequal": unequal}
        found.append(candidate(f"Minimisation {imbalance} {p}", {**shape, "method": MINIMISATION, **own}))
    return found


def _shape(parameters: Parameters, weight: int) -> dict[str, Any]:
    factors = [{"code": f.code, "levels": list(f.levels), "weight": weight} for f in parameters.factors]
    return {"arms": list(parameters.arms), "ratio": list(parameters.ratio), "factors": factors}


@sensitive_variables()
def ask(
    *,
    revision: Revision,
    designs: Sequence[Candidate],
    people: Mapping[str, Mapping[str, int]],
    target: int,
    n_trials: int,
    by: User,
    at: datetime,
) -> SimulationRun:
    """Keep what is to be simulated, sealed, for the job (CONFIGURE_SCHEME).

    Raises:
        AllocationRefused: a share breaks a rule, or no key seals it.
    """
    try:
        population = Population.of(people)
        asked = {
            "designs": [{"label": one.label, "parameters": json.loads(one.parameters.canonical())} for one in designs],
            "people": population.as_json(),
            "target": target,
        }
        sealed = unwrap(revision.draft_key_wrapped).seal(json.dumps(asked).encode("ascii"))
    except RandomisationError as error:
        raise AllocationRefused(error.text) from error
    return SimulationRun.objects.create(
        scheme=revision.scheme.code,
        revision=revision.number,
        asked_sealed=sealed,
        n_trials=n_trials,
        asked_by=by,
        asked_at=at,
    )


def run(*, row: SimulationRun, by: User) -> None:
    """Simulate what was asked for, note how far it is, and keep what was found. Run twice, it is done once."""
    with transaction.atomic():
        row = SimulationRun.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if row.state == State.DONE:
            return
        row.state, row.error, row.n_done = State.RUNNING, "", 0
        row.save(update_fields=["state", "error", "n_done"])
    try:
        _simulate(row, by)
    except (RandomisationError, AllocationRefused) as error:
        _fail(row, CHANGED if isinstance(error, SealError) else str(error))
    except Exception:
        _fail(row, TROUBLE)
        raise


@sensitive_variables()
def _simulate(row: SimulationRun, by: User) -> None:
    revision = revision_of(row)
    asked = json.loads(unwrap(revision.draft_key_wrapped).open(row.asked_sealed))
    compared = simulate(
        [candidate(one["label"], one["parameters"]) for one in asked["designs"]],
        population=Population.from_json(asked["people"]),
        target=asked["target"],
        n_trials=row.n_trials,
        progress=lambda done, total: _note(row, done, total),
    )
    with transaction.atomic():
        revision.refresh_from_db()
        kept = keep_simulation(revision=revision, document=compared.as_json(), by=by, at=timezone.now())
        row.state, row.document, row.n_done = State.DONE, kept.pk, row.n_trials
        row.save(update_fields=["state", "document", "n_done"])


def _note(row: SimulationRun, done: int, total: int) -> None:
    """Progress by whole percent: one small write each."""
    if done * 100 // total != (done - 1) * 100 // total:
        SimulationRun.objects.filter(pk=row.pk).update(n_done=done)


def _fail(row: SimulationRun, words: str) -> None:
    row.state, row.error = State.FAILED, words[:500]
    row.save(update_fields=["state", "error"])


def revision_of(row: SimulationRun) -> Revision:
    """The revision that a run is about."""
    return Revision.objects.select_related("scheme").get(scheme__code=row.scheme, number=row.revision)


@sensitive_variables()
def found_by(row: SimulationRun) -> Comparison | None:
    """What a finished run found; None where it no longer opens because the draft was configured again."""
    document = DraftDocument.objects.select_related("revision").filter(pk=row.document or 0).get()
    try:
        return Comparison.from_json(open_document(document))
    except SealError:
        return None


@sensitive_variables()
def parameters_to_simulate(revision: Revision | None) -> Parameters:
    """The draft's parameters.

    Raises:
        AllocationRefused: there is no draft, or no key opens it.
    """
    if revision is None or revision.state not in BEFORE_LOCK:
        raise AllocationRefused("There is no draft to simulate. Configure the next revision first.")
    try:
        return draft_parameters(revision)
    except SealError as error:
        raise AllocationRefused(error.text) from error
