"""Pages of double entry through the HTTP client: the second person sees nothing of the first entry."""

import re

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from tests.trial.assessments.builders import NOW, staff
from tests.trial.double_entry.builders import QUIET, Desk
from trial.access.models import Site
from trial.access.policy import Role
from trial.double_entry.models import Adjudication, FirstEntrySeen, SecondEntry
from trial.review import actions as review
from trial.review.models import Query
from trial.safety.models import RiskAlert

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

FIRST = {f"phq9_{n}": 3 for n in range(1, 9)} | {"phq9_9": 0, "phq9_10": 3}
"""A first entry that no test enters again: any trace of it is a leak."""


def as_(user):
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


def posted(answers, *, revision=0, day="6", **more):
    """What the page sends."""
    date = {"completed_date_0": day, "completed_date_1": "7", "completed_date_2": "2026"}
    return {"revision": str(revision), **date, **{code: str(value) for code, value in answers.items()}, **more}


def text(response):
    return response.content.decode()


def test_two_people_enter_and_a_third_decides():
    desk = Desk()
    clerk, manager = as_(desk.second), as_(desk.manager)

    waiting = clerk.get("/double-entry/")
    saved = clerk.post(f"{desk.url}second/", posted({**QUIET, "phq9_3": 2}), follow=True)
    shown = manager.get(f"{desk.url}second/differences/")
    decided = manager.post(f"{desk.url}second/differences/", {"phq9_3": "1", "reason": "Paper shows 2"}, follow=True)

    assert f"{desk.url}second/" in text(waiting)
    assert "1 answer differs from the first entry" in text(saved)
    assert "Several days (1) (first entry)" in text(shown)
    assert "More than half the days (2) (second entry)" in text(shown)
    assert "Paper shows 2" in text(decided)
    desk.form.refresh_from_db()
    assert desk.form.answers["phq9_3"] == 2
    assert Query.objects.get().state == Query.State.CLOSED
    assert "9 of 10 items agree (90.0%)" in text(manager.get("/data/"))


def test_what_is_posted_after_the_session_ended_is_back_and_stored_at_once_with_its_alert():
    desk = Desk()
    clerk = as_(desk.second)
    owner = re.search('name="draft_owner" value="(.*?)"', text(clerk.get(f"{desk.url}second/")))[1]
    clerk.logout()
    clerk.post(f"{desk.url}second/", posted({**QUIET, "phq9_9": 1}, draft_owner=owner))
    clerk.force_login(desk.second)

    back = text(clerk.get(f"{desk.url}second/"))
    clerk.post(f"{desk.url}second/draft/", posted({**QUIET, "phq9_9": 1}))

    assert "data-draft-kept" in back
    assert SecondEntry.objects.get().answers["phq9_9"] == 1
    assert RiskAlert.objects.count() == 1
    assert "data-draft-kept" not in text(clerk.get(f"{desk.url}second/"))


def test_entries_that_agree_lead_back_to_the_record():
    desk = Desk()

    answer = as_(desk.second).post(f"{desk.url}second/", posted(QUIET), follow=True)

    assert answer.redirect_chain[-1][0] == f"/people/{desk.participant.study_id}/"
    assert "both entries agree on all 10 items" in text(answer)


def test_the_second_person_is_led_from_every_page_of_the_first_entry_to_their_own():
    desk = Desk(FIRST)
    clerk = as_(desk.second)
    review.raise_query(
        participant=desk.participant,
        administration=desk.form,
        field="phq9_1",
        text="Is this right?",
        value_asked="3",
        by=desk.manager,
        at=desk.form.submitted_at,
    )

    for path in ("", "?enter=yes", "correct/", "history/", "history/?item=phq9_1&format=csv", "support/"):
        answer = clerk.get(f"{desk.url}{path}")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{desk.url}second/"), path
    assert clerk.post(f"{desk.url}draft/", posted({"phq9_1": 0})).status_code == 409
    assert "Nearly every day" not in text(clerk.get(f"/people/{desk.participant.study_id}/history/"))
    query = Query.objects.get()
    assert clerk.get(f"/queries/{query.pk}/").headers["Location"] == f"{desk.url}second/"
    assert "phq9_1" not in text(clerk.get(f"/people/{desk.participant.study_id}/history/?format=csv"))


