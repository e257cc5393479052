"""Every reason of section 7 for which nobody is allocated: the engine's own, and those of the trial that calls it."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime

from django.db import connection, connections

from randomisation import proposals, states
from randomisation.errors import Refusal
from randomisation.models import SchemeSite
from trial.allocation.acceptance.bench import Bench, in_words, refusal_of
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.world import Wanted, World
from trial.base.words import local_day

_SHORT_WAIT_S = 0.1


def _only(bench: Bench, code: str, observed: list[str], before: tuple[object, ...]) -> str:
    """The code alone, and nothing moved."""
    expect(observed == [code], f"Observed: {in_words(observed)}")
    expect(bench.standing() == before, "A counter moved")
    return f"{code}; no allocation, counters unchanged"


@case("E01", "7, 9.9", "E_SCHEME_STATE", "Refused while paused, after closure and outside the dates; allowed when open")
def scheme_state(world: World) -> str:
    """Pause, go on, close."""
    bench = world.own()
    before = bench.standing()
    states.pause_scheme(scheme=bench.scheme, reason="Acceptance test", by=bench.tester, at=moment())
    paused = bench.refused()
    states.open_scheme(scheme=bench.scheme, by=bench.tester, at=moment())
    bench.give()
    bench.done(proposals.CLOSE, {})
    closed = bench.refused()

    expect(before[0] == 0 and paused == ["E_SCHEME_STATE"], f"While paused: {in_words(paused)}")
    expect("E_SCHEME_STATE" in closed, f"After closure: {in_words(closed)}")
    return "Refused while paused and after closure, allowed in between"


@case("E02", "7, 9.9", "E_SITE_CLOSED", "Refused at a paused or closed site only; a closed one stays closed")
def site_closed(world: World) -> str:
    """One site through its states."""
    bench = world.own()
    site = bench.ask().site

    def move(state: SchemeSite.State) -> None:
        states.move_site(scheme=bench.scheme, site=site, state=state, reason="Test", by=bench.tester, at=moment())

    move(SchemeSite.State.PAUSED)
    paused, elsewhere = bench.refused(), bench.refused(bench.ask(site="another"))
    move(SchemeSite.State.OPEN)
    opened = bench.refused()
    move(SchemeSite.State.CLOSED)
    closed = bench.refused()

    expect(paused == closed == ["E_SITE_CLOSED"], f"Paused, closed: {in_words(paused)}; {in_words(closed)}")
    expect(not elsewhere and not opened, "Another site, or the site opened again, was refused")
    again = refusal_of(lambda: move(SchemeSite.State.OPEN))
    expect(bool(again), "A closed site could be opened")
    return "Refused while paused and closed; other sites and the site opened again went on; closed stays closed"


@case("E03", "7", "E_FACTORS", "A level that the scheme does not have is refused, or a factor too few")
def factors(world: World) -> str:
    """A level from nowhere; for a scheme without factors, a factor from nowhere."""
    bench = world.own()
    before = bench.standing()
    levels = dict.fromkeys(bench.levels, "nowhere") or {"nowhere": "nowhere"}
    request = bench.ask(levels, site="00", n_people=1)
    observed = [code for code in bench.refused(request) if code != "E_HOUSEHOLD"]
    return _only(bench, "E_FACTORS", observed, before)


@case("E04", "7", "E_DUPLICATE", "Somebody who was allocated is refused under another unit code")
def duplicate(world: World) -> str:
    """The same person, another unit."""
    bench = world.own()
    request = bench.ask()
    bench.give(request)
    before = bench.standing()
    return _only(bench, "E_DUPLICATE", bench.refused(bench.ask(members=request.members, unit="ANOTHER-CODE")), before)


@case("E05", "7, 9.5", "E_TARGET", "Refused when the ceiling is reached; one more after it was raised with approval")
def target(world: World) -> str:
    """A ceiling of one, raised to two."""
    bench = world.own(Wanted(rows=8, ceiling=1))
    bench.give()
    before = bench.standing()
    text = _only(bench, "E_TARGET", bench.refused(), before)
    bench.done(proposals.RAISE_CEILING, {"ceiling": 2})
    again = bench.refused()
    expect(not again, f"After raising: {in_words(again)}")
    return f"{text}; allowed after the ceiling was raised"


@case("E07", "8.1", "E_REQUEST_KEY", "A page that was opened for somebody else allocates nobody")
def request_key(world: World) -> str:
    """The key of another unit."""
    bench = world.own()
    first = bench.ask()
    bench.give(first)
    before = bench.standing()
    return _only(bench, "E_REQUEST_KEY", bench.refused(bench.ask(key=first.key)), before)


@case("E08", "8.3, 8.4", "E_BUSY", "Nobody is allocated while the database stays locked; afterwards all goes on")
def busy(world: World) -> str:
    """Another writer holds the database."""
    bench = world.own()
    request, before = bench.ask(), bench.standing()
    observed = _while_locked(lambda: bench.refused(request))
    text = _only(bench, "E_BUSY", observed, before)
    expect(not bench.refused(request), "Afterwards it was still refused")
    return f"{text}; allowed when the database was free"


def _while_locked(work: Callable[[], list[str]]) -> list[str]:
    """Do `work` with a short wait while somebody else writes."""
    options = connection.settings_dict["OPTIONS"]
    name, usual = connection.settings_dict["NAME"], options["timeout"]
    connections.close_all()
    other = sqlite3.connect(name, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    options["timeout"] = _SHORT_WAIT_S
    try:
        return work()
    finally:
        other.execute("ROLLBACK")
        other.close()
        options["timeout"] = usual
        connections.close_all()


@case(
    "E09", "7", "E_ELIGIBILITY, E_CONSENT, E_BASELINE, E_REVIEW, E_RISK", "The trial's reasons are all shown together"
)
def callers_reasons(world: World) -> str:
    """The caller's check refuses; which reason applies when is tested in the trial's own tests."""
    codes = ["E_ELIGIBILITY", "E_CONSENT", "E_BASELINE", "E_REVIEW", "E_RISK"]
    bench = world.own()
    before = bench.standing()
    observed = bench.refused(check=lambda _request: [Refusal(code, "Not met.") for code in codes])

    expect(observed == codes, f"Observed: {in_words(observed)}")
    expect(bench.standing() == before, "A counter moved")
    logged = bench.scheme.events.latest("n")
    expect(logged.event == "refused" and logged.facts["codes"] == codes, "The refusal is not in the log")
    return "All five refused together and logged; no allocation"


@case(
    "E10", "7", "Time zone and change of the clocks", "Days begin and end at local midnight, in summer and winter time"
)
def clocks(world: World) -> str:
    """Minutes around local midnight, on both days on which the clocks change."""
    bench = world.own(Wanted(rows=8, opens_date=date(2026, 3, 29), closes_date=date(2026, 10, 25)))
    moments = {
        datetime(2026, 3, 28, 23, 59, tzinfo=UTC): False,
        datetime(2026, 3, 29, 0, 0, tzinfo=UTC): True,
        datetime(2026, 10, 24, 23, 30, tzinfo=UTC): True,
        datetime(2026, 10, 25, 23, 59, tzinfo=UTC): True,
        datetime(2026, 10, 26, 0, 0, tzinfo=UTC): False,
    }
    summer = world.own(Wanted(rows=8, opens_date=date(2026, 7, 1), closes_date=date(2026, 7, 31)))
    summer_moments = {
        datetime(2026, 6, 30, 22, 59, tzinfo=UTC): False,
        datetime(2026, 6, 30, 23, 0, tzinfo=UTC): True,
        datetime(2026, 7, 31, 23, 0, tzinfo=UTC): False,
    }
    wrong = [
        at
        for one, expected in ((bench, moments), (summer, summer_moments))
        for at, allowed in expected.items()
        if (not one.refused(one.ask(at=at))) != allowed
    ]

    expect(not wrong, f"Wrong at {', '.join(f'{at:%d %b %H:%M} UTC' for at in wrong)}")
    expect(
        local_day(datetime(2026, 6, 30, 23, 0, tzinfo=UTC)) == date(2026, 7, 1), "Local days are not those of London"
    )
    return f"{len(moments) + len(summer_moments)} moments around midnight: each allowed or refused as it should be"
