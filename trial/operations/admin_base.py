"""Django's admin, asked through our policy: it changes configuration with a reason, and shows the rest at most."""

from typing import Any, ClassVar, NoReturn, TypeVar

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from trial.access.models import User
from trial.access.policy import Action
from trial.base.fields import TextField

M = TypeVar("M", bound=Model)
ENTRY = (Action.VIEW_SETTINGS, Action.OPERATE_SCHEME, Action.VIEW_DATA)
"""Who opens the admin at all; what is in it depends on each table's own actions."""


def may_any(request: HttpRequest, actions: tuple[Action, ...]) -> bool:
    """Whether the person who asks may do one of the actions somewhere."""
    user = request.user
    return isinstance(user, User) and user.is_active and any(user.access.may(action) for action in actions)


class ConfigurationSite(admin.AdminSite):
    """The admin with nothing registered by others, behind the study's own sign-in."""

    site_header = "Configuration"
    site_title = "Configuration"
    index_title = "Tables"
    site_url = "/settings/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Administrators, trial managers and data managers; nobody by a flag."""
        return may_any(request, ENTRY)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """One way to sign in: the study's, with its second factor. Somebody without permission is told so."""
        response: HttpResponse = secure_admin_login(self._refused)(request)
        return response

    def _refused(self, request: HttpRequest) -> HttpResponse:
        return redirect("/settings/")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Sign out as everywhere."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Change the password as everywhere."""
        return redirect("account_change_password")


class ReasonForm(forms.ModelForm[Any]):
    """A row of configuration with the reason of its change, and what it was when the form was opened."""

    reason = TextField(label="Why are you changing this?", what="why you are changing this", max_length=200)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.fields["reason"].required = False
            self.fields["reason"].label = "Note"
        self.fields["seen"].initial = self._newest()

    def _newest(self) -> int | None:
        entry = None if self.instance._state.adding else self.instance.history.first()
        return entry.history_id if entry else None

    def clean(self) -> dict[str, Any]:
        """Refuse to overwrite what somebody else saved meanwhile, naming what differs."""
        data = super().clean() or {}
        if self.instance._state.adding or data.get("seen") == self._newest():
            return data
        newest = self.instance.history.select_related("history_user").first()
        stored = type(self.instance)._default_manager.get(pk=self.instance.pk)
        differs = [
            f"{self.fields[name].label}: {getattr(stored, name)}"
            for name in self.fields
            if name not in ("reason", "seen") and name in data and getattr(stored, name) != data[name]
        ]
        self.data = self.data.copy()  # type: ignore[attr-defined]
        self.data["seen"] = str(self._newest())  # type: ignore[index]
        raise forms.ValidationError(
            f"{newest.history_user or 'The system'} saved this meanwhile."
            f" Stored now: {'; '.join(differs) or 'the same as yours'}. Check, then save again."
        )


class PolicyAdmin(ModelAdmin[M]):
    """One table, whose permissions are actions of the policy.

    Attributes:
        view_actions, change_actions, add_actions: one of them is enough; none means nobody.
        site_path: lookup of the site a row belongs to; rows of other sites do not exist for a person.
    """

    view_actions: ClassVar[tuple[Action, ...]] = ()
    change_actions: ClassVar[tuple[Action, ...]] = ()
    add_actions: ClassVar[tuple[Action, ...]] = ()
    site_path: ClassVar[str] = ""
    form = ReasonForm
    actions = None
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_any(request, self.view_actions)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_any(request, self.change_actions)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_any(request, self.add_actions)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: nothing of the trial is deleted."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """Rows of the person's own sites."""
        rows = super().get_queryset(request)
        if not self.site_path:
            return rows
        user = request.user
        found = [user.access.site_ids(a) for a in self.view_actions if isinstance(user, User) and user.access.may(a)]
        if None in found:
            return rows
        return rows.filter(**{f"{self.site_path}__in": set().union(*[ids for ids in found if ids])})

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """The declared columns; the reason too where somebody may write."""
        declared = list(self.fields or ())
        writes = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        return [*declared, "reason", "seen"] if writes else declared

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm[Any], change: bool) -> None:
        """Write with the person and the reason behind it."""
        obj.save_by(request.user, form.cleaned_data.get("reason") or ("" if change else "Added"))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The audit trail has it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The audit trail has it."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> NoReturn:
        """The audit trail has pages of its own."""
        raise Http404


class ReadOnly(PolicyAdmin[M]):
    """A table that is only looked at. Its form is Django's own: nothing is ever posted."""

    form = forms.ModelForm  # type: ignore[assignment]
