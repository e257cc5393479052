"""The whole file."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.consent import ConsentRules, Document, SupportPage
from trial.protocol.spec.delivery import Adherence, Fidelity, RegisterRules, SessionPlan
from trial.protocol.spec.edit_checks import EditCheck
from trial.protocol.spec.eligibility import ContactRules, Criterion, Reasons, RescreenRule
from trial.protocol.spec.fields import Part
from trial.protocol.spec.outcomes import Measure, Planning, Progression
from trial.protocol.spec.participation import (
    ExpectedEvents,
    IdentityField,
    ParticipationElement,
    ParticipationLevel,
    ReminderPlan,
    RiskAlertRules,
    SelfCompletionRules,
)
from trial.protocol.spec.randomisation import Randomisation
from trial.protocol.spec.study import Arm, Recruitment, SiteSpec, Study, VersionNote, WorkingCalendar
from trial.protocol.spec.visits import InstrumentUse, VisitSpec


class ProtocolSpec(Part):
    """One version of one study's protocol, as configuration (domain.md section 4, trial config version)."""

    format: Literal["hedgerow-protocol/1"]
    study: Study
    protocol: VersionNote
    recruitment: Recruitment
    calendar: WorkingCalendar
    arms: Annotated[tuple[Arm, ...], Field(min_length=2, max_length=10)]
    sites: Annotated[tuple[SiteSpec, ...], Field(min_length=1, max_length=99)]
    contact: ContactRules
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    rescreen: RescreenRule
    reasons: Reasons
    documents: Annotated[tuple[Document, ...], Field(min_length=1)]
    consent: ConsentRules
    support_pages: Annotated[tuple[SupportPage, ...], Field(min_length=1)]
    identity_fields: Annotated[tuple[IdentityField, ...], Field(min_length=1)]
    instruments: Annotated[tuple[InstrumentUse, ...], Field(min_length=1)]
    visits: Annotated[tuple[VisitSpec, ...], Field(min_length=2)]
    edit_checks: tuple[EditCheck, ...] = ()
    randomisation: Randomisation
    session_plan: SessionPlan
    registers: RegisterRules
    fidelity: Fidelity
    adherence: Adherence
    reminders: ReminderPlan
    self_completion: SelfCompletionRules = SelfCompletionRules()
    risk_alerts: RiskAlertRules
    expected_events: ExpectedEvents
    participation_elements: Annotated[tuple[ParticipationElement, ...], Field(min_length=1)]
    participation_levels: tuple[ParticipationLevel, ...]
    primary_outcomes: Annotated[tuple[Measure, ...], Field(min_length=1)]
    planning: Planning
    progression: Progression


@lru_cache(maxsize=8)
def stored_spec(content: str) -> ProtocolSpec:
    """The spec of a stored version, which was checked when it was loaded. Parsed once in a process."""
    return ProtocolSpec.model_validate_json(content)
