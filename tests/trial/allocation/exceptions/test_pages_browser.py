"""Pages of exceptions in a browser: axe-core, nothing sideways, no complaint, at 360 and 1280 px, with pictures."""

import pytest

from randomisation import high_water
from randomisation.models import CodeBreak, Scheme, StratumCursor
from tests import browser
from tests.factories import NOW, PASSWORD, Trial, proof, staff
from tests.trial.allocation.exceptions.builders import approved
from tests.trial.journey.test_household_views import together_changes
from trial.access.policy import Role
from trial.allocation.exceptions import asking, envelopes
from trial.allocation.households import make_household

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


def _world():
    trial = Trial(changes=together_changes()).open_randomisation()
    high_water.reset(Scheme.objects.get())
    person = trial.randomised()
    manager = staff(Role.TRIAL_MANAGER, blinded=False, name="Mo Manager")
    statistician = staff(Role.UNBLINDED_STATISTICIAN, name="Dr Ines Roth")
    flag = asking.ask_flag(
        participant=person, category="ineligible", reason="Added up wrongly", by=trial.coordinator, at=NOW
    )
    approved(flag, statistician)
    asking.ask_correction(
        participant=person, members=[{"phq9_band": "10-14"}], reason="Item 4 misread", by=trial.coordinator, at=NOW
    )
    broken = asking.ask_code_break(
        participant=person,
        category="emergency",
        reason="Collapsed at home",
        who_knows="The ambulance crew",
        third_party="",
        stays_in_follow_up=True,
        by=trial.investigator,
        at=NOW,
    )
    approved(broken, manager)
    cursor = StratumCursor.objects.get(purpose="backup", key="site=01")
    own = envelopes.emergency_list(cursor.pk)
    envelopes.print_once(envelopes=own, spec=trial.spec, proof=proof(statistician), by=statistician, at=NOW)
    envelopes.count(
        envelopes=envelopes.emergency_list(cursor.pk), n_unopened=11, note="One got wet", by=manager, at=NOW
    )
    return trial, person, manager, statistician


def _pages(client) -> dict[str, str]:
    trial, person, manager, statistician = _world()
    base, code_break = f"/people/{person.study_id}/randomisation/", CodeBreak.objects.get().pk
    couple = [trial.baseline_done(), trial.baseline_done(total=12)]
    household = make_household(site=trial.site, people=couple, by=trial.coordinator, at=NOW)
    singles = [trial.baseline_done(), trial.baseline_done()]
    unprinted = StratumCursor.objects.get(purpose="backup", key="site=02").pk
    together = f"/people/households/{household.code}/"
    chosen = {"chosen": "yes", "level_1_phq9_band": "5-9", "level_2_phq9_band": "10-14"}
    batch = {"code": "cohort-03", "people": [one.study_id for one in singles]}
    assessor, clinician = staff(Role.OUTCOME_ASSESSOR, trial.site), trial.clinician
    got = {
        "overview": (trial.coordinator, base),
        "overview-clinician": (clinician, base),
        "flag": (trial.coordinator, f"{base}flag/"),
        "twice": (trial.coordinator, f"{base}twice/"),
        "values": (trial.coordinator, f"{base}values/"),
        "code-break-ask": (clinician, f"{base}code-break/"),
        "code-breaks": (trial.investigator, "/randomisation/code-breaks/"),
        "code-break": (trial.investigator, f"/randomisation/code-breaks/{code_break}/"),
        "log": (manager, "/randomisation/exceptions/"),
        "error": (manager, "/randomisation/error/"),
        "envelopes": (manager, "/randomisation/envelopes/"),
        "envelopes-print": (statistician, f"/randomisation/envelopes/{unprinted}/print/"),
        "envelopes-count": (manager, f"/randomisation/envelopes/{unprinted}/count/"),
        "envelope-enter": (manager, f"/people/{singles[0].study_id}/randomisation/envelope/"),
        "envelope-choose": (manager, "/randomisation/envelopes/enter/"),
        "recover": (manager, "/randomisation/recover/"),
        "recover-enter": (manager, f"/people/{person.study_id}/randomisation/recover/"),
        "guess": (assessor, f"/people/{person.study_id}/guess/"),
        "allocation": (trial.coordinator, f"/people/{person.study_id}/allocation/"),
        "households": (trial.coordinator, "/people/households/"),
        "household": (trial.randomiser, together),
        "household-new": (trial.coordinator, "/people/households/new/"),
        "household-check": (trial.randomiser, f"{together}randomise/"),
        "batch": (trial.randomiser, "/randomisation/batch/"),
    }
    posted = {
        "flag-error": (trial.coordinator, f"{base}flag/", {"reason": "In the nature group"}),
        "code-break-shown": (
            trial.investigator,
            f"/randomisation/code-breaks/{code_break}/",
            {"secret": PASSWORD},
        ),
        "envelope-error": (manager, f"/people/{singles[0].study_id}/randomisation/envelope/", {"caller": "Asha"}),
        "guess-error": (assessor, f"/people/{person.study_id}/guess/", {}),
        "household-error": (trial.coordinator, "/people/households/new/", {"site": "01", "numbers": "nobody"}),
        "household-confirm": (trial.randomiser, f"{together}randomise/", chosen),
        "household-refused": (
            trial.randomiser,
            f"{together}randomise/",
            {**chosen, "level_1_phq9_band": "10-14", "secret": PASSWORD},
        ),
        "batch-check": (trial.randomiser, "/randomisation/batch/", batch),
        "batch-confirm": (
            trial.randomiser,
            "/randomisation/batch/",
            {**batch, "chosen": "yes", "level_1_phq9_band": "5-9", "level_2_phq9_band": "5-9"},
        ),
    }
    found = {}
    for name, (user, url) in got.items():
        client.force_login(user)
        found[name] = _html(client.get(url), url)
    for name, (user, url, typed) in posted.items():
        client.force_login(user)
        found[name] = _html(client.post(url, typed), url)
    client.force_login(trial.randomiser)
    whole = {**batch, "chosen": "yes", "level_1_phq9_band": "5-9", "level_2_phq9_band": "5-9", "secret": PASSWORD}
    client.post("/randomisation/batch/", whole)
    found["batch-result"] = _html(client.get("/randomisation/batch/cohort-03/"), "batch")
    return found


def _html(response, url) -> str:
    assert response.status_code == 200, url
    return response.content.decode()


def test_every_page_passes_axe_at_both_widths(client, clock):
    pages = _pages(client)
    problems = []

    with browser.launch() as chromium:
        for width, size in (("desk", browser.DESK), ("phone", browser.PHONE)):
            page = browser.open_page(chromium, size)
            browser.serve(page, pages)
            for name in pages:
                page.goto(f"http://hedgerow.test/{name}")
                browser.shot(page, f"exceptions/{name}-{width}")
                found = [*browser.axe(page), *browser.complaints(page)]
                page.complaints.clear()
                if sideways := browser.sideways(page):
                    found.append(f"{sideways}px sideways")
                problems += [f"{name} {width}: {text}" for text in found]

    assert problems == []
