"""A scheme from draft to close through the pages, each step by the person who may take it (randomisation.md 10)."""

import pytest

from randomisation.locks import TWO_TEXTS
from randomisation.models import EventLog, Proposal, Revision, Scheme
from tests.factories import NOW, PASSWORD
from trial.allocation import schemes
from trial.allocation.models import SimulationRun

DRAFT = {
    "block_sizes": "4, 6",
    "rows_per_stratum": "60",
    "backup_rows": "",
    "backup_block_sizes": "",
    "contribution": "none",
    "reason": "",
}
SIMULATE = {"include": ["own", "usual"], "n_trials": "3", "target": "20", "mti": "3", "p": "4/5", "block_sizes": "4"}


def base(office):
    return f"/randomisation/schemes/{office.trial.spec.randomisation.scheme}/"


def configure(office, who="statistician", method="permuted_blocks", **changes):
    return office.as_(who).post(f"{base(office)}configure/?method={method}", DRAFT | changes, follow=True)


def simulate(office, **changes):
    shares = {f"site_{s.code}": "1" for s in office.trial.spec.sites}
    for factor in office.trial.spec.randomisation.factors:
        shares |= {f"level_{factor.code}_{level.code}": "1" for level in factor.levels}
    return office.as_("statistician").post(f"{base(office)}simulate/", SIMULATE | shares | changes, follow=True)


def after_test(office):
    revision = Revision.objects.get()
    test = schemes.keep_acceptance_test(
        revision=revision, document={"cases": []}, n_passed=1, n_failed=0, by=office.manager, at=NOW
    )
    schemes.sign_acceptance_test(document=test, by=office.statistician, at=NOW)


def lock(office):
    office.as_("manager").post(f"{base(office)}lock/", {"reason": "Ready"})
    asked = Proposal.objects.get(kind="lock", state="asked")
    for who in ("sponsor", "second"):
        office.as_(who).post(f"/randomisation/requests/{asked.pk}/approve/", {"note": "", "secret": PASSWORD})


def prepare(office, **changes):
    configure(office, **changes)
    simulate(office)
    after_test(office)
    lock(office)


def test_from_draft_to_open_and_closed(office):
    prepare(office)
    opened = office.as_("manager").post(f"{base(office)}open/", {"checks": ["published", "green_light"]}, follow=True)
    paused = office.as_("manager").post(f"{base(office)}pause/", {"reason": "Heat wave"}, follow=True)
    office.as_("manager").post(f"{base(office)}close/", {"reason": "Enough people"})
    asked = Proposal.objects.get(kind="close")
    office.as_("chief").post(f"/randomisation/requests/{asked.pk}/approve/", {"note": "", "secret": PASSWORD})

    assert "is open" in opened.content.decode()
    assert "is paused" in paused.content.decode()
    assert list(office.scheme.events.values_list("event", flat=True)) == ["lock", "open", "pause", "close"]
    assert office.scheme.state == "closed"


def test_each_state_says_what_is_next_and_for_whom(office):
    def home(who):
        return office.as_(who).get("/randomisation/").content.decode()

    found = [("Configure the scheme", home("chief"))]
    configure(office)
    found.append(("Simulate the design", home("chief")))
    simulate(office)
    found.append(("Test the design", home("chief")))
    after_test(office)
    found.append(("Ask for the lock", home("manager")))
    office.as_("manager").post(f"{base(office)}lock/", {"reason": "Ready"})
    found.append(("Approve the lock", home("sponsor")))

    assert [title for title, page in found if title not in page] == []


def test_a_simulation_is_kept_and_moves_the_draft(office):
    configure(office)

    page = simulate(office).content.decode()

    run = SimulationRun.objects.get()
    assert (run.state, run.n_done) == ("done", 3)
    assert Revision.objects.get().state == "simulated"
    assert "most guessable choice" in page
    assert "think of minimisation" in page
    assert all(words in page for words in ("Protocol&#x27;s design", "Big stick 3", "Blocks of 4", "Simple"))
    assert "Guessed, knowing" in page


