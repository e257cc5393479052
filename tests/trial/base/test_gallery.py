"""Every shared component in a browser: axe, no sideways scroll, no complaint, and the script's behaviour."""

import json
import re

import pytest

from tests import browser
from tests.trial.base import gallery

pytestmark = [
    pytest.mark.browser,
    pytest.mark.urls("tests.trial.base.gallery_urls"),
]


@pytest.fixture(scope="module")
def chromium():
    with browser.launch() as running:
        yield running


@pytest.fixture
def page(chromium, request):
    opened = browser.open_page(chromium, getattr(request, "param", browser.DESK))
    browser.serve(opened, gallery.render())
    yield opened
    opened.context.close()


@pytest.mark.parametrize("page", [browser.DESK, browser.PHONE], ids=["1280", "360"], indirect=True)
def test_every_sample_page_passes_axe_and_the_policy_and_never_scrolls_sideways(page):
    size = page.viewport_size
    problems = []

    for name in gallery.contexts():
        page.goto(f"http://hedgerow.test/{name}")
        problems += [f"{name}: {found}" for found in browser.axe(page)]
        for width in (page.viewport_size["width"], 320, 768):
            page.set_viewport_size({"width": width, "height": 740})
            problems += [f"{name}: scrolls sideways at {width} px"] if browser.sideways(page) else []
        page.set_viewport_size(size)

    assert problems == []
    assert browser.complaints(page) == []


def test_a_page_with_errors_says_so_in_its_title_and_gives_the_summary_focus(page):
    page.goto("http://hedgerow.test/consent")

    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.className") == "nhsuk-error-summary"
    page.click("text=Select yes or no for statement 3 >> nth=0")
    assert page.evaluate("document.activeElement.id") == "id_gp_0"


def test_keys_answer_the_row_that_has_focus_and_nothing_moves_by_itself(page):
    page.goto("http://hedgerow.test/fast")
    page.focus("#id_phq9_4_0")

    page.keyboard.press("2")
    assert page.is_checked("#id_phq9_4_2")
    assert page.evaluate("document.activeElement.name") == "phq9_4"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.name") == "phq9_5"
    assert not page.is_checked("#id_phq9_5_0")
    page.keyboard.press("r")
    assert page.evaluate("document.querySelector('[name=phq9_5]:checked').value") == "RF"
    page.keyboard.press("Delete")
    assert page.evaluate("document.querySelector('[name=phq9_5]:checked')") is None
    assert page.inner_text("[data-progress]").startswith("5 of 10")


def test_today_fills_the_boxes_in_uk_time(page):
    page.clock.install(time="2026-07-09T23:30:00Z")
    page.goto("http://hedgerow.test/consent")

    page.click("text=Today")
    today = [page.input_value(f"#id_consent_date_{place}") for place in range(3)]
    page.click("text=Yesterday")
    yesterday = page.input_value("#id_consent_date_0")

    assert today == ["10", "7", "2026"]
    assert yesterday == "9"


def test_a_draft_is_saved_when_typing_stops_and_a_failure_is_said(page):
    page.clock.install(time="2026-07-09T13:41:00Z")
    sent = []

    def answer(route):
        sent.append(route.request.post_data)
        if len(sent) == 1:
            route.fulfill(status=500, body="")
        else:
            route.fulfill(body=json.dumps({"saved_at": "2:41pm"}), content_type="application/json")

    page.route("http://hedgerow.test/draft/", answer)
    page.goto("http://hedgerow.test/consent")

    page.fill("#id_consent_date_2", "2026")
    page.clock.run_for(2000)
    assert sent == []
    page.clock.run_for(1500)
    page.wait_for_selector("text=Draft not saved. We are trying again.")
    page.clock.run_for(10500)
    page.wait_for_selector("text=Draft saved 2:41pm")

    assert len(sent) == 2
    assert "consent_date_2" in sent[1]


def test_pages_work_without_the_script(chromium):
    page = browser.open_page(chromium, java_script_enabled=False)
    browser.serve(page, gallery.render())
    page.goto("http://hedgerow.test/consent")

    assert not page.is_visible("text=Today")
    page.click("text=Priya Nair")
    assert page.is_visible("text=Sign out")
    page.goto("http://hedgerow.test/fast")
    page.check("#id_phq9_4_2", force=True)
    assert page.is_checked("#id_phq9_4_2")
    page.context.close()


def test_focus_is_never_under_the_bar_at_the_foot(page):
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto("http://hedgerow.test/fast")

    covered = []
    page.focus("#id_phq9_1_0")
    for row in range(1, 11):
        gap = page.evaluate(
            "document.querySelector('.app-save').getBoundingClientRect().top"
            " - document.activeElement.getBoundingClientRect().bottom"
        )
        covered += [row] if gap < 0 else []
        page.keyboard.press("ArrowDown")

    assert covered == []


def test_targets_of_the_register_are_48_px_high(chromium):
    page = browser.open_page(chromium, browser.PHONE)
    browser.serve(page, gallery.render())
    page.goto("http://hedgerow.test/register-sent")

    heights = page.evaluate("[...document.querySelectorAll('.app-mark')].map(e => e.getBoundingClientRect().height)")

    assert min(heights) >= 48
    page.context.close()


def test_no_title_names_an_arm():
    for html in gallery.render().values():
        assert not re.search(r"<title>[^<]*(Nature|Indoor)", html)
