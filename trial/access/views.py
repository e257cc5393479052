"""The administrator's pages about people and their roles."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access import actions, reads
from trial.access import forms as access_forms
from trial.access.models import AccessEvent, Delegation, RoleAssignment, Site, User
from trial.access.pages import GET_POST, SETTINGS, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action, Role
from trial.base.errors import TrialError
from trial.base.fields import ChoiceField, TextField
from trial.base.lists import csv_response, csv_url, page_of, wants_csv
from trial.base.parts import Link


class PeopleFilter(forms.Form):
    """Which accounts are listed."""

    typed = TextField(label="Name or address", required=False, max_length=100)
    role = ChoiceField(label="Role", required=False, widget=forms.Select())
    mark_optional = False

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.fields["role"].choices = [("", "Every role"), *Role.choices]  # type: ignore[attr-defined]


@requires(Action.MANAGE_PEOPLE)
@require_safe
def people(request: StaffRequest) -> HttpResponse:
    """Every account with its roles of today (R-14)."""
    chosen = PeopleFilter(request.GET)
    wanted = chosen.cleaned_data if chosen.is_valid() else {}
    state = request.GET.get("state", "active")
    state = state if state in reads.STATES else "active"
    rows = reads.people(state=state, role=wanted.get("role") or "", typed=wanted.get("typed") or "")
    today = timezone.localdate()
    if wants_csv(request):
        _log_export(request, "Accounts")
        heads = ("Name", "E-mail address", "Roles today", "State", "Last signed in")
        return csv_response("accounts.csv", heads, rows, lambda user: reads.person_cells(reads.person_row(user, today)))
    found, pages = page_of(request, rows)
    counts = reads.n_by_state()
    return render(
        request,
        "access/people.html",
        {
            "title": "People and roles",
            "breadcrumbs": [SETTINGS],
            "here": "People",
            "filter": chosen,
            "rows": [reads.person_row(user, today) for user in found],
            "pages": pages,
            "tabs": [(f"{label} {counts[key]}", f"?state={key}", key == state) for key, label in reads.STATES.items()],
            "button": Link("Invite a person", reverse("access:new_person")),
            "download": Link("Download as CSV", csv_url(request)),
        },
    )


def _log_export(request: StaffRequest, what: str) -> None:
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        detail=what,
        at=timezone.now(),
    ).save()


def _set_password_url(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("account_reset_password"))


@requires(Action.MANAGE_PEOPLE)
@GET_POST
def new_person(request: StaffRequest) -> HttpResponse:
    """Invite a person: an account without a password, and a message that says how to set one."""
    form = access_forms.InviteForm(posted(request))
    if form.is_valid():
        try:
            user = actions.invite(
                **form.cleaned_data,
                set_password_url=_set_password_url(request),
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error("email", str(error))
        else:
            messages.success(request, f"{user} has an account. The invitation is on its way. Give them a role next.")
            return redirect("access:person", user.pk)
    return form_page(
        request,
        form,
        trail=[SETTINGS, ("People", reverse("access:people"))],
        title="Invite a person",
        here="New",
        button="Make the account",
        detail="The account starts without a password and without a role.",
    )


def _person_trail(user: User) -> list[tuple[str, str]]:
    return [
        SETTINGS,
        ("People", reverse("access:people")),
        (user.name, reverse("access:person", args=[user.pk])),
    ]


@requires(Action.MANAGE_PEOPLE)
@require_safe
def person(request: StaffRequest, pk: int) -> HttpResponse:
    """One account: its roles with their dates, and what can be done about it."""
    user = reads.account(pk)
    today = timezone.localdate()
    roles = [(a, _role_state(a), a.user_id != request.user.pk and _may_end(a)) for a in user.assignments.all()]
    delegations = Delegation.objects.filter(user=user).select_related("site", "signed_by")
    context = {
        "title": user.name,
        "detail": user.email,
        "breadcrumbs": _person_trail(user)[:-1],
        "here": user.name,
        "person": user,
        "row": reads.person_row(user, today),
        "roles": roles,
        "delegations": delegations,
        "is_self": user.pk == request.user.pk,
    }
    return render(request, "access/person.html", context)


def _role_state(assignment: RoleAssignment) -> str:
    today = timezone.localdate()
    if reads.is_current(assignment, today):
        return "Held today"
    return "Not yet" if assignment.from_date > today else "Ended"


def _may_end(assignment: RoleAssignment) -> bool:
    return assignment.to_date is None or assignment.to_date > timezone.localdate()


@requires(Action.MANAGE_PEOPLE)
@GET_POST
def new_role(request: StaffRequest, pk: int) -> HttpResponse:
    """Give a person a role (R-12, R-13)."""
    user = reads.account(pk)
    form = access_forms.RoleForm(Site.objects.all(), posted(request))
    if form.is_valid():
        try:
            given = actions.grant_role(user=user, by=request.user, **form.assignment())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{user}: {given}.")
            return redirect("access:person", user.pk)
    title = f"Give {user} a role"
    return form_page(request, form, trail=_person_trail(user), title=title, here="New role", button="Give the role")


@requires(Action.MANAGE_PEOPLE)
@GET_POST
def end_role(request: StaffRequest, pk: int, role: int) -> HttpResponse:
    """Set the last day of a role."""
    user = reads.account(pk)
    assignment = reads.assignment_of(user, role)
    form = access_forms.EndForm(posted(request))
    if form.is_valid():
        try:
            actions.end_role(assignment=assignment, by=request.user, **form.cleaned_data)
        except TrialError as error:
            form.add_error("last_day", str(error))
        else:
            messages.success(request, f"{user}: {assignment} has its last day.")
            return redirect("access:person", user.pk)
    return form_page(
        request,
        form,
        trail=_person_trail(user),
        title="End a role",
        here="End role",
        button="End the role",
        detail=f"{user}: {reads.role_words(assignment)}",
    )


@requires(Action.MANAGE_PEOPLE)
@GET_POST
def account_state(request: StaffRequest, pk: int) -> HttpResponse:
    """Disable an account, or enable it again. Nothing is deleted (R-11)."""
    user = reads.account(pk)
    verb = "Disable" if user.is_active else "Enable"
    form = access_forms.AccountForm(posted(request))
    if form.is_valid():
        try:
            if request.POST.get("action") == "Enable":
                actions.enable_account(user=user, reason=form.cleaned_data["reason"], by=request.user)
            else:
                actions.disable_account(
                    user=user, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now()
                )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{user}: saved.")
            return redirect("access:person", user.pk)
    return form_page(
        request,
        form,
        trail=_person_trail(user),
        title=f"{verb} the account of {user}",
        here=f"{verb} account",
        button=f"{verb} the account",
        hidden=[("action", verb)],
        detail="A disabled account signs in no more and holds no role. What the person did stays under their name.",
    )


@requires(Action.MANAGE_PEOPLE)
@GET_POST
def invite_again(request: StaffRequest, pk: int) -> HttpResponse:
    """Write to a person once more how to sign in."""
    user = reads.account(pk)
    form = forms.Form(posted(request))
    if form.is_valid():
        now = timezone.now()
        actions.invite_again(user=user, set_password_url=_set_password_url(request), by=request.user, at=now)
        messages.success(request, f"The invitation to {user} is on its way.")
        return redirect("access:person", user.pk)
    return form_page(
        request,
        form,
        trail=_person_trail(user),
        title=f"Send {user} the invitation again",
        here="Invitation",
        button="Send the invitation",
        detail=f"To {user.email}, at most once a day.",
    )
