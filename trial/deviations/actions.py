"""Departures from the protocol: recorded, then reviewed."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from trial.access.models import Site, User
from trial.base.errors import TrialError
from trial.base.words import long_date
from trial.deviations import reads, rules
from trial.deviations.models import Deviation
from trial.locking.rules import require_unlocked
from trial.participants import identity
from trial.participants.models import Participant
from trial.schedule.rules import local_date


class DeviationDateWrong(TrialError):
    """A deviation in the future, or one of which the sponsor was told before it happened."""


class AlreadyReviewed(TrialError):
    """The deviation was reviewed already."""


def _sealed(participant: Participant | None, text: str) -> str:
    return identity.seal_text(participant.referral.person, text) if participant else text


@transaction.atomic
def record_deviation(
    *,
    site: Site,
    occurred_date: date,
    kind: str,
    severity: str,
    description: str,
    reveals_arm: bool,
    by: User | None,
    at: datetime,
    participant: Participant | None = None,
    root_cause: str = "",
) -> Deviation:
    """Store a departure from the protocol under the next number of its site. Sent again, it is the same one.

    Args:
        participant: None for one that concerns the site as a whole.
        reveals_arm: the words say or hint which group somebody is in; some kinds always do.
        by: None for the system itself.

    Raises:
        DeviationDateWrong: it lies in the future.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    if occurred_date > local_date(at):
        raise DeviationDateWrong("The date it happened must be today or in the past.")
    site = Site.objects.select_for_update().get(pk=site.pk)
    same = {"site": site, "participant": participant, "occurred_date": occurred_date, "kind": kind, "recorded_by": by}
    if found := reads.described(description, **same):
        return found
    last = Deviation.objects.filter(site=site).aggregate(last=Max("sequence"))["last"] or 0
    return Deviation(
        site=site,
        participant=participant,
        sequence=last + 1,
        occurred_date=occurred_date,
        kind=kind,
        severity=severity,
        reveals_arm=rules.reveals_arm(kind, said=reveals_arm),
        description_sealed=_sealed(participant, description),
        root_cause_sealed=_sealed(participant, root_cause),
        recorded_at=at,
        recorded_by=by,
    ).save_by(by)


@transaction.atomic
def review_deviation(
    *,
    deviation: Deviation,
    severity: str,
    root_cause: str,
    corrective_action: str,
    effect_on_analysis: str,
    by: User,
    at: datetime,
    sponsor_told_date: date | None = None,
) -> Deviation:
    """Store the review: how severe it is, why it happened, what was done, what it means for the analysis.

    Raises:
        AlreadyReviewed: somebody reviewed it before.
        DeviationDateWrong: the sponsor was told before it happened, or in the future.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    deviation = Deviation.objects.select_for_update().get(pk=deviation.pk)
    if deviation.reviewed_at is not None:
        raise AlreadyReviewed(f"This deviation was reviewed on {long_date(deviation.reviewed_at)}.")
    if sponsor_told_date and not deviation.occurred_date <= sponsor_told_date <= local_date(at):
        raise DeviationDateWrong(
            "The date the sponsor was told must be on or after the deviation, and not in the future."
        )
    deviation.severity = severity
    deviation.root_cause_sealed = _sealed(deviation.participant, root_cause)
    deviation.corrective_action_sealed = _sealed(deviation.participant, corrective_action)
    deviation.effect_on_analysis_sealed = _sealed(deviation.participant, effect_on_analysis)
    deviation.sponsor_told_date = sponsor_told_date
    deviation.reviewed_at, deviation.reviewed_by = at, by
    return deviation.save_by(by, "Reviewed")
