"""A participant on a phone, in Chromium: from the link in the e-mail to "Your answers have been sent"."""

import gzip
import re

import pytest

from tests import browser
from tests.factories import NOW
from tests.trial.selfcompletion.builders import AtHome, a_link, visit_of
from trial.assessments.models import Administration
from trial.safety.models import RiskAlert

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "reading"]),
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("clock"),
]
HEADERS = 500
"""Bytes that the headers of one answer take at most."""


@pytest.fixture
def chromium():
    with browser.launch() as running:
        yield running


@pytest.fixture
def link(live_server, participant):
    return live_server.url + a_link(participant)


class Phone:
    """A participant's phone. Each kind of page is looked at once: axe, nothing sideways, a picture at two widths."""

    def __init__(self, chromium) -> None:
        self.page = browser.open_page(chromium, browser.PHONE)
        self.seen = set()

    def look(self, name: str) -> None:
        if name in self.seen:
            return
        self.seen.add(name)
        assert browser.axe(self.page) == [], name
        assert browser.sideways(self.page) == 0, name
        browser.shot(self.page, f"questions-{name}-360")
        self.page.set_viewport_size(browser.DESK)
        assert browser.sideways(self.page) == 0, name
        browser.shot(self.page, f"questions-{name}-1280")
        self.page.set_viewport_size(browser.PHONE)

    def press(self, label: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=label, exact=True).click()

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text().strip()

    def choose(self, label: str) -> None:
        self.page.get_by_label(label, exact=True).check()
        self.press("Continue")


def test_a_week_five_pack_on_a_phone(chromium, link):
    phone = Phone(chromium)
    phone.page.goto(link)
    phone.look("start")
    phone.press("Start now")
    phone.press("Continue")
    phone.look("check-error")
    phone.page.get_by_label("Day", exact=True).fill("14")
    phone.page.get_by_label("Month", exact=True).fill("March")
    phone.press("Continue")

    assert phone.page.url.endswith("/questions/1/1/")
    phone.look("question")
    phone.press("Continue")
    phone.look("not-answered")
    phone.page.get_by_role("link", name="Answer it").click()
    phone.page.keyboard.press("Space")  # the first answer has the focus
    phone.page.keyboard.press("Enter")
    phone.page.wait_for_url("**/questions/1/2/")
    for _ in range(13):
        phone.choose("Some of the time")
    for number in range(1, 10):
        assert phone.page.url.endswith(f"/questions/2/{number}/")
        phone.choose("Several days")
    assert phone.heading == "Support for you now"
    phone.look("support")
    phone.press("Continue with the questions")
    phone.choose("Prefer not to answer")
    _answer_numbers(phone)
    assert phone.heading == "Check your answers"
    phone.look("answers")
    phone.page.emulate_media(forced_colors="active")
    browser.shot(phone.page, "questions-answers-forced-colours")
    phone.page.emulate_media(forced_colors="none")
    phone.press("Submit")

    assert phone.heading == "Your answers have been sent"
    phone.look("sent")
    phone.page.goto(link)
    assert phone.heading == "You have already sent this"
    phone.look("already-sent")
    assert browser.complaints(phone.page) == []
    assert Administration.objects.filter(visit__code="V2", status="complete", mode="self_web").count() == 3
    assert RiskAlert.objects.get().codes == ["phq9_item9_positive"]


def _answer_numbers(phone: Phone) -> None:
    """The questionnaire about nature: some answers are typed, others chosen."""
    while re.search(r"/questions/8?\d+/\d+/$", phone.page.url):
        box = phone.page.locator("input[type=text][name=answer]")
        if box.count():
            phone.look("number")
            box.fill("2")
            phone.press("Continue")
        else:
            phone.page.locator("input[type=radio]").first.check()
            phone.press("Continue")


@pytest.mark.parametrize("size", [browser.PHONE, browser.DESK], ids=["phone", "desk"])
def test_pages_around_the_questions(chromium, participant, trial, client, size):
    path = a_link(participant)
    mine = visit_of(participant).self_completion
    mine.n_failed, mine.last_failed_at = 10, NOW
    mine.save_by(None, "Locked")
    paused = AtHome(path).open().post().text
    client.force_login(trial.coordinator)
    page = f"/people/{participant.study_id}/V2/link/"
    client.post(page, {"do": "send"})
    pages = {
        "paused": paused,
        "unknown": client.get("/q/nothing/").content.decode(),
        "saved": client.get("/questions/saved/").content.decode(),
        "link": client.get(page).content.decode(),
        "record": client.get(f"/people/{participant.study_id}/").content.decode(),
    }
    tab = browser.open_page(chromium, size)
    browser.serve(tab, pages)

    for name in pages:
        tab.goto(f"http://hedgerow.test/{name}")
        browser.shot(tab, f"questions-{name}-{size['width']}")
        assert browser.axe(tab) == [], name
        assert browser.sideways(tab) == 0, name
    assert browser.complaints(tab) == []


def test_the_first_visit_is_light(chromium, link, live_server):
    page = browser.open_page(chromium, browser.PHONE)
    answers = []
    page.on("response", lambda one: answers.append(one))

    page.goto(link, wait_until="networkidle")

    sizes = {one.url: len(one.body()) for one in answers}
    sent = {one.url: len(gzip.compress(one.body(), 9)) if "/static/" in one.url else sizes[one.url] for one in answers}
    assert all(url.startswith(live_server.url) for url in sizes)
    assert len(answers) <= 6, sizes
    assert sum(sent.values()) + HEADERS * len(sent) <= 75 * 1024, sent
    assert browser.complaints(page) == []
    page.context.close()
