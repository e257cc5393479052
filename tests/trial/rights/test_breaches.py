"""The log of breaches: its clock, its decisions, its warnings (R-37)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, staff
from tests.journeys.visitor import moment
from tests.trial.journey.steps_by_page import as_, problems_of, text_of
from trial.access.policy import Role
from trial.base.errors import ReasonMissing
from trial.messages.models import OutboxMessage, Task
from trial.rights import breaches
from trial.rights.models import Breach

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def manager():
    Trial()
    return staff(Role.TRIAL_MANAGER, blinded=False, name="Nadia Osei")


def logged(manager, **more):
    given = {"kind": "confidentiality", "discovered_at": NOW - timedelta(hours=2), "what": "A letter went astray"}
    return breaches.log(categories=["identity", "health"], n_people=3, by=manager, at=NOW, **(given | more))


def test_the_clock_runs_from_when_it_was_discovered(manager):
    breach = logged(manager)

    task = Task.objects.open().get(kind="breach")
    assert task.due_date == (NOW + timedelta(hours=70)).date()
    assert "72 hours end on" in breach.notes.get().text


def test_it_cannot_be_discovered_in_the_future_or_before_it_happened(manager):
    with pytest.raises(breaches.BreachRefused, match="future"):
        logged(manager, discovered_at=NOW + timedelta(minutes=1))
    with pytest.raises(breaches.BreachRefused, match="after it was discovered"):
        logged(manager, happened_date=TODAY + timedelta(days=1))


def test_it_closes_once_risk_ico_and_people_are_decided(manager):
    breach = logged(manager)

    with pytest.raises(breaches.NotDecided):
        breaches.close(breach=breach, by=manager, at=NOW)
    breaches.judge(breach=breach, risk="risk", reason="Health data", n_people=2, by=manager, at=NOW)
    with pytest.raises(ReasonMissing):
        breaches.tell_ico(breach=breach, told_at=None, reference="", reason="", by=manager, at=NOW)
    breaches.tell_ico(breach=breach, told_at=NOW, reference="IC-1", reason="", by=manager, at=NOW)
    with pytest.raises(ReasonMissing):
        breaches.tell_people(breach=breach, told_date=None, reason=" ", by=manager, at=NOW)
    breaches.tell_people(breach=breach, told_date=None, reason="No high risk", by=manager, at=NOW)
    closed = breaches.close(breach=breach, by=manager, at=NOW)

    assert (closed.n_people, closed.risk, closed.closed_by) == (2, "risk", manager)
    assert not Task.objects.open().filter(kind="breach").exists()
    assert breach.notes.count() == 5
    with pytest.raises(breaches.BreachRefused, match="closed"):
        breaches.judge(breach=breach, risk="high", reason="More", n_people=2, by=manager, at=NOW)
    breaches.note(breach=breach, text="The ICO wrote back", by=manager, at=NOW)


def test_telling_the_ico_after_72_hours_needs_a_reason(manager):
    breach = logged(manager)
    late = NOW + timedelta(hours=80)

    with pytest.raises(ReasonMissing):
        breaches.tell_ico(breach=breach, told_at=late, reference="", reason="", by=manager, at=late)
    with pytest.raises(breaches.BreachRefused, match="discovered"):
        breaches.tell_ico(breach=breach, told_at=NOW - timedelta(hours=3), reference="", reason="", by=manager, at=NOW)
    told = breaches.tell_ico(breach=breach, told_at=late, reference="IC-2", reason="Holiday", by=manager, at=late)

    assert told.ico_told_at == late


def test_the_database_holds_what_a_closed_breach_needs(manager):
    for changes in ({"closed_at": NOW}, {"risk": "high"}, {"what": ""}):
        row = Breach.objects.get(pk=logged(manager).pk)
        for name, value in changes.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save_by(manager)


def test_the_timeline_is_append_only(manager):
    note = logged(manager).notes.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        type(note).objects.filter(pk=note.pk).update(text="Nothing happened")


def test_both_keepers_are_warned_before_the_72_hours_are_over_and_again_after(manager):
    keeper = staff(Role.DATA_MANAGER)
    breach = logged(manager, discovered_at=NOW)

    at_47, at_48 = NOW + timedelta(hours=47), NOW + timedelta(hours=48)
    assert breaches.warn(at=at_47) == 0
    assert breaches.warn(at=at_48) == 1
    assert breaches.warn(at=at_48 + timedelta(minutes=1)) == 1
    soon = OutboxMessage.objects.filter(kind="breach")
    assert {one.to_user for one in soon} == {manager, keeper}
    assert breaches.warn(at=NOW + timedelta(hours=72)) == 1
    assert OutboxMessage.objects.filter(kind="breach", heading__contains="are over").count() == 2
    breaches.tell_ico(breach=breach, told_at=None, reference="", reason="Unlikely", by=manager, at=NOW)
    assert breaches.warn(at=NOW + timedelta(hours=80)) == 0


def test_the_pages_log_decide_and_close(client, manager):
    visitor = as_(client, manager)
    typed = {
        "kind": "availability",
        "what": "A phone was lost",
        "categories": ["attendance"],
        "n_people": "8",
        **moment("discovered_at", NOW),
    }
    made = visitor.post("/breaches/new/", typed)
    url = made.headers["Location"]
    early = visitor.post(f"{url}close/", {})
    visitor.post(f"{url}risk/", {"risk": "unlikely", "reason": "Locked and empty", "n_people": "8"})
    visitor.post(f"{url}ico/", {"reason": "A risk is unlikely"})
    visitor.post(f"{url}people/", {"reason": "Not needed"})
    visitor.post(f"{url}note/", {"text": "The phone was wiped"})
    visitor.post(f"{url}close/", {})

    shown = text_of(visitor.get(url))
    assert "Judge the risk first" in problems_of(early)[0]
    for words in ("A phone was lost", "Groups and attendance", "The phone was wiped", "Closed", "Not told"):
        assert words in shown, words
    assert "B-" in text_of(visitor.get("/breaches/"))


def test_a_breach_that_says_too_little_is_refused(client, manager):
    page = as_(client, manager).post(
        "/breaches/new/", {"n_people": "-1", **moment("discovered_at", NOW + timedelta(days=1))}
    )

    assert len(problems_of(page)) >= 5
    assert not Breach.objects.exists()
