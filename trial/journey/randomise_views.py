"""Check, confirm, allocate (T12, ux.md 4.1)."""

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.allocation import actions as allocation
from trial.allocation import checks as allocation_checks
from trial.allocation.reads import allocation_of
from trial.base.errors import TrialError
from trial.base.parts import Link
from trial.base.words import long_date
from trial.consent import actions as consents
from trial.journey import forms as step_forms
from trial.journey import steps
from trial.journey.confirming import LOST, office_line, refused, request_key, say_already
from trial.journey.pages import GET_POST, blocked, page, posted
from trial.participants.models import Participant
from trial.participants.reads import participant_for
from trial.protocol import rules as protocol_rules
from trial.screening.models import Eligibility


@requires(Action.RANDOMISE)
@never_cache
@sensitive_post_parameters("secret")
@GET_POST
def randomise(request: StaffRequest, number: str) -> HttpResponse:
    """Check everything, choose the factors again, confirm, allocate (T12, ux.md 4.1)."""
    participant = participant_for(request.user, number, Action.RANDOMISE)
    if made := allocation_of(participant):
        say_already(request, made.at)
        return redirect("journey:allocation", participant.study_id)
    spec = participant.referral.protocol_version.spec
    problems = allocation_checks.all_refusals(participant=participant, by=request.user, at=timezone.now())
    if problems:
        links = [(problem.text, _where_to_mend(problem.code, participant)) for problem in problems]
        return blocked(request, participant.referral, "Randomise", links)
    levels = step_forms.LevelsForm(spec.randomisation.factors, posted(request))
    if request.method == "POST" and levels.is_valid():
        return _confirm(request, participant, levels)
    facts = _check_answers(participant)
    return page(
        request,
        levels,
        title="Check before you randomise",
        subject=participant.referral,
        here="Randomise",
        button="Continue",
        template="journey/randomise_check.html",
        facts=facts,
    )


MENDED_AT = {
    "E_CONSENT": "consent/",
    "E_ELIGIBILITY": "screening/",
    "E_BASELINE": "",
    "E_RISK": "",
    "E_FACTORS": "screening/",
}


def _where_to_mend(code: str, participant: Participant) -> str:
    """The page on which a precondition is put right; none where the trial office does it."""
    return f"/people/{participant.study_id}/{MENDED_AT[code]}" if code in MENDED_AT else ""


def _check_answers(participant: Participant) -> list[tuple[str, str, str]]:
    """What makes the allocation right, each with the page that changes it."""
    base = f"/people/{participant.study_id}/"
    signed = consents.valid_consent(participant)
    eligibility_ = Eligibility.objects.select_related("signature").get(participant=participant)
    signature = eligibility_.signature
    rows = [("Site", f"{participant.number_site.code} {participant.number_site.name}", "")]
    if signed:
        text = f"Version {signed.form.version}, signed {long_date(signed.signed_at)}"
        rows.append(("Consent", text, f"{base}consent/"))
    if signature:
        text = f"Signed by {signature.printed_name}, {long_date(signature.signed_at)}"
        rows.append(("Eligibility", text, f"{base}screening/"))
    rows.append(("Baseline", "Every required form is complete", base))
    return rows


def _confirm(request: StaffRequest, participant: Participant, levels: step_forms.LevelsForm) -> HttpResponse:
    """The interruption: shown first, then, with password or code, the allocation itself."""
    has_secret = "secret" in request.POST
    form = step_forms.SignForm(request.POST if has_secret else None)
    if has_secret and form.is_valid():
        now = timezone.now()
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            outcome = steps.randomise(
                participant=participant,
                levels=levels.levels(),
                request_key=request_key(request),
                proof=proof,
                by=request.user,
                at=now,
            )
        except allocation.AllocationRefused as error:
            return _refused(request, participant, error)
        except TrialError as error:
            form.add_error("secret", str(error))
        else:
            if not outcome.created:
                say_already(request, outcome.allocation.at)
            return redirect("journey:allocation", participant.study_id)
    chosen = levels.levels()
    facts = [(term, value) for term, value, _ in _check_answers(participant)]
    facts += [
        (factor.label, protocol_rules.level(factor, chosen[factor.code]).label)
        for factor in levels.factors
        if factor.source.type != "site"
    ]
    hidden = [(f"level_{code}", level) for code, level in chosen.items()]
    hidden.append(("request_key", request_key(request) if has_secret else str(uuid.uuid4())))
    return page(
        request,
        form,
        title=f"Randomise {participant.study_id}?",
        subject=participant.referral,
        here="Randomise",
        template="journey/randomise_confirm.html",
        facts=facts,
        hidden=hidden,
        back=Link("Go back and check", f"/people/{participant.study_id}/randomise/"),
        after=f"{LOST} {office_line(participant.referral.protocol_version.spec)}",
    )


def _refused(request: StaffRequest, participant: Participant, error: allocation.AllocationRefused) -> HttpResponse:
    base = f"/people/{participant.study_id}/"
    return refused(
        request,
        error,
        spec=participant.referral.protocol_version.spec,
        back=Link(f"Back to {participant.study_id}", base),
        trail=[("People", "/people/"), (participant.study_id, base)],
        here="Randomise",
    )
