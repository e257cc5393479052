"""The unblinding: two people, after the analysis plan is signed (BR-67)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from exports import unblinding
from exports.forms import UnblindingForm
from exports.models import Unblinding
from exports.views import RELEASES
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.base.errors import TrialError
from trial.base.parts import Link
from trial.locking.forms import SignForm
from trial.locking.models import DatasetLock

BACK = Link("Go back", "/releases/unblinding/")


@requires(Action.AUTHORISE_UNBLINDING)
@require_http_methods(["GET"])
def index(request: StaffRequest) -> HttpResponse:
    """What was asked and agreed."""
    rows = list(Unblinding.objects.select_related("lock", "asked_by", "agreed_by"))
    waiting = next((row for row in rows if row.agreed_at is None), None)
    context = {
        "title": "Unblinding",
        "rows": rows,
        "waiting": waiting,
        "may_agree": waiting is not None and waiting.asked_by_id != request.user.pk,
        "may_ask": not rows and _newest_lock() is not None,
        "breadcrumbs": [RELEASES],
        "here": "Unblinding",
    }
    return render(request, "exports/unblinding.html", context)


def _newest_lock() -> DatasetLock | None:
    """The last final lock that was agreed."""
    agreed = DatasetLock.objects.filter(kind=DatasetLock.Kind.FINAL, agreed_by__isnull=False)
    return agreed.order_by("-pk").first()


@requires(Action.AUTHORISE_UNBLINDING)
@sensitive_post_parameters("secret")
@require_http_methods(["GET", "POST"])
def ask(request: StaffRequest) -> HttpResponse:
    """Ask that arms be released."""
    lock = get_object_or_404(DatasetLock, pk=getattr(_newest_lock(), "pk", None))
    form = UnblindingForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now, values = timezone.now(), form.cleaned_data
        try:
            unblinding.ask_unblinding(
                lock=lock,
                plan=values["plan"],
                reason=values["reason"],
                proof=reauthenticate(user=request.user, secret=values["secret"], at=now),
                by=request.user,
                at=now,
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Unblinding asked for. Somebody else has to agree")
            return redirect("exports:unblinding")
    context = {
        "title": "Ask to unblind the trial?",
        "detail": f"Once another person agrees, arms leave with {lock} and later locks. You cannot undo this.",
        "button": "Sign and ask to unblind",
        "form": form,
        "back": BACK,
    }
    return render(request, "exports/unblinding_step.html", context)


@requires(Action.AUTHORISE_UNBLINDING)
@sensitive_post_parameters("secret")
@require_http_methods(["GET", "POST"])
def agree(request: StaffRequest, pk: int) -> HttpResponse:
    """Agree that arms be released."""
    row = get_object_or_404(Unblinding.objects.select_related("lock", "asked_by"), pk=pk)
    form = SignForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now = timezone.now()
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            unblinding.agree_unblinding(unblinding=row, proof=proof, by=request.user, at=now)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The unblinding is recorded")
            return redirect("exports:unblinding")
    context = {
        "title": "Unblind the trial?",
        "detail": "From then on, releases that hold the arm can be made for people who may know it. You cannot undo"
        " this.",
        "facts": [("Asked by", row.asked_by), ("Analysis plan", row.plan), ("Why now", row.reason)],
        "button": "Sign and unblind",
        "form": form,
        "back": BACK,
    }
    return render(request, "exports/unblinding_step.html", context)
