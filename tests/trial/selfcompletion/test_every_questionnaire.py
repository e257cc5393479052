"""Every questionnaire that is shipped with its wording, answered on a phone from its first question to its last."""

import json
import re

import pytest

import instruments
from tests import browser
from tests.factories import LIBRARY, Trial
from tests.trial.selfcompletion.builders import a_link, in_week_five
from trial.assessments.models import Administration

pytestmark = [
    pytest.mark.drill,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "reading"]),
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("clock"),
]
MODES = ["self_web", "self_paper", "interview_phone"]


def worded() -> list[instruments.Instrument]:
    """The library, without the questionnaires whose words are withheld."""
    return [one for one in instruments.all_instruments() if not one.wording_withheld]


def one_visit_with(all_of: list[instruments.Instrument]) -> Trial:
    """The demonstration protocol, whose week 5 asks every one of them."""
    protocol = json.loads((LIBRARY / "greenrx_f.json").read_text())
    uses = {use["code"]: use for use in protocol["instruments"]}
    for one in all_of:
        new = {"code": one.code, "version": one.version, "label": one.short_title, "outcome": "other"}
        uses.setdefault(one.code, new | {"self_report": False, "double_entry": False})
    for visit in protocol["visits"]:
        if visit["code"] == "V2":
            visit["forms"] = [{"form": one.code, "required": True, "modes": MODES} for one in all_of]
    return Trial(changes={"instruments": list(uses.values()), "visits": protocol["visits"]})


def press(page, label: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=label, exact=True).click()


def begin(page, link: str) -> None:
    page.goto(link)
    press(page, "Start now")
    page.get_by_label("Day", exact=True).fill("14")
    page.get_by_label("Month", exact=True).fill("March")
    press(page, "Continue")


def look(page, name: str) -> None:
    assert browser.axe(page) == [], name
    assert browser.sideways(page) == 0, name
    browser.shot(page, f"questionnaire-{name}-360")


def answer(page) -> None:
    box = page.locator("input[type=text][name=answer]")
    if box.count():
        box.fill("1")
    else:
        page.locator("input[type=radio]").first.check()
    press(page, "Continue")


def plain(words: str) -> str:
    """Letters and digits only: the page may set a word in another way, never another word."""
    return re.sub(r"\W", "", words).casefold()


def line_of(one: instruments.Instrument) -> str:
    """The copyright line: of the licence, where the holder asks for one (tests.factories records it)."""
    return "Used with permission" if one.licence.registration_required else one.copyright[:40]


def test_each_on_a_phone(live_server):
    every = worded()
    participant = in_week_five(one_visit_with(every).open_randomisation())
    with browser.launch() as chromium:
        page = browser.open_page(chromium, browser.PHONE)
        begin(page, live_server.url + a_link(participant))
        shown: dict[str, list[str]] = {one.code: [] for one in every}
        while found := re.search(r"/questions/(\d+)/(\d+)/$", page.url):
            one = every[int(found[1]) - 1]
            if not shown[one.code]:
                look(page, one.code)
                assert line_of(one) in page.locator("main").inner_text()
            shown[one.code].append(plain(page.locator("h1").inner_text()))
            answer(page)
            if page.url.endswith("/support/"):
                press(page, "Continue with the questions")
        press(page, "Submit")
        assert browser.complaints(page) == []

    for one in every:
        words = [
            plain(item.text)
            for item in one.items
            if item.text and not (item.placeholder or item.required_if or item.shown_if)
        ]
        assert [text for text in words if not any(text in heading for heading in shown[one.code])] == [], one.code
    done = Administration.objects.filter(visit__code="V2", status="complete", mode="self_web")
    assert set(done.values_list("instrument", flat=True)) == {one.code for one in every}
