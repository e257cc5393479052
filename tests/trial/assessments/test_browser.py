"""Questionnaires in a browser: items asked by rule as the server decides, and the pages of checks and wording."""

import itertools

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

import instruments
from tests import browser
from tests.factories import Trial, protocol_with_demo, staff
from tests.instruments.builders import definition, item
from tests.trial.assessments.wordings import as_json, eq5d5l
from trial.access.policy import Role
from trial.assessments.wording_actions import store_wording

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def shown(chromium, html, size=browser.DESK):
    """The page in a window of its own, checked."""
    view = browser.open_page(chromium, size)
    browser.serve(view, {"page": html})
    view.goto("http://hedgerow.test/page")
    assert browser.axe(view) == []
    assert browser.sideways(view) == 0
    assert browser.complaints(view) == []
    return view


RULED = definition(
    items=[
        item("demo_1"),
        item("demo_2", shown_if={"any_of": ["demo_1"], "op": ">=", "value": 2}),
        item(
            "demo_3",
            type="integer",
            options=None,
            max=4,
            shown_if={"any_of": ["demo_1", "demo_2"], "op": "==", "value": 3},
        ),
        item("demo_4", shown_if={"any_of": ["demo_3"], "op": "<=", "value": 1}),
    ]
)


def test_the_page_asks_the_items_that_the_server_asks(client, own_instruments):
    own_instruments(RULED)
    study = Trial(changes=protocol_with_demo("1.0.0"))
    client.force_login(study.coordinator)
    person = study.consented()
    html, made = client.get(f"/people/{person.study_id}/V1/demo/").content.decode(), instruments.get("demo")

    with browser.launch() as chromium:
        page = shown(chromium, html)
        for first, second, third in itertools.product((None, 0, 2, 3), (None, 1, 3), (None, 1, 4)):
            answers = {"demo_1": first, "demo_2": second, "demo_3": third}
            page.evaluate(SET, answers)
            visible = [code for code in made.items_by_code if page.locator(f'[name="{code}"]').first.is_visible()]

            assert visible == instruments.shown_items(made, answers), answers


SET = """answers => {
  for (const [code, value] of Object.entries(answers)) {
    for (const radio of document.querySelectorAll(`input[type=radio][name=${code}]`)) radio.checked = radio.value === String(value);
    const box = document.querySelector(`input[name=${code}_value]`);
    if (box) box.value = value ?? '';
  }
  document.querySelector('form').dispatchEvent(new Event('change', {bubbles: true}));
}"""


def test_pages_of_checks_and_wording_fit_a_telephone_and_a_desk(client):
    study = Trial()
    person = study.consented()
    zeros = {one.code: 0 for one in instruments.get("health_resource_use").items}
    study.save_form(person, "V1", "health_resource_use", zeros | {"hru_ae": 9, "hru_nights": 2})
    client.force_login(study.coordinator)
    address = f"/people/{person.study_id}/V1/"
    boxes = {f"{code}_value": "0" for code in zeros} | {"hru_ae_value": "9", "hru_nights_value": "2", "revision": "1"}
    pages = {
        "checks-read": client.get(f"{address}health_resource_use/"),
        "checks-numbers": client.post(f"{address}health_resource_use/correct/", boxes | {"hru_gp_surgery": "40"}),
        "checks-asked": client.post(
            f"{address}health_resource_use/correct/",
            boxes | {"mode": "interview_in_person", "why": _reason(study), "respondent": "participant"} | _day(),
        ),
    }
    manager = staff(Role.TRIAL_MANAGER, blinded=False)
    store_wording(instrument=instruments.get("eq5d5l"), content=eq5d5l(), by=manager)
    pages["wording-form"] = client.get(f"{address}eq5d5l/")
    client.force_login(manager)
    file = SimpleUploadedFile("w.json", as_json(eq5d5l()))
    wrong = SimpleUploadedFile("w.json", b"{")
    pages |= {
        "licences": client.get("/licences/"),
        "wording": client.get("/licences/eq5d5l/wording/"),
        "wording-checked": client.post("/licences/eq5d5l/wording/", {"file": file}),
        "wording-wrong": client.post("/licences/eq5d5l/wording/", {"file": wrong}),
    }

    with browser.launch() as chromium:
        for name, answer in pages.items():
            for size in (browser.PHONE, browser.DESK):
                view = shown(chromium, answer.content.decode(), size)
                browser.shot(view, f"{name}-{size['width']}")
                view.context.close()


def _reason(study):
    return study.spec.reasons.correction[0].code


def _day():
    return dict(zip([f"completed_date_{n}" for n in range(3)], ("9", "7", "2026"), strict=True))
