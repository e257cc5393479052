"""The administrator's home: people, sites, messages and health; no participant data (ux.md section 3)."""

from datetime import timedelta

from django.contrib import messages
from django.db.models import Count, Min, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from trial.access import actions as access_actions
from trial.access import delegation, reads
from trial.access.models import RoleAssignment, Site, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.models import AuditSeal
from trial.base.parts import Link
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage
from trial.operations import health
from trial.protocol.models import ProtocolVersion

SOON = timedelta(days=30)
STATES = OutboxMessage.State


@requires(Action.VIEW_SETTINGS)
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    """How the system is doing, and the way to everything an administrator sets."""
    today = timezone.localdate()
    checks = health.checks()
    context = {
        "title": "Settings",
        "button": Link("Invite a person", reverse("access:new_person")),
        "accounts": reads.n_by_state(),
        "n_without_role": _n_without_role(),
        "sites": [(s, s.is_recruiting(today), access_actions.recruitment_words(s)) for s in Site.objects.all()],
        "ending": delegation.ending_by(today + SOON, today=today)[:10],
        "roles_ending": RoleAssignment.objects.filter(
            from_date__lte=today, to_date__gte=today, to_date__lte=today + SOON, user__is_active=True
        ).select_related("user", "site")[:10],
        "versions": ProtocolVersion.objects.all()[:5],
        "queue": queue_figures(),
        "seal": AuditSeal.objects.order_by("-number").first(),
        "checks": checks,
        "is_well": all(check.is_well for check in checks),
    }
    return render(request, "operations/settings.html", context)


def _n_without_role() -> int:
    """Active accounts that no role was ever given."""
    return User.objects.filter(is_active=True, assignments__isnull=True).count()


def queue_figures() -> dict[str, object]:
    """How many messages wait or failed, and since when the oldest one is due."""
    now = timezone.now()
    return OutboxMessage.objects.aggregate(
        n_queued=Count("pk", filter=Q(state=STATES.QUEUED)),
        n_failed=Count("pk", filter=Q(state=STATES.FAILED)),
        oldest=Min("send_after", filter=Q(state=STATES.QUEUED, send_after__lte=now)),
    )


@requires(Action.VIEW_SETTINGS)
@require_safe
def message_list(request: StaffRequest) -> HttpResponse:
    """Messages by state: what kind and when, never to which participant and never their text."""
    state = request.GET.get("state", STATES.FAILED)
    state = state if state in STATES.values else STATES.FAILED
    counts = dict(OutboxMessage.objects.order_by().values_list("state").annotate(n=Count("pk")))
    rows, pages = page_of(request, OutboxMessage.objects.filter(state=state).select_related("to_user"))
    context = {
        "title": "Messages",
        "breadcrumbs": [("Settings", reverse("settings"))],
        "here": "Messages",
        "rows": [(row, row.kind.replace("_", " ").capitalize()) for row in rows],
        "pages": pages,
        "may_retry": state == STATES.FAILED,
        "tabs": [(f"{s.label} {counts.get(s.value, 0)}", f"?state={s.value}", s.value == state) for s in STATES],
    }
    return render(request, "operations/messages.html", context)


@requires(Action.VIEW_SETTINGS)
@require_POST
def send_again(request: StaffRequest, pk: int) -> HttpResponse:
    """Queue a message that could not be sent."""
    message = OutboxMessage.objects.filter(pk=pk).first()
    if message is None:
        raise Http404
    try:
        outbox.requeue(message=message, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The message waits to be sent again.")
    return redirect("messages")
