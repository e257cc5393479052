"""What is next for one person, or why nothing is due (ux.md section 3): facts in, one step out.

The facts are read once: by `trial.journey.next_step` for one record, by `trial.journey.people` for a page of the list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from trial.access.policy import Action
from trial.assessments.reads import FormState, VisitState
from trial.base.parts import Link
from trial.base.statuses import PARTICIPANT
from trial.base.words import day_and_month, local_day, long_date
from trial.consent.models import DocumentVersion, InformationGiven
from trial.journey.models import Reversal
from trial.participants.models import Referral, Status
from trial.participation import rules as participation_rules
from trial.participation.models import Element, ParticipationChange
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec, Reason
from trial.safety.models import RiskAlert
from trial.schedule.rules import VisitStatus
from trial.screening.models import ContactAttempt, Eligibility


@dataclass(frozen=True)
class NextStep:
    """What to do, why, and one button; without `url` nothing is due, or another role does it."""

    title: str
    detail: str
    url: str = ""
    button: str = ""

    @property
    def link(self) -> Link | None:
        """The button, where there is one."""
        return Link(self.button, self.url) if self.url else None


@dataclass(frozen=True)
class Facts:
    """What is known of one referral on one day.

    Attributes:
        visits: every visit of the protocol with its forms; empty before consent.
        newer_consent: the version that asks for consent again.
        in_group: whether the person has been placed in a group; None for people who must not know.
        reversal: the request to take back the status that nobody has decided on.
        end_unconfirmed: ended early, and no investigator has confirmed it.
    """

    referral: Referral
    spec: ProtocolSpec
    today: date
    visits: Sequence[VisitState] = ()
    changes: Sequence[ParticipationChange] = ()
    attempts: Sequence[ContactAttempt] = ()
    information: InformationGiven | None = None
    eligibility: Eligibility | None = None
    alert: RiskAlert | None = None
    newer_consent: DocumentVersion | None = None
    stale_baseline: tuple[str, str] | None = None
    in_group: bool | None = None
    first_session_at: datetime | None = None
    reversal: Reversal | None = None
    end_unconfirmed: bool = False
    may: Callable[[Action], bool] = field(default=lambda action: False)

    @property
    def base(self) -> str:
        """Address of the record."""
        return f"/people/{self.referral.number}/"

    def step(self, title: str, detail: str, action: Action, url: str, button: str) -> NextStep:
        """A step with its button for those who may take it, without for others."""
        return NextStep(title, detail, url, button) if self.may(action) else NextStep(title, detail)


def rule(facts: Facts) -> NextStep:
    """The step that is next, or why nothing is due, for every status."""
    if facts.reversal:
        return _reversal(facts, facts.reversal)
    return RULES[Status(facts.referral.status)](facts)


def _reversal(facts: Facts, asked: Reversal) -> NextStep:
    word = PARTICIPANT[facts.referral.status.lower()].word
    title = f"Decide whether “{word}” was entered in error"
    detail = f"{asked.asked_by} asked on {long_date(asked.asked_at)}: “{asked.reason}”"
    return facts.step(title, detail, Action.APPROVE_REVERSAL, f"{facts.base}entered-in-error/approve/", "Decide")


# -- before consent


def _referred(facts: Facts) -> NextStep:
    referral, tries = facts.referral, len(facts.attempts)
    detail = f"{referral.origin} on {long_date(referral.received_date)}."
    if tries:
        last = long_date(max(one.at for one in facts.attempts))
        detail += f" {_count(tries, 'attempt')} so far, the last on {last}."
    title = "Try again to make contact" if tries else "Make first contact"
    return facts.step(title, detail, Action.RECORD_CONTACT, f"{facts.base}contact/", "Record a contact")


def _contacted(facts: Facts) -> NextStep:
    detail = f"In contact since {long_date(facts.referral.status_date)}. An information sheet comes before consent."
    url = f"{facts.base}information/"
    return facts.step("Give the information sheet", detail, Action.RECORD_CONTACT, url, "Record the sheet given")


def _informed(facts: Facts) -> NextStep:
    detail = "The person has time to decide first."
    if given := facts.information:
        detail = f"Information sheet {given.document.version} given on {long_date(given.given_at)}."
    return facts.step("Ask for consent", detail, Action.RECORD_CONSENT, f"{facts.base}consent/", "Start consent")


# -- before randomisation


def _consented(facts: Facts) -> NextStep:
    screening = protocol_rules.eligibility_visit(facts.spec).code
    for visit in facts.visits:
        if visit.spec.code == screening and (form := _unsettled(visit)):
            return _fill_in(facts, visit, form, "Screening comes after consent.")
    if facts.alert:
        return _alert(facts, facts.alert)
    return _criteria(facts, facts.eligibility.outcome if facts.eligibility else "open")


def _criteria(facts: Facts, outcome: str) -> NextStep:
    url = f"{facts.base}screening/"
    if outcome == "failed":
        detail = "A criterion is not met. Close the record with its reason."
        url = f"{facts.base}close/screen-failed/"
        return facts.step("Record that the person is not eligible", detail, Action.ASSESS_ELIGIBILITY, url, "Close")
    if outcome == "met":
        detail = "Every criterion is met. The principal investigator or a delegate signs."
        return facts.step("Sign eligibility", detail, Action.SIGN_ELIGIBILITY, url, "Check and sign")
    detail = f"Consented on {long_date(facts.referral.status_date)}. Every criterion needs an answer."
    return facts.step("Check eligibility", detail, Action.ASSESS_ELIGIBILITY, url, "Check eligibility")


def _eligible(facts: Facts) -> NextStep:
    if facts.alert:
        return _alert(facts, facts.alert)
    baseline = {one.code for one in protocol_rules.baseline_visits(facts.spec)}
    for visit in facts.visits:
        if visit.spec.code in baseline and (form := _unsettled(visit)):
            return _fill_in(facts, visit, form, "Randomisation needs every one that is required.")
    return NextStep("Complete baseline", "Every questionnaire is stored. Save the last one again to go on.")


def _baseline_done(facts: Facts) -> NextStep:
    if facts.newer_consent:
        return _reconsent(facts, facts.newer_consent, "Randomisation needs it.")
    if facts.alert:
        return _alert(facts, facts.alert)
    if facts.stale_baseline:
        text, url = facts.stale_baseline
        return facts.step("Bring the baseline up to date", f"{text}.", Action.ENTER_FORM, url, "Open the form")
    detail = f"Baseline was complete on {long_date(facts.referral.status_date)}."
    if not facts.may(Action.RANDOMISE):
        detail += " A person with the duty to randomise goes on."
    return facts.step("Randomise", detail, Action.RANDOMISE, f"{facts.base}randomise/", "Check and randomise")


def _alert(facts: Facts, alert: RiskAlert) -> NextStep:
    raised = long_date(alert.raised_at)
    if alert.level:
        detail = f"The alert of {raised} was graded {alert.get_level_display().lower()}."
        url = f"{facts.base}close/left/"
        title = "Not to be randomised"
        return facts.step(title, detail, Action.CHANGE_PARTICIPATION, url, "Record that the person leaves")
    detail = f"An alert was raised on {raised}. A clinician grades it before the person can go on."
    url = alert.get_absolute_url()
    return facts.step("Wait for the risk assessment", detail, Action.VIEW_SAFETY, url, "Open the alert")


# -- after randomisation


def _in_trial(facts: Facts) -> NextStep:
    if facts.newer_consent:
        return _reconsent(facts, facts.newer_consent, "Answers given after the next visit opens need it.")
    if (step := _group(facts)) or (step := _due_visit(facts)):
        return step
    return _waiting(facts)


def _reconsent(facts: Facts, version: DocumentVersion, why: str) -> NextStep:
    title = f"Ask for consent to version {version.version}"
    detail = f"Approved on {long_date(version.approved_date)}. {why}"
    return facts.step(title, detail, Action.RECORD_CONSENT, f"{facts.base}consent/", "Start consent")


def _group(facts: Facts) -> NextStep | None:
    """Placing in a group; never for people who must not know of groups (BR-26)."""
    wanted = participation_rules.takes_part(facts.changes, Element.ACTIVITY, facts.today)
    day0 = facts.referral.participant.randomised_date
    if facts.in_group is not False or not wanted or day0 is None or facts.referral.status != Status.RANDOMISED:
        return None
    deadline = protocol_rules.first_session_deadline(facts.spec, day0)
    detail = f"Randomised on {long_date(day0)}. First session by {long_date(deadline)}."
    return facts.step("Choose a group", detail, Action.PLAN_GROUPS, f"{facts.base}group/", "Choose a group")


def _due_visit(facts: Facts) -> NextStep | None:
    """The questionnaires of a visit that is open, or that closed unanswered a short while ago."""
    for visit in reversed(facts.visits):
        form = _unsettled(visit, only_required=False)
        if visit.spec.before_randomisation or form is None or visit.row is None or visit.row.closes_date is None:
            continue
        if visit.status == VisitStatus.OPEN:
            return _fill_in(facts, visit, form, f"The window closes on {long_date(visit.row.closes_date)}.")
        if visit.status == VisitStatus.OVERDUE:
            return _fill_in(facts, visit, form, f"The window closed on {long_date(visit.row.closes_date)}.")
    return None


def _waiting(facts: Facts) -> NextStep:
    if not participation_rules.collects_answers(facts.changes, facts.today):
        return NextStep("Nothing is due", "The person no longer answers questionnaires.")
    upcoming = [one for one in facts.visits if one.status == VisitStatus.NOT_DUE and one.row]
    if not upcoming or upcoming[0].row is None:
        return NextStep("Nothing is due", "Every visit is over.")
    opens = long_date(upcoming[0].row.opens_date)
    detail = f"The {upcoming[0].spec.label} questionnaires open on {opens}."
    if facts.first_session_at:
        day = local_day(facts.first_session_at)
        detail = f"The first session is on {day:%A} {long_date(day)}. {detail}"
    return NextStep(f"Nothing is due until {opens}", detail)


# -- closed


def _closed(facts: Facts) -> NextStep:
    referral = facts.referral
    detail = f"{PARTICIPANT[referral.status.lower()].word} on {long_date(referral.status_date)}"
    if reason := reason_words(facts.spec, referral):
        detail += f": {reason[:1].lower()}{reason[1:]}"
    if facts.end_unconfirmed:
        url, title = f"{facts.base}ended-early/", "The principal investigator confirms the early end"
        return facts.step(title, f"{detail}. Messages have stopped.", Action.CONFIRM_END, url, "Confirm")
    return NextStep("Nothing is due", f"{detail}.")


def reason_words(spec: ProtocolSpec, referral: Referral) -> str:
    """The primary reason for which a referral was closed, in words; empty where it has none."""
    lists: dict[str, tuple[Reason, ...]] = {
        Status.DECLINED: spec.reasons.decline,
        Status.WITHDRAWN_BEFORE_RANDOMISATION: spec.reasons.withdrawal,
    }
    found = {one.code: one.label for one in lists.get(referral.status, ())}
    if referral.status in (Status.PRESCREEN_INELIGIBLE, Status.SCREEN_FAILED):
        found = {one.code: one.reason.label for one in spec.criteria}
    return found.get(referral.close_reason, "")


# -- parts


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _unsettled(visit: VisitState, *, only_required: bool = True) -> FormState | None:
    """The first form of a visit that is neither complete nor recorded as not done."""
    forms = [one for one in visit.forms.values() if not one.is_settled]
    required = [one for one in forms if one.form.required]
    return next(iter(required if only_required or required else forms), None)


def _fill_in(facts: Facts, visit: VisitState, form: FormState, why: str) -> NextStep:
    forms = visit.forms.values()
    done = sum(one.is_settled for one in forms)
    detail = f"{done} of {_count(len(forms), 'questionnaire')} complete. {why}"
    title = f"Collect the {visit.spec.label} questionnaires"
    return facts.step(title, detail, Action.ENTER_FORM, form.url, f"Open {form.label}")


def in_a_few_words(facts: Facts) -> str:
    """The next visit or step for a line of the list: "Week 12, by 23 Jul", "Make first contact"."""
    if facts.referral.status not in IN_TRIAL:
        step = rule(facts)
        return step.title if facts.referral.status not in CLOSED else ""
    for visit in reversed(facts.visits):
        closes = visit.row.closes_date if visit.row else None
        word = {VisitStatus.OPEN: "by", VisitStatus.OVERDUE: "overdue since"}.get(visit.status)
        if word and closes and not visit.spec.before_randomisation and _unsettled(visit, only_required=False):
            return f"{_upper_first(visit.spec.label)}, {word} {day_and_month(closes)}"
    upcoming = next((one for one in facts.visits if one.status == VisitStatus.NOT_DUE and one.row), None)
    if upcoming is None or upcoming.row is None:
        return "Nothing is due"
    return f"{_upper_first(upcoming.spec.label)}, from {day_and_month(upcoming.row.opens_date)}"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


IN_TRIAL = frozenset({Status.RANDOMISED, Status.IN_ACTIVITY, Status.FOLLOW_UP})
RULES: dict[Status, Callable[[Facts], NextStep]] = {
    Status.REFERRED: _referred,
    Status.CONTACTED: _contacted,
    Status.INFORMED: _informed,
    Status.CONSENTED: _consented,
    Status.ELIGIBLE: _eligible,
    Status.BASELINE_DONE: _baseline_done,
    **dict.fromkeys(IN_TRIAL, _in_trial),
}
CLOSED = frozenset(Status) - frozenset(RULES)
RULES |= dict.fromkeys(CLOSED, _closed)
