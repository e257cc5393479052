"""What a participant must satisfy before allocation (BR-20, randomisation.md section 7)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from randomisation.errors import Refusal
from randomisation.preconditions import preconditions
from trial.access.models import Duty, User
from trial.access.permissions import is_delegated
from trial.access.policy import Action
from trial.allocation import units
from trial.allocation.reads import scheme_of
from trial.assessments.expected import expected_forms_of
from trial.base.words import local_day, long_date
from trial.consent.actions import outstanding_version, valid_consent
from trial.locking.rules import current_lock
from trial.participants.models import Participant, Referral, Status
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import VisitSpec
from trial.safety.models import RiskAlert
from trial.screening import actions as screening
from trial.screening import rules as screening_rules
from trial.screening.models import Eligibility

__all__ = ["Refusal"]

BASELINE_DONE = Status.BASELINE_DONE.label

further_checks: list[Callable[[Participant], list[Refusal]]] = []
"""Checks of features above this one, such as open queries on eligibility; set in trial.wiring."""


def refusals(*, participant: Participant, levels: Mapping[str, str] | None, by: User, at: datetime) -> list[Refusal]:
    """Every reason of the trial why this person cannot be allocated now; none when all is well.

    Args:
        levels: factor levels as the person who randomises confirmed them; None before that.
    """
    today = local_day(at)
    found = [
        *_site(participant, by, today),
        *_status(participant),
        *_consent(participant, today),
        *_eligibility(participant, levels, today),
        *_baseline(participant, today),
        *_risk(participant),
    ]
    for check in further_checks:
        found += check(participant)
    return found


def all_refusals(*, participant: Participant, by: User, at: datetime) -> list[Refusal]:
    """The trial's reasons and the scheme's own, for the page with the button."""
    found = refusals(participant=participant, levels=None, by=by, at=at)
    scheme = scheme_of(participant)
    if scheme is None:
        return [*found, Refusal("E_SCHEME_STATE", "Randomisation has not been set up.")]
    strata = units.with_unit(scheme, _strata(participant), n_people=1)
    return [
        *found,
        *units.household_refusals(scheme, participant),
        *preconditions(
            scheme=scheme, members=[strata], participant_ids=[participant.pk], site=participant.number_site.code, at=at
        ),
    ]


def refusals_together(*, people: Sequence[Participant], by: User, at: datetime) -> list[Refusal]:
    """Why a household cannot be allocated now: every member's reasons with their number, and the scheme's own."""
    found = [
        Refusal(one.code, f"{person.study_id}: {one.text}")
        for person in people
        for one in refusals(participant=person, levels=None, by=by, at=at)
    ]
    scheme = scheme_of(people[0]) if people else None
    if scheme is None:
        return [*found, Refusal("E_SCHEME_STATE", "Randomisation has not been set up, or nobody lives here.")]
    members = [units.with_unit(scheme, _strata(person), n_people=len(people)) for person in people]
    ids = [person.pk for person in people]
    return [
        *found,
        *preconditions(scheme=scheme, members=members, participant_ids=ids, site=people[0].number_site.code, at=at),
    ]


IN_THE_TRIAL = frozenset(
    {
        Status.CONSENTED,
        Status.ELIGIBLE,
        Status.BASELINE_DONE,
        Status.RANDOMISED,
        Status.IN_ACTIVITY,
        Status.FOLLOW_UP,
    }
)
"""Who may be asked a second question: anybody with consent whose part in the trial has not ended."""


def refusals_elsewhere(*, participant: Participant, by: User, at: datetime) -> list[Refusal]:
    """The trial's reasons why this person cannot be allocated by a scheme other than the protocol's."""
    today = local_day(at)
    status = Status(Referral.objects.values_list("status", flat=True).get(pk=participant.referral_id))
    ended = [] if status in IN_THE_TRIAL else [Refusal("E_BASELINE", f"The status is “{status.label}”.")]
    return [*_site(participant, by, today), *ended, *_consent(participant, today), *_risk(participant)]


def _site(participant: Participant, by: User, today: date) -> list[Refusal]:
    site = participant.site
    found = []
    if current_lock():
        found.append(Refusal("E_SCHEME_STATE", "The dataset is locked."))
    if not site.is_recruiting(today):
        found.append(Refusal("E_SITE_CLOSED", f"{site} is not open to recruitment today."))
    if not by.access.may(Action.RANDOMISE, site) or not is_delegated(by, Duty.RANDOMISATION, site, today):
        found.append(Refusal("E_SITE_CLOSED", "The delegation log does not let you randomise here today."))
    return found


def _status(participant: Participant) -> list[Refusal]:
    status = Status(participant.referral.status)
    if status == Status.BASELINE_DONE:
        return []
    return [Refusal("E_BASELINE", f"The status is “{status.label}”. Only “{BASELINE_DONE}” can be randomised.")]


def _consent(participant: Participant, today: date) -> list[Refusal]:
    if valid_consent(participant) is None:
        return [Refusal("E_CONSENT", "There is no valid consent.")]
    if newer := outstanding_version(participant, today):
        return [Refusal("E_CONSENT", f"Consent to version {newer.version} is outstanding.")]
    return []


def _strata(participant: Participant) -> dict[str, str]:
    eligibility = Eligibility.objects.filter(participant=participant).first()
    return dict(eligibility.strata) if eligibility else {}


def _eligibility(participant: Participant, levels: Mapping[str, str] | None, today: date) -> list[Refusal]:
    eligibility = Eligibility.objects.filter(participant=participant).first()
    if eligibility is None or eligibility.signature_id is None:
        return [Refusal("E_ELIGIBILITY", "Eligibility is not signed.")]
    found = _criteria(participant, eligibility, today)
    if levels is not None and dict(levels) != eligibility.strata:
        text = "The values you chose differ from those fixed when eligibility was signed. Check them and choose again."
        found.append(Refusal("E_FACTORS", text))
    return found


def _criteria(participant: Participant, eligibility: Eligibility, today: date) -> list[Refusal]:
    """Assessed inside the window counted back from today as day 0, and still met as the stored data stand."""
    spec = participant.referral.protocol_version.spec
    found = []
    if not _is_inside(protocol_rules.eligibility_visit(spec), eligibility.assessed_date, today):
        text = f"Eligibility was assessed on {long_date(eligibility.assessed_date)}, outside its window today."
        found.append(Refusal("E_ELIGIBILITY", text))
    worked = {code: one.answer for code, one in screening.worked_out(participant, spec).items()}
    if failed := screening_rules.failed_codes(spec.criteria, worked):
        text = f"Answers have changed since eligibility was signed: {', '.join(failed)} is not met."
        found.append(Refusal("E_ELIGIBILITY", text))
    return found


def _baseline(participant: Participant, today: date) -> list[Refusal]:
    """Required baseline forms complete, and answered inside their window with today as day 0 (BR-20)."""
    spec = participant.referral.protocol_version.spec
    visits = {visit.code: visit for visit in protocol_rules.baseline_visits(spec)}
    required = [f for f in expected_forms_of(participant, on=today) if f.is_baseline and f.required]
    if missing := [form.label for form in required if not form.is_complete]:
        return [Refusal("E_BASELINE", f"Complete first: {', '.join(missing)}.")]
    done = [(visits[f.visit_code], f.administration.completed_date) for f in required if f.administration]
    outside = [(day, visit) for visit, day in done if day and not _is_inside(visit, day, today)]
    if not outside:
        return []
    day, visit = min(outside, key=lambda one: one[0])
    text = f"A {visit.label} form was answered on {long_date(day)}, outside its window today."
    return [Refusal("E_BASELINE", text)]


def _is_inside(visit: VisitSpec, day: date, today: date) -> bool:
    window = protocol_rules.window(visit, today)
    return window.opens <= day <= window.closes


def _risk(participant: Participant) -> list[Refusal]:
    if RiskAlert.objects.filter(participant=participant).stopping_randomisation().exists():
        return [Refusal("E_RISK", "A risk alert is not assessed, or was graded medium or high.")]
    return []
