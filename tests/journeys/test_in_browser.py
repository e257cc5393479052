"""The main job in headless Chromium: each page passes axe, scrolls only down, and breaks no policy."""

import io
import zipfile
from datetime import time, timedelta

import pandas
import pytest
from django.utils import timezone

from tests import browser
from tests.factories import PASSWORD, Trial, proof, staff
from trial.access.policy import Role
from trial.activities import actions as activities
from trial.activities.models import Provider, Session, Venue
from trial.journey import steps
from trial.participants.models import Participant, Referral

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "reading"]),
    pytest.mark.xdist_group("browser"),
]


class Desk:
    """One person at a browser of one size."""

    def __init__(self, chromium, server, user, size) -> None:
        self.server, self.user = server, user
        self.page = browser.open_page(chromium, size)
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in through the page."""
        self.page.goto(f"{self.server.url}/accounts/login/")
        self.page.fill("input[name=login]", self.user.email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")

    def open(self, path: str) -> None:
        """Go to an address and look at the page."""
        self.page.goto(f"{self.server.url}{path}")
        self.look()

    def look(self) -> None:
        """No axe violation, nothing sideways, no complaint in the console."""
        assert browser.axe(self.page) == []
        assert browser.sideways(self.page) == 0
        assert self.page.complaints == []

    def choose(self, **answers: str) -> None:
        """Choose radios and fill boxes by name."""
        for name, value in answers.items():
            radio = self.page.locator(f'input[type=radio][name="{name}"][value="{value}"]')
            if radio.count():
                radio.check()
            else:
                self.page.fill(f'[name="{name}"]', value)

    def date(self, name: str, day) -> None:
        """Type a date into its three boxes."""
        self.choose(**{f"{name}_0": str(day.day), f"{name}_1": f"{day:%b}", f"{name}_2": str(day.year)})

    def send(self, label: str) -> None:
        """Press a button of the page, and look at where it leads."""
        self.press(self.page.get_by_role("button", name=label).first)

    def press(self, button) -> None:
        """Press a button that sends a form, wait for the page it leads to, and look at it."""
        with self.page.expect_navigation():
            button.click()
        self.look()


@pytest.fixture
def chromium():
    with browser.launch() as running:
        yield running


def test_one_person_from_referral_to_the_release(chromium, live_server, clock, settings, tmp_path):
    settings.RELEASE_DIR = tmp_path / "releases"
    trial = Trial().open_randomisation()
    leader = staff(Role.ACTIVITY_LEADER, trial.site, name="Sam Treloar")
    coordinator = Desk(chromium, live_server, trial.coordinator, browser.DESK)

    refer(coordinator)
    referral = Referral.objects.get()
    consent(coordinator, trial, referral, clock)
    participant = Participant.objects.get()
    answer_phq9_by_keyboard(coordinator, participant)
    now = timezone.now()
    assessed = trial.assess(participant, at=now)
    by = trial.investigator
    steps.sign_eligibility(eligibility=assessed, proof=proof(by, now), by=by, at=now)
    trial.baseline_done(participant, at=timezone.now())

    randomise(Desk(chromium, live_server, trial.randomiser, browser.DESK), participant)
    session = take_register(chromium, live_server, coordinator, trial, leader, participant, clock)
    assert session.status == "delivered"

    manager = Desk(chromium, live_server, staff(Role.DATA_MANAGER, name="Tom Ellery"), browser.DESK)
    manager.open("/locks/cut/")
    manager.choose(name="First look", reason="Data monitoring")
    manager.date("data_through", timezone.localdate())
    manager.press(manager.page.locator("main form button[type=submit]").first)
    statistician = Desk(chromium, live_server, staff(Role.TRIAL_STATISTICIAN, name="Dr Owen Pryce"), browser.DESK)
    frame = download(statistician, "C001")
    assert frame.loc[frame["visitnum"] == 0, "phq9_total"].tolist() == [8]

    investigator = Desk(chromium, live_server, trial.investigator, browser.DESK)
    sign_off(investigator, coordinator, participant, session)
    lock(manager, investigator)
    frame = download(statistician, "L001")
    assert frame.loc[frame["visitnum"] == 0, "phq9_total"].tolist() == [8]


def sign_off(investigator: Desk, coordinator: Desk, participant: Participant, delivered: Session) -> None:
    """What is left before a lock: the empty session of the other group, and the investigator's signature."""
    coordinator.sign_in()
    for session in Session.objects.filter(ends_at__lt=timezone.now()).exclude(pk=delivered.pk):
        coordinator.open(f"/sessions/{session.pk}/cancel/")
        coordinator.choose(reason="low_numbers")
        coordinator.press(coordinator.page.locator("main form button[type=submit]").first)
    investigator.open(f"/people/{participant.study_id}/sign-off/")
    investigator.choose(secret=PASSWORD)
    investigator.press(investigator.page.locator("main form button[type=submit]").first)


def lock(manager: Desk, investigator: Desk) -> None:
    """The data manager asks, the investigator agrees."""
    manager.open("/locks/")
    manager.send("Check everything again")
    manager.page.get_by_role("link", name="Ask for the lock").click()
    manager.choose(reason="Main analysis", secret=PASSWORD)
    manager.date("data_through", timezone.localdate())
    manager.send("Sign and ask for the lock")
    investigator.open("/locks/")
    investigator.page.get_by_role("link", name="Agree to the lock").click()
    investigator.choose(secret=PASSWORD)
    investigator.send("Sign and lock")
    assert "The dataset is locked as L001" in investigator.page.content()


