"""People, visits and forms of GREENRX-F as far as questionnaires, safety and deviations need them."""

from datetime import UTC, date, datetime

from tests.factories import delegate
from trial.access.models import RoleAssignment, Site, User
from trial.access.policy import POLICY, Role
from trial.assessments import actions, licence_actions
from trial.participants.actions import ReferralData, add_referral, issue_study_number
from trial.participants.identity import IdentityData
from trial.participants.models import Participant
from trial.protocol import actions as protocol_actions
from trial.protocol import reading
from trial.protocol.models import ProtocolVersion
from trial.schedule import actions as schedule

LIBRARY = reading.__file__.replace("reading.py", "library/")
LONG_AGO = datetime(2025, 12, 20, tzinfo=UTC)
CONSENTED = date(2026, 3, 31)
DAY_0 = date(2026, 4, 16)
NOW = datetime(2026, 7, 9, 10, 0, tzinfo=UTC)  # the clock of tests/conftest.py
ITEMS = [f"phq9_{n}" for n in range(1, 11)]


def study() -> ProtocolVersion:
    """GREENRX-F, active, with its sites."""
    existing = ProtocolVersion.objects.filter(status="active").first()
    if existing:
        return existing
    with open(LIBRARY + "greenrx_f.json", "rb") as file:  # noqa: PTH123
        version = protocol_actions.load(source=file.read(), by=None, at=LONG_AGO)
    return protocol_actions.activate(version=version, by=None, at=LONG_AGO)


def site(code: str = "01") -> Site:
    study()
    return Site.objects.get(code=code)


def staff(
    role: Role, at_site: Site | None = None, *, name: str = "", blinded: bool | None = None, duty: str = ""
) -> User:
    """Somebody who holds `role`, at a site where the role is held per site; with a duty delegated there."""
    spec = POLICY[role]
    at_site = at_site or site()
    n = User.objects.count() + 1
    user = User.objects.create_user(f"staff{n}@example.org", name or f"{role.label} {n}", "correct horse battery")
    RoleAssignment(
        user=user,
        role=role,
        site=at_site if spec.per_site else None,
        from_date=date(2026, 1, 5),
        blinded=spec.blinded if spec.blinded is not None else bool(blinded),
    ).save_by(None)
    if duty:
        delegate(user, duty, at_site, since=date(2026, 1, 5))
    return user


def consented(at_site: Site | None = None, *, on: date = CONSENTED, name: str = "Jo") -> Participant:
    """Somebody who consented, with the visits before randomisation."""
    at_site = at_site or site()
    n = Participant.objects.count() + 1
    referral = add_referral(
        site=at_site,
        data=ReferralData("self", on, "self_referral"),
        who=IdentityData(first_name=f"{name}{n}", last_name="Ash", birth_date=date(1980, 1, n), phone="01632 960001"),
        by=None,
        at=NOW,
    )
    participant = issue_study_number(referral=referral, consented_date=on, by=None)
    schedule.create_before_randomisation(participant=participant, version=study(), by=None, on=on)
    return participant


def randomised(at_site: Site | None = None, *, day0: date = DAY_0) -> Participant:
    """Somebody randomised on `day0`, with every visit."""
    participant = consented(at_site)
    participant.randomised_date = day0
    participant.save_by(None, "Randomised")
    schedule.create_after_allocation(participant=participant, version=study(), day0=day0, by=None)
    return participant


def phq9(*values: int | None) -> dict[str, int]:
    """Answers to the first items of the PHQ-9; None leaves one out."""
    return {code: value for code, value in zip(ITEMS, values, strict=False) if value is not None}


def save(participant: Participant, visit: str = "V3", instrument: str = "phq9", **given):
    """save_form with what a telephone interview on 6 July 2026 would send."""
    values = {
        "answers": phq9(1, 1, 1, 1, 1, 1, 1, 1, 0, 1),
        "missing": {},
        "mode": "interview_phone",
        "respondent": "participant",
        "completed_date": date(2026, 7, 6),
        "by": None,
        "at": NOW,
        "expected_revision": 0,
        "submit": True,
        **given,
    }
    return actions.save_form(
        participant=participant, visit=participant.visits.get(code=visit), instrument=instrument, **values
    )


def licence(code: str = "wemwbs"):
    """The study's licence for an instrument."""
    import instruments

    return licence_actions.record_licence(
        instrument=instruments.get(code),
        reference="REG-1",
        holder="Holder",
        licence_date=date(2026, 1, 5),
        by=None,
        at=NOW,
    )
