"""The public page of one source: no sign-in, no health question, nothing that tells whether somebody is known."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.permissions import public
from trial.base.words import local_day
from trial.interest import actions, limits
from trial.interest.forms import InterestForm
from trial.interest.models import InterestSource
from trial.locking.rules import current_lock
from trial.protocol.spec import Study
from trial.protocol.versions import active_version

TOO_MANY = "Too many people have sent this page just now. Wait an hour, or ring us"


def _open_source(code: str) -> InterestSource | None:
    """The source, while its page is up and the site recruits."""
    source = InterestSource.objects.filter(code=code, closed_at__isnull=True).select_related("site").first()
    today = local_day(timezone.now())
    if source is None or current_lock() or active_version() is None:
        return None
    closed = source.site.recruitment_closed_date
    return None if source.site.opened_date > today or (closed and closed < today) else source


def _study() -> Study | None:
    version = active_version()
    return version.spec.study if version else None


def _page(request: HttpRequest, name: str, status: int = 200, **more: object) -> HttpResponse:
    study = _study()
    context = {"study": study, "study_title": study.public_name if study else "", **more}
    response = render(request, f"interest/{name}.html", context, status=status)
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, source: str) -> HttpResponse:
    """Leave a name and one way to be reached."""
    place = _open_source(source)
    if place is None:
        return _page(request, "closed", status=404)
    form = InterestForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, "leave", form=form)
    if not limits.may_send(address=address_of(request), at=timezone.now()):
        form.add_error(None, TOO_MANY)
        return _page(request, "leave", status=429, form=form)
    if form.is_trapped:
        return redirect("interest_thanks", source)
    if not form.is_valid():
        return _page(request, "leave", form=form)
    actions.receive(source=place, left=form.left(), consents=form.cleaned_data["consent"], at=timezone.now())
    return redirect("interest_thanks", source)


@public
@never_cache
@require_safe
def thanks(request: HttpRequest, source: str) -> HttpResponse:
    """What happens next: the same for everybody."""
    days = version.spec.contact.first_contact_working_days if (version := active_version()) else 5
    return _page(request, "thanks", days=days)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: behind our own proxy the last address that it added itself."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        return str(forwarded.rsplit(",", 1)[-1].strip())
    return str(request.META.get("REMOTE_ADDR", ""))
