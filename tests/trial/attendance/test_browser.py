"""The register and the lists of sessions in Chromium: accessible, nothing sideways, every target 48 px on the phone."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests import browser
from tests.factories import NOW, Trial, staff
from tests.trial.activities.builders import fill, make_group, session_of
from trial.access.policy import Role
from trial.activities import actions as activity_actions
from trial.attendance import actions

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db,
    pytest.mark.usefixtures("clock"),
]


@pytest.fixture(scope="module")
def chromium():
    with browser.launch() as found:
        yield found


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def register(trial):
    """Eight people: three marked, one of them in contradiction."""
    group = make_group(trial)
    people = fill(trial, group, 8)
    session = session_of(group)
    before = session.starts_at - timedelta(minutes=12)
    session = activity_actions.confirm_risk_check(session=session, checked_at=before, by=group.leader, at=before)
    other = staff(Role.ACTIVITY_LEADER, trial.site, name="Jo Penrose")
    taps = [(0, "full", group.leader), (1, "full", group.leader), (1, "absent", other), (2, "absent_told", other)]
    for number, status, by in taps:
        actions.mark(
            key=uuid4(),
            session=session,
            participant=people[number],
            status=status,
            by=by,
            captured_at=NOW,
            at=NOW + timedelta(minutes=number),
        )
    return session, people


def look(chromium, client, user, addresses, size, name):
    """What is wrong with each page at a size; a picture of each is kept."""
    client.force_login(user)
    wrong = []
    for number, address in enumerate(addresses):
        response = client.get(address)
        assert response.status_code == 200, address
        page = browser.open_page(chromium, size)
        browser.serve(page, {"page": response.content.decode()})
        page.goto("http://hedgerow.test/page")
        browser.shot(page, f"{name}-{number}-{size['width']}")
        wrong += [f"{address}: {found}" for found in [*browser.axe(page), *browser.complaints(page)]]
        if browser.sideways(page):
            wrong.append(f"{address} scrolls sideways")
        if size is browser.PHONE and name == "register":
            wrong += [f"{address}: {found}" for found in small_targets(page)]
        page.context.close()
    return wrong


def small_targets(page):
    """Buttons of the register that are lower or narrower than 48 px."""
    return page.evaluate(
        "[...document.querySelectorAll('.app-mark')].map(e => [e.innerText, e.getBoundingClientRect()])"
        ".filter(([, box]) => box.height < 48 || box.width < 48).map(([text]) => text + ' is too small')"
    )


@pytest.mark.parametrize("size", [browser.PHONE, browser.DESK], ids=["phone", "desk"])
def test_the_leaders_pages(chromium, client, trial, register, size):
    session, people = register
    root = f"/register/{session.pk}/"
    tomorrow = session_of(session.group, 7)
    addresses = [
        "/register/",
        root,
        f"{root}{people[1].study_id}/",
        f"{root}concern/",
        f"{root}visitor/",
        f"{root}cancel/",
        f"/register/{tomorrow.pk}/",
    ]

    assert look(chromium, client, session.group.leader, addresses, size, "register") == []


@pytest.mark.parametrize("size", [browser.PHONE, browser.DESK], ids=["phone", "desk"])
def test_the_coordinators_pages(chromium, client, trial, register, size):
    session, people = register
    addresses = [
        "/sessions/",
        f"/sessions/{session.pk}/",
        f"/sessions/{session.pk}/move/",
        f"/sessions/{session.pk}/decide/{people[1].study_id}/",
        "/groups/",
        f"/groups/{session.group_id}/",
        "/groups/new/",
    ]

    assert look(chromium, client, trial.coordinator, addresses, size, "sessions") == []


def test_the_register_before_its_risk_check(chromium, client, trial):
    session = session_of(make_group(trial, name="Friday group"))

    assert look(chromium, client, session.group.leader, [f"/register/{session.pk}/"], browser.PHONE, "risk") == []
