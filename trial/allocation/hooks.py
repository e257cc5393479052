"""What features above this one do beside an allocation that is entered late; set in trial.wiring."""

from collections.abc import Callable
from datetime import datetime

from randomisation.models import Allocation
from trial.access.models import User
from trial.participants.models import Participant

after_late_allocation: list[Callable[[Participant, Allocation, User, datetime], None]] = []
"""Called with each participant, the allocation, who entered it and when, in the transaction that writes it."""
