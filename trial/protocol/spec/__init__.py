"""What a protocol file may say: one class for each part of it, keys as in the file.

The whole file is a `ProtocolSpec`. Classes check shape and range; what two parts must agree on is checked in
`trial.protocol.checks`.
"""

from trial.protocol.spec.consent import (
    ConsentRules,
    Document,
    DocumentAtSite,
    Statement,
    SupportCall,
    SupportPage,
)
from trial.protocol.spec.delivery import (
    Adherence,
    ArmText,
    Fidelity,
    FidelityComponent,
    GroupSize,
    RegisterRules,
    SessionPlan,
)
from trial.protocol.spec.edit_checks import Comparison, EditCheck, Operand
from trial.protocol.spec.eligibility import (
    AgeRange,
    ContactRules,
    Criterion,
    Judgement,
    Reason,
    Reasons,
    RescreenRule,
    RiskGrade,
    ScoreRange,
)
from trial.protocol.spec.outcomes import Estimate, Measure, Planning, Progression, ProgressionCriterion
from trial.protocol.spec.participation import (
    ExpectedEvent,
    ExpectedEvents,
    IdentityField,
    ParticipationElement,
    ParticipationLevel,
    ReminderPlan,
    RiskAlertRules,
    SelfCompletionRules,
)
from trial.protocol.spec.protocol import ProtocolSpec
from trial.protocol.spec.randomisation import (
    Factor,
    Level,
    Randomisation,
    RestrictedParameters,
    ScoreSource,
    SiteSource,
)
from trial.protocol.spec.study import Arm, Recruitment, SiteSpec, Study, VersionNote, WorkingCalendar
from trial.protocol.spec.visits import ELIGIBILITY, ExpectedForm, InstrumentUse, RepeatRule, VisitSpec

__all__ = [
    "ELIGIBILITY",
    "Adherence",
    "AgeRange",
    "Arm",
    "ArmText",
    "Comparison",
    "ConsentRules",
    "ContactRules",
    "Criterion",
    "Document",
    "DocumentAtSite",
    "EditCheck",
    "Estimate",
    "ExpectedEvent",
    "ExpectedEvents",
    "ExpectedForm",
    "Factor",
    "Fidelity",
    "FidelityComponent",
    "GroupSize",
    "IdentityField",
    "InstrumentUse",
    "Judgement",
    "Level",
    "Measure",
    "Operand",
    "ParticipationElement",
    "ParticipationLevel",
    "Planning",
    "Progression",
    "ProgressionCriterion",
    "ProtocolSpec",
    "Randomisation",
    "Reason",
    "Reasons",
    "Recruitment",
    "RegisterRules",
    "ReminderPlan",
    "RepeatRule",
    "RescreenRule",
    "RestrictedParameters",
    "RiskAlertRules",
    "RiskGrade",
    "ScoreRange",
    "ScoreSource",
    "SelfCompletionRules",
    "SessionPlan",
    "SiteSource",
    "SiteSpec",
    "Statement",
    "Study",
    "SupportCall",
    "SupportPage",
    "VersionNote",
    "VisitSpec",
    "WorkingCalendar",
]
