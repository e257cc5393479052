"""Tables of the randomisation (randomisation.md sections 8 and 16).

No table holds an arm in the clear. Class attributes `append_only`, `never_delete`, `stops_at_lock` and
`guards` ask for triggers, which the site installs after every migration.
"""

from randomisation.models.allocations import (
    DUTIES,
    Allocation,
    AllocationFlag,
    AllocationMember,
    FactorCorrection,
    Placement,
)
from randomisation.models.base import BEFORE_LOCK, ENDED, IN_FORCE, Purpose, State
from randomisation.models.lists import EnvelopeCount, EnvelopePrint, SealedMargins, SealedRow, StratumCursor
from randomisation.models.log import Approval, ArmAccessLog, CodeBreak, EventLog, Proposal
from randomisation.models.schemes import (
    AcceptanceSignature,
    AddedLevel,
    ContributionPart,
    DraftDocument,
    Revision,
    Scheme,
    SchemeSite,
)

__all__ = [
    "BEFORE_LOCK",
    "DUTIES",
    "ENDED",
    "IN_FORCE",
    "AcceptanceSignature",
    "AddedLevel",
    "Allocation",
    "AllocationFlag",
    "AllocationMember",
    "Approval",
    "ArmAccessLog",
    "CodeBreak",
    "ContributionPart",
    "DraftDocument",
    "EnvelopeCount",
    "EnvelopePrint",
    "EventLog",
    "FactorCorrection",
    "Placement",
    "Proposal",
    "Purpose",
    "Revision",
    "Scheme",
    "SchemeSite",
    "SealedMargins",
    "SealedRow",
    "State",
    "StratumCursor",
]
