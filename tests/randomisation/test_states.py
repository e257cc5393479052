"""Open, pause and close, a scheme or one site (randomisation.md 9.9 and section 10)."""

import pytest

from randomisation.errors import LifeCycleRefused
from randomisation.models import State
from randomisation.states import close_scheme, open_scheme, pause_scheme
from tests.randomisation.conftest import AT, OPENED_AT


def events_of(scheme):
    return [event.event for event in scheme.events.order_by("n")]


def test_a_scheme_goes_through_its_life_and_logs_it(scheme, lock, user):
    states = [scheme.state]
    lock()
    states.append(scheme.state)

    for step in (
        lambda: open_scheme(scheme=scheme, by=user, at=OPENED_AT),
        lambda: pause_scheme(scheme=scheme, reason="Staff away", by=user, at=AT),
        lambda: open_scheme(scheme=scheme, by=user, at=AT),
        lambda: close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT),
    ):
        step()
        states.append(scheme.state)

    assert states == ["draft", "locked", "open", "paused", "open", "closed"]
    assert events_of(scheme) == ["lock", "open", "pause", "open", "close"]
    assert scheme.events.get(n=3).facts == {"revision": 1, "reason": "Staff away"}


def test_opening_a_revision_closes_the_one_before(scheme, open_revision, lock, user):
    lock()

    second = open_scheme(scheme=scheme, by=user, at=AT)

    open_revision.refresh_from_db()
    assert (open_revision.state, second.state, second.number) == (State.CLOSED, State.OPEN, 2)
    assert events_of(scheme)[-2:] == ["close", "open"]


def test_a_paused_revision_can_be_opened_although_a_newer_one_waits(scheme, open_revision, lock, user):
    pause_scheme(scheme=scheme, reason="Staff away", by=user, at=AT)
    lock()

    revision = open_scheme(scheme=scheme, by=user, at=AT, number=1)

    assert revision == open_revision
    assert scheme.revision_in_force == open_revision


def test_a_scheme_without_a_locked_revision_cannot_be_opened(scheme, user):
    with pytest.raises(LifeCycleRefused, match="locked or paused"):
        open_scheme(scheme=scheme, by=user, at=OPENED_AT)


def test_a_closed_scheme_stays_closed(scheme, open_revision, user):
    close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT)

    with pytest.raises(LifeCycleRefused):
        open_scheme(scheme=scheme, by=user, at=AT)
    with pytest.raises(LifeCycleRefused):
        pause_scheme(scheme=scheme, reason="Staff away", by=user, at=AT)
    with pytest.raises(LifeCycleRefused):
        close_scheme(scheme=scheme, reason="Again", by=user, at=AT)


def test_pausing_and_closing_need_a_reason(scheme, open_revision, user):
    with pytest.raises(LifeCycleRefused, match="reason"):
        pause_scheme(scheme=scheme, reason=" ", by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="reason"):
        close_scheme(scheme=scheme, reason="", by=user, at=AT)