def test_the_page_and_every_answer_of_it_are_the_same_whatever_the_first_entry_holds():
    pages = []
    for first in (FIRST, {**QUIET, "phq9_9": 2}):
        desk = Desk(first)
        clerk = as_(desk.second)
        wrong = posted({"phq9_1": 7}, asked_blank="x")
        answers = [
            clerk.get(f"{desk.url}second/"),
            clerk.post(f"{desk.url}second/", wrong),
            clerk.post(f"{desk.url}second/draft/", wrong),
            clerk.post(f"{desk.url}second/", posted({"phq9_1": 1})),
            clerk.post(f"{desk.url}second/draft/", posted({"phq9_1": 2}, revision=1)),
            clerk.get(f"{desk.url}second/"),
        ]
        pages.append([_without_names(text(one), desk) for one in answers])
        assert clerk.get(f"{desk.url}second/support/").status_code == 404
        assert clerk.get(f"{desk.url}second/differences/").status_code == 404

    assert pages[0] == pages[1]


def _without_names(page, desk):
    """The page without what differs between any two people: number, address, name and token."""
    lines = (line for line in page.splitlines() if "csrfmiddlewaretoken" not in line and "draft_owner" not in line)
    return "\n".join(lines).replace(desk.participant.study_id, "ID").replace(desk.second.name, "NAME")


def test_the_first_person_is_asked_to_hand_the_paper_on():
    desk = Desk()
    first = as_(desk.first)

    page = first.get(f"{desk.url}second/")
    answer = first.post(f"{desk.url}second/", posted(QUIET))

    assert "You know the first entry of this form" in text(page)
    assert answer.status_code == 409
    assert not SecondEntry.objects.exists()
    assert first.get(desk.url).status_code == 200


def test_whoever_was_shown_the_first_entry_is_no_second_person_any_more():
    desk = Desk(submit=False)
    curious, manager = as_(desk.second), as_(desk.manager)

    curious.get(desk.url)
    curious.get(desk.url)
    manager.get(f"{desk.url}history/")
    assert set(FirstEntrySeen.objects.values_list("seen_by__name", flat=True)) == {"Ben Okoro", "Mina Rossi"}
    as_(desk.first).post(desk.url, posted(QUIET, revision=1, mode="self_paper"))

    assert "You know the first entry of this form" in text(curious.get(f"{desk.url}second/"))
    assert curious.get(desk.url).status_code == 200
    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        SecondEntry(
            participant=desk.participant, administration=desk.form, entered_by=desk.second, started_at=NOW
        ).save_by(None)


@pytest.mark.parametrize("path", ["V3/phq9/", "V3/phq9/correct/", "V3/phq9/history/", "history/"])
def test_every_page_with_the_first_entry_is_noted(path):
    desk = Desk()

    as_(desk.manager).get(f"/people/{desk.participant.study_id}/{path}")

    assert FirstEntrySeen.objects.get().seen_by == desk.manager


def test_nothing_is_noted_of_forms_that_are_entered_once_or_twice_already():
    once = Desk(mode="interview_phone")
    twice = Desk()
    twice.enter_again()

    for desk in (once, twice):
        as_(desk.manager).get(desk.url)

    assert not FirstEntrySeen.objects.exists()


def test_what_somebody_typed_as_a_first_entry_meanwhile_becomes_their_second_one():
    desk = Desk()

    answer = as_(desk.second).post(desk.url, posted(QUIET, mode="self_paper"))

    assert (answer.status_code, answer.headers["Location"]) == (307, f"{desk.url}second/")


def test_open_questions_are_asked_about_once_and_the_draft_is_kept():
    desk = Desk()
    clerk = as_(desk.second)
    few = {"phq9_1": 1, "phq9_2": 1}

    asked = clerk.post(f"{desk.url}second/", posted(few))
    kept = SecondEntry.objects.get()
    again = clerk.post(
        f"{desk.url}second/", posted(few, revision=1, asked_blank=",".join(f"phq9_{n}" for n in range(3, 11)))
    )

    assert "No answer to questions 3, 4, 5, 6, 7, 8, 9 and 10" in text(asked)
    assert (kept.status, kept.answers) == ("draft", few)
    assert again.status_code == 302
    assert SecondEntry.objects.get().missing["phq9_3"] == "BL"


