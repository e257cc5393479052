"""The delegation log: duties given, with training evidence, and ended (R-15)."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from trial.access import errors, rules
from trial.access.models import Delegation, Duty, Site, User
from trial.access.permissions import access_of
from trial.access.policy import Action
from trial.access.signing import Proof, sign
from trial.base.words import local_day, long_date


def delegations_for(user: User) -> QuerySet[Delegation]:
    """Lines of the logs that `user` keeps."""
    if not user.access.may(Action.MANAGE_DELEGATION):
        return Delegation.objects.none()
    rows: QuerySet[Delegation] = Delegation.objects.filter(user.access.sites(Action.MANAGE_DELEGATION))
    return rows.select_related("user", "site", "signed_by", "prepared_by", "signature")


def delegation_for(user: User, pk: int) -> Delegation:
    """One line of the logs that `user` keeps.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    found = delegations_for(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def ending_by(day: date, *, today: date) -> list[Delegation]:
    """Signed lines in force today that end on `day` or before, or whose training does; of people who may sign in."""
    in_force = Delegation.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=today),
        Q(training_expires_date__isnull=True) | Q(training_expires_date__gte=today),
        Q(to_date__lte=day) | Q(training_expires_date__lte=day),
        from_date__lte=today,
        signature__isnull=False,
        user__is_active=True,
    )
    found = in_force.select_related("user", "site")
    return sorted(found, key=lambda line: (line.last_date or day, line.pk))


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
    training_expires_date: date | None = None,
    proof: Proof | None = None,
) -> Delegation:
    """Add a line to a site's delegation log.

    Args:
        training_expires_date: the last day on which the training evidence counts; the duty rests from the day after.
        proof: of the investigator who signs it at once. Without one the line is prepared, and works once signed.

    Raises:
        DelegationRefused: no role of theirs allows the duty there, training came later or has run out, dates do not
            fit, the duty is delegated to them on some of these days already, or `by` does not sign for the site.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    _check_days(from_date, to_date, training_date, training_expires_date, local_day(at))
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
    line = Delegation(
        user=user,
        site=site,
        duty=duty,
        from_date=from_date,
        to_date=to_date,
        training_evidence=training_evidence,
        training_date=training_date,
        training_expires_date=training_expires_date,
        prepared_by=by,
    ).save_by(by)
    return sign_line(delegation=line, proof=proof, by=by, at=at) if proof else line


def _check_days(
    from_date: date, to_date: date | None, training_date: date, training_expires_date: date | None, today: date
) -> None:
    if to_date is not None and to_date < from_date:
        raise errors.DelegationRefused("The last day must be the first day or later.")
    if training_date > from_date:
        raise errors.DelegationRefused("Training must come before the first day of the duty.")
    if training_date > today:
        raise errors.DelegationRefused("The date of training must be today or in the past.")
    if training_expires_date is not None and training_expires_date < from_date:
        raise errors.DelegationRefused("The training evidence must still count on the first day of the duty.")


@transaction.atomic
def sign_line(*, delegation: Delegation, proof: Proof, by: User, at: datetime) -> Delegation:
    """Sign a line as the site's investigator: from then on it works (R-15).

    Raises:
        DelegationRefused: it is signed already, or `by` is no investigator of the site.
        ProofRefused: the proof is another person's.
    """
    line = Delegation.objects.select_for_update(of=("self",)).select_related("user", "site").get(pk=delegation.pk)
    if line.signature_id is not None:
        raise errors.DelegationRefused("This line is signed already.")
    if not by.access.may(Action.SIGN_DELEGATION, line.site):
        raise errors.DelegationRefused(f"Only a principal investigator of {line.site} signs its delegation log.")
    line.signature = sign(
        proof=proof,
        by=by,
        meaning="I delegate this duty to this person, and have seen their training evidence.",
        record=line,
        content=signed_content(line),
        at=at,
    )
    line.signed_by = by
    return line.save_by(by, "Signed")


def signed_content(line: Delegation) -> dict[str, object]:
    """What the investigator signs. The last day is not part of it: a line may end earlier."""
    return {
        "user": line.user_id,
        "site": line.site.code,
        "duty": line.duty,
        "from_date": line.from_date,
        "training_evidence": line.training_evidence,
        "training_date": line.training_date,
        "training_expires_date": line.training_expires_date,
    }


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
