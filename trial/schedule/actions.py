"""Visits written from the protocol: those before randomisation at consent, the others at allocation."""

from datetime import date

from django.db import transaction

from trial.access.models import User
from trial.locking.rules import require_unlocked
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import VisitSpec
from trial.schedule.models import Visit


@transaction.atomic
def create_before_randomisation(
    *, participant: Participant, version: ProtocolVersion, by: User | None, on: date
) -> list[Visit]:
    """Write the visits before randomisation, open from the day of consent. Asked again, nothing is added.

    Their windows count back from day 0, which is not known yet: target and end stay empty until allocation.

    Raises:
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    there = set(participant.visits.values_list("code", flat=True))
    return [
        _visit(participant, version, visit, opens_date=on).save_by(by)
        for visit in protocol_rules.visits_before_randomisation(version.spec)
        if visit.code not in there
    ]


@transaction.atomic
def create_after_allocation(
    *, participant: Participant, version: ProtocolVersion, day0: date, by: User | None
) -> list[Visit]:
    """Write the visits after randomisation, and the windows of the earlier ones now that day 0 is known (BR-30).

    Args:
        day0: local date of randomisation, Europe/London.

    Raises:
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    there = {visit.code: visit for visit in participant.visits.select_for_update()}
    for visit in version.spec.visits:
        row = there.get(visit.code) or _visit(participant, version, visit)
        window = protocol_rules.window(visit, day0)
        if row.target_date == window.target:
            continue
        row.opens_date, row.target_date, row.closes_date = window.opens, window.target, window.closes
        there[visit.code] = row.save_by(by, "Day 0 is known")
    return [there[visit.code] for visit in version.spec.visits]


def _visit(
    participant: Participant, version: ProtocolVersion, visit: VisitSpec, opens_date: date | None = None
) -> Visit:
    row = Visit(participant=participant, protocol_version=version, code=visit.code, number=visit.visitnum)
    if opens_date is not None:
        row.opens_date = opens_date
    return row
