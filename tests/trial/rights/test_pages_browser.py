"""Pages of delegation, participation, rights and claims in a browser: axe-core, nothing sideways, at 360 and 1280 px."""

from datetime import timedelta

import pytest

from tests import browser
from tests.factories import NOW, TODAY, Trial, staff
from tests.journeys.visitor import day
from tests.trial.participants.builders import dispose
from trial.access.policy import Role
from trial.claims import actions as claims
from trial.participants import disposal
from trial.rights import breaches, requests

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


def _pages(client) -> dict[str, str]:
    """Name and HTML of every page, as its reader gets it."""
    trial = Trial().open_randomisation()
    person = trial.randomised(trial.baseline_done(trial.eligible(trial.consented(preferred_contact="phone"))))
    base, manager = f"/people/{person.study_id}/", staff(Role.TRIAL_MANAGER, name="Nadia Osei", blinded=False)
    given = {"participant": person, "by": trial.coordinator, "at": NOW}
    claims.offer(kind="travel", travel_date=TODAY, mode="bus", amount_pence=340, **given)
    claims.offer(kind="voucher", visit=person.visits.first(), amount_pence=1000, **given)
    request = requests.record(
        referral=person.referral,
        kind="restriction",
        received_date=TODAY - timedelta(days=1),
        identity_check="called",
        asked="Please stop using what I told you",
        by=trial.coordinator,
        at=NOW,
    )
    breach = breaches.log(
        kind="confidentiality",
        discovered_at=NOW - timedelta(hours=50),
        what="A letter went to an earlier address",
        categories=["identity", "health"],
        n_people=1,
        by=manager,
        at=NOW,
    )
    dispose(trial.consented().referral)
    asked = disposal.ask(
        referral=trial.consented().referral, why="retention", reason="Over", by=staff(Role.DATA_MANAGER), at=NOW
    )
    wanted = {
        "record": (trial.coordinator, base),
        "delegation": (trial.investigator, "/delegation/"),
        "delegation-new": (trial.investigator, "/delegation/new/"),
        "participation": (trial.coordinator, f"{base}participation/"),
        "claims-person": (trial.coordinator, f"{base}claims/"),
        "claims-totals": (manager, "/claims/"),
        "requests": (trial.investigator, "/data-requests/"),
        "request": (trial.investigator, f"/data-requests/{request.pk}/"),
        "request-new": (trial.coordinator, f"{base}data-request/"),
        "request-decide": (trial.investigator, f"/data-requests/{request.pk}/decide/"),
        "copy": (trial.coordinator, f"{base}data-copy/"),
        "redact": (trial.investigator, f"{base}remove-text/"),
        "retention": (manager, "/retention/"),
        "disposal-decide": (manager, f"/retention/{asked.pk}/"),
        "breaches": (manager, "/breaches/"),
        "breach": (manager, f"/breaches/{breach.pk}/"),
        "breach-new": (manager, "/breaches/new/"),
    }
    found = {}
    for name, (user, url) in wanted.items():
        client.force_login(user)
        response = client.get(url)
        assert response.status_code == 200, url
        found[name] = response.content.decode()
    client.force_login(trial.coordinator)
    elements = {f"element_{one.code}": "off" for one in trial.spec.participation_elements}
    typed = {"cause": "choice", "decided_by": "participant", "letter": "print", **elements}
    found["participation-confirm"] = client.post(
        f"{base}participation/", typed | day("effective_date", TODAY)
    ).content.decode()
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
                browser.shot(page, f"rights/{name}-{width}")
                found = [*browser.axe(page), *browser.complaints(page)]
                page.complaints.clear()
                if sideways := browser.sideways(page):
                    found.append(f"{sideways}px sideways")
                problems += [f"{name} {width}: {text}" for text in found]

    assert problems == []
