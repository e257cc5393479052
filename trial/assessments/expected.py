"""Which questionnaires a participant's visits expect, and how far each one is."""

from dataclasses import dataclass
from datetime import date

from trial.assessments import rules
from trial.assessments.models import Administration
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules


@dataclass(frozen=True)
class FormState:
    """One expected questionnaire of one visit.

    Attributes:
        administration: what is stored of it; None before anything is.
        is_baseline: belongs to a visit between eligibility and randomisation (T10).
    """

    visit_code: str
    instrument: str
    label: str
    required: bool
    is_baseline: bool
    administration: Administration | None

    @property
    def status(self) -> str:
        """Status of the administration; empty before anything is stored."""
        return self.administration.status if self.administration else ""

    @property
    def is_complete(self) -> bool:
        """Whether it was completed."""
        return self.status == Administration.Status.COMPLETE

    @property
    def is_not_done(self) -> bool:
        """Whether it was recorded as not done, with a reason."""
        return self.status == Administration.Status.NOT_DONE


def expected_forms_of(participant: Participant, *, on: date) -> list[FormState]:
    """Every questionnaire that the participant's visits expect, in the protocol's order, in two lookups.

    A form that may stand over from an earlier visit is left out while that one is fresh on the day `on`, or on the
    day of randomisation once there is one.
    """
    spec = participant.referral.protocol_version.spec
    stored = {
        (a.visit.code, a.instrument): a
        for a in Administration.objects.filter(participant=participant).select_related("visit")
    }
    baseline = {visit.code for visit in protocol_rules.baseline_visits(spec)}
    present = set(participant.visits.values_list("code", flat=True))
    answered = {key: a.completed_date for key, a in stored.items() if a.status == "complete" and a.completed_date}
    facts = rules.Facts(participant.randomised_date or on, answered)
    return [
        FormState(
            visit_code=visit.code,
            instrument=form.form,
            label=protocol_rules.form_label(spec, form.form),
            required=form.required,
            is_baseline=visit.code in baseline,
            administration=stored.get((visit.code, form.form)),
        )
        for visit in spec.visits
        if visit.code in present
        for form in visit.forms
        if rules.is_instrument(form) and ((visit.code, form.form) in stored or rules.is_expected(form, facts))
    ]
