"""Contact attempts and the eligibility assessment with its signature."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from trial.access.models import Duty, User
from trial.access.permissions import is_delegated
from trial.access.signing import Proof, sign
from trial.assessments.models import Administration
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.locking.rules import require_unlocked
from trial.participants import identity
from trial.participants.models import Participant, Person, Referral
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec, ScoreSource
from trial.screening import rules
from trial.screening.models import ContactAttempt, Eligibility


class ContactInFuture(TrialError):
    """A contact cannot have happened later than now."""


class NextStepUndated(TrialError):
    """What comes next needs a day that is not past."""


class NoBasisForContact(TrialError):
    """A referral without a recorded basis cannot be contacted (BR-01)."""


class EligibilityNotOpen(TrialError):
    """The assessment is signed, or the person is past it."""


class NotEveryCriterionMet(TrialError):
    """Failed or unanswered criteria cannot be signed: there is no override."""


class EvidenceMissing(TrialError):
    """A criterion that a person judges was answered without saying what the answer rests on."""


class NotDelegated(TrialError):
    """The delegation log does not give this person the duty on this day (R-15)."""


@transaction.atomic
def record_contact(
    *,
    referral: Referral,
    contacted_at: datetime,
    channel: str,
    outcome: str,
    by: User,
    at: datetime,
    duration_min: int | None = None,
    note: str = "",
    parties: str = ContactAttempt.Parties.TEAM_PERSON,
    next_step: str = "",
    next_date: date | None = None,
) -> ContactAttempt:
    """Store one contact or try, and what comes next (BR-01).

    Raises:
        ContactInFuture: `contacted_at` is later than now.
        NoBasisForContact: the referral has no basis for contact.
        NextStepUndated: something comes next without a day, or on a day before the contact.
    """
    if contacted_at > at:
        raise ContactInFuture("The time of the contact must not be in the future.")
    if not referral.contact_basis:
        raise NoBasisForContact("This person has not agreed to be contacted. Ask the referrer first.")
    follows = next_step not in ("", ContactAttempt.Next.NOTHING)
    if follows and (next_date is None or next_date < local_day(contacted_at)):
        raise NextStepUndated("Enter the day of what comes next, not before the contact.")
    return ContactAttempt(
        parties=parties,
        next_step=next_step,
        next_date=next_date if follows else None,
        referral=referral,
        at=contacted_at,
        channel=channel,
        outcome=outcome,
        duration_min=duration_min,
        note_sealed=identity.seal_text(referral.person, note),
        made_by=by,
    ).save_by(by)


def facts_of(participant: Participant) -> rules.Facts:
    """What the automatic criteria need, read from consent, stored scores and risk alerts."""
    forms = Administration.objects.filter(participant=participant, status="complete").select_related("visit")
    scores = {
        (form.visit.code, form.instrument, code): score.get("value")
        for form in forms
        for code, score in form.scores.items()
    }
    alerts = participant.alerts.filter(administration__isnull=False).values_list("administration__instrument", "level")
    return rules.Facts(participant.age_at_consent, scores, list(alerts))


def worked_out(participant: Participant, spec: ProtocolSpec) -> dict[str, rules.Worked]:
    """Answers of the automatic criteria by code, as the stored data stand."""
    facts = facts_of(participant)
    answers = ((c.code, rules.automatic_answer(c, facts)) for c in spec.criteria)
    return {code: worked for code, worked in answers if worked is not None}


@transaction.atomic
def assess(
    *,
    participant: Participant,
    judged: Mapping[str, tuple[str, str]],
    assessed_date: date,
    by: User,
    at: datetime,
) -> Eligibility:
    """Store answers to every criterion: automatic ones worked out, judgement ones as given (answer, evidence).

    Raises:
        EligibilityNotOpen: it is signed already.
        EvidenceMissing: yes or no without saying what it rests on.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    for code, (answer, evidence) in judged.items():
        if answer in ("yes", "no") and not evidence.strip():
            raise EvidenceMissing(f"Enter the evidence for {code}.")
    version = participant.referral.protocol_version
    current = Eligibility.objects.select_for_update().filter(participant=participant).first()
    if current and current.signature_id:
        raise EligibilityNotOpen("Eligibility is signed. It no longer changes.")
    person = participant.referral.person
    answers = {
        code: {"answer": answer, "sealed": _sealed_again(person, evidence, code, current)}
        for code, (answer, evidence) in judged.items()
    }
    for code, worked in worked_out(participant, version.spec).items():
        answers[code] = {"answer": worked.answer, "evidence": worked.evidence}
    plain = {code: entry["answer"] for code, entry in answers.items()}
    eligibility = current or Eligibility(participant=participant)
    eligibility.protocol_version = version
    eligibility.answers = answers
    eligibility.assessed_date = assessed_date
    eligibility.assessed_by = by
    eligibility.outcome = rules.outcome(version.spec.criteria, plain)
    return eligibility.save_by(by, "Assessed again" if current else "")


