"""Configuring a scheme: the protocol's own, and those of sub-studies (randomisation.md 1, 4.6, 10).

What is typed here is restricted and a list is as secret as its rows: no draft of the form is kept, no cache, no upload
on disk, no value in a message.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from randomisation.models import Scheme
from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.office import configuring
from trial.allocation.office.configure_forms import (
    IMPORT,
    METHOD_TABS,
    DesignForm,
    MethodForm,
    NewSchemeForm,
    initial_of,
)
from trial.allocation.office.configuring import ListRefused, NewScheme, Wanted
from trial.allocation.office.pages import GET_POST, OFFICE, trail_of, url_of
from trial.allocation.office.scheme_reads import METHODS, factor_words, newest_of
from trial.base.errors import TrialError
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import active_version, restricted_parameters


@dataclass(frozen=True)
class Place:
    """A scheme to configure; `scheme` is None for the protocol's own before it is configured first."""

    scheme: Scheme | None
    version: ProtocolVersion
    is_protocols: bool

    @property
    def spec(self) -> ProtocolSpec:
        """The active protocol."""
        return self.version.spec


def place_or_404(code: str) -> Place:
    """The scheme of this code, or the protocol's own.

    Raises:
        Http404: neither is there.
    """
    version = active_version()
    scheme = Scheme.objects.filter(code=code).first()
    if version is None or (scheme is None and code != version.spec.randomisation.scheme):
        raise Http404
    return Place(scheme, version, code == version.spec.randomisation.scheme)


@requires(Action.CONFIGURE_SCHEME)
@csrf_exempt
@never_cache
@sensitive_post_parameters()
@GET_POST
def configure(request: StaffRequest, scheme: str) -> HttpResponse:
    """The next revision of a scheme, or its draft."""
    return _in_memory(request, scheme)


@requires(Action.CONFIGURE_SCHEME)
@csrf_exempt
@never_cache
@sensitive_post_parameters()
@GET_POST
def new(request: StaffRequest) -> HttpResponse:
    """A scheme of a sub-study with its first draft."""
    return _in_memory(request, None)


def _in_memory(request: StaffRequest, code: str | None) -> HttpResponse:
    """Read an upload in memory alone. That must be settled before anything reads the post, so the check of the form's
    token, which does, comes after it."""
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    return _protected(request, code)


@csrf_protect
def _protected(request: StaffRequest, code: str | None) -> HttpResponse:
    return _new(request) if code is None else _configure(request, code)


@sensitive_variables()
def _configure(request: StaffRequest, code: str) -> HttpResponse:
    place = place_or_404(code)
    stored = _stored(place, request.user)
    method = _method(request, stored.get("method", place.spec.randomisation.method))
    kind = MethodForm if place.is_protocols else DesignForm
    form = kind(*_given(request), method=method, factors=_factors(place.spec), initial=stored)
    problems = None
    if form.is_valid():
        try:
            _save(place, form, request.user)
        except ListRefused as refused:
            problems = refused
            form.add_error("file", str(refused))
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The draft is saved. Simulate it next")
            return redirect(f"{request.path}")
    return _page(request, form, place, method, problems)


@sensitive_variables()
def _new(request: StaffRequest) -> HttpResponse:
    version = active_version()
    if version is None:
        raise Http404
    method = _method(request, "permuted_blocks")
    initial = {"rows_per_stratum": version.spec.recruitment.target}
    form = NewSchemeForm(*_given(request), method=method, factors=_factors(version.spec), initial=initial)
    problems = None
    if form.is_valid():
        values = form.cleaned_data
        scheme = NewScheme(*(values[key] for key in ("code", "name", "opens", "closes", "ceiling", "households")))
        shape = configuring.own_shape(values["arms"], values["factors"], version.spec)
        wanted = _wanted(form, version.spec)
        try:
            configuring.create(new=scheme, shape=shape, wanted=wanted, by=request.user, at=timezone.now())
        except ListRefused as refused:
            problems = refused
            form.add_error("file", str(refused))
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The scheme and its draft are saved. Simulate it next")
            return redirect("allocation:scheme", scheme.code)
    return _page(request, form, Place(None, version, is_protocols=False), method, problems)


def _given(request: StaffRequest) -> tuple[Any, ...]:
    return (request.POST, request.FILES) if request.method == "POST" else ()


def _method(request: StaffRequest, otherwise: str) -> str:
    asked = request.GET.get("method", "")
    return asked if asked in METHODS else otherwise


def _factors(spec: ProtocolSpec) -> list[tuple[str, str]]:
    return [(factor.code, factor.label) for factor in spec.randomisation.factors]


