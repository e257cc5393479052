"""The pages about people in a browser: axe-core, nothing sideways, no complaint, at 360 and 1280 px, with pictures."""

from datetime import timedelta

import pytest

from tests import browser
from tests.factories import NOW, TODAY, Trial, answers_with_total, site, staff
from tests.trial.activities.builders import fill, make_group
from tests.trial.journey.builders import crowd, one_of_each_arm
from trial.access.policy import Role
from trial.deviations.models import Deviation
from trial.messages.actions import open_task
from trial.participants import identity
from trial.review import actions as review
from trial.safety import event_actions

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
TASKS = (
    (-2, "Make first contact", "Referred by Tavyside Surgery on 30 June. 5 working days have passed"),
    (0, "Randomise", "Baseline complete. Baseline window closes 16 July"),
    (4, "Give information sheet 2.1", "Asked for it by post on 8 July"),
)


def _world() -> dict[str, object]:
    """A trial with something of everything, and its readers."""
    trial = Trial().open_randomisation()
    person, _other = one_of_each_arm(trial)
    crowd(trial, 20)
    crowd(trial, 8, site=site("02"))
    fill(trial, make_group(trial, name="Thursday afternoon group"), 7)
    answers = answers_with_total("phq9", 8) | {"phq9_1": 1}
    corrected = trial.consented()
    trial.save_form(corrected, "V0", "phq9", answers)
    trial.save_form(corrected, "V0", "phq9", answers | {"phq9_4": 2}, reasons={"phq9_4": "Paper shows 2"})
    for days, title, detail in TASKS:
        open_task(
            key=title,
            kind="test",
            role=Role.COORDINATOR,
            site=trial.site,
            referral=person.referral,
            title=title,
            detail=detail,
            link="/people/",
            due_date=TODAY + timedelta(days=days),
            at=NOW,
        )
    form = person.administrations.get(instrument="gad7")
    review.raise_query(
        participant=person,
        administration=form,
        field="gad7_1",
        text="Is this right?",
        by=trial.investigator,
        at=NOW - timedelta(days=6),
    )
    _harm(trial, person)
    return {"trial": trial, "person": person, "corrected": corrected, "referral": trial.refer()}


def _harm(trial, person):
    event_actions.report_event(
        participant=person,
        data=event_actions.EventData(
            onset_date=TODAY,
            aware_date=TODAY,
            category="OTHER",
            description="Fell",
            severity="severe",
            seriousness=("hospitalisation",),
            related_to_activity="possible",
            related_to_procedures="unrelated",
            outcome="recovering",
        ),
        by=trial.coordinator,
        at=NOW,
    )
    Deviation(
        site=trial.site,
        participant=person,
        sequence=1,
        occurred_date=TODAY,
        kind="visit",
        severity="minor",
        description_sealed=identity.seal_text(person.referral.person, "Rang a day late"),
        recorded_at=NOW,
        recorded_by=trial.coordinator,
    ).save_by(trial.coordinator)


def _pages(client) -> dict[str, str]:
    """Name and HTML of every page, as its reader gets it."""
    world = _world()
    trial, person = world["trial"], f"/people/{world['person'].study_id}/"
    corrected, referral = f"/people/{world['corrected'].study_id}/", f"/people/{world['referral'].screening_number}/"
    assessor, manager = staff(Role.OUTCOME_ASSESSOR, trial.site), staff(Role.DATA_MANAGER, name="Tom Ellery")
    monitor = staff(Role.MONITOR, trial.site, blinded=False)
    chief = staff(Role.CHIEF_INVESTIGATOR, blinded=False)
    wanted = {
        "tasks": (trial.coordinator, "/"),
        "tasks-empty": (trial.randomiser, "/"),
        "tasks-assessor": (assessor, "/"),
        "people": (trial.coordinator, "/people/"),
        "people-nobody": (trial.coordinator, "/people/?q=nobody"),
        "record": (trial.coordinator, person),
        "record-blinded": (assessor, person),
        "record-referral": (trial.coordinator, referral),
        "contact-details": (trial.coordinator, f"{person}contact-details/"),
        "history": (trial.coordinator, f"{person}history/"),
        "form-history": (manager, f"{corrected}V0/phq9/history/?item=phq9_4"),
        "overview": (chief, "/overview/"),
        "data": (manager, "/data/"),
        "monitoring": (monitor, "/monitor/"),
        "audit": (manager, "/audit/"),
        "access-log": (manager, "/audit/access/"),
        "audit-check": (manager, "/audit/check/"),
    }
    found = {}
    for name, (user, url) in wanted.items():
        client.force_login(user)
        response = client.get(url)
        assert response.status_code == 200, url
        found[name] = response.content.decode()
    client.force_login(trial.coordinator)
    found["contact-details-error"] = client.post(f"{person}contact-details/", {"why": "other"}).content.decode()
    found["contact-details-shown"] = client.post(
        f"{person}contact-details/", {"why": "To check the details"}
    ).content.decode()
    client.force_login(manager)
    found["audit-checked"] = client.post("/audit/check/").content.decode()
    return found


def test_every_page_passes_axe_at_both_widths(client, clock):
    pages = _pages(client)
    problems = []

    with browser.launch() as chromium:
        for width, size in (("desk", browser.DESK), ("phone", browser.PHONE)):
            page = browser.open_page(chromium, size)
            browser.serve(page, pages)
            for name in pages:
                page.goto(f"http://hedgerow.test/{name}")
                browser.shot(page, f"journey/{name}-{width}")
                found = [*browser.axe(page), *browser.complaints(page)]
                page.complaints.clear()
                if sideways := browser.sideways(page):
                    found.append(f"{sideways}px sideways")
                problems += [f"{name} {width}: {text}" for text in found]

    assert problems == []
