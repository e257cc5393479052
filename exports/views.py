"""Releases: the list, one release with its proof, a new one, and downloads (ux.md 4.5)."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from exports import actions, reads, tasks
from exports.forms import CompareForm, DownloadForm, ReleaseForm
from exports.models import CanonicalFile, JobState, Release
from exports.package import CHANGES
from exports.zipped import text_inside
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.lists import PAGE_SIZE, page_of
from trial.base.parts import Link, Pages
from trial.locking.models import DatasetLock

SHOWN_CELLS = 5
RELEASES = ("Releases", "/releases/")


@requires(Action.VIEW_RELEASES)
@require_http_methods(["GET"])
def index(request: StaffRequest) -> HttpResponse:
    """Every release that the person may know of, newest first."""
    releases, pages = page_of(request, Release.objects.visible_to(request.user).select_related("lock"))
    may_build = request.user.access.may(Action.BUILD_RELEASE)
    unstored = CanonicalFile.objects.exclude(state=JobState.DONE).select_related("lock") if may_build else []
    links = [Link("Codebook", "/codebook/")]
    if request.user.access.may(Action.AUTHORISE_UNBLINDING):
        links.append(Link("Unblinding", "/releases/unblinding/"))
    context = {
        "title": "Releases",
        "rows": [(one, reads.state_fact(one.lock)) for one in releases],
        "pages": pages,
        "links": links,
        "button": Link("Make a release", "/releases/new/") if may_build else None,
        "unstored": unstored,
    }
    return render(request, "exports/index.html", context)


@requires(Action.BUILD_RELEASE)
@require_http_methods(["GET", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """Choose a cut or lock, a variant and a purpose; the zip is then built as a job."""
    form = ReleaseForm(
        request.POST if request.method == "POST" else None,
        locks=reads.stored_locks(),
        variants=reads.variants_to_build(request.user),
    )
    if form.is_valid():
        values = form.cleaned_data
        try:
            release = actions.request_release(
                lock=form.chosen_lock,
                variant=values["variant"],
                purpose=values["purpose"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            if release.state in (JobState.WAITING, JobState.FAILED):
                tasks.build_release.enqueue(release.pk, request.user.pk)
            return redirect("exports:detail", release.pk)
    context = {"title": "Make a release", "form": form, "breadcrumbs": [RELEASES], "here": "New"}
    return render(request, "exports/new.html", context)


@requires(Action.VIEW_RELEASES)
@require_http_methods(["GET", "POST"])
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One release: download, proof, what is left out, what changed. A POST compares a hash."""
    release = reads.release_for(request.user, pk)
    compare = CompareForm(request.POST if request.method == "POST" else None)
    is_equal = compare.cleaned_data["sha256"] == release.sha256 if compare.is_valid() else None
    context = {
        "title": f"Release {release}",
        "release": release,
        "facts": reads.facts_of(release),
        "links": _links(release),
        "breadcrumbs": [RELEASES],
        "here": release.lock.code,
        "form": compare,
        "is_equal": is_equal,
        "download": DownloadForm(initial={"purpose": release.purpose}) if _offered(request, release) else None,
        "left_out": reads.left_out(release),
        "may_rebuild": request.user.access.may(Action.BUILD_RELEASE),
        **_changes(request, release),
    }
    response = render(request, "exports/detail.html", context)
    if release.state in (JobState.WAITING, JobState.RUNNING):
        response.headers["Refresh"] = "5"
    return response


def _offered(request: StaffRequest, release: Release) -> bool:
    return release.state == JobState.DONE and reads.may_download(request.user, release)


def _links(release: Release) -> list[Link]:
    base = f"/releases/{release.pk}/"
    return [Link("Codebook", "/codebook/"), Link("Who downloaded this", f"{base}downloads/")]


