"""Approved documents as pages: which versions there are, their file, and from when to when each site uses them."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.parts import Fact
from trial.base.words import long_date, short_date
from trial.consent import documents
from trial.consent.document_forms import DatesForm, FileForm, NewVersionForm
from trial.consent.models import DocumentFile, DocumentUse, DocumentVersion

GET_POST = require_http_methods(["GET", "POST"])
TRAIL = ("Documents", "/documents/")


@dataclass(frozen=True)
class AtSite:
    """One version at one site, in words."""

    site: Site
    words: str
    status: str


@dataclass(frozen=True)
class Row:
    """One version with its file and its dates."""

    document: DocumentVersion
    file: DocumentFile | None
    at_sites: list[AtSite]


def _row(document: DocumentVersion, sites: list[Site]) -> Row:
    uses = {use.site_id: use for use in document.uses.all()}
    files = list(document.files.all())
    return Row(document, files[0] if files else None, [_at(site, uses.get(site.pk)) for site in sites])


def _at(site: Site, use: DocumentUse | None) -> AtSite:
    today = timezone.localdate()
    if use is None:
        return AtSite(site, "Not in use", "not_due")
    until = f" to {short_date(use.to_date)}" if use.to_date else ""
    words = f"{short_date(use.from_date)}{until}" if until else f"From {short_date(use.from_date)}"
    if today < use.from_date:
        return AtSite(site, words, "not_due")
    return AtSite(site, words, "superseded" if use.to_date and today > use.to_date else "valid")


def _versions() -> list[DocumentVersion]:
    found = DocumentVersion.objects.select_related("supersedes").prefetch_related("uses", "files")
    return list(found.order_by("kind", "language", "-document_date", "-pk"))


@requires(Action.VIEW_PROTOCOL)
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """Every version of every document, the newest first, with its dates at each site."""
    sites = list(Site.objects.all())
    context = {
        "title": "Documents",
        "here": "Documents",
        "sites": sites,
        "rows": [_row(one, sites) for one in _versions()],
        "may_manage": request.user.access.may(Action.MANAGE_DOCUMENTS),
    }
    return render(request, "consent/documents.html", context)


@requires(Action.VIEW_PROTOCOL)
@GET_POST
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One version: what was approved, its file and its hash, its dates. The trial manager uploads the file."""
    document = get_object_or_404(DocumentVersion.objects.prefetch_related("uses", "files"), pk=pk)
    may_manage = request.user.access.may(Action.MANAGE_DOCUMENTS)
    form = FileForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and not may_manage:
        raise Http404
    if form.is_valid():
        try:
            documents.upload(document=document, data=form.cleaned_data["file"], by=request.user, at=timezone.now())
        except TrialError as refused:
            form.add_error("file", str(refused))
        else:
            messages.success(request, f"{document}: the file is kept.")
            return redirect("documents:detail", pk)
    row = _row(document, list(Site.objects.all()))
    context = {
        "title": f"{document.title} {document.version}",
        "here": str(document),
        "breadcrumbs": [TRAIL],
        "facts": _facts(document),
        "row": row,
        "form": form if may_manage and not (row.file and documents.is_in_use(document)) else None,
        "may_manage": may_manage,
    }
    return render(request, "consent/document.html", context)


def _facts(document: DocumentVersion) -> list[Fact]:
    before = document.supersedes
    facts = [
        Fact("Approved", long_date(document.approved_date), detail=document.rec_reference),
        Fact("Date on the document", long_date(document.document_date)),
        Fact("Language", document.language),
        Fact("Consent again", "Yes" if document.requires_reconsent else "No"),
    ]
    return [*facts, Fact("Supersedes", before.version)] if before else facts


@requires(Action.VIEW_PROTOCOL)
@require_safe
def file(request: StaffRequest, pk: int) -> HttpResponse:
    """The approved file, byte for byte."""
    document = get_object_or_404(DocumentVersion, pk=pk)
    kept = documents.file_of(document)
    data = documents.bytes_of(kept.sha256) if kept else None
    if data is None:
        raise Http404
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{document.code}.pdf"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@requires(Action.MANAGE_DOCUMENTS)
@GET_POST
def dates(request: StaffRequest, pk: int, code: str) -> HttpResponse:
    """From when to when one site uses one version."""
    document = get_object_or_404(DocumentVersion, pk=pk)
    site = get_object_or_404(Site, code=code)
    use = DocumentUse.objects.filter(document=document, site=site).first()
    initial = {"from_date": use.from_date, "to_date": use.to_date} if use else {}
    form = DatesForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            documents.set_use(document=document, site=site, by=request.user, **form.cleaned_data)
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{document} at {site}: saved.")
            return redirect("documents:detail", pk)
    context = {
        "title": f"Dates at {site}",
        "here": f"Dates at {site}",
        "breadcrumbs": [TRAIL, (str(document), reverse("documents:detail", args=[pk]))],
        "back": (str(document), reverse("documents:detail", args=[pk])),
        "detail": f"{document.title} {document.version}, approved on {long_date(document.approved_date)}",
        "form": form,
        "button": "Save",
    }
    return render(request, "access/form.html", context)


@requires(Action.MANAGE_DOCUMENTS)
@GET_POST
def new(request: StaffRequest) -> HttpResponse:
    """Add an approved version with its file."""
    newest: dict[tuple[str, str], DocumentVersion] = {}
    for one in _versions():
        newest.setdefault((one.kind, one.language), one)
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = NewVersionForm(list(newest.values()), *given)
    if form.is_valid():
        data = dict(form.cleaned_data)
        try:
            made = documents.add_version(
                supersedes=form.newest[data.pop("supersedes")],
                data=data.pop("file"),
                by=request.user,
                at=timezone.now(),
                **data,
            )
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{made} added. Set the day from which each site uses it.")
            return redirect("documents:detail", made.pk)
    context = {"title": "Add a version", "here": "Add a version", "breadcrumbs": [TRAIL], "form": form}
    return render(request, "consent/document_new.html", context)
