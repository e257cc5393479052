"""The pages of acceptance test and reports in a browser: axe-core, nothing sideways, at 360 and 1280 px, with pictures."""

import pytest
from django.core.cache import cache

from randomisation import proposals
from tests import browser
from tests.factories import NOW
from tests.trial.allocation.reports.builders import URL, Office
from trial.allocation import schemes
from trial.allocation.acceptance.jobs import RUNNING, Progress

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


def _before_lock(office):
    """Pages while a design is prepared."""
    revision = office.draft()
    pages = {"acceptance-none": office.as_("manager").get(f"{URL}acceptance/")}
    test = office.tested(revision, failed=1)
    cache.set(f"acceptance-test-{revision.pk}", Progress(RUNNING, NOW, 12, 38))
    pages["acceptance-running"] = office.as_("manager").get(f"{URL}acceptance/")
    cache.clear()
    address = f"/randomisation/acceptance/{test.pk}/"
    pages["acceptance-test"] = office.as_("statistician").get(address)
    pages["acceptance-sign"] = office.as_("statistician").get(f"{address}sign/")
    pages["acceptance-sign-error"] = office.as_("statistician").post(f"{address}sign/", {"secret": ""})
    deviations = "X00: a known limit of the test, accepted."
    schemes.sign_acceptance_test(document=test, by=office.statistician, at=NOW, deviations=deviations)
    pages["acceptance-signed"] = office.as_("manager").get(address)
    pages["acceptance-all"] = office.as_("manager").get(f"{URL}acceptance/")
    return pages


def _to_the_end(office):
    """Pages from the lock to the reveal."""
    office.step(proposals.LOCK, {"revision": 1}, by=office.manager, approvers=[office.second, office.sponsor])
    if office.trial.spec.randomisation.contribution == "two_texts":
        _contribute(office)
    schemes.open_scheme(code="main", by=office.manager, at=NOW)
    office.trial.randomised()
    pages = {"reveal-early": office.as_("statistician").get(f"{URL}reveal/")}
    office.step(proposals.CLOSE, {}, by=office.manager, approvers=[office.sponsor])
    pages["reveal-ready"] = office.as_("statistician").get(f"{URL}reveal/")
    pages["reveal-ask"] = office.as_("statistician").get(f"{URL}reveal/ask/")
    pages["reveal-ask-error"] = office.as_("statistician").post(f"{URL}reveal/ask/", {"reason": "Now"})
    data = {"analysis": "Master file 11.2", "reason": "Signed off"}
    pages["reveal-asked"] = office.as_("statistician").post(f"{URL}reveal/ask/", data, follow=True)
    asked = office.scheme.proposals.get(kind=proposals.REVEAL)
    for person in (office.second, office.sponsor):
        proposals.approve(proposal=asked, by=person, at=NOW)
    pages["revealed"] = office.as_("statistician").get(f"{URL}reveal/")
    pages["statement"] = office.as_("statistician").get(f"{URL}statement/")
    pages["inspection"] = office.as_("monitor").get(f"{URL}inspection/")
    return pages


def _contribute(office):
    from randomisation.locks import add_contribution_part

    for part, person in enumerate((office.sponsor, office.second), start=1):
        revision = office.scheme.revisions.get()
        add_contribution_part(revision=revision, part=part, text=f"Text {part}", by=person, at=NOW)


def test_every_page_passes_axe_at_both_widths(clock):
    cache.clear()
    office = Office()
    answers = _before_lock(office) | _to_the_end(office)
    assert {name: one.status_code for name, one in answers.items() if one.status_code != 200} == {}
    pages = {name: one.content.decode() for name, one in answers.items()}
    problems = []

    with browser.launch() as chromium:
        for width, size in (("desk", browser.DESK), ("phone", browser.PHONE)):
            page = browser.open_page(chromium, size)
            browser.serve(page, pages)
            for name in pages:
                page.goto(f"http://hedgerow.test/{name}")
                browser.shot(page, f"reports/{name}-{width}")
                found = [*browser.axe(page), *browser.complaints(page)]
                page.complaints.clear()
                if sideways := browser.sideways(page):
                    found.append(f"{sideways}px sideways")
                problems += [f"{name} {width}: {text}" for text in found]

    assert problems == []