@sensitive_variables()
def _stored(place: Place, user: User) -> dict[str, Any]:
    """What the form shows at first: the draft, else what is public of the revision before it, else the protocol."""
    lengths: dict[str, Any] = {"rows_per_stratum": place.spec.recruitment.target, "backup_rows": 0}
    newest = newest_of(place.scheme) if place.scheme else None
    draft = place.scheme.draft if place.scheme else None
    if draft or newest:
        row = draft or newest
        lengths = {"rows_per_stratum": row.rows_per_stratum, "backup_rows": row.backup_rows}  # type: ignore[union-attr]
    if not user.access.may(Action.VIEW_RESTRICTED):
        return lengths
    parameters = configuring.stored_parameters(place.scheme) if place.scheme else None
    if parameters is not None:
        return initial_of(configuring.as_dict(parameters)) | lengths | {"reason": draft.reason if draft else ""}
    if newest is not None:
        return initial_of(newest.params_public) | lengths
    return _of_protocol(place) | lengths


@sensitive_variables()
def _of_protocol(place: Place) -> dict[str, Any]:
    randomisation = place.spec.randomisation
    try:
        restricted = restricted_parameters(place.version)
    except TrialError:
        restricted = None
    given = restricted.given() if restricted else {}
    weights = [{"code": factor.code, "weight": factor.weight} for factor in randomisation.factors]
    return initial_of({**given, "method": randomisation.method, "factors": weights}) | {
        "contribution": randomisation.contribution,
        "backup_rows": randomisation.backup_rows,
    }


@sensitive_variables()
def _save(place: Place, form: MethodForm, by: User) -> None:
    wanted, now = _wanted(form, place.spec), timezone.now()
    if place.is_protocols or place.scheme is None:
        configuring.configure_protocols(spec=place.spec, wanted=wanted, by=by, at=now)
        return
    shape = configuring.own_shape(form.cleaned_data["arms"], form.cleaned_data["factors"], place.spec)
    configuring.configure(scheme=place.scheme, shape=shape, wanted=wanted, by=by, at=now)


@sensitive_variables()
def _wanted(form: MethodForm, spec: ProtocolSpec) -> Wanted:
    values = form.cleaned_data
    return Wanted(
        settings=form.settings(),
        weights={code: form.weight_of(code) for code in form.factor_codes},
        rows_per_stratum=values.get("rows_per_stratum") or spec.recruitment.target,
        backup_rows=values["backup_rows"] or 0,
        reason=values["reason"] or "",
        list_file=values["file"].read() if form.method == IMPORT else None,
        file_sha256="".join(values.get("file_sha256", "").split()).lower(),
    )


@sensitive_variables()
def _page(
    request: StaffRequest, form: MethodForm, place: Place, method: str, problems: ListRefused | None
) -> HttpResponse:
    scheme = place.scheme
    parameters = configuring.stored_parameters(scheme) if scheme else None
    sees = request.user.access.may(Action.VIEW_RESTRICTED)
    context = {
        "title": f"Configure {scheme}" if scheme else _title(place, request),
        "detail": _detail(scheme),
        "form": form,
        "tabs": [(label, f"?method={code}", code == method) for code, label in METHOD_TABS],
        "method": method,
        "is_protocols": place.is_protocols,
        "arms": _arms(place.spec) if place.is_protocols else [],
        "factors": [_factor_line(code) for code, _label in _factors(place.spec)],
        "warnings": configuring.warnings_for(scheme, parameters, place.spec) if scheme and parameters and sees else [],
        "sha256": parameters.settings.get("file_sha256", "") if parameters and sees else "",
        "problems": problems,
        "back": url_of(scheme) if scheme else "/randomisation/",
        "breadcrumbs": trail_of(scheme) if scheme else [OFFICE],
        "here": "Configure" if scheme or place.is_protocols else "New scheme",
    }
    return render(request, "allocation/office/configure.html", context)


def _title(place: Place, request: StaffRequest) -> str:
    return f"Configure {place.spec.randomisation.scheme}" if place.is_protocols else "New scheme"


def _detail(scheme: Scheme | None) -> str:
    if scheme is None:
        return "A draft that others simulate, test and approve before anybody is randomised"
    if scheme.draft:
        return f"Revision {scheme.draft.number} is in preparation. Once saved again it is a draft, to be simulated anew"
    return (
        "A new revision with a secret of its own. Numbers of allocations go on; the revision in force stays until then"
    )


def _arms(spec: ProtocolSpec) -> list[str]:
    return [f"{arm.label} {arm.ratio}" for arm in spec.arms]


def _factor_line(code: str) -> tuple[str, str]:
    label, levels = factor_words(code)
    return label, ", ".join(levels.values())