def test_a_simulation_of_an_older_draft_no_longer_opens(office):
    configure(office)
    simulate(office)
    configure(office, block_sizes="6, 8")

    page = office.as_("statistician").get(f"{base(office)}simulations/{SimulationRun.objects.get().pk}/")

    assert "It no longer opens" in page.content.decode()


def test_a_simulation_whose_draft_changed_meanwhile_stops_and_says_so(office):
    configure(office)
    simulate(office)
    run = SimulationRun.objects.get()
    SimulationRun.objects.filter(pk=run.pk).update(state="waiting", document=None)
    configure(office, block_sizes="6, 8")

    from trial.allocation.office import simulating

    simulating.run(row=run, by=office.statistician)

    run.refresh_from_db()
    assert run.state == "failed"
    assert "configured again" in run.error


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_trials": "2001"}, "between 1 and 2000"),
        ({"n_trials": ""}, "Enter the simulated trials"),
        ({"site_01": "x"}, "must be a number"),
        (dict.fromkeys(("site_01", "site_02", "site_03"), "0"), "At least one level of site"),
        ({"block_sizes": "5"}, "block_sizes"),
        ({"block_sizes": "a"}, "Block sizes must be whole numbers"),
        ({"p": "2"}, "p:"),
        ({"include": [], "mti": "", "p": "", "block_sizes": ""}, "Choose at least one design"),
    ],
)
def test_bad_input_to_a_simulation_is_told_and_kept(office, changes, words):
    configure(office)

    page = simulate(office, **changes).content.decode()

    assert words in page
    assert 'value="20"' in page
    assert not SimulationRun.objects.exists()


@pytest.mark.parametrize(
    ("method", "changes", "words"),
    [
        ("permuted_blocks", {"block_sizes": "5"}, "block_sizes"),
        ("permuted_blocks", {"block_sizes": "four"}, "Block sizes must be whole numbers"),
        ("permuted_blocks", {"rows_per_stratum": "0"}, "between 1 and 10000"),
        ("permuted_blocks", {"backup_rows": "4"}, "Give both"),
        ("big_stick", {"mti": "11"}, "between 1 and 10"),
        (
            "minimisation",
            {"imbalance": "range", "p": "1", "burn_in": "0", "overall_weight": "1", "unequal": "biased_coin"},
            "Enter the weight of",
        ),
    ],
)
def test_bad_parameters_are_told_and_kept(office, method, changes, words):
    page = configure(office, method=method, **changes).content.decode()

    assert words in page
    assert not Scheme.objects.exists()


def test_a_draw_without_chance_needs_a_reason(office):
    weights = {f"weight_{f.code}": "1" for f in office.trial.spec.randomisation.factors}
    own = {"imbalance": "range", "p": "1", "burn_in": "0", "overall_weight": "1", "unequal": "biased_coin"}

    refused = configure(office, method="minimisation", **weights, **own).content.decode()
    taken = configure(office, method="minimisation", **weights, **own, reason="The protocol says so").content.decode()

    assert "needs the reason of a named statistician" in refused
    assert "The draft is saved" in taken
    assert Revision.objects.get().reason == "The protocol says so"


def test_the_draft_is_shown_again_with_its_warnings(office):
    configure(office, block_sizes="4")

    page = office.as_("statistician").get(f"{base(office)}configure/").content.decode()

    assert 'value="4"' in page
    assert "Look at this" in page


def test_two_texts_come_before_the_lists(office):
    prepare(office, contribution="two_texts")
    url = f"{base(office)}revisions/1/"

    before = office.as_("manager").get(url).content.decode()
    for who in ("sponsor", "statistician"):
        office.as_(who).post(f"{url}contribution/", {"text": f"Words of {who}", "secret": PASSWORD})
    after = office.as_("manager").get(url).content.decode()

    assert "the contribution is awaited" in before
    assert "site=01" in after
    assert "Words of" not in after
    assert Revision.objects.get().params_public["contribution_source"] == TWO_TEXTS
    assert EventLog.objects.filter(event="contribution").exists()


