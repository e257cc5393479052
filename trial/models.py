"""Gathers the features' tables so that Django finds them; nobody else imports this module."""

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
from trial.consent.models import Consent, DocumentUse, DocumentVersion, InformationGiven
from trial.deviations.models import Deviation
from trial.double_entry.models import Adjudication, FirstEntrySeen, SecondEntry
from trial.journey.models import ImportedLine, ImportFile, ReferralImport, Reversal
from trial.locking.models import CheckRun, DatasetLock
from trial.messages.models import OutboxMessage, Task
from trial.paper.models import Scan, ScanStrike
from trial.participants.models import Identity, Participant, Person, Referral, StatusEvent
from trial.participation.models import ParticipationChange
from trial.protocol.models import ProtocolVersion, SiteApproval
from trial.review.models import Query, QueryMessage, SignOff
from trial.safety.models import AdverseEvent, EventReview, RiskAlert
from trial.schedule.models import Visit
from trial.screening.models import ContactAttempt, Eligibility
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
    "CheckRun",
    "CheckWarning",
    "Consent",
    "ContactAttempt",
    "DatasetLock",
    "Delegation",
    "Deviation",
    "DocumentUse",
    "DocumentVersion",
    "Draft",
    "Eligibility",
    "EventReview",
    "FirstCheck",
    "FirstEntrySeen",
    "Household",
    "HouseholdMember",
    "Identity",
    "ImportFile",
    "ImportedLine",
    "InformationGiven",
    "InstrumentInUse",
    "InstrumentLicence",
    "Mark",
    "Membership",
    "OutboxMessage",
    "Participant",
    "ParticipationChange",
    "Person",
    "ProtocolVersion",
    "Provider",
    "Query",
    "QueryMessage",
    "Referral",
    "ReferralImport",
    "Reversal",
    "RiskAlert",
    "RoleAssignment",
    "Scan",
    "ScanStrike",
    "SecondEntry",
    "SelfCompletion",
    "SelfCompletionLink",
    "Session",
    "SignOff",
    "Signature",
    "SimulationRun",
    "Site",
    "SiteApproval",
    "StatusEvent",
    "StudyWording",
    "Task",
    "User",
    "Venue",
    "Visit",
]
