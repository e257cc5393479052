"""A batch of ready people, randomised together: all or none, in an order that nobody chooses (randomisation.md 5)."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import Proof
from trial.allocation import checks
from trial.allocation.exceptions import reads
from trial.allocation.reads import BatchRow, batch_rows, scheme_of
from trial.base.parts import Link
from trial.journey import together
from trial.journey.confirming import Confirmation, check_and_confirm
from trial.journey.pages import GET_POST, page, posted
from trial.journey.together_forms import BatchForm
from trial.participants.models import Participant, Status

BATCH = ("Randomise a batch", "/randomisation/batch/")


@requires(Action.RANDOMISE)
@never_cache
@sensitive_post_parameters("secret")
@GET_POST
def randomise(request: StaffRequest) -> HttpResponse:
    """Choose who is in it and its code, choose their values again, confirm with one password."""
    ready = _ready(request)
    form = BatchForm(ready, posted(request))
    if form.is_valid():
        chosen = [one for one in ready if one.study_id in form.cleaned_data["people"]]
        for text in _problems(request, chosen):
            form.add_error("people", text)
        if not form.errors:
            return _confirm(request, chosen, form.cleaned_data["code"])
    return page(
        request,
        form,
        title=BATCH[0],
        subject=None,
        here=BATCH[0],
        button="Continue",
        template="journey/batch.html",
        ready=ready,
    )


def _ready(request: StaffRequest) -> list[Participant]:
    """People at the person's sites whose baseline is done."""
    sites = request.user.access.site_ids(Action.RANDOMISE)
    found = Participant.objects.filter(referral__status=Status.BASELINE_DONE).select_related(
        "referral__site", "referral__protocol_version", "number_site"
    )
    return list((found if sites is None else found.filter(referral__site__in=sites)).order_by("study_id"))


def _problems(request: StaffRequest, chosen: Sequence[Participant]) -> list[str]:
    now = timezone.now()
    if len({one.site.pk for one in chosen}) > 1:
        return ["Select people of one site"]
    return [
        f"{person.study_id}: {one.text}"
        for person in chosen
        for one in checks.all_refusals(participant=person, by=request.user, at=now)
    ]


def _confirm(request: StaffRequest, chosen: Sequence[Participant], code: str) -> HttpResponse:
    spec, site = chosen[0].referral.protocol_version.spec, chosen[0].site

    def run(levels: list[dict[str, str]], key: str, proof: Proof, now: datetime) -> HttpResponse:
        sites = [{reads.SITE_FACTOR: one.number_site.code} if reads.has_site(spec) else {} for one in chosen]
        whole = [{**own, **given} for own, given in zip(sites, levels, strict=True)]
        together.randomise_batch(
            batch=code,
            people=list(zip(chosen, whole, strict=True)),
            request_key=key,
            proof=proof,
            by=request.user,
            at=now,
        )
        messages.success(request, f"Batch {code} is allocated: {len(chosen)} people")
        return redirect("journey:batch", code)

    return check_and_confirm(
        request,
        Confirmation(
            question=f"Randomise these {len(chosen)} people together?",
            people=[one.study_id for one in chosen],
            factors=reads.typed_again(reads.factor_words_of(scheme_of(chosen[0]), spec)),
            spec=spec,
            run=run,
            back=Link("Choose again", BATCH[1]),
            trail=[BATCH],
            here=code,
            facts=[("Batch", code), ("Site", f"{site.code} {site.name}"), ("People", str(len(chosen)))],
            hidden=[("code", code), *[("people", one.study_id) for one in chosen]],
        ),
    )


@requires(Action.RANDOMISE)
@never_cache
@sensitive_variables()
@require_safe
def result(request: StaffRequest, code: str) -> HttpResponse:
    """Who was allocated in a batch; the arm of each only for those who may see it, each showing logged."""
    rows: list[BatchRow] = batch_rows(batch=code, by=request.user, at=timezone.now())
    if not rows:
        raise Http404
    context = {
        "title": f"Batch {code}",
        "rows": rows,
        "breadcrumbs": [BATCH],
        "here": code,
    }
    return render(request, "journey/batch_result.html", context)
