"""The allocation for those who may see it, and what to do when somebody else has."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation import actions as allocation
from trial.allocation.actions import Allocation
from trial.allocation.exceptions import reads as exception_reads
from trial.allocation.reads import allocation_of, digest_of, other_schemes, show_arm
from trial.base.parts import Link
from trial.base.words import date_and_time, local_day
from trial.journey import forms as step_forms
from trial.journey.pages import GET_POST, blocked, page, posted
from trial.participants.models import Participant
from trial.participants.reads import participant_for
from trial.protocol import rules as protocol_rules


@requires(Action.VIEW_ARM)
@never_cache
@require_http_methods(["GET"])
def allocation_result(request: StaffRequest, number: str) -> HttpResponse:
    """The allocation, with its arm, for permitted roles; each showing is logged (screen 03b)."""
    participant = participant_for(request.user, number, Action.VIEW_ARM)
    made = allocation_of(participant)
    if made is None:
        problem = [("This person has not been randomised.", f"/people/{participant.study_id}/")]
        return blocked(request, participant.referral, "Allocation", problem)
    spec = participant.referral.protocol_version.spec
    own = next(one for one in exception_reads.members_of(made) if one.participant_id == participant.pk)
    factors = exception_reads.factor_words(made.revision, spec)
    levels = [(factor.label, factor.word(own.factors.get(factor.code, ""))) for factor in factors]
    return render(
        request,
        "journey/allocation.html",
        {
            "title": "Allocation",
            "participant": participant,
            "subject": participant.referral,
            "arm": show_arm(participant=participant, by=request.user, at=timezone.now()),
            "rows": _certificate_rows(participant, made, levels),
            "digest": digest_of(made)[:16].upper(),
            "button": Link("Choose a group", f"/people/{participant.study_id}/group/"),
            "certificate": Link("Print the certificate", f"/people/{participant.study_id}/allocation/certificate/"),
            "deadline": protocol_rules.first_session_deadline(spec, local_day(made.at)),
            "welcome_days": spec.session_plan.welcome_call_working_days,
            "blinded_people": _blinded_people(participant),
            "exceptions": _exceptions_link(participant, request.user),
            "further": _further_link(participant, request.user),
            "breadcrumbs": [("People", "/people/"), (participant.study_id, f"/people/{participant.study_id}/")],
            "here": "Allocation",
        },
    )


def _certificate_rows(
    participant: Participant, made: Allocation, levels: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    version = participant.referral.protocol_version
    site = participant.number_site
    return [
        ("Time", date_and_time(made.at)),
        ("Number of the allocation", str(made.seq)),
        ("Randomised by" if made.source == Allocation.Source.ONLINE else "Entered by", str(made.by)),
        ("Site", f"{site.code} {site.name}"),
        *[(label, value) for label, value in levels if value != site.name],
        ("Method", made.get_source_display()),
        ("Configuration", f"Protocol {version.version}"),
    ]


def _exceptions_link(participant: Participant, user: User) -> Link | None:
    may = any(user.access.may(action, participant.site) for action in (Action.ASK_EXCEPTION, Action.CODE_BREAK))
    return Link("Say what is not right", f"/people/{participant.study_id}/randomisation/") if may else None


def _further_link(participant: Participant, user: User) -> Link | None:
    may = user.access.may(Action.RANDOMISE, participant.site) and other_schemes(participant)
    return Link("Further randomisations", f"/people/{participant.study_id}/schemes/") if may else None


def _blinded_people(participant: Participant) -> list[User]:
    """Outcome assessors of the site: those who must not learn the arm."""
    today = local_day(timezone.now())
    people = User.objects.filter(
        assignments__role="outcome_assessor",
        assignments__site=participant.site,
        assignments__from_date__lte=today,
        is_active=True,
    ).exclude(assignments__to_date__lt=today)
    return list(people.distinct().order_by("name"))


@requires(Action.REPORT_UNBLINDING)
@GET_POST
def report_unblinding(request: StaffRequest, number: str) -> HttpResponse:
    """Somebody who must not know has found out (BR-27)."""
    participant = participant_for(request.user, number, Action.REPORT_UNBLINDING)
    people = {str(p.pk): p for p in _blinded_people(participant)} | {str(request.user.pk): request.user}
    form = step_forms.UnblindingForm(posted(request))
    form.fields["person"].choices = [(key, person.name) for key, person in people.items()]  # type: ignore[attr-defined]
    if form.is_valid():
        data = form.cleaned_data
        allocation.report_unblinding(
            participant=participant,
            person=people[data["person"]],
            kind=data["kind"],
            route=data["route"],
            happened_date=data["happened_date"],
            by=request.user,
            at=timezone.now(),
        )
        messages.success(request, "Recorded. The trial manager will see it.")
        return redirect("journey:record", participant.study_id)
    return page(request, form, title="Someone has found out by mistake", subject=participant.referral, here="Blinding")
