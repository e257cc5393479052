"""Gathers the features' tables so that Django finds them; nobody else imports this module."""

from trial.access.checklist_models import SiteChecklist
from trial.access.models import AccessEvent, Delegation, Draft, RoleAssignment, Signature, Site, User
from trial.activities.models import ActivityGroup, Membership, Provider, Session, Venue
from trial.allocation.models import (
    BlindingEvent,
    BlindingGuess,
    FirstCheck,
    Household,
    HouseholdMember,
    SimulationRun,
)
from trial.assessments.models import Administration, CheckWarning, InstrumentInUse, InstrumentLicence, StudyWording
from trial.attendance.models import Mark
from trial.base.models import AuditLeaf, AuditSeal
from trial.claims.models import Claim
from trial.consent.evidence_models import ConsentEvidence, ConsentScan, ConsulteeAdvice, SealedForm
from trial.consent.models import Consent, DocumentFile, DocumentUse, DocumentVersion, InformationGiven
from trial.deviations.models import Deviation
from trial.double_entry.models import Adjudication, FirstEntrySeen, SecondEntry
from trial.econsent.models import ConsentLink, ConsentSession
from trial.interest.models import Interest, InterestSource
from trial.journey.models import ImportedLine, ImportFile, ReferralImport, Reversal
from trial.locking.models import CheckRun, DatasetLock
from trial.messages.models import OutboxMessage, Task
from trial.paper.models import Scan, ScanStrike
from trial.participants.models import (
    Disposal,
    Identity,
    Participant,
    Person,
    Redaction,
    Referral,
    StatusEvent,
    TextKey,
)
from trial.participation.models import ParticipationChange, ParticipationLetter
from trial.protocol.models import ProtocolVersion, SiteApproval
from trial.referrals.models import MessageBack, Practice
from trial.review.models import Query, QueryMessage, SignOff
from trial.rights.models import Breach, BreachNote, SubjectRequest
from trial.safety.models import AdverseEvent, EventReview, RiskAlert
from trial.schedule.models import Visit
from trial.screening.models import ContactAttempt, Eligibility, IdentifierRemoval
from trial.selfcompletion.models import SelfCompletion, SelfCompletionLink

__all__ = [
    "AccessEvent",
    "ActivityGroup",
    "Adjudication",
    "Administration",
    "AdverseEvent",
    "AuditLeaf",
    "AuditSeal",
    "BlindingEvent",
    "BlindingGuess",
    "Breach",
    "BreachNote",
    "CheckRun",
    "CheckWarning",
    "Claim",
    "Consent",
    "ConsentEvidence",
    "ConsentLink",
    "ConsentScan",
    "ConsentSession",
    "ConsulteeAdvice",
    "ContactAttempt",
    "DatasetLock",
    "Delegation",
    "Deviation",
    "Disposal",
    "DocumentFile",
    "DocumentUse",
    "DocumentVersion",
    "Draft",
    "Eligibility",
    "EventReview",
    "FirstCheck",
    "FirstEntrySeen",
    "Household",
    "HouseholdMember",
    "IdentifierRemoval",
    "Identity",
    "ImportFile",
    "ImportedLine",
    "InformationGiven",
    "InstrumentInUse",
    "InstrumentLicence",
    "Interest",
    "InterestSource",
    "Mark",
    "Membership",
    "MessageBack",
    "OutboxMessage",
    "Participant",
    "ParticipationChange",
    "ParticipationLetter",
    "Person",
    "Practice",
    "ProtocolVersion",
    "Provider",
    "Query",
    "QueryMessage",
    "Redaction",
    "Referral",
    "ReferralImport",
    "Reversal",
    "RiskAlert",
    "RoleAssignment",
    "Scan",
    "ScanStrike",
    "SealedForm",
    "SecondEntry",
    "SelfCompletion",
    "SelfCompletionLink",
    "Session",
    "SignOff",
    "Signature",
    "SimulationRun",
    "Site",
    "SiteApproval",
    "SiteChecklist",
    "StatusEvent",
    "StudyWording",
    "SubjectRequest",
    "Task",
    "TextKey",
    "User",
    "Venue",
    "Visit",
]