def test_two_windows_keep_what_is_typed_until_it_is_saved_again():
    desk = Desk()
    clerk = as_(desk.second)
    clerk.post(f"{desk.url}second/", posted({"phq9_1": 1}, save_draft="yes"))

    refused = clerk.post(f"{desk.url}second/", posted({**QUIET, "phq9_1": 2}))
    page = text(refused)
    saved = clerk.post(f"{desk.url}second/", posted({**QUIET, "phq9_1": 2}, revision=1))

    assert "You saved this second entry in another window" in page
    assert 'name="revision" value="1"' in page
    assert saved.status_code == 302
    assert SecondEntry.objects.get().answers["phq9_1"] == 2


def test_a_draft_is_saved_while_typing_and_names_the_support_page_for_the_persons_own_answer_only():
    desk = Desk({**QUIET, "phq9_9": 1})
    clerk = as_(desk.second)

    quiet = clerk.post(f"{desk.url}second/draft/", posted({"phq9_1": 1}, day="4x"))
    risky = clerk.post(f"{desk.url}second/draft/", posted({"phq9_1": 1, "phq9_9": 1}, revision=1))

    assert quiet.json() == {"saved_at": "11am", "revision": 1}
    assert risky.json() == {"saved_at": "11am", "revision": 2, "support_url": f"{desk.url}second/support/"}
    support = text(clerk.get(f"{desk.url}second/support/"))
    assert "The duty clinician has an urgent task" in support
    assert f"{desk.url}second/" in support
    assert RiskAlert.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"phq9_1": "५"},
        {"phq9_1": "9" * 400},
        {"phq9_1": ["1", "2", "x"]},
        {"revision": "eleven", "nobody_asked": "1"},
        {"completed_date_0": "31", "completed_date_1": "2"},
    ],
)
def test_bad_input_is_answered_with_a_page_and_stores_nothing(wrong):
    desk = Desk()

    answer = as_(desk.second).post(f"{desk.url}second/", posted(QUIET) | wrong)

    assert answer.status_code == 200
    assert "There is a problem" in text(answer)
    assert not SecondEntry.objects.exists()


def test_a_wrong_decision_keeps_what_was_typed_and_changes_nothing():
    desk = Desk()
    desk.enter_again({**QUIET, "phq9_3": 2})
    manager = as_(desk.manager)

    for sent in ({"reason": "Looked"}, {"phq9_3": "99", "reason": "Looked"}, {"phq9_3": "१", "reason": "Looked"}):
        answer = manager.post(f"{desk.url}second/differences/", sent)
        assert "Select what the paper says" in text(answer)
        assert "Looked" in text(answer)
    assert "Enter why you decided so" in text(manager.post(f"{desk.url}second/differences/", {"phq9_3": "1"}))
    assert not Adjudication.objects.exists()


def test_only_people_who_may_decide_are_offered_it_and_neither_of_the_two_can():
    desk = Desk()
    desk.enter_again({**QUIET, "phq9_3": 2})
    monitor, clerk = as_(staff(Role.MONITOR)), as_(desk.second)
    sent = {"phq9_3": "1", "reason": "Paper"}

    assert "What does the paper say?" not in text(monitor.get(f"{desk.url}second/differences/"))
    assert monitor.post(f"{desk.url}second/differences/", sent).status_code == 403
    assert "somebody else must decide" in text(clerk.post(f"{desk.url}second/differences/", sent))
    assert not Adjudication.objects.exists()


def test_people_of_another_site_find_nothing():
    desk = Desk()
    other = as_(staff(Role.COORDINATOR, Site.objects.get(code="02")))

    assert other.get(f"{desk.url}second/").status_code == 404
    assert other.get(f"{desk.url}second/differences/").status_code == 404
    assert desk.participant.study_id not in text(other.get("/double-entry/"))
