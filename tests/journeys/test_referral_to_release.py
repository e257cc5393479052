"""The main job through the pages: referral, consent, baseline, randomisation, register, lock, release, re-read."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pandas
import pytest
from django.utils import timezone

from tests.factories import NOW, PASSWORD, Trial, staff
from tests.journeys.visitor import Visitor, day, moment
from trial.access.policy import Role
from trial.activities import actions as activities
from trial.activities.models import Provider, Session, Venue
from trial.assessments.expected import expected_forms_of
from trial.locking.models import DatasetLock
from trial.participants.models import Participant, Referral

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "reading"])


def refer(coordinator: Visitor, today) -> Referral:
    coordinator.open("/people/new/").send(
        source_type="link_worker",
        referral_model="link_worker",
        referrer="Tavyside link workers",
        contact_basis="permission",
        first_name="Carol",
        last_name="Whitfield",
        gp_practice="Tavyside Surgery",
        sex="female",
        **day("received_date", today),
        **day("birth_date", today.replace(year=1971)),
    )
    return Referral.objects.latest("id")


def consent(coordinator: Visitor, referral: Referral, clock) -> Participant:
    now = timezone.localtime()
    base = f"/people/{referral.screening_number}"
    coordinator.open(f"{base}/contact/").send(
        channel="phone", outcome="two_way", **moment("contacted_at", now - timedelta(minutes=5))
    )
    coordinator.open(f"{base}/information/")
    coordinator.send(how="email", document=_first_choice(coordinator, "document"), **moment("given_at", now))
    clock.shift(timedelta(days=2))
    now = timezone.localtime()
    statements = {f"statement_{number}": "yes" for number in range(1, 11)}
    coordinator.open(f"{base}/consent/").send(
        method="paper",
        capacity_confirmed="yes",
        interpreter="no",
        **statements,
        **moment("signed_at", now - timedelta(minutes=1)),
        **day("copy_given_date", now.date()),
    )
    return Participant.objects.get(referral=referral)


def _first_choice(visitor: Visitor, name: str) -> str:
    start = visitor.text.index(f'name="{name}"')
    return visitor.text[start:].split('value="', 1)[1].split('"', 1)[0]


def answer(coordinator: Visitor, participant: Participant, visit: str, instrument: str, answers: dict, mode: str):
    page = coordinator.open(f"/people/{participant.study_id}/{visit}/{instrument}/")
    typed = {f"{code}_value" if f'name="{code}_value"' in page.text else code: str(v) for code, v in answers.items()}
    page.send(mode=mode, **typed, **day("completed_date", timezone.localdate()))


def fill(coordinator: Visitor, trial: Trial, participant: Participant, visits: tuple[str, ...], mode: str) -> None:
    """Answer every required questionnaire of some visits, each with its lowest answers."""
    import instruments
    from tests.factories import _lowest, answers_with_total

    for form in expected_forms_of(participant, on=timezone.localdate()):
        if form.visit_code in visits and form.required and not form.is_complete:
            definition = instruments.get(form.instrument)
            answers = {item.code: _lowest(item) for item in definition.items}
            if form.instrument == "phq9":
                answers = answers_with_total("phq9", 8)
            answer(coordinator, participant, form.visit_code, form.instrument, answers, mode)
            found = participant.administrations.filter(visit__code=form.visit_code, instrument=form.instrument)
            assert found.filter(status="complete"), f"{form.instrument}: {coordinator.errors()}"


def test_one_person_from_referral_to_a_release_that_reads_back(clock, settings, tmp_path):
    settings.RELEASE_DIR = tmp_path / "releases"
    trial = Trial().open_randomisation()
    leader = staff(Role.ACTIVITY_LEADER, trial.site, name="Sam Treloar")
    coordinator = Visitor(trial.coordinator)

    # The coordinator refers, contacts, informs, and takes consent.
    referral = refer(coordinator, timezone.localdate())
    participant = consent(coordinator, referral, clock)
    assert participant.study_id == "GRX-01-001-7"

    # Screening questionnaire, criteria, signature of the investigator.
    fill(coordinator, trial, participant, ("V0",), "interview_phone")
    judged = {
        f"answer_{c.code}": "yes" if c.kind == "inclusion" else "no"
        for c in trial.spec.criteria
        if c.rule.type == "judgement"
    }
    judged |= {name.replace("answer", "evidence"): "Asked on the telephone" for name in judged}
    coordinator.open(f"/people/{participant.study_id}/screening/")
    coordinator.send(**judged, **day("assessed_date", timezone.localdate())).says("Every criterion is met")
    investigator = Visitor(trial.investigator)
    investigator.open(f"/people/{participant.study_id}/screening/sign/").send(secret=PASSWORD)
    assert Referral.objects.get(pk=referral.pk).status == "ELIGIBLE"

    # Baseline, and the allocation by the randomiser.
    fill(coordinator, trial, participant, ("V1",), "interview_in_person")
    assert Referral.objects.get(pk=referral.pk).status == "BASELINE_DONE"
    randomiser = Visitor(trial.randomiser)
    randomiser.open(f"/people/{participant.study_id}/randomise/")
    randomiser.send(level_site="01", level_phq9_band="5-9").says(
        f"Randomise {participant.study_id}?", "You cannot undo this"
    )
    randomiser.send(secret=PASSWORD).says("Allocation recorded")
    participant.refresh_from_db()
    assert participant.randomised_date == timezone.localdate()
    assert participant.visits.count() == 5

    # The leader takes the register of the group in which the coordinator places the person.
    plan_groups(trial, leader)
    coordinator.open(f"/people/{participant.study_id}/group/").says("morning group")
    place(coordinator, participant)
    session = Session.objects.get(group__memberships__participant=participant, number=1)
    clock.move_to(session.starts_at + timedelta(minutes=5))
    take_register(Visitor(leader), session)
    session.refresh_from_db()
    assert session.status == "delivered"

    # A data cut, built into a release, downloaded and read back by somebody else's reader.
    manager = Visitor(staff(Role.DATA_MANAGER, name="Tom Ellery"))
    manager.open("/locks/cut/")
    manager.send(name="First look", reason="Data monitoring", **day("data_through", timezone.localdate()))
    statistician = Visitor(staff(Role.TRIAL_STATISTICIAN, name="Dr Owen Pryce"))
    package = released(statistician, tmp_path)

    assert b"NOT LOCKED" in package["README.txt"]

    # The investigator signs the data; data manager and investigator lock them together.
    manager.open("/locks/").says("Ask the investigator to sign 1 participant")
    assert "/locks/ask/" not in manager.text, "a lock is offered only when nothing is left to do"
    cancel_the_empty_session(coordinator, session)
    investigator.open(f"/people/{participant.study_id}/sign-off/").send(secret=PASSWORD)
    lock(manager, investigator)
    assert "The dataset is locked (L001), so this was not saved" in refused_correction(coordinator, participant)

    # The locked release is read back by somebody else's reader; what was cut before stays retrievable.
    package = released(statistician, tmp_path)
    frame = pandas.read_csv(io.BytesIO(package["data/csv/phq9.csv"]))
    assert frame.loc[frame["visitnum"] == 0, "phq9_total"].tolist() == [8]
    assert frame["subjid"].unique().tolist() == ["GRX-01-001-7"]
    assert b"NOT LOCKED" not in package["README.txt"]
    assert_sums_agree(package)
    assert json.loads(package["MANIFEST.json"])["release"]["variant"] == "blinded"
    everything = b"".join(package.values())
    assert b"Whitfield" not in everything
    assert b"Sam Treloar" not in everything
    statistician.open("/releases/").says("C001", "L001")


def cancel_the_empty_session(coordinator: Visitor, delivered: Session) -> None:
    """The other group met nobody this week: its session is cancelled, so that no register is left open."""
    over = Session.objects.filter(ends_at__lt=timezone.now()).exclude(pk=delivered.pk)
    for session in over:
        coordinator.open(f"/sessions/{session.pk}/cancel/").send(reason="low_numbers")


def lock(manager: Visitor, investigator: Visitor) -> None:
    """One asks, the other agrees, each by signature."""
    manager.open("/locks/").send(form="check/")
    manager.says("Nothing left to do")
    manager.open("/locks/ask/")
    manager.send(reason="Main analysis", secret=PASSWORD, **day("data_through", timezone.localdate()))
    pk = DatasetLock.objects.get(kind="final").pk
    investigator.open(f"/locks/{pk}/agree/").send(secret=PASSWORD).says("The dataset is locked as L001")


def refused_correction(coordinator: Visitor, participant: Participant) -> str:
    """What the page says to a correction that the coordinator sends after the lock."""
    page = f"/people/{participant.study_id}/V0/phq9/"
    coordinator.open(page)
    way = {"mode": "interview_phone", "phq9_1": "2", "reason_phq9_1": "Misread"}
    answer = coordinator.client.post(page, way | day("completed_date", timezone.localdate()), follow=True)
    return answer.content.decode()


def assert_sums_agree(package: dict[str, bytes]) -> None:
    sums = [line for line in package["SHA256SUMS"].decode().splitlines() if not line.startswith("#")]
    assert sums
    for line in sums:
        digest, name = line.split(maxsplit=1)
        assert hashlib.sha256(package[name.removeprefix("*")]).hexdigest() == digest


def plan_groups(trial: Trial, leader) -> None:
    """Groups of both arms that start next week, as the coordinator plans them."""
    provider = Provider(name="Westmarch Wellbeing", safeguarding_phone="01632 960199").save_by(None)
    venue = Venue(provider=provider, name="Tavyside Hall").save_by(None)
    for number, name in enumerate(("Thursday morning group", "Friday morning group")):
        plan = activities.GroupPlan(
            name=name,
            arm_number=number,
            wave=1,
            venue=venue,
            leader=leader,
            start_date=timezone.localdate() + timedelta(days=7 + number),
            start_time=NOW.time(),
        )
        activities.create_group(site=trial.site, plan=plan, by=trial.coordinator)


def place(coordinator: Visitor, participant: Participant) -> None:
    coordinator.send(group=_first_choice(coordinator, "group"), **day("from_date", timezone.localdate()))
    assert participant.memberships.count() == 1


def take_register(leader: Visitor, session: Session) -> None:
    """Risk check, one tap, finish: as on a phone without JavaScript."""
    leader.open(f"/register/{session.pk}/").says("Carol")
    leader.send(form="risk-check/", safe="yes")
    leader.send("here", form="mark/")
    leader.send(form="finish/")


def released(statistician: Visitor, folder) -> dict[str, bytes]:
    """Ask for the blinded release of the newest cut, download it and unzip it."""
    statistician.open("/releases/new/")
    statistician.send(lock=_first_choice(statistician, "lock"), variant="blinded", purpose="Checking the pipeline")
    statistician.says("SHA-256")
    pk = statistician.url.rstrip("/").rsplit("/", 1)[-1]
    answer = statistician.client.post(f"/releases/{pk}/download/", {"purpose": "Analysis"})
    data = b"".join(answer.streaming_content)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
