"""Open, pause and close, a scheme or one site (randomisation.md 9.9 and section 10)."""

import pytest

from randomisation.errors import LifeCycleRefused, NotAllocated
from randomisation.models import SchemeSite, State
from randomisation.states import close_scheme, move_site, open_scheme, pause_scheme
from tests.randomisation.life import AT, OPENED_AT


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


# --- sites ---------------------------------------------------------------------------------------------


def move(scheme, user, state, site="01", reason="Staff away"):
    return move_site(scheme=scheme, site=site, state=state, reason=reason, by=user, at=AT)


@pytest.mark.parametrize("state", [SchemeSite.State.PAUSED, SchemeSite.State.CLOSED])
def test_one_site_stops_and_the_others_go_on(scheme, open_revision, give, user, state):
    move(scheme, user, state)

    with pytest.raises(NotAllocated, match=str(state)) as refused:
        give()

    assert refused.value.codes == ["E_SITE_CLOSED"]
    assert give(site="02", levels={"site": "02"}).created
    assert scheme.events.get(n=3).facts == {"site": "01", "reason": "Staff away"}


def test_a_paused_site_is_opened_again(scheme, open_revision, give, user):
    move(scheme, user, SchemeSite.State.PAUSED)
    move(scheme, user, SchemeSite.State.OPEN)

    assert give().created
    assert events_of(scheme)[2:4] == ["pause", "open"]


def test_pausing_a_site_leaves_the_revision_in_force_as_it_is(scheme, open_revision, user):
    move(scheme, user, SchemeSite.State.CLOSED)

    assert scheme.state == State.OPEN
    assert scheme.revision_last_in_force == open_revision


def test_a_site_moves_with_a_reason_and_stays_closed(scheme, open_revision, user):
    for given in ({"reason": " "}, {"state": SchemeSite.State.CLOSED, "reason": ""}):
        with pytest.raises(LifeCycleRefused, match="with a reason"):
            move(scheme, user, **{"state": SchemeSite.State.PAUSED, **given})
    move(scheme, user, SchemeSite.State.CLOSED)

    for state in SchemeSite.State:
        with pytest.raises(LifeCycleRefused, match="stays closed"):
            move(scheme, user, state)


def test_no_site_is_moved_before_the_lock(scheme, user):
    with pytest.raises(LifeCycleRefused, match="locked"):
        move(scheme, user, SchemeSite.State.PAUSED)

    assert not scheme.events.exists()


def test_a_site_has_a_ceiling_of_its_own(scheme, open_revision, give, user):
    SchemeSite.objects.create(scheme=scheme, site="01", ceiling=1)
    give()

    with pytest.raises(NotAllocated, match="at this site") as refused:
        give()

    assert refused.value.codes == ["E_TARGET"]
    assert give(site="02", levels={"site": "02"}).created


def test_a_paused_revision_goes_on_by_its_number_although_a_newer_one_waits(scheme, open_revision, lock, user, give):
    pause_scheme(scheme=scheme, reason="Staff away", by=user, at=AT)
    lock(contribution_source="beacon")

    with pytest.raises(LifeCycleRefused, match="contribution"):
        open_scheme(scheme=scheme, by=user, at=AT)
    open_scheme(scheme=scheme, by=user, at=AT, number=1)

    assert give().created


def test_closing_a_scheme_closes_a_revision_that_only_waits(scheme, open_revision, lock, user):
    waiting = lock()

    close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT)

    waiting.refresh_from_db()
    assert waiting.state == State.CLOSED
    assert scheme.revision_last_in_force == open_revision
    assert events_of(scheme)[-2:] == ["close", "close"]