def refer(desk: Desk) -> None:
    desk.open("/")
    desk.page.get_by_role("link", name="Screen a new person").click()
    desk.send("Save referral")  # empty: the summary takes the focus and nothing is stored
    assert desk.page.title().startswith("Error: ")
    assert not Referral.objects.exists()
    desk.choose(
        source_type="link_worker",
        referral_model="link_worker",
        contact_basis="permission",
        first_name="Carol",
        last_name="Whitfield",
        gp_practice="Tavyside Surgery",
        sex="female",
    )
    desk.date("received_date", timezone.localdate())
    desk.date("birth_date", timezone.localdate().replace(year=1971))
    desk.send("Save referral")
    assert desk.page.locator("h1").inner_text() == "S-01-0001"


def consent(desk: Desk, trial: Trial, referral: Referral, clock) -> None:
    base = f"/people/{referral.screening_number}"
    now = timezone.localtime()
    desk.open(f"{base}/contact/")
    desk.choose(channel="phone", outcome="two_way", contacted_at_3=f"{now:%H:%M}")
    desk.date("contacted_at", now)
    desk.send("Save contact")
    desk.open(f"{base}/information/")
    desk.page.locator("input[name=document]").first.check()
    desk.choose(how="email", given_at_3=f"{now:%H:%M}")
    desk.date("given_at", now)
    desk.send("Save and continue")
    clock.shift(timedelta(days=2))
    desk.sign_in()
    desk.open(f"{base}/consent/")
    desk.choose(method="paper", capacity_confirmed="yes", interpreter="no", signed_at_3=f"{now:%H:%M}")
    desk.date("signed_at", timezone.localtime())
    for number in range(1, 11):
        desk.choose(**{f"statement_{number}": "yes"})
    desk.send("Save and continue")
    assert "GRX-01-001-7" in desk.page.locator("h1").inner_text()


def answer_phq9_by_keyboard(desk: Desk, participant: Participant) -> None:
    """Number keys answer the row that has the focus; arrows move; nothing moves by itself."""
    desk.open(f"/people/{participant.study_id}/V0/phq9/")
    desk.choose(mode="interview_phone")
    desk.date("completed_date", timezone.localdate())
    desk.page.locator("input[type=radio][name=phq9_1]").first.focus()
    for key in "3320000000":
        desk.page.keyboard.press(key)
        desk.page.keyboard.press("ArrowDown")
    desk.send("Save and continue")
    stored = participant.administrations.get(instrument="phq9")
    assert (stored.status, stored.scores["phq9_total"]["value"]) == ("complete", 8)


def randomise(desk: Desk, participant: Participant) -> None:
    desk.open(f"/people/{participant.study_id}/randomise/")
    desk.choose(level_site="01", **{"level_phq9_band": "5-9"})
    desk.send("Continue")
    desk.choose(secret=PASSWORD)
    desk.press(desk.page.get_by_role("button", name="Randomise", exact=True))
    assert "Allocation recorded" in desk.page.content()


def take_register(chromium, server, coordinator, trial, leader, participant, clock) -> Session:
    venue = Venue(provider=Provider(name="Westmarch Wellbeing").save_by(None), name="Tavyside Hall").save_by(None)
    for number, name in enumerate(("Thursday morning group", "Friday morning group")):
        plan = activities.GroupPlan(
            name=name,
            arm_number=number,
            wave=1,
            venue=venue,
            leader=leader,
            start_date=timezone.localdate() + timedelta(days=7),
            start_time=time(10 + number),
        )
        activities.create_group(site=trial.site, plan=plan, by=trial.coordinator)
    coordinator.open(f"/people/{participant.study_id}/group/")
    coordinator.page.locator("input[name=group]").first.check()
    coordinator.date("from_date", timezone.localdate())
    coordinator.press(coordinator.page.locator("main form button[type=submit]").first)
    session = Session.objects.get(group__memberships__participant=participant, number=1)
    clock.move_to(session.starts_at + timedelta(minutes=5))
    phone = Desk(chromium, server, leader, browser.PHONE)
    phone.open(f"/register/{session.pk}/")
    phone.choose(safe="yes")
    phone.send("Save risk check")
    assert phone.page.get_by_role("heading", name="Carol").count() == 1
    phone.press(phone.page.locator("button[value=here]").first)
    phone.send("Finish register")
    session.refresh_from_db()
    return session


def download(desk: Desk, code: str) -> pandas.DataFrame:
    desk.open("/releases/new/")
    desk.choose(lock=code)
    desk.choose(variant="blinded", purpose="Checking the pipeline")
    desk.press(desk.page.locator("main form button[type=submit]").first)
    if desk.page.locator("[name=purpose]").count():
        desk.choose(purpose="Analysis")
    with desk.page.expect_download() as waiting:
        desk.page.get_by_role("button", name="Download dataset").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        name = next(n for n in archive.namelist() if n.endswith("data/csv/phq9.csv"))
        return pandas.read_csv(io.BytesIO(archive.read(name)))
