"""Accounts, the roles people hold, and whether a site recruits. Each change is in the audit trail (R-07, R-11)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from trial.access import errors, rules
from trial.access.models import RoleAssignment, Site, User
from trial.access.policy import POLICY, Role
from trial.base.errors import ReasonMissing
from trial.base.words import local_day, long_date


@dataclass(frozen=True)
class Invitation:
    """Somebody's new account, and the page on which they ask for a link to set their password.

    It holds no secret, so it may wait in the outbox and never runs out.
    """

    user: User
    set_password_url: str
    by: User | None
    at: datetime


invite_by: list[Callable[[Invitation], None]] = []
"""What writes an invitation; set in trial.wiring."""


def _save(user: User, by: User | None, reason: str) -> User:
    """Write an account with its history."""
    user._history_user = by  # type: ignore[attr-defined]
    user._change_reason = reason  # type: ignore[attr-defined]
    user.save()
    return user


@transaction.atomic
def create_account(*, name: str, email: str, by: User | None) -> User:
    """Make one person's account. It has no password: a reset link lets its owner set one.

    Raises:
        AccountExists: the address has an account already, active or disabled.
        SharedAccount: the address or the name is not one person's (R-11).
    """
    if rules.is_shared_address(email):
        raise errors.SharedAccount("Enter a person's own e-mail address. Shared mailboxes cannot have an account.")
    if not rules.is_full_name(name):
        raise errors.SharedAccount("Enter the person's first and last name, as they sign.")
    user = User(email=email.strip().lower(), name=" ".join(name.split()))
    user.set_unusable_password()
    try:
        with transaction.atomic():
            return _save(user, by, "Account made")
    except IntegrityError as error:
        raise errors.AccountExists from error


@transaction.atomic
def invite(*, name: str, email: str, set_password_url: str, by: User, at: datetime) -> User:
    """Make an account and write to its owner how to sign in.

    Raises:
        AccountExists, SharedAccount: as create_account().
    """
    user = create_account(name=name, email=email, by=by)
    invite_again(user=user, set_password_url=set_password_url, by=by, at=at)
    return user


def invite_again(*, user: User, set_password_url: str, by: User, at: datetime) -> None:
    """Write the invitation of an account, at most once in a day."""
    for write in invite_by:
        write(Invitation(user, set_password_url, by, at))


@transaction.atomic
def disable_account(*, user: User, reason: str, by: User, at: datetime) -> User:
    """Disable an account: it signs in no more and holds no role. Asked again, nothing changes.

    Raises:
        OwnAccount: somebody disables their own account.
        LastAdministrator: nobody else could give access.
        ReasonMissing: no reason was given.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.pk == by.pk:
        raise errors.OwnAccount
    if not reason.strip():
        raise ReasonMissing
    _keep_an_administrator(local_day(at), without=user)
    if user.is_active:
        user.is_active = False
        _save(user, by, reason)
    return user


@transaction.atomic
def enable_account(*, user: User, reason: str, by: User) -> User:
    """Let a disabled account sign in again, with the roles that have not ended.

    Raises:
        ReasonMissing: no reason was given.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if not reason.strip():
        raise ReasonMissing
    if not user.is_active:
        user.is_active = True
        _save(user, by, reason)
    return user


def _keep_an_administrator(on: date, *, without: User) -> None:
    others = RoleAssignment.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gt=on), role=Role.ADMINISTRATOR, from_date__lte=on, user__is_active=True
    ).exclude(user=without)
    holds = RoleAssignment.objects.filter(user=without, role=Role.ADMINISTRATOR)
    if holds.exists() and not others.exists():
        raise errors.LastAdministrator


@transaction.atomic
def grant_role(
    *,
    user: User,
    role: Role,
    site: Site | None,
    from_date: date,
    by: User | None,
    to_date: date | None = None,
    blinded: bool | None = None,
    training_date: date | None = None,
) -> RoleAssignment:
    """Give somebody a role, at a site or at all, from a day to a day.

    Args:
        blinded: needed where the policy leaves it to the trial; otherwise the policy decides, whatever is given.

    Raises:
        IncompatibleRoles: another role of theirs forbids it on one of those days (R-13).
        RoleRefused: scope, dates or blinding do not fit, or they hold the role already.
        OwnAccount: somebody gives a role to themselves.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if by is not None and by.pk == user.pk:
        raise errors.OwnAccount
    is_blinded = rules.blinding_of(role, blinded)
    _check_shape(user, role, site, from_date, to_date, is_blinded)
    held = list(user.assignments.select_related("site"))
    if other := rules.clash(held, role, from_date, to_date):
        raise errors.IncompatibleRoles(_clash_text(user, other, role))
    if any(o.role == role and o.site_id == (site and site.pk) and rules.overlaps(o, from_date, to_date) for o in held):
        raise errors.RoleRefused(f"{user} holds this role on some of these days already.")
    return RoleAssignment(
        user=user,
        role=role,
        site=site,
        from_date=from_date,
        to_date=to_date,
        blinded=bool(is_blinded),
        training_date=training_date,
    ).save_by(by)