def _sealed_again(person: Person, evidence: str, code: str, current: Eligibility | None) -> str:
    """Evidence sealed; what was not changed keeps its seal."""
    before = str(current.answers.get(code, {}).get("sealed", "")) if current else ""
    if before and identity.open_text(person, before) == evidence:
        return before
    return identity.seal_text(person, evidence)


def judged_of(eligibility: Eligibility) -> dict[str, tuple[str, str]]:
    """Answers that people gave, each with its evidence opened. Callers show it to those who assess or sign.

    Raises:
        SealBroken: the keys do not fit.
    """
    person = eligibility.participant.referral.person
    return {
        code: (entry["answer"], identity.open_text(person, entry["sealed"]))
        for code, entry in eligibility.answers.items()
        if "sealed" in entry
    }


@transaction.atomic
def sign_eligibility(*, eligibility: Eligibility, proof: Proof, by: User, at: datetime) -> Eligibility:
    """Endorse an assessment in which every criterion is met, and fix the strata (T09, BR-24).

    Automatic criteria are worked out again: an alert graded since then stops the signature.

    Raises:
        NotDelegated: the duty is not delegated to this person today.
        NotEveryCriterionMet: a criterion failed or is unanswered; it cannot be overridden.
        EligibilityNotOpen: it is signed already.
    """
    eligibility = Eligibility.objects.select_for_update(of=("self",)).get(pk=eligibility.pk)
    participant = eligibility.participant
    today = local_day(at)
    if not is_delegated(by, Duty.ELIGIBILITY, participant.site, today):
        raise NotDelegated(
            "The delegation log does not let you sign eligibility here today. Ask the principal investigator."
        )
    judged = judged_of(eligibility)
    eligibility = assess(participant=participant, judged=judged, assessed_date=eligibility.assessed_date, by=by, at=at)
    if eligibility.outcome != "met":
        raise NotEveryCriterionMet("A criterion is not met or not answered, so eligibility cannot be signed.")
    spec = eligibility.protocol_version.spec
    eligibility.strata = strata_of(participant, spec)
    eligibility.signature = sign(
        proof=proof,
        by=by,
        meaning="I have checked that this person is eligible.",
        record=eligibility,
        content={"answers": eligibility.answers, "strata": eligibility.strata},
        at=at,
    )
    return eligibility.save_by(by, "Eligibility signed")


@transaction.atomic
def reopen_eligibility(*, participant: Participant, reason: str, by: User) -> None:
    """Take the signature off an assessment that was signed in error (T18); it can be answered and signed again.

    Raises:
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    for eligibility in Eligibility.objects.select_for_update().filter(participant=participant):
        eligibility.signature, eligibility.strata = None, {}
        eligibility.save_by(by, reason)


def strata_of(participant: Participant, spec: ProtocolSpec) -> dict[str, str]:
    """Level codes of every stratification factor, from the eligibility scores (BR-24)."""
    facts = facts_of(participant)
    scores: dict[str, int] = {}
    for factor in spec.randomisation.factors:
        source = factor.source
        if isinstance(source, ScoreSource):
            value = facts.scores.get((source.visit, source.instrument, source.score))
            if isinstance(value, int):
                scores[source.score] = value
    return protocol_rules.factor_levels(spec, site_code=participant.number_site.code, scores=scores)