def test_a_text_is_given_once_and_by_its_own_role(office):
    prepare(office, contribution="two_texts")
    url = f"{base(office)}revisions/1/contribution/"
    given = {"text": "Rain in Tavy", "secret": PASSWORD}

    wrong = office.as_("sponsor").post(url, given | {"secret": "wrong"}).content.decode()
    office.as_("sponsor").post(url, given)

    assert "Enter your own password" in wrong
    assert office.as_("sponsor").get(url).status_code == 404
    assert office.as_("manager").get(url).status_code == 403


def test_only_those_entitled_read_that_a_list_runs_out_and_nobody_which(office):
    prepare(office, rows_per_stratum="4")
    office.as_("manager").post(f"{base(office)}open/", {"checks": ["published", "green_light"]})

    manager, coordinator = (office.as_(who).get(base(office)).content.decode() for who in ("manager", "coordinator"))

    assert "A list is nearly used" in manager
    assert "nearly used" not in coordinator
    assert "phq9_band" not in manager


def test_the_lock_is_asked_for_once_tested(office):
    configure(office)

    page = office.as_("manager").post(f"{base(office)}lock/", {"reason": "Ready"}, follow=True).content.decode()

    assert "Only a revision whose acceptance test is signed" in page
    assert "Ready" in page


def test_opening_asks_for_each_confirmation(office):
    prepare(office)

    page = office.as_("manager").post(f"{base(office)}open/", {"checks": ["published"]}).content.decode()

    assert "Confirm each of these" in page
    assert office.scheme.state == "locked"


def test_a_new_revision_starts_as_a_draft_beside_the_one_in_force(running):
    page = configure(running).content.decode()

    assert "The draft is saved" in page
    assert [(r.number, r.state) for r in running.scheme.revisions.order_by("number")] == [(1, "open"), (2, "draft")]
    assert running.scheme.state == "open"


# -- schemes of sub-studies

NEW = DRAFT | {
    "code": "walking",
    "name": "Walking sub-study",
    "arms": "walk 1\ntalk 1",
    "factors": ["site"],
    "ceiling": "40",
    "households": "no",
}


def new(office, **changes):
    return office.as_("statistician").post("/randomisation/new/?method=permuted_blocks", NEW | changes, follow=True)


def test_a_sub_study_has_arms_of_its_own(office):
    page = new(office).content.decode()

    revision = Revision.objects.get()
    assert "The scheme and its draft are saved" in page
    assert revision.params_public["arms"] == ["walk", "talk"]
    assert [factor["code"] for factor in revision.params_public["factors"]] == ["site"]
    assert revision.scheme.ceiling == 40


def test_a_sub_study_is_configured_again(office):
    new(office)

    page = office.as_("statistician").post(
        "/randomisation/schemes/walking/configure/?method=big_stick",
        DRAFT | {"mti": "2", "arms": "walk 2\ntalk 1", "factors": []},
        follow=True,
    )

    assert "The draft is saved" in page.content.decode()
    assert Revision.objects.get().params_public["ratio"] == [2, 1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "Walking!"}, "scheme:"),
        ({"code": "main"}, "This code is taken"),
        ({"arms": "walk"}, "Each line must have a code and a share"),
        ({"arms": "walk 1"}, "arms:"),
        ({"arms": "walk 0\ntalk 1"}, "ratio:"),
        (
            {
                "opens_0": "2",
                "opens_1": "8",
                "opens_2": "2026",
                "closes_0": "1",
                "closes_1": "8",
                "closes_2": "2026",
            },
            "The last day must not be before the first day",
        ),
    ],
)
def test_a_bad_sub_study_is_refused_whole(office, changes, words):
    page = new(office, **changes).content.decode()

    assert words in page
    assert "Walking sub-study" in page
    assert not Scheme.objects.exists()
