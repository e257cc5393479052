"""One person's record, and the contact details behind it."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base import keys
from trial.base.fields import ChoiceField, TextField
from trial.base.parts import Link
from trial.base.words import in_groups, local_day, long_date
from trial.journey import record as reads
from trial.journey import record_glance
from trial.journey.forms import PREFERRED
from trial.journey.next_step import next_step
from trial.journey.timeline import timeline
from trial.paper.reads import paper_packs
from trial.participants import identity
from trial.participants.identity import IdentityData
from trial.participants.models import Referral
from trial.participants.reads import referral_for

SHOWN_EVENTS = 12
"""Events on the record page before "All events" is asked for."""


@requires(Action.VIEW_RECORD)
@require_safe
def record(request: StaffRequest, number: str) -> HttpResponse:
    """Who, the facts, the next step, the visit grid and the timeline (screen 02)."""
    user, now = request.user, timezone.now()
    today = local_day(now)
    referral = referral_for(user, number)
    participant = reads.participant_of(referral)
    grid = reads.grid_of(participant, user, today) if participant else None
    events = timeline(referral, user)
    shown = events if request.GET.get("events") == "all" else events[:SHOWN_EVENTS]
    tasks = record_glance.open_tasks(referral, user)
    more = Link(f"All {len(events)} events", "?events=all") if len(shown) < len(events) else None
    return render(
        request,
        "journey/record.html",
        {
            "title": referral.number,
            "breadcrumbs": [("People", "/people/")],
            "here": referral.site.name,
            "links": reads.links(referral, user),
            "facts": reads.facts_under_title(referral, user, today),
            "glance": record_glance.glance(referral, user, today, grid.visits if grid else [], tasks),
            "tasks": tasks,
            "tasks_id": record_glance.TASKS,
            "other_pages": record_glance.other_pages(referral, user),
            "next": next_step(referral, user, today, now, visits=grid.visits if grid else None),
            "grid": grid,
            "questionnaire_links": reads.questionnaire_links(grid, participant, user) if grid and participant else [],
            "packs": paper_packs(participant, user) if participant else [],
            "events": shown,
            "more": more,
        },
    )


class ReasonForm(forms.Form):
    """Why somebody looks at contact details; kept in the access log."""

    why = ChoiceField(
        label="Why do you need them?",
        what="why you need the contact details",
        choices=[
            ("To contact the person", "To contact the person"),
            ("To check who is calling", "To check who is calling"),
            ("To check the details", "To check the details"),
            ("Safety or emergency", "Safety or emergency"),
            ("other", "Another reason"),
        ],
    )
    detail = TextField(
        label="Which reason?", required=False, max_length=200, help_text="Do not write the person's name"
    )

    def clean(self) -> None:
        """Another reason has to be named."""
        if self.cleaned_data.get("why") == "other" and not self.cleaned_data.get("detail"):
            self.add_error("detail", "Enter which reason")

    @property
    def reason(self) -> str:
        """For the access log."""
        why, detail = self.cleaned_data["why"], self.cleaned_data["detail"] or ""
        return detail if why == "other" else ": ".join(part for part in (why, detail) if part)


@requires(Action.VIEW_IDENTITY)
@never_cache
@require_http_methods(["GET", "POST"])
def contact_details(request: StaffRequest, number: str) -> HttpResponse:
    """Ask why, then show how to reach the person, in this response only; each showing is logged (R-34)."""
    referral = referral_for(request.user, number, Action.VIEW_IDENTITY)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    rows: list[tuple[str, str]] = []
    if form.is_valid():
        try:
            data = identity.show(referral=referral, by=request.user, at=timezone.now(), reason=form.reason)
            rows = _rows(referral, request.user, data)
        except keys.SealBroken as error:
            form.add_error(None, str(error))
    return render(
        request,
        "journey/contact_details.html",
        {
            "title": f"Contact details of {referral.number}",
            "breadcrumbs": [("People", "/people/"), (referral.number, f"/people/{referral.number}/")],
            "here": "Contact details",
            "form": form,
            "rows": rows,
            "referral": referral,
            "may_change": request.user.access.may(Action.CHANGE_IDENTITY, referral.site),
        },
    )


def _rows(referral: Referral, user: User, data: IdentityData) -> list[tuple[str, str]]:
    """Who it is and how to reach them; the rest only for those who take consent (domain.md section 4, Roles)."""
    emergency = (data.emergency_name, data.emergency_relation, data.emergency_phone)
    rows = [
        ("Name", data.name),
        ("Telephone", data.phone),
        ("Another telephone", data.other_phone),
        ("E-mail", data.email),
        ("Prefers", dict(PREFERRED).get(data.preferred_contact, data.preferred_contact)),
        ("Emergency contact", ", ".join(part for part in emergency if part)),
    ]
    if user.access.may(Action.RECORD_CONSENT, referral.site):
        rows += [
            ("Address", "\n".join(part for part in (data.address, data.postcode) if part)),
            ("Date of birth", long_date(data.birth_date) if data.birth_date else ""),
            ("NHS number", in_groups(data.nhs_number)),
            ("GP practice", ", ".join(part for part in (data.gp_practice, data.gp_code) if part)),
            ("Notes from the referral", identity.open_text(referral.person, referral.notes_sealed)),
        ]
    return [(term, value) for term, value in rows if value]