def _check_shape(
    user: User, role: Role, site: Site | None, from_date: date, to_date: date | None, is_blinded: bool | None
) -> None:
    if not user.is_active:
        raise errors.RoleRefused("This account is disabled. Enable it first.")
    if POLICY[role].per_site and site is None:
        raise errors.RoleRefused(f"Select the site: the role {role.label} is held at one site.")
    if not POLICY[role].per_site and site is not None:
        raise errors.RoleRefused(f"Select all sites: the role {role.label} is held for the whole study.")
    if to_date is not None and to_date < from_date:
        raise errors.RoleRefused("The last day must be the first day or later.")
    if is_blinded is None:
        raise errors.RoleRefused(f"Say whether this {role.label.lower()} is blinded. The study decides it for each.")


def _clash_text(user: User, other: RoleAssignment, role: Role) -> str:
    until = f" until {long_date(other.to_date)}" if other.to_date else ""
    return (
        f"{user} is {other.get_role_display()}{until}. Nobody may hold that role and {role.label} at the same time."
        " End the other role first."
    )


@transaction.atomic
def end_role(*, assignment: RoleAssignment, last_day: date, reason: str, by: User) -> RoleAssignment:
    """Set the last day of a role; the day itself still counts.

    Raises:
        RoleRefused: the day lies before the role began, or the role has ended already.
        OwnAccount: somebody ends a role of their own.
        LastAdministrator: nobody else could give access.
        ReasonMissing: no reason was given.
    """
    assignment = RoleAssignment.objects.select_for_update().select_related("user").get(pk=assignment.pk)
    if assignment.user_id == by.pk:
        raise errors.OwnAccount
    if last_day < assignment.from_date:
        raise errors.RoleRefused(f"The last day must be {long_date(assignment.from_date)} or later.")
    if assignment.to_date is not None and assignment.to_date <= last_day:
        raise errors.RoleRefused(f"This role ends on {long_date(assignment.to_date)} already.")
    if assignment.role == Role.ADMINISTRATOR:
        _keep_an_administrator(last_day, without=assignment.user)
    assignment.to_date = last_day
    return assignment.save_by(by, reason)


@transaction.atomic
def set_recruitment(
    *, site: Site, paused: bool, closed_date: date | None, reason: str, by: User, seen: int | None = None
) -> Site:
    """Pause or resume recruitment at a site, or say on which day it closes.

    Args:
        seen: id of the site's newest history entry when the form was opened; None skips the comparison.

    Raises:
        SiteRefused: the site closes before it opened, or somebody saved it meanwhile.
        ReasonMissing: no reason was given.
    """
    site = Site.objects.select_for_update().get(pk=site.pk)
    newest = site.history.select_related("history_user").first()
    if seen is not None and newest is not None and newest.history_id != seen:
        raise errors.SiteRefused(
            f"{newest.history_user or 'The system'} changed this site meanwhile:"
            f" {recruitment_words(site)}. Check what you chose, then save again."
        )
    if closed_date is not None and closed_date < site.opened_date:
        raise errors.SiteRefused(f"The site opened on {long_date(site.opened_date)}. It cannot close before that.")
    site.recruitment_paused, site.recruitment_closed_date = paused, closed_date
    return site.save_by(by, reason)


def recruitment_words(site: Site) -> str:
    """Whether a site recruits, in words."""
    words = ["paused" if site.recruitment_paused else "open"]
    if site.recruitment_closed_date:
        words.append(f"last day of recruitment {long_date(site.recruitment_closed_date)}")
    return ", ".join(words)
