"""Staff entry and double entry at a real keyboard: keys, Tab order, drafts, the end of a session, pages that pass axe."""

import io
from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.utils import timezone
from PIL import Image

from tests import browser
from tests.factories import PASSWORD, Trial, staff
from trial.access.policy import Role
from trial.assessments.models import Administration
from trial.double_entry.models import SecondEntry
from trial.paper import scan_actions

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "reading"]),
    pytest.mark.xdist_group("browser"),
]
DRAFT_SECONDS = 3


@pytest.fixture
def chromium():
    with browser.launch() as running:
        yield running


def sign_in(page, server, user):
    if "/accounts/login/" not in page.url:
        page.goto(f"{server.url}/accounts/login/")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")


def look(page, name):
    """No axe violation, nothing sideways, no complaint, at both widths."""
    for size, width in ((browser.PHONE, 360), (browser.DESK, 1280)):
        page.set_viewport_size(size)
        assert browser.axe(page) == []
        assert browser.sideways(page) == 0
        browser.shot(page, f"{name}-{width}")
    assert browser.complaints(page) == []


def until(page, holds):
    """Wait for what a draft saves: 3 seconds after typing stops, and a little for the machine."""
    for _ in range(10 * (DRAFT_SECONDS + 3)):
        page.wait_for_timeout(100)
        with suppress(OperationalError):  # the server is writing it in this moment
            if holds():
                return
    raise AssertionError("no draft was saved in time")


def focused(page):
    return page.evaluate("document.activeElement.name + '=' + document.activeElement.value")


def test_a_form_is_entered_by_keyboard_and_drafts_survive_a_closed_laptop(chromium, live_server, clock):
    trial = Trial()
    participant = trial.consented()
    url = f"{live_server.url}/people/{participant.study_id}/V0/phq9/"
    page = browser.open_page(chromium)
    sign_in(page, live_server, trial.coordinator)
    page.goto(url)

    page.check("input[name=mode][value=interview_phone]")
    page.focus("input[name=phq9_1]")
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    assert focused(page).startswith("phq9_2=")
    page.keyboard.press("r")
    assert focused(page) == "phq9_2=RF"
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("phq9_3=")
    page.keyboard.press("1")
    until(page, lambda: Administration.objects.filter(answers__has_key="phq9_3").exists())
    stored = Administration.objects.get()
    assert (stored.answers, stored.missing) == ({"phq9_1": 2, "phq9_3": 1}, {"phq9_2": "RF"})
    assert (stored.status, stored.assessor) == ("draft", trial.coordinator)

    Session.objects.all().delete()  # the laptop is closed and the session ends
    page.focus("input[name=phq9_4]")
    page.keyboard.press("3")
    page.wait_for_selector("text=You were signed out. Press the button")
    page.click("button:has-text('Save and continue')")
    page.wait_for_url("**/accounts/login/**")
    sign_in(page, live_server, trial.coordinator)
    page.wait_for_url("**/phq9/")
    assert page.is_checked("input[name=phq9_4][value='3']")
    assert page.is_checked("input[name=phq9_2][value=RF]")
    until(page, lambda: Administration.objects.get().answers == {"phq9_1": 2, "phq9_3": 1, "phq9_4": 3})
    page.wait_for_load_state("networkidle")
    page.complaints.clear()
    page.goto(url)
    look(page, "entry")


def test_a_second_person_enters_a_paper_form_beside_its_scan_and_a_third_decides(
    chromium, live_server, clock, settings, tmp_path
):
    settings.SCAN_DIR = tmp_path
    trial = Trial()
    participant = trial.eligible()
    at = timezone.now() - timedelta(hours=1)
    answers = {f"wemwbs_{n}": 4 for n in range(1, 15)}
    trial.save_form(participant, "V1", "wemwbs", answers, mode="self_paper", at=at)
    clerk = staff(Role.OUTCOME_ASSESSOR, trial.site, name="Hannah Quiller")
    manager = staff(Role.DATA_MANAGER, name="Mina Rossi")
    scan_actions.attach(
        visit=participant.visits.get(code="V1"), instrument="wemwbs", data=form_picture(), by=clerk, at=at
    )
    url = f"{live_server.url}/people/{participant.study_id}/V1/wemwbs/"
    page = browser.open_page(chromium)
    sign_in(page, live_server, clerk)

    page.goto(url)
    assert page.url.endswith("/second/")
    for number in range(1, 15):
        page.focus(f"input[name=wemwbs_{number}]")
        page.keyboard.press("5" if number == 7 else "4")
    for part, value in zip(("0", "1", "2"), ("9", "7", "2026"), strict=True):
        page.fill(f"input[name=completed_date_{part}]", value)
    until(page, lambda: SecondEntry.objects.get().completed_date is not None)
    assert page.evaluate("document.querySelector('img[alt^=Scan]').naturalWidth") == 800
    look(page, "second-entry")
    page.set_viewport_size(browser.DESK)
    page.click("button:has-text('Save second entry')")
    page.wait_for_url("**/second/differences/")
    look(page, "differences")
    assert SecondEntry.objects.get().n_differences == 1

    other = browser.open_page(chromium)
    sign_in(other, live_server, manager)
    other.goto(f"{url}second/differences/")
    other.click("button:has-text('Save decision')")
    look(other, "decision-error")
    other.check("input[name=wemwbs_7] >> nth=1")
    other.fill("[name=reason]", "The scan shows 5")
    other.click("button:has-text('Save decision')")
    other.wait_for_selector("text=The scan shows 5")
    assert Administration.objects.get(instrument="wemwbs").answers["wemwbs_7"] == 5
    for path, name in (("/data/", "data"), ("/double-entry/", "double-entry"), ("/crf/", "paper-forms")):
        other.goto(f"{live_server.url}{path}")
        look(other, name)
    page.goto(f"{url}scans/")
    look(page, "scans")


def form_picture():
    """A picture as large as a page at 96 dots an inch."""
    file = io.BytesIO()
    Image.new("L", (800, 1130), 240).save(file, "PNG")
    return file.getvalue()
