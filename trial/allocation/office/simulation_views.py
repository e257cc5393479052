"""Simulating a draft: what to compare, how far it is, what was found (randomisation.md section 11)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_safe

from randomisation.engine.parameters import Parameters
from randomisation.simulation import MESSAGE, Comparison, suggestion
from randomisation.simulation.candidates import IMPORT
from randomisation.simulation.table import note, rows
from trial.access.models import Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.models import SimulationRun
from trial.allocation.office import simulating, tasks
from trial.allocation.office.pages import GET_POST, OFFICE, posted, scheme_or_404, trail_of, url_of
from trial.allocation.office.simulation_forms import OWN, USUAL, SimulationForm
from trial.allocation.simulation_charts import charts
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.parts import Link
from trial.protocol.versions import active_version

DEFAULT_TRIALS = 500
OTHERS = ("block_sizes", "mti", "p", "imbalance")


@requires(Action.CONFIGURE_SCHEME)
@never_cache
@sensitive_post_parameters()
@sensitive_variables()
@GET_POST
def simulate(request: StaffRequest, scheme: str) -> HttpResponse:
    """Choose designs and people; the simulation then runs as a job."""
    found = scheme_or_404(scheme)
    draft = found.draft
    try:
        parameters = simulating.parameters_to_simulate(draft)
    except TrialError as error:
        said = {"title": "Simulate", "text": str(error), "breadcrumbs": trail_of(found), "here": "Simulate"}
        return render(request, "allocation/office/no_draft.html", said)
    form = _form(request, parameters, found.ceiling)
    if form.is_valid() and draft is not None:
        try:
            run = _asked(request, draft, parameters, form)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            tasks.run_simulation.enqueue(run.pk, request.user.pk)
            return redirect("allocation:simulation", found.code, run.pk)
    context = {
        "title": "Simulate the draft",
        "detail": f"{found.name}. Every design meets the same made-up people; no live secret is touched",
        "form": form,
        "back": url_of(found),
        "breadcrumbs": trail_of(found),
        "here": "Simulate",
    }
    return render(request, "allocation/office/simulate.html", context)


def _form(request: StaffRequest, parameters: Parameters, ceiling: int | None) -> SimulationForm:
    version = active_version()
    target = ceiling or (version.spec.recruitment.target if version else 100)
    by_site = next((factor for factor in parameters.factors if factor.code == "site"), None)
    names = dict(Site.objects.values_list("code", "name"))
    codes = by_site.levels if by_site else tuple(names)
    may_own = parameters.method != IMPORT
    return SimulationForm(
        posted(request),
        sites=[(code, names.get(code, f"site {code}")) for code in codes],
        factors=[factor for factor in parameters.factors if factor.code != "site"],
        may_simulate_own=may_own,
        initial={"include": [OWN, USUAL] if may_own else [USUAL], "n_trials": DEFAULT_TRIALS, "target": target},
    )


@sensitive_variables()
def _asked(request: StaffRequest, draft: Any, parameters: Parameters, form: SimulationForm) -> SimulationRun:
    values = form.cleaned_data
    designs = simulating.designs_of(
        parameters,
        own=OWN in values["include"],
        usual=USUAL in values["include"],
        others={key: values[key] for key in OTHERS},
    )
    return simulating.ask(
        revision=draft,
        designs=designs,
        people=form.people(),
        target=values["target"],
        n_trials=values["n_trials"],
        by=request.user,
        at=timezone.now(),
    )


@requires(Action.CONFIGURE_SCHEME, Action.VIEW_RESTRICTED)
@never_cache
@require_safe
def simulations(request: StaffRequest, scheme: str) -> HttpResponse:
    """Every simulation of a scheme."""
    found = scheme_or_404(scheme)
    shown, pages = page_of(request, SimulationRun.objects.filter(scheme=found.code).select_related("asked_by"))
    context = {
        "title": "Simulations",
        "detail": found.name,
        "scheme": found,
        "rows": shown,
        "pages": pages,
        "breadcrumbs": trail_of(found),
        "here": "Simulations",
    }
    return render(request, "allocation/office/simulations.html", context)


@requires(Action.CONFIGURE_SCHEME, Action.VIEW_RESTRICTED)
@never_cache
@sensitive_variables()
@require_safe
def simulation(request: StaffRequest, scheme: str, pk: int) -> HttpResponse:
    """One simulation: how far it is, or what was found."""
    found = scheme_or_404(scheme)
    run = SimulationRun.objects.filter(scheme=found.code, pk=pk).select_related("asked_by").first()
    if run is None:
        raise Http404
    is_done = run.state == SimulationRun.State.DONE
    compared = simulating.found_by(run) if is_done else None
    context = {
        "title": f"Simulation of revision {run.revision}",
        "detail": f"{found.name}. {run.n_trials:,} trials of each design",
        "run": run,
        "percent": run.n_done * 100 // run.n_trials,
        "changed": simulating.CHANGED if is_done and compared is None else "",
        "again": Link("Simulate again", reverse("allocation:simulate", args=[found.code])),
        "breadcrumbs": [
            OFFICE,
            *trail_of(found)[1:],
            ("Simulations", reverse("allocation:simulations", args=[found.code])),
        ],
        "here": f"Simulation {run.pk}",
        **(_said(run, compared) if compared else {}),
    }
    response = render(request, "allocation/office/simulation.html", context)
    if run.state in (SimulationRun.State.WAITING, SimulationRun.State.RUNNING):
        response.headers["Refresh"] = "5"
    return response


@sensitive_variables()
def _said(run: SimulationRun, compared: Comparison) -> dict[str, Any]:
    """The comparison in words, as a table and as charts."""
    try:
        advice = suggestion(simulating.parameters_to_simulate(simulating.revision_of(run)), compared.target)
    except TrialError:
        advice = None
    return {
        "compared": compared,
        "labels": [method.label for method in compared.methods],
        "lines": rows(compared),
        "note": note(compared),
        "message": MESSAGE,
        "advice": advice or "",
        "charts": charts(compared),
    }
