"""Accounts with their roles, as the administrator's pages list them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import Http404

from trial.access.models import AccessEvent, RoleAssignment, Site, User
from trial.access.policy import Role
from trial.base.words import short_date

STATES = {"active": "Active", "disabled": "Disabled", "all": "All"}


def people(*, state: str = "active", role: str = "", typed: str = "") -> QuerySet[User]:
    """Accounts by name, with their assignments in two further lookups and the last sign-in as `signed_in_at`."""
    newest = AccessEvent.objects.filter(user=OuterRef("pk"), kind=AccessEvent.Kind.SIGNED_IN)
    last = newest.order_by().values("user").annotate(last=Max("at")).values("last")
    rows = User.objects.annotate(signed_in_at=Subquery(last)).order_by("name", "pk")
    rows = rows.prefetch_related(Prefetch("assignments", RoleAssignment.objects.select_related("site")))
    if state in ("active", "disabled"):
        rows = rows.filter(is_active=state == "active")
    if role:
        rows = rows.filter(assignments__role=role)
    if typed:
        rows = rows.filter(Q(name__icontains=typed) | Q(email__icontains=typed))
    return rows.distinct()


def account(pk: int) -> User:
    """One account.

    Raises:
        Http404: there is none.
    """
    found = people(state="all").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def assignment_of(user: User, pk: int) -> RoleAssignment:
    """One role of one account.

    Raises:
        Http404: there is none.
    """
    found = user.assignments.select_related("site", "user").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def site_or_404(code: str) -> Site:
    """One site by its two digits.

    Raises:
        Http404: there is none.
    """
    found = Site.objects.filter(code=code).first()
    if found is None:
        raise Http404
    return found


def is_current(assignment: RoleAssignment, on: date) -> bool:
    """Whether a role is held on that day, both ends counted."""
    return assignment.from_date <= on and (assignment.to_date is None or assignment.to_date >= on)


@dataclass(frozen=True)
class PersonRow:
    """One account in the list. `roles` are those held today, in words."""

    pk: int
    name: str
    email: str
    is_active: bool
    roles: tuple[str, ...]
    signed_in_at: datetime | None


def holders(roles: Iterable[Role], on: date, site: Site | None = None) -> set[User]:
    """Active people who hold one of these roles that day: at `site` or for all sites."""
    found = RoleAssignment.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=on),
        Q(site__isnull=True) | Q(site=site),
        role__in=list(roles),
        from_date__lte=on,
        user__is_active=True,
    )
    return {one.user for one in found.select_related("user")}


def person_row(user: User, on: date) -> PersonRow:
    """An account of people() as a row."""
    roles = tuple(role_words(a) for a in user.assignments.all() if is_current(a, on))
    signed_in: datetime | None = getattr(user, "signed_in_at", None)
    return PersonRow(user.pk, user.name, user.email, user.is_active, roles, signed_in)


def role_words(assignment: RoleAssignment) -> str:
    """ "Monitor, Tamar Vale, blinded"."""
    return f"{assignment}{', blinded' if assignment.blinded else ''}"


def person_cells(row: PersonRow) -> tuple[Any, ...]:
    """A row of the list as CSV."""
    signed_in = short_date(row.signed_in_at) if row.signed_in_at else ""
    return row.name, row.email, "; ".join(row.roles), "Active" if row.is_active else "Disabled", signed_in


def n_by_state() -> Mapping[str, int]:
    """How many accounts are active, disabled, and altogether."""
    active = User.objects.filter(is_active=True).count()
    total = User.objects.count()
    return {"active": active, "disabled": total - active, "all": total}