def _changes(request: StaffRequest, release: Release) -> dict[str, Any]:
    """Tables that changed, and the first cells of the one that is asked for, or of the first."""
    tables = reads.changed_tables(release)
    with_cells = [change["table"] for change in tables if change["cells"]]
    asked = request.GET.get("table", "")
    chosen = asked if asked in with_cells else next(iter(with_cells), "")
    try:
        cells = reads.cells_of(release, chosen, start=0, size=SHOWN_CELLS) if chosen else []
    except TrialError as error:
        messages.error(request, str(error))
        cells = []
    row = CanonicalFile.objects.filter(lock=release.lock).select_related("previous__lock").first()
    return {
        "previous": row.previous.lock.code if row and row.previous else "",
        "tables": tables,
        "n_unchanged": reads.n_unchanged(release),
        "chosen": next((change for change in tables if change["table"] == chosen), None),
        "cells": cells,
    }


@requires(Action.VIEW_RELEASES)
@require_http_methods(["GET"])
def changes(request: StaffRequest, pk: int, table: str) -> HttpResponse:
    """Every changed value of one table, 50 a page."""
    release = reads.release_for(request.user, pk)
    change = next((one for one in reads.changed_tables(release) if one["table"] == table), None)
    if change is None:
        raise Http404
    page = Paginator(range(change["cells"]), PAGE_SIZE).get_page(request.GET.get("page"))
    start = page.start_index() - 1 if change["cells"] else 0
    context = {
        "title": f"{table}: changed values",
        "cells": reads.cells_of(release, table, start=start, size=PAGE_SIZE),
        "pages": Pages(
            page.start_index(),
            page.end_index(),
            page.paginator.count,
            f"?page={page.previous_page_number()}" if page.has_previous() else "",
            f"?page={page.next_page_number()}" if page.has_next() else "",
        ),
        "breadcrumbs": [RELEASES, (str(release), f"/releases/{release.pk}/")],
        "here": table,
    }
    return render(request, "exports/changes.html", context)


@requires(Action.VIEW_RELEASES)
@require_http_methods(["GET"])
def changes_text(request: StaffRequest, pk: int) -> HttpResponse:
    """CHANGES.txt as it is inside the zip."""
    release = reads.release_for(request.user, pk)
    if release.state != JobState.DONE:
        raise Http404
    text = text_inside(release.path, CHANGES)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@requires(Action.VIEW_RELEASES)
@require_http_methods(["GET"])
def downloads(request: StaffRequest, pk: int) -> HttpResponse:
    """Who fetched it, when and what for."""
    release = reads.release_for(request.user, pk)
    rows, pages = page_of(request, release.downloads.select_related("by"))
    context = {
        "title": f"Downloads of {release}",
        "rows": rows,
        "pages": pages,
        "breadcrumbs": [RELEASES, (str(release), f"/releases/{release.pk}/")],
        "here": "Downloads",
    }
    return render(request, "exports/downloads.html", context)


@requires(Action.VIEW_RELEASES)
@require_POST
def download(request: StaffRequest, pk: int) -> HttpResponse:
    """The zip, logged with its hash; sent again, it is fetched and logged again."""
    release = reads.release_for(request.user, pk)
    if not _offered(request, release):
        raise Http404
    form = DownloadForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say what you will use the dataset for, then download it.")
        return redirect("exports:detail", pk)
    try:
        path = actions.download(
            release=release, purpose=form.cleaned_data["purpose"], by=request.user, at=timezone.now()
        )
    except TrialError as error:
        messages.error(request, str(error))
        return redirect("exports:detail", pk)
    response = FileResponse(path.open("rb"), as_attachment=True, filename=release.file_name)
    response.headers["X-Content-SHA256"] = release.sha256
    return cast(HttpResponse, response)


@requires(Action.BUILD_RELEASE)
@require_POST
def rebuild(request: StaffRequest, pk: int) -> HttpResponse:
    """Build it again and compare; a release that failed is tried again."""
    release = reads.release_for(request.user, pk)
    job = tasks.rebuild_release if release.state == JobState.DONE else tasks.build_release
    job.enqueue(release.pk, request.user.pk)
    return redirect("exports:detail", pk)


@requires(Action.BUILD_RELEASE)
@require_POST
def store(request: StaffRequest, code: str) -> HttpResponse:
    """Try again to store the data of a cut or lock."""
    lock = get_object_or_404(DatasetLock.objects.filter(canonical__isnull=False), code=code)
    tasks.keep_data(lock, request.user)
    return redirect("exports:index")
