"""Requests that need a second person: who sees them, who decides, what a decision leaves behind."""

import pytest

from randomisation import proposals
from randomisation.models import Proposal
from tests.factories import NOW, PASSWORD, give_role, site, staff
from trial.access.models import Signature
from trial.access.policy import Role
from trial.allocation.kinds import REQUESTS
from trial.allocation.reads import allocation_of

WORDS = "Told at the sunny allotment"


def ask(office, kind=proposals.CLOSE, by="manager", **more):
    facts = more.pop("facts", {})
    return proposals.ask(
        scheme=office.scheme, kind=kind, facts=facts, reason=WORDS, by=office.people[by], at=NOW, **more
    )


def decide(office, who, proposal, how="approve", **more):
    data = {"note": "Agreed", "secret": PASSWORD} | more
    return office.as_(who).post(f"/randomisation/requests/{proposal.pk}/{how}/", data, follow=True)


def test_somebody_else_approves_and_the_step_is_taken(running):
    proposal = ask(running)

    page = decide(running, "chief", proposal).content.decode()

    assert "Approved and done" in page
    assert running.scheme.state == "closed"
    signed = Signature.objects.get(record=f"randomisation_proposal:{proposal.pk}")
    assert (signed.signer, signed.meaning) == (running.chief, "I approve: close randomisation.")


def test_whoever_asked_cannot_approve(running):
    proposal = ask(running)

    answer = decide(running, "manager", proposal)

    assert answer.status_code == 404
    assert Proposal.objects.get(pk=proposal.pk).state == "asked"


def test_two_approvals_are_two_people(running):
    proposal = ask(running, proposals.EXTEND, facts={"rows_per_stratum": 400})

    first = decide(running, "sponsor", proposal).content.decode()
    again = decide(running, "sponsor", proposal).content.decode()
    last = decide(running, "statistician", proposal).content.decode()

    assert "Another person must approve it too" in first
    assert "You have approved this" in again
    assert "Approved and done" in last


def test_an_approver_with_a_role_at_the_site_is_refused(running):
    give_role(running.chief, Role.PRINCIPAL_INVESTIGATOR, running.trial.site, blinded=False)
    proposal = ask(running, site=running.trial.site.code)

    assert decide(running, "chief", proposal).status_code == 404
    assert "Approved and done" in decide(running, "sponsor", proposal).content.decode()


def test_a_wrong_password_changes_nothing_and_keeps_the_note(running):
    proposal = ask(running)

    page = decide(running, "chief", proposal, secret="wrong", note="Fine by me").content.decode()

    assert "Enter your own password" in page
    assert "Fine by me" in page
    assert Proposal.objects.get(pk=proposal.pk).state == "asked"
    assert not Signature.objects.filter(signer=running.chief).exists()


def test_a_step_that_is_refused_approves_nothing(running):
    low = ask(running, proposals.RAISE_CEILING, facts={"ceiling": 1})
    decide(running, "sponsor", low)

    page = decide(running, "chief", low).content.decode()

    assert "A ceiling is only raised" in page
    assert [one.by for one in low.approvals.all()] == [running.sponsor]
    assert not Signature.objects.filter(signer=running.chief).exists()


def test_a_refusal_says_why(running):
    proposal = ask(running)

    without = decide(running, "chief", proposal, "refuse", note="").content.decode()
    page = decide(running, "chief", proposal, "refuse", note="Not yet").content.decode()

    assert "Enter the reason" in without
    assert "Refused" in page
    assert "Not yet" in page
    assert Proposal.objects.get(pk=proposal.pk).state == "refused"


def test_only_the_asker_withdraws(running):
    proposal = ask(running)

    assert decide(running, "chief", proposal, "withdraw").status_code == 404
    assert "Your request is withdrawn" in decide(running, "manager", proposal, "withdraw").content.decode()


def test_a_decided_request_has_no_buttons(running):
    proposal = ask(running)
    decide(running, "chief", proposal)

    assert running.as_("sponsor").get(f"/randomisation/requests/{proposal.pk}/approve/").status_code == 404


def test_the_list_says_what_waits_for_me(running):
    ask(running)

    assert "You can decide it" in running.as_("chief").get("/randomisation/requests/").content.decode()
    assert "You can decide it" not in running.as_("manager").get("/randomisation/requests/").content.decode()
    refused = running.as_("chief").get("/randomisation/requests/?state=refused").content.decode()
    assert "No requests" in refused


def test_blinded_people_see_no_text_that_was_typed(running):
    made = running.trial.randomised()
    proposal = ask(
        running,
        proposals.FLAG,
        by="coordinator",
        facts={"category": "ineligible"},
        allocation=allocation_of(made),
        site=running.trial.site.code,
    )

    blinded = running.as_("monitor").get(f"/randomisation/requests/{proposal.pk}/").content.decode()
    open_ = running.as_("chief").get(f"/randomisation/requests/{proposal.pk}/").content.decode()

    assert WORDS not in blinded
    assert "Not eligible" in blinded
    assert made.study_id in blinded
    assert WORDS in open_


def test_people_of_another_site_do_not_see_it(running):
    made = running.trial.randomised()
    there = staff(Role.COORDINATOR, site("02"))
    proposal = ask(
        running,
        proposals.FLAG,
        by="coordinator",
        facts={"category": "ineligible"},
        allocation=allocation_of(made),
        site="01",
    )
    running.people["there"] = there

    assert running.as_("there").get(f"/randomisation/requests/{proposal.pk}/").status_code == 404
    assert running.as_("investigator").get(f"/randomisation/requests/{proposal.pk}/").status_code == 200


@pytest.mark.parametrize("kind", list(proposals.KINDS))
def test_every_kind_says_who_decides_it(kind):
    assert REQUESTS[kind].approves
