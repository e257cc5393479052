"""The next step of one record, read from the database and worked out by `trial.journey.next_rules`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from trial.access.models import User
from trial.access.policy import Action
from trial.activities.reads import first_session
from trial.assessments.reads import VisitState, unmet_baseline, visit_states
from trial.consent.actions import outstanding_version
from trial.journey.ending import awaits_confirmation
from trial.journey.next_rules import Facts, NextStep, rule
from trial.journey.reversal import waiting_for
from trial.participants.models import Participant, Referral, Status
from trial.safety.models import RiskAlert
from trial.screening.models import Eligibility

__all__ = ["NextStep", "facts_of", "next_step"]


def next_step(
    referral: Referral, user: User, today: date, at: datetime, visits: Sequence[VisitState] | None = None
) -> NextStep:
    """What is next for this record, with the button where this user may press it; or why nothing is due.

    Args:
        visits: the visits as they stand, where the caller has read them already.
    """
    return rule(facts_of(referral, user=user, today=today, at=at, visits=visits))


def facts_of(
    referral: Referral, *, user: User, today: date, at: datetime, visits: Sequence[VisitState] | None = None
) -> Facts:
    """Read what the next step of one record rests on."""
    participant: Participant | None = getattr(referral, "participant", None)
    spec = referral.protocol_version.spec
    facts = Facts(
        referral=referral,
        spec=spec,
        today=today,
        attempts=list(referral.contact_attempts.with_person()),
        information=referral.information_given.select_related("document").first(),
        may=lambda action: user.access.may(action, referral.site),
        reversal=waiting_for(referral),
        end_unconfirmed=awaits_confirmation(referral),
    )
    if participant is None:
        return facts
    in_group, first_session_at = _group(participant, user, at)
    return replace(
        facts,
        visits=visit_states(participant, spec, today) if visits is None else visits,
        changes=list(participant.participation_changes.all()),
        eligibility=Eligibility.objects.filter(participant=participant).first(),
        alert=RiskAlert.objects.filter(participant=participant).stopping_randomisation().first(),
        newer_consent=outstanding_version(participant, today),
        stale_baseline=_stale_baseline(participant, today),
        in_group=in_group,
        first_session_at=first_session_at,
    )


def _stale_baseline(participant: Participant, today: date) -> tuple[str, str] | None:
    """A baseline form that would lie outside its window if day 0 were today (BR-20)."""
    if participant.referral.status != Status.BASELINE_DONE:
        return None
    unmet = unmet_baseline(participant, participant.referral.protocol_version.spec, today)
    return (unmet[0].text, unmet[0].url) if unmet else None


def _group(participant: Participant, user: User, at: datetime) -> tuple[bool | None, datetime | None]:
    """Whether the person is in a group, and its first session to come; None where the user may not know (BR-26)."""
    site = participant.referral.site
    if not user.access.may(Action.VIEW_SESSIONS, site) and not user.access.may(Action.VIEW_ARM, site):
        return None, None
    membership = participant.memberships.select_related("group").order_by("-from_date").first()
    if membership is None:
        return False, None
    session = first_session(membership)
    return True, session.starts_at if session and session.starts_at > at else None
