"""Every page of the office opens for whoever may, and for nobody else."""

import pytest

SCHEME = "/randomisation/schemes/{code}/"


@pytest.mark.parametrize(
    ("page", "who", "words"),
    [
        ("/randomisation/", "coordinator", "Nothing is due"),
        ("/randomisation/", "statistician", "New scheme"),
        ("/randomisation/requests/", "sponsor", "Lock the revision"),
        (SCHEME, "coordinator", "Permuted blocks"),
        (SCHEME + "accrual/", "coordinator", "Nobody yet"),
        (SCHEME + "configure/", "statistician", "Save the draft"),
        (SCHEME + "simulate/", "statistician", "There is no draft"),
        (SCHEME + "simulations/", "statistician", "No simulations"),
        (SCHEME + "lock/", "manager", "No revision is being prepared"),
        (SCHEME + "extend/", "manager", "New length of each list"),
        (SCHEME + "level/", "manager", "Code of the new level"),
        (SCHEME + "ceiling/", "manager", "New highest number"),
        (SCHEME + "reopen/", "manager", "Allocations that are missing"),
        (SCHEME + "open/", "manager", "Confirm each of these"),
        (SCHEME + "pause/", "manager", "Pause now"),
        (SCHEME + "close/", "manager", "Ask to close"),
        (SCHEME + "sites/01/", "manager", "Close for good"),
        (SCHEME + "log/", "sponsor", "Locked"),
        (SCHEME + "balance/", "statistician", "Nobody yet"),
        (SCHEME + "first-allocations/", "statistician", "Nobody yet"),
        (SCHEME + "revisions/1/", "coordinator", "Fingerprints of the lists"),
        ("/randomisation/new/", "statistician", "Code of the scheme"),
        ("/randomisation/leak/", "manager", "Pause everything"),
    ],
)
def test_a_page_opens_for_whoever_may(running, page, who, words):
    answer = running.as_(who).get(page.format(code=running.scheme.code))

    assert answer.status_code == 200
    assert words in answer.content.decode()


@pytest.mark.parametrize(
    ("page", "who"),
    [
        (SCHEME + "configure/", "coordinator"),
        (SCHEME + "simulations/", "manager"),
        (SCHEME + "open/", "statistician"),
        (SCHEME + "balance/", "manager"),
        (SCHEME + "balance.pdf", "coordinator"),
        (SCHEME + "first-allocations/", "manager"),
        (SCHEME + "revisions/1/contribution/", "manager"),
        ("/randomisation/leak/", "investigator"),
    ],
)
def test_a_page_stays_shut_for_others(running, page, who):
    assert running.as_(who).get(page.format(code=running.scheme.code)).status_code == 403


@pytest.mark.parametrize("page", ["", "accrual/", "log/", "revisions/1/"])
def test_a_scheme_that_is_not_there_is_not_found(running, page):
    assert running.as_("chief").get(f"/randomisation/schemes/nosuch/{page}").status_code == 404


def test_before_anything_is_configured_the_home_says_who_begins(office):
    page = office.as_("statistician").get("/randomisation/").content.decode()

    assert "Configure the scheme" in page
    assert f"/randomisation/schemes/{office.trial.spec.randomisation.scheme}/configure/" in page
