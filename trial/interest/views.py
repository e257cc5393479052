"""What coordinators do with entries, and where posters hang."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import Site, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.interest import actions, poster
from trial.interest.forms import TIMES, CloseForm, SourceForm
from trial.interest.models import Interest, InterestSource
from trial.protocol.versions import current

GET_POST = require_http_methods(["GET", "POST"])
TRAIL = [("People", "/people/")]
LIST = ("Asked to be called", "/people/interest/")


def entry_for(user: User, pk: int) -> Interest:
    """One entry of the person's sites.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    found = Interest.objects.visible_to(user).select_related("source__site", "referral").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _sites(user: User) -> list[Site]:
    ids = user.access.site_ids(Action.MANAGE_SOURCES)
    return list(Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids))


def _source_for(user: User, pk: int) -> InterestSource:
    found = InterestSource.objects.filter(site__in=_sites(user), pk=pk).select_related("site").first()
    if found is None:
        raise Http404
    return found


@requires(Action.HANDLE_INTEREST)
@require_safe
def entries(request: StaffRequest) -> HttpResponse:
    """Who waits for a call, oldest first; names stand on each one's own page."""
    found = Interest.objects.visible_to(request.user).select_related("source")
    context = {
        "title": "Asked to be called",
        "breadcrumbs": TRAIL,
        "here": "Asked to be called",
        "waiting": found.filter(state=Interest.State.OPEN),
        "settled": found.exclude(state=Interest.State.OPEN).select_related("referral").order_by("-settled_at")[:20],
    }
    return render(request, "interest/entries.html", context)


@requires(Action.HANDLE_INTEREST)
@never_cache
@GET_POST
def entry(request: StaffRequest, pk: int) -> HttpResponse:
    """One entry: whom to call, and closing it. Each showing is logged."""
    found = entry_for(request.user, pk)
    form = CloseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.close(entry=found, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Closed. Name and contact were removed.")
            return redirect("interest:entries")
    left = actions.show(entry=found, by=request.user, at=timezone.now())
    times = dict(TIMES)
    context = {
        "title": f"Entry {found.pk}",
        "breadcrumbs": [*TRAIL, LIST],
        "here": f"Entry {found.pk}",
        "entry": found,
        "left": left,
        "times": ", ".join(str(times[one]) for one in left.times) if left else "",
        "form": form,
    }
    return render(request, "interest/entry.html", context)


@requires(Action.MANAGE_SOURCES)
@GET_POST
def sources(request: StaffRequest) -> HttpResponse:
    """Places with a poster or a link, and a new one."""
    form = SourceForm(_sites(request.user), request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        actions.add_source(
            site=form.site(),
            name=data["name"],
            source_type=data["source_type"],
            referral_model=data["referral_model"],
            by=request.user,
            at=timezone.now(),
        )
        messages.success(request, "Saved. Its poster can be printed.")
        return redirect("interest:sources")
    context = {
        "title": "Posters and links",
        "breadcrumbs": TRAIL,
        "here": "Posters and links",
        "form": form,
        "site_url": settings.SITE_URL,
        "sources": InterestSource.objects.filter(site__in=_sites(request.user)).select_related("site"),
    }
    return render(request, "interest/sources.html", context)


@requires(Action.MANAGE_SOURCES)
@require_http_methods(["POST"])
def close_source(request: StaffRequest, pk: int) -> HttpResponse:
    """Take one page down."""
    actions.close_source(source=_source_for(request.user, pk), by=request.user, at=timezone.now())
    messages.success(request, "The page was taken down.")
    return redirect("interest:sources")


@requires(Action.MANAGE_SOURCES)
@require_safe
def poster_file(request: StaffRequest, pk: int) -> HttpResponse:
    """The poster of one source as PDF."""
    source = _source_for(request.user, pk)
    response = HttpResponse(poster.draw(source, current().spec), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="poster-{source.code}.pdf"'
    return response
