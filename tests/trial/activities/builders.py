"""A group with a leader, sessions and members, made with as little of the journey as each test needs."""

import itertools
from datetime import date, datetime, time

from tests.factories import LIBRARY, NOW, Trial, staff
from trial.access.models import User
from trial.access.policy import Role
from trial.activities import actions
from trial.activities.models import ActivityGroup, Membership, Provider, Session, Venue
from trial.participants.actions import ReferralData, add_referral, issue_study_number
from trial.participants.identity import IdentityData
from trial.participants.models import Participant
from trial.protocol import reading
from trial.protocol.spec import ProtocolSpec

FIRST = date(2026, 6, 4)
"""A Thursday; the sixth session is on 9 July 2026, the day of the tests' clock."""
_numbers = itertools.count(1)
NAMES = ("Aisha", "Brian", "Carol", "Dev", "Elin", "Farid", "Grace", "Huw", "Iris", "Jo", "Kit", "Lena")


def spec_of(name: str) -> ProtocolSpec:
    """A protocol of the library, read without the database."""
    return reading.read((LIBRARY / f"{name}.json").read_bytes())[1]


def make_venue(name: str = "Tavyside Hall") -> Venue:
    """A venue whose provider has a safeguarding telephone."""
    provider = Provider(name=f"Provider of {name}", safeguarding_phone="01632 960999").save_by(None)
    return Venue(provider=provider, name=name).save_by(None)


def make_group(
    trial: Trial,
    *,
    name: str = "Thursday morning group",
    arm_number: int = 0,
    leader: User | None = None,
    start_date: date = FIRST,
    start_time: time = time(10),
    venue: Venue | None = None,
) -> ActivityGroup:
    """A group of the trial's site with the protocol's sessions."""
    plan = actions.GroupPlan(
        name=name,
        arm_number=arm_number,
        wave=1,
        venue=venue or Venue.objects.first() or make_venue(),
        leader=leader or staff(Role.ACTIVITY_LEADER, trial.site, name="Sam Treloar"),
        start_date=start_date,
        start_time=start_time,
    )
    return actions.create_group(site=trial.site, plan=plan, by=trial.coordinator)


def make_participant(trial: Trial, first_name: str = "Aisha", *, at: datetime = NOW) -> Participant:
    """A participant with a study number and a day of randomisation, without the journey before it."""
    number = next(_numbers)
    referral = add_referral(
        site=trial.site,
        data=ReferralData(
            source_type="self", received_date=date(2026, 5, 1), contact_basis="self_referral", referrer=""
        ),
        who=IdentityData(
            first_name=first_name,
            last_name="Trelawny",
            birth_date=date.fromordinal(date(1950, 1, 1).toordinal() + number),
            phone="01632 960123",
        ),
        by=trial.coordinator,
        at=at,
    )
    participant = issue_study_number(referral=referral, consented_date=date(2026, 5, 10), by=trial.coordinator)
    participant.randomised_date = date(2026, 5, 28)
    return participant.save_by(None, "Made for a test")


def join(group: ActivityGroup, participant: Participant, from_date: date = FIRST) -> Membership:
    """A membership without the checks of `add_member`."""
    return Membership(participant=participant, group=group, from_date=from_date).save_by(None)


def fill(trial: Trial, group: ActivityGroup, n_people: int) -> list[Participant]:
    """Members with the first names of the pictures."""
    people = [make_participant(trial, name) for name in NAMES[:n_people]]
    for person in people:
        join(group, person)
    return people


def session_of(group: ActivityGroup, number: int = 6) -> Session:
    """One session of a group; the sixth is today."""
    return group.sessions.select_related("group__site", "group__venue__provider").get(number=number)
