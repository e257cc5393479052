"""The lock room and a release in a browser: looked at, no axe violation, nothing sideways, no complaint."""

from datetime import timedelta

import pytest
from django.test import Client

from exports import actions
from tests import browser
from tests.factories import NOW, TODAY, Trial, staff
from trial.access.models import User
from trial.access.policy import Role
from trial.locking import actions as locking
from trial.locking import checks
from trial.review import actions as review

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db,
    pytest.mark.usefixtures("clock", "reading"),
]


def page_of(user: User, path: str) -> str:
    client = Client()
    client.force_login(user)
    return client.get(path).content.decode()


@pytest.fixture
def pages() -> dict[str, str]:
    """The pages of a small trial with two cuts, a release of each variant of state, and things left to do."""
    trial = Trial()
    manager = staff(Role.DATA_MANAGER, name="Tom Ellery")
    chief = staff(Role.CHIEF_INVESTIGATOR, name="Dr Ruth Sayer")
    statistician = staff(Role.TRIAL_STATISTICIAN, name="Dr Owen Pryce")
    participant = trial.consented()
    trial.save_form(participant, "V0", "phq9")
    review.raise_query(participant=participant, text="Is this right?", by=trial.coordinator, at=NOW)
    checks.run_slow(at=NOW - timedelta(hours=7), on=TODAY)
    for n, name in enumerate(("First look", "Second look", "Third look")):
        answers = {f"phq9_{item}": int(item <= n + 1) for item in range(1, 11)}
        trial.save_form(participant, "V0", "phq9", answers, reasons=dict.fromkeys(answers, "Typing mistake"))
        cut = locking.make_cut(name=name, reason="Monitoring", data_through=TODAY, by=manager, at=NOW)
    asked = actions.request_release(lock=cut, variant="blinded", purpose="Main analysis, plan 1.0", by=manager, at=NOW)
    release = actions.build_release(release=asked, by=manager)
    return {
        "lock-room": page_of(manager, "/locks/"),
        "lock-cut": page_of(manager, "/locks/cut/"),
        "lock-ask": page_of(manager, "/locks/ask/"),
        "releases": page_of(statistician, "/releases/"),
        "release-new": page_of(manager, "/releases/new/"),
        "release": page_of(statistician, f"/releases/{release.pk}/?table=phq9"),
        "release-changes": page_of(statistician, f"/releases/{release.pk}/changes/phq9/"),
        "codebook": page_of(statistician, "/codebook/?table=phq9"),
        "unblinding": page_of(chief, "/releases/unblinding/"),
    }


def test_pages_of_locks_and_releases(pages):
    problems = []
    with browser.launch() as chromium:
        for size in (browser.DESK, browser.PHONE):
            page = browser.open_page(chromium, size)
            browser.serve(page, pages)
            for name in pages:
                page.goto(f"http://hedgerow.test/{name}")
                problems += [f"{name} {size['width']}: {text}" for text in browser.axe(page)]
                if browser.sideways(page):
                    problems.append(f"{name} {size['width']}: {browser.sideways(page)} px sideways")
                browser.shot(page, f"exports-{name}-{size['width']}")
            problems += browser.complaints(page)

    assert problems == []
