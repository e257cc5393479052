"""What one person may do on one day, and the decorator that every page carries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any, Literal, Protocol, cast

from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from trial.access.models import AccessEvent, Delegation, Duty, RoleAssignment, Site, User
from trial.access.policy import POLICY, REVEALS_ARM, Action, Role


class StaffRequest(HttpRequest):
    """A request whose user has signed in and holds the page's permission."""

    user: User


ANY_ROLE: Literal["any role"] = "any role"
"""What `signed_in` asks: a role held today, whichever it is."""


class View(Protocol):
    """A view that says which permission it needs; where it lists several, one of them is enough."""

    permission: Action | Literal["any role"] | None
    permissions: tuple[Action, ...]

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse: ...


@dataclass(frozen=True)
class Access:
    """The roles that one person holds on one day, and what follows from them."""

    assignments: tuple[RoleAssignment, ...]

    @property
    def blinded(self) -> bool:
        """Whether any role held is blinded: then nothing shown may reveal an arm (BR-26)."""
        return any(a.blinded for a in self.assignments)

    def _for(self, action: Action) -> list[RoleAssignment]:
        if action in REVEALS_ARM and self.blinded:
            return []
        return [a for a in self.assignments if action in POLICY[Role(a.role)].actions]

    def may(self, action: Action, site: Site | None = None) -> bool:
        """Whether the action is allowed: at `site`, or anywhere when no site is given."""
        return any(site is None or a.site_id in (None, site.pk) for a in self._for(action))

    def sites(self, action: Action) -> Q:
        """A condition on `site`: those at which the action is allowed."""
        ids = {a.site_id for a in self._for(action)}
        return Q() if None in ids else Q(site__in=ids)

    def site_ids(self, action: Action) -> set[int] | None:
        """Ids of the sites at which the action is allowed; None for all sites."""
        ids = {a.site_id for a in self._for(action)}
        return None if None in ids else {i for i in ids if i is not None}

    @property
    def main(self) -> RoleAssignment | None:
        """The role in which the person starts: the first of the policy's order."""
        order = list(POLICY)
        ranked = sorted(self.assignments, key=lambda a: (order.index(Role(a.role)), a.site_id or 0))
        return ranked[0] if ranked else None

    @property
    def home(self) -> str:
        """Address of the person's home page."""
        return POLICY[Role(self.main.role)].home if self.main else "/no-role/"


def access_of(user: User, on: date) -> Access:
    """The roles that `user` holds on that day. A disabled account holds none."""
    if not user.is_active:
        return Access(())
    current = RoleAssignment.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=on), user=user, from_date__lte=on
    ).select_related("site")
    return Access(tuple(current))


def is_delegated(user: User, duty: Duty, site: Site, on: date) -> bool:
    """Whether the site's delegation log gives `user` this duty on that day: signed, and trained (BR-13, R-15)."""
    return Delegation.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=on),
        Q(training_expires_date__isnull=True) | Q(training_expires_date__gte=on),
        user=user,
        duty=duty,
        site=site,
        from_date__lte=on,
        signature__isnull=False,
    ).exists()


def requires(action: Action, *others: Action) -> Callable[[Callable[..., HttpResponse]], View]:
    """Let a page open only to people whose roles allow `action`, or one of `others`, somewhere.

    It is the first decorator of a view.
    """
    actions = (action, *others)

    def decorate(view: Callable[..., HttpResponse]) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return ask_to_sign_in(request)
            user = request.user
            if not any(user.access.may(one) for one in actions):
                return refuse(request, user)
            return view(request, *args, **kwargs)

        guarded.permission = action  # type: ignore[attr-defined]
        guarded.permissions = actions  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def signed_in(view: Callable[..., HttpResponse]) -> View:
    """Let a page open to everybody who holds a role today; what it shows is the person's own."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return ask_to_sign_in(request)
        user = request.user
        if not user.access.assignments:
            return refuse(request, user)
        return view(request, *args, **kwargs)

    guarded.permission = ANY_ROLE  # type: ignore[attr-defined]
    guarded.permissions = ()  # type: ignore[attr-defined]
    return cast(View, guarded)


def public(view: Callable[..., HttpResponse]) -> View:
    """Mark a page that anyone may open; it must be on the short list in trial.checks."""

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    opened.permission = None  # type: ignore[attr-defined]
    opened.permissions = ()  # type: ignore[attr-defined]
    return cast(View, opened)


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The way to the sign-in page and back; a script that sends JSON is told so, and keeps what it has (ux.md 4.2)."""
    if request.content_type == "application/json":
        return JsonResponse({"error": "Sign in to send this."}, status=401)
    return redirect_to_login(request.get_full_path())


def refuse(request: HttpRequest, user: User) -> HttpResponse:
    """The page that says which role the person has, logged (R-07)."""
    AccessEvent(
        user=user,
        role=user.role_code,
        kind=AccessEvent.Kind.REFUSED,
        record=request.path[:120],
        at=timezone.now(),
    ).save()
    return render(request, "403.html", {"role": user.access.main}, status=403)
