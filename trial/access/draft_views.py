"""Where the script of a page sends what is typed, and where a person throws it away."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from trial.access import drafts
from trial.access.permissions import StaffRequest, signed_in
from trial.base.words import clock_time


@signed_in
@never_cache
@sensitive_post_parameters()
@require_POST
def keep(request: StaffRequest) -> HttpResponse:
    """Keep the fields that are posted for the form `?form=` names; answers {"saved_at": "10:42am"}."""
    path = request.GET.get("form", "")
    if not drafts.is_form_of(request.user, path):
        return JsonResponse({"error": "There is no such form."}, status=404)
    now = timezone.now()
    if not drafts.keep(user=request.user, path=path, fields=dict(request.POST.lists()), at=now):
        return JsonResponse({"error": "This is too long to keep as a draft. Save it."}, status=413)
    return JsonResponse({"saved_at": clock_time(timezone.localtime(now))})


@signed_in
@require_POST
def forget(request: StaffRequest) -> HttpResponse:
    """Start afresh: throw the draft away and open the form again."""
    path = request.POST.get("path", "")
    if not drafts.is_form_of(request.user, path):
        return redirect("/home/")
    drafts.forget(user=request.user, path=path)
    return redirect(path)
