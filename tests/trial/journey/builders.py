"""Many people at once for tests of lists, and one blinded reader's view of two arms."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from django.db import connection
from django.db.models import QuerySet

from randomisation.arms import reveal_arm
from tests.factories import NOW, Trial
from tests.trial.activities.builders import make_group, session_of
from trial.access.models import Site
from trial.activities.models import Membership
from trial.allocation.reads import allocation_of
from trial.assessments.models import Administration
from trial.attendance import actions as attendance
from trial.base import keys, triggers
from trial.participants import identity
from trial.participants.identity import IdentityData
from trial.participants.models import Participant, Person, Referral, StatusEvent
from trial.participants.rules import study_number
from trial.protocol import rules as protocol_rules
from trial.schedule.models import Visit


def crowd(
    trial: Trial, n_people: int, *, day0: date = date(2026, 4, 16), site: Site | None = None
) -> list[Participant]:
    """Randomised people with visits and week 5 answers, written at once and without history."""
    site = site or trial.site
    first = Referral.objects.filter(site=site).count() + 1
    numbers = range(first, first + n_people)
    with triggers.lifted(connection):
        people = _write(Person(wrapped_key=keys.new_data_key()) for _ in numbers)
        referrals = _write(_referral(trial, site, person, n) for person, n in zip(people, numbers, strict=True))
        participants = _write(
            _participant(site, referral, n, day0) for referral, n in zip(referrals, numbers, strict=True)
        )
        visits = _write(_visit(trial, one, spec, day0) for one in participants for spec in trial.spec.visits)
        _write(_answers(visit) for visit in visits if visit.code == "V2")
        _write(_events(referrals))
    return list(participants)


def _write(rows) -> list:
    found = list(rows)
    return list(QuerySet(type(found[0])).bulk_create(found)) if found else []


def _referral(trial: Trial, site: Site, person: Person, number: int) -> Referral:
    return Referral(
        person=person,
        site=site,
        sequence=number,
        screening_number=f"S-{site.code}-{number:04d}",
        status="FOLLOW_UP",
        status_date=date(2026, 6, 1),
        protocol_version=trial.version,
        source_type="self",
        received_date=date(2026, 4, 1),
        contact_basis="self_referral",
    )


def _participant(site: Site, referral: Referral, number: int, day0: date) -> Participant:
    return Participant(
        referral=referral,
        number_site=site,
        sequence=number,
        study_id=study_number("GRX", site.code, number),
        consented_date=day0 - timedelta(days=10),
        randomised_date=day0,
    )


def _visit(trial: Trial, participant: Participant, spec, day0: date) -> Visit:
    window = protocol_rules.window(spec, day0)
    return Visit(
        participant=participant,
        protocol_version=trial.version,
        code=spec.code,
        number=spec.visitnum,
        target_date=window.target,
        opens_date=window.opens,
        closes_date=window.closes,
    )


def _answers(visit: Visit) -> Administration:
    return Administration(
        participant=visit.participant,
        visit=visit,
        protocol_version=visit.protocol_version,
        instrument="wemwbs",
        instrument_version="1.0.0",
        status="complete",
        mode="self_web",
        completed_date=visit.target_date,
        first_entered_at=NOW,
        submitted_at=NOW,
        scores={"wemwbs_total": {"value": 40, "status": "ok"}},
    )


def _events(referrals: Sequence[Referral]) -> list[StatusEvent]:
    at = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
    return [
        StatusEvent(
            referral=one, transition="T14", to_status="FOLLOW_UP", effective_date=date(2026, 6, 1), at=at, role="system"
        )
        for one in referrals
    ]


def named(participant: Participant, **who: object) -> Participant:
    """Give somebody of a crowd an identity."""
    identity.store(person=participant.referral.person, data=IdentityData(**who), by=None, reason="Named")
    return participant


def arm_number(trial: Trial, participant: Participant) -> int:
    """Position of the person's arm in the protocol."""
    code = reveal_arm(allocation_of(participant), by=trial.randomiser, at=NOW, reason="Test")
    return [arm.code for arm in trial.spec.arms].index(code)


def one_of_each_arm(trial: Trial) -> list[Participant]:
    """Two people with the same history in everything but the arm, each placed, attending and marked."""
    found: dict[int, Participant] = {}
    while len(found) < 2:
        participant = trial.randomised()
        found.setdefault(arm_number(trial, participant), participant)
    for number, participant in found.items():
        name = ("Thursday morning group", "Friday afternoon group")[number]
        group = make_group(trial, name=name, arm_number=number)
        Membership(participant=participant, group=group, from_date=date(2026, 6, 1)).save_by(trial.coordinator)
        attendance.mark(
            key=uuid4(),
            session=session_of(group),
            participant=participant,
            status="full",
            by=group.leader,
            captured_at=NOW,
            at=NOW,
        )
    return [found[0], found[1]]
