"""The office in a browser: axe-core, nothing sideways, no complaint, at 360 and 1280 px, with pictures."""

from datetime import timedelta

import pytest

from randomisation import proposals
from tests import browser
from tests.factories import NOW
from tests.trial.allocation.office.test_life import base, configure, new, simulate
from trial.allocation.models import SimulationRun
from trial.allocation.office import operating

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


@pytest.fixture
def world(running):
    """An open scheme with allocations, a draft beside it with a simulation, and requests."""
    for number in range(6):
        running.trial.randomised(total=8 + 2 * (number % 2), at=NOW - timedelta(hours=number))
    running.trial.baseline_done()
    configure(running, block_sizes="4")
    simulate(running, n_trials="20")
    new(running)
    for kind, facts in (("raise_ceiling", {"ceiling": 90, "site": "01"}), ("extend", {"rows_per_stratum": 400})):
        proposals.ask(
            scheme=running.scheme,
            kind=kind,
            facts=facts,
            reason="Recruitment is faster than planned at this site",
            by=running.manager,
            at=NOW,
            site=facts.get("site", ""),
        )
    operating.move_site(
        scheme=running.scheme,
        site=running.trial.site,
        state="paused",
        reason="Staff away",
        by=running.manager,
        at=NOW,
    )
    return running


def pages(world):
    scheme, run = base(world), SimulationRun.objects.get()
    asked = world.scheme.proposals.filter(state="asked").order_by("pk").first()
    return [
        ("home-manager", "manager", "/randomisation/"),
        ("home-statistician", "statistician", "/randomisation/"),
        ("home-coordinator", "coordinator", "/randomisation/"),
        ("scheme-manager", "manager", scheme),
        ("scheme-coordinator", "coordinator", scheme),
        ("accrual", "coordinator", f"{scheme}accrual/"),
        ("configure", "statistician", f"{scheme}configure/"),
        ("configure-minimisation", "statistician", f"{scheme}configure/?method=minimisation"),
        ("configure-import", "statistician", f"{scheme}configure/?method=import"),
        ("new-scheme", "statistician", "/randomisation/new/"),
        ("simulate", "statistician", f"{scheme}simulate/"),
        ("simulations", "statistician", f"{scheme}simulations/"),
        ("simulation", "statistician", f"{scheme}simulations/{run.pk}/"),
        ("ask-lock", "manager", f"{scheme}lock/"),
        ("extend", "manager", f"{scheme}extend/"),
        ("add-level", "manager", f"{scheme}level/"),
        ("ceiling", "manager", f"{scheme}ceiling/"),
        ("reopen", "manager", f"{scheme}reopen/"),
        ("open", "manager", f"{scheme}open/"),
        ("pause", "manager", f"{scheme}pause/"),
        ("close", "manager", f"{scheme}close/"),
        ("site", "manager", f"{scheme}sites/01/"),
        ("leak", "manager", "/randomisation/leak/"),
        ("log", "statistician", f"{scheme}log/"),
        ("log-coordinator", "coordinator", f"{scheme}log/"),
        ("balance", "statistician", f"{scheme}balance/"),
        ("first-check", "statistician", f"{scheme}first-allocations/"),
        ("revision", "coordinator", f"{scheme}revisions/1/"),
        ("requests", "sponsor", "/randomisation/requests/"),
        ("request", "sponsor", f"/randomisation/requests/{asked.pk}/"),
        ("approve", "sponsor", f"/randomisation/requests/{asked.pk}/approve/"),
    ]


@pytest.mark.parametrize("size", [browser.PHONE, browser.DESK], ids=["360", "1280"])
def test_every_page_of_the_office_is_accessible_and_fits(world, size):
    problems, shown = [], {}
    for name, who, url in pages(world):
        answer = world.as_(who).get(url)
        assert answer.status_code == 200, url
        shown[f"office-{name}"] = answer.content.decode()

    with browser.launch() as chromium:
        page = browser.open_page(chromium, size)
        browser.serve(page, shown)
        for name in shown:
            page.goto(f"http://hedgerow.test/{name}")
            problems += [f"{name}: {found}" for found in browser.axe(page)]
            problems += [f"{name} scrolls {pixels} sideways" for pixels in [browser.sideways(page)] if pixels]
            browser.shot(page, f"allocation/{name}-{size['width']}")
        problems += browser.complaints(page)

    assert problems == []
