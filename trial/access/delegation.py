"""The delegation log: duties given, with training evidence, and ended (R-15)."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from trial.access import errors, rules
from trial.access.models import Delegation, Duty, Site, User
from trial.access.permissions import access_of
from trial.access.policy import Action
from trial.base.words import local_day, long_date


def delegations_for(user: User) -> QuerySet[Delegation]:
    """Lines of the logs that `user` keeps."""
    if not user.access.may(Action.MANAGE_DELEGATION):
        return Delegation.objects.none()
    rows: QuerySet[Delegation] = Delegation.objects.filter(user.access.sites(Action.MANAGE_DELEGATION))
    return rows.select_related("user", "site", "signed_by")


def delegation_for(user: User, pk: int) -> Delegation:
    """One line of the logs that `user` keeps.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    found = delegations_for(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def ending_by(day: date, *, today: date) -> QuerySet[Delegation]:
    """Lines in force today whose last day is `day` or before, of people who may still sign in."""
    return (
        Delegation.objects.filter(from_date__lte=today, to_date__gte=today, to_date__lte=day, user__is_active=True)
        .select_related("user", "site")
        .order_by("to_date", "id")
    )


@transaction.atomic
def delegate(
    *,
    user: User,
    site: Site,
    duty: Duty,
    from_date: date,
    training_evidence: str,
    training_date: date,
    by: User,
    at: datetime,
    to_date: date | None = None,
) -> Delegation:
    """Add a line to a site's delegation log, signed by whoever adds it.

    Raises:
        DelegationRefused: no role of theirs allows the duty there, training came later, dates do not fit,
            or the duty is delegated to them on some of these days already.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if to_date is not None and to_date < from_date:
        raise errors.DelegationRefused("The last day must be the first day or later.")
    if training_date > from_date:
        raise errors.DelegationRefused("Training must come before the first day of the duty.")
    if training_date > local_day(at):
        raise errors.DelegationRefused("The date of training must be today or in the past.")
    if not access_of(user, from_date).may(rules.DUTY_ACTION[duty], site):
        raise errors.DelegationRefused(
            f"No role that {user} holds at {site} on {long_date(from_date)} allows “{duty.label}”."
            " Ask the administrator for the role first."
        )
    lasting = Delegation.objects.filter(Q(to_date__isnull=True) | Q(to_date__gte=from_date))
    if to_date is not None:
        lasting = lasting.filter(from_date__lte=to_date)
    if lasting.filter(user=user, site=site, duty=duty).exists():
        raise errors.DelegationRefused(f"{user} has this duty at {site} on some of these days already.")
    return Delegation(
        user=user,
        site=site,
        duty=duty,
        from_date=from_date,
        to_date=to_date,
        training_evidence=training_evidence,
        training_date=training_date,
        signed_by=by,
    ).save_by(by)


@transaction.atomic
def end_delegation(*, delegation: Delegation, last_day: date, reason: str, by: User) -> Delegation:
    """Set the last day of a duty; the day itself still counts.

    Raises:
        DelegationRefused: the day lies before the duty began, or the duty has ended already.
        ReasonMissing: no reason was given.
    """
    delegation = Delegation.objects.select_for_update().get(pk=delegation.pk)
    if last_day < delegation.from_date:
        raise errors.DelegationRefused(f"The last day must be {long_date(delegation.from_date)} or later.")
    if delegation.to_date is not None and delegation.to_date <= last_day:
        raise errors.DelegationRefused(f"This duty ends on {long_date(delegation.to_date)} already.")
    delegation.to_date = last_day
    return delegation.save_by(by, reason)
