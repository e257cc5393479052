"""The worklist of consent to a later version (BR-17), with its figures and the same rows as CSV."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base import lists
from trial.base.parts import Fact, Link
from trial.base.words import short_date
from trial.journey import reconsent
from trial.journey.reconsent import Owed
from trial.protocol import rules as protocol_rules

HEADS = ("Participant", "Site", "Signed version", "Version due", "Due at", "Due from", "Overdue after", "State")


@requires(Action.VIEW_RECORD)
@require_safe
def worklist(request: StaffRequest) -> HttpResponse:
    """Who is to consent again, by when, and what is overdue."""
    today = timezone.localdate()
    rows = reconsent.owed_at(request.user, today)
    cells = [_cells(one) for one in rows]
    if lists.wants_csv(request):
        return lists.csv_response("reconsent.csv", HEADS, cells, list)
    n_overdue = sum(one.is_overdue(today) for one in rows)
    n_due = sum(one.is_due(today) and not one.is_overdue(today) for one in rows)
    context = {
        "title": "Consent again",
        "here": "Consent again",
        "facts": [
            Fact("In the trial", str(reconsent.n_active(request.user))),
            Fact("To consent again", str(len(rows))),
            Fact("Due now", str(n_due)),
            Fact("Overdue", str(n_overdue)),
        ],
        "rows": list(zip(rows, cells, strict=True)),
        "may_take": request.user.access.may(Action.RECORD_CONSENT),
        "download": Link("Download as CSV", lists.csv_url(request)),
    }
    return render(request, "journey/reconsent.html", context)


def _cells(one: Owed) -> list[str]:
    today = timezone.localdate()
    spec = one.participant.referral.protocol_version.spec
    label = protocol_rules.visit(spec, one.visit.code).label if one.visit else "no visit left"
    state = "Overdue" if one.is_overdue(today) else "Due" if one.is_due(today) else "Not due yet"
    last = short_date(one.last_date) if one.last_date else ""
    return [
        one.participant.study_id,
        one.participant.referral.site.name,
        one.signed.version,
        one.version.version,
        label[:1].upper() + label[1:],
        short_date(one.due_date),
        last,
        state,
    ]
