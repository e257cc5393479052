"""The guards of the transitions: each returns the sentences that say what is missing (domain.md section 3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from trial.activities.models import Membership
from trial.allocation.reads import allocation_of
from trial.assessments.expected import expected_forms_of
from trial.consent import consultee
from trial.consent.actions import valid_consent
from trial.participants.models import Participant, Referral
from trial.participation import rules as participation
from trial.participation.models import Element, ParticipationChange
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec
from trial.schedule.models import Visit
from trial.screening import rules as screening
from trial.screening.models import Eligibility


@dataclass(frozen=True)
class Ask:
    """What a guard is asked about.

    Attributes:
        reasons: codes given with the request: the primary reason first.
    """

    referral: Referral
    on: date
    reasons: tuple[str, ...] = ()

    @property
    def spec(self) -> ProtocolSpec:
        """The protocol version of the referral."""
        return self.referral.protocol_version.spec

    @property
    def participant(self) -> Participant:
        """The participant; only asked about after consent."""
        return self.referral.participant


Guard = Callable[[Ask], list[str]]


def contacted(ask: Ask) -> list[str]:
    """T02: a two-way contact is recorded."""
    if ask.referral.contact_attempts.with_person().filter(outcome="two_way").exists():
        return []
    return ["Record a contact in which you spoke or wrote to each other."]


def not_contactable(ask: Ask) -> list[str]:
    """T03: enough attempts, on enough days, by enough channels."""
    short = screening.contact_shortfall(ask.referral.contact_attempts.with_person(), ask.spec.contact)
    if short.is_met:
        return []
    parts = [
        f"{n} more {noun if n == 1 else noun + 's'}"
        for n, noun in ((short.attempts, "attempt"), (short.days, "different day"), (short.channels, "other way"))
        if n
    ]
    return [f"Try again before closing: {', '.join(parts)}."]


def informed(ask: Ask) -> list[str]:
    """T04: an information sheet was given; give_information() checked its version."""
    return [] if ask.referral.information_given.exists() else ["Record which information sheet was given."]


def prescreened_out(ask: Ask) -> list[str]:
    """T05: at least one criterion that the referral itself may decide (BR-03)."""
    allowed = {criterion.code for criterion in protocol_rules.prescreen_criteria(ask.spec)}
    if ask.reasons and set(ask.reasons) <= allowed:
        return []
    return ["Select the criterion that the referral shows is not met."]


def _listed(which: protocol_rules.ReasonList) -> Guard:
    def check(ask: Ask) -> list[str]:
        codes = {reason.code for reason in protocol_rules.reasons(ask.spec, which)}
        return [] if ask.reasons and ask.reasons[0] in codes else ["Select a reason."]

    return check


def consented(ask: Ask) -> list[str]:
    """T07: a valid consent; record_consent() checked BR-10 to BR-16."""
    participant = Participant.objects.filter(referral=ask.referral).first()
    return [] if participant and valid_consent(participant) else ["Record consent first."]


def screen_failed(ask: Ask) -> list[str]:
    """T08: every criterion answered and one failed."""
    found = Eligibility.objects.filter(participant=ask.participant).first()
    return [] if found and found.outcome == "failed" else ["Answer every criterion first."]


def eligible(ask: Ask) -> list[str]:
    """T09: every criterion met and signed."""
    found = Eligibility.objects.filter(participant=ask.participant).first()
    return [] if found and found.signature_id else ["Eligibility is not signed."]


def baseline_done(ask: Ask) -> list[str]:
    """T10: every required baseline form complete, inside its window if day 0 were today."""
    missing = [
        form.label
        for form in expected_forms_of(ask.participant, on=ask.on)
        if form.is_baseline and form.required and not form.is_complete
    ]
    return [f"Complete first: {', '.join(missing)}."] if missing else []


def randomised(ask: Ask) -> list[str]:
    """T12: there is an allocation; its own preconditions are BR-20 to BR-24."""
    return [] if allocation_of(ask.participant) else ["There is no allocation."]


def in_activity(ask: Ask) -> list[str]:
    """T13: in a group whose first session's day has come."""
    current = Membership.objects.on(ask.on).filter(participant=ask.participant, group__start_date__lte=ask.on)
    return [] if current.exists() else ["The first session has not come yet."]


def activity_over(ask: Ask) -> list[str]:
    """T14: the activity period is over, or the activity was stopped."""
    changes = list(ask.participant.participation_changes.all())
    if not participation.takes_part(changes, Element.ACTIVITY, ask.on):
        return []
    starts = [m.group.start_date for m in ask.participant.memberships.select_related("group")]
    if starts and protocol_rules.activity_ends(ask.spec, max(starts)) < ask.on:
        return []
    return ["The activity period is not over."]


def completed(ask: Ask) -> list[str]:
    """T15: the last visit done, or its window closed, and no change that stops questionnaires."""
    changes = list(ask.participant.participation_changes.all())
    if not participation.collects_answers(changes, ask.on):
        return ["Questionnaires were stopped."]
    last = Visit.objects.filter(participant=ask.participant, code=protocol_rules.final_visit(ask.spec).code).first()
    if last is None or last.closes_date is None:
        return ["The last visit is not planned yet."]
    forms = [f for f in expected_forms_of(ask.participant, on=ask.on) if f.visit_code == last.code]
    done = bool(forms) and all(form.is_complete or form.is_not_done for form in forms)
    return [] if done or last.closes_date < ask.on else ["The last visit is still open."]


def ended(ask: Ask) -> list[str]:
    """T16: activity over or stopped and all active data collection stopped; or death; or loss of capacity.

    After a loss of capacity somebody goes on only by a consultee's advice under approved arrangements (BR-16).
    """
    changes = list(ask.participant.participation_changes.all())
    causes = {change.cause for change in changes if change.effective_date <= ask.on}
    if ParticipationChange.Cause.DEATH in causes:
        return []
    if ParticipationChange.Cause.LOSS_OF_CAPACITY in causes and not consultee.may_go_on(ask.participant, ask.on):
        return []
    if participation.collects_answers(changes, ask.on):
        return ["Questionnaires go on, so the person is still in the trial."]
    return activity_over(ask)


def always(ask: Ask) -> list[str]:
    """T01: the action itself demands source, site, date, basis and the duplicate check."""
    return []


GUARDS: dict[str, Guard] = {
    "T01": always,
    "T02": contacted,
    "T03": not_contactable,
    "T04": informed,
    "T05": prescreened_out,
    "T06": _listed("decline"),
    "T07": consented,
    "T08": screen_failed,
    "T09": eligible,
    "T10": baseline_done,
    "T11": _listed("withdrawal"),
    "T12": randomised,
    "T13": in_activity,
    "T14": activity_over,
    "T15": completed,
    "T16": ended,
}
