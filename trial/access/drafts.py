"""What people typed into forms and have not saved: kept, given back to them alone, forgotten (ux.md 7, R-17).

A page offers it in two lines: `"draft": drafts.open_for(request, form)` in its context, after the form was looked at
with `is_valid()`, and `{% include "components/_draft.html" %}` inside its form (docs/drafts.md). Everything else is
done by the middleware below: a post that is answered by a redirect was saved, so its draft goes; a post after the
session ran out is kept for the person who had opened the form.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.core import signing
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from trial.access.models import Draft, User
from trial.base import keys
from trial.base.words import clock_time, date_and_time, local_day

OWNER = "draft_owner"
"""Name of the hidden field that says, signed, who opened the form."""
NEVER_KEPT = frozenset({"csrfmiddlewaretoken", OWNER, "secret", "password", "code", "otp"})
MAX_CHARACTERS = 200_000
KEPT_FOR = timedelta(days=7)
OPEN_FOR = timedelta(days=1)
_SALT = "trial.access.drafts"

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class OpenDraft:
    """What a page needs to keep what is typed into its form.

    Attributes:
        url: where the script sends it.
        owner: value of the hidden field.
        path: the form's own address.
        kept_at: when what the form shows was kept; None where it shows no draft.
    """

    url: str
    owner: str
    path: str
    kept_at: datetime | None

    @property
    def kept_words(self) -> str:
        """When it was kept: the time, with the day where that is another one."""
        if self.kept_at is None:
            return ""
        is_today = local_day(self.kept_at) == timezone.localdate()
        return clock_time(self.kept_at) if is_today else date_and_time(self.kept_at)


def is_form_of(user: User, path: str) -> bool:
    """Whether `path` is a page that this person may open."""
    if len(path) > Draft._meta.get_field("path").max_length:  # type: ignore[operator]
        return False
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return any(user.access.may(action) for action in getattr(view, "permissions", ()))


def keep(*, user: User, path: str, fields: Fields, at: datetime) -> bool:
    """Keep what was typed, instead of what was kept before. False when it is too long to keep."""
    wanted = {name: list(values) for name, values in fields.items() if not _is_secret(name)}
    text = json.dumps(wanted, ensure_ascii=True)
    if len(text) > MAX_CHARACTERS:
        return False
    wrapped = keys.new_data_key()
    sealed = {"wrapped_key": wrapped, "sealed": keys.seal(wrapped, text), "saved_at": at}
    Draft.objects.update_or_create(user=user, path=path, defaults=sealed)
    return True


def _is_secret(name: str) -> bool:
    return name in NEVER_KEPT or "password" in name.lower()


def kept(user: User, path: str) -> tuple[QueryDict, datetime] | None:
    """What was kept of a form, and when; None where nothing was, or where it cannot be opened any more."""
    draft = Draft.objects.filter(user=user, path=path).first()
    if draft is None:
        return None
    try:
        fields = json.loads(keys.unseal(draft.wrapped_key, draft.sealed))
    except keys.SealBroken:
        return None
    values = QueryDict(mutable=True)
    for name, texts in fields.items():
        values.setlist(name, texts)
    return values, draft.saved_at


def forget(*, user: User, path: str) -> None:
    """Delete what was kept of a form: it was saved, or the person starts afresh."""
    Draft.objects.filter(user=user, path=path).delete()


def forget_old(*, at: datetime) -> int:
    """Delete drafts that nobody came back to; returns how many."""
    n_deleted, _ = Draft.objects.filter(saved_at__lt=at - KEPT_FOR).delete()
    return n_deleted


def open_for(request: HttpRequest, form: forms.BaseForm) -> OpenDraft | None:
    """Fill a form that is opened with what was kept of it; None for a form whose contents are never kept.

    Call it after `form.is_valid()`: from here on the form shows the kept texts as if they had been posted, without
    checking them.
    """
    user, path = request.user, request.path
    if not isinstance(user, User) or _holds_secrets(form):
        return None
    found = kept(user, path) if request.method == "GET" and not form.is_bound else None
    if found is not None:
        form.is_bound, form.data, form.files = True, found[0], MultiValueDict()
        form._errors = ErrorDict()  # type: ignore[attr-defined]  # shown as typed: nothing is wrong yet
    return OpenDraft(
        url="/drafts/?" + _query(path),
        owner=signing.dumps([user.pk, path], salt=_SALT),
        path=path,
        kept_at=found[1] if found else None,
    )


def _query(path: str) -> str:
    query = QueryDict(mutable=True)
    query["form"] = path
    return query.urlencode()


def _holds_secrets(form: forms.BaseForm) -> bool:
    return any(isinstance(field.widget, forms.PasswordInput | forms.FileInput) for field in form.fields.values())


def around_forms(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Forget a draft once its form is saved; keep what was posted after the session had run out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and response.status_code in (302, 303, 403):
            if not request.user.is_authenticated:
                _keep_for_owner(request)
            elif response.status_code != 403 and OWNER in request.POST:
                forget(user=request.user, path=request.path)
        return response

    return middleware


def _keep_for_owner(request: HttpRequest) -> None:
    """A post without a session: keep it for the active account that had opened the form."""
    try:
        user_id, path = signing.loads(request.POST.get(OWNER, ""), salt=_SALT, max_age=OPEN_FOR)
    except signing.BadSignature:
        return
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is not None and path == request.path:
        keep(user=user, path=path, fields=dict(request.POST.lists()), at=timezone.now())
