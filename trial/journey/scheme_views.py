"""A second question asked of the same people: schemes other than the protocol's own (randomisation.md 1)."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import Proof
from trial.allocation import actions as allocation
from trial.allocation import checks
from trial.allocation.exceptions import reads
from trial.allocation.reads import allocation_in, other_schemes
from trial.base.parts import Link
from trial.base.words import date_and_time
from trial.journey.confirming import Confirmation, check_and_confirm, say_already
from trial.journey.pages import GET_POST, blocked
from trial.participants.reads import participant_for


@requires(Action.RANDOMISE)
@require_safe
def index(request: StaffRequest, number: str) -> HttpResponse:
    """The other schemes that are open, and whether this person was allocated by each. No arm."""
    participant = participant_for(request.user, number, Action.RANDOMISE)
    made = [(scheme, allocation_in(scheme, participant)) for scheme in other_schemes(participant)]
    base = f"/people/{participant.study_id}/"
    context = {
        "title": "Further randomisations",
        "rows": [
            (
                scheme.name,
                f"Allocated on {date_and_time(found.at)}, number {found.seq}" if found else "Not yet",
                None if found else Link("Randomise", f"{base}schemes/{scheme.code}/"),
            )
            for scheme, found in made
        ],
        "breadcrumbs": [("People", "/people/"), (participant.study_id, base)],
        "here": "Further randomisations",
    }
    return render(request, "journey/schemes.html", context)


@requires(Action.RANDOMISE)
@never_cache
@sensitive_post_parameters("secret")
@GET_POST
def randomise(request: StaffRequest, number: str, scheme: str) -> HttpResponse:
    """The same check and confirmation as for the protocol's own scheme; nothing of the journey follows."""
    participant = participant_for(request.user, number, Action.RANDOMISE)
    chosen = next((one for one in other_schemes(participant) if one.code == scheme), None)
    if chosen is None:
        raise Http404
    base = f"/people/{participant.study_id}/"
    if made := allocation_in(chosen, participant):
        say_already(request, made.at)
        return redirect("journey:schemes", participant.study_id)
    if problems := checks.refusals_elsewhere(participant=participant, by=request.user, at=timezone.now()):
        return blocked(request, participant.referral, f"Randomise: {chosen.name}", [(one.text, "") for one in problems])
    spec = participant.referral.protocol_version.spec
    factors = reads.factor_words_of(chosen, spec)
    has_site = any(factor.code == reads.SITE_FACTOR for factor in factors)
    site = {reads.SITE_FACTOR: participant.number_site.code} if has_site else {}

    def run(levels: list[dict[str, str]], key: str, proof: Proof, now: datetime) -> HttpResponse:
        outcome = allocation.randomise_into(
            scheme=chosen,
            participant=participant,
            levels={**site, **levels[0]},
            request_key=key,
            proof=proof,
            by=request.user,
            at=now,
        )
        messages.success(request, f"Allocated: number {outcome.allocation.seq} of {chosen.name}")
        return redirect("journey:schemes", participant.study_id)

    return check_and_confirm(
        request,
        Confirmation(
            question=f"Randomise {participant.study_id} in {chosen.name}?",
            people=[participant.study_id],
            factors=reads.typed_again(factors),
            spec=spec,
            run=run,
            back=Link("Go back", f"{base}schemes/"),
            trail=[("People", "/people/"), (participant.study_id, base)],
            here=chosen.name,
            facts=[("Scheme", chosen.name), ("Site", f"{participant.number_site.code} {participant.number_site.name}")],
        ),
    )
