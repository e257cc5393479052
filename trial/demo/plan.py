"""Who is referred when and what becomes of them: the funnel of the study, person by person, before anything happens."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from random import Random

from trial.demo.answers import source
from trial.demo.calendar import Calendar, Wave
from trial.participants.models import Status

S = Status
N_RANDOMISED = 96
ENDINGS: dict[Status, int] = {
    S.REFERRED: 7,
    S.NOT_CONTACTABLE: 39,
    S.PRESCREEN_INELIGIBLE: 31,
    S.CONTACTED: 4,
    S.INFORMED: 5,
    S.DECLINED: 36,
    S.CONSENTED: 4,
    S.SCREEN_FAILED: 22,
    S.ELIGIBLE: 4,
    S.BASELINE_DONE: 4,
    S.WITHDRAWN_BEFORE_RANDOMISATION: 8,
    S.RANDOMISED: N_RANDOMISED,
}
"""Referrals by how far they come, 260 in all (domain.md F2). RANDOMISED stands for every later status."""
WAITING = {"01": 2, "02": 1, "03": 1}
"""Randomised people by site who have no group yet."""
OPEN = {S.REFERRED: 8, S.CONTACTED: 5, S.INFORMED: 8, S.CONSENTED: 4, S.ELIGIBLE: 4, S.BASELINE_DONE: 3}
"""Statuses that wait for a next step, and how many days ago they were reached at most."""
SITES = ("01", "02", "03")


class Part(StrEnum):
    """What happens to one person of the story besides the ordinary."""

    ALERT_TODAY = "alert_today"
    ALERT_CLOSED = "alert_closed"
    HOSPITAL = "hospital"
    DIED_LATER = "died_later"
    STOPPED_ALL = "stopped_all"
    STOPPED_FORMS = "stopped_forms"
    FEWER_FORMS = "fewer_forms"
    STOPPED_ACTIVITY = "stopped_activity"
    CONCERN = "concern"
    SEEN_ARM = "seen_arm"
    LATE_FORM = "late_form"
    COPY_MISSING = "copy_missing"


CAST = {
    Part.ALERT_TODAY: [("01", 2)],
    Part.ALERT_CLOSED: [("01", 1)],
    Part.HOSPITAL: [("01", 2)],
    Part.DIED_LATER: [("02", 1)],
    Part.STOPPED_ALL: [("03", 1), ("01", 1)],
    Part.STOPPED_FORMS: [("02", 2)],
    Part.FEWER_FORMS: [("01", 1), ("03", 1)],
    Part.STOPPED_ACTIVITY: [("01", 1), ("02", 1), ("03", 2), ("01", 2)],
    Part.CONCERN: [("01", 2)],
    Part.SEEN_ARM: [("03", 1)],
    Part.LATE_FORM: [("02", 1)],
    Part.COPY_MISSING: [("01", 1)],
}
"""Parts with the site and wave of whoever plays them; the first of each list also in a small story."""


@dataclass(frozen=True)
class Plan:
    """One referral.

    Attributes:
        number: counts people, and seeds what is drawn for each.
        last_day: on which `ending` is reached.
        wave: of the group they join; 0 for none.
        again: comes back under a new screening number after so many days; 0 for never.
    """

    number: int
    site: str
    ending: Status
    last_day: date
    wave: int = 0
    part: Part | None = None
    again: int = 0


def counts(n_randomised: int) -> dict[Status, int]:
    """How many referrals end where, at least one each, in the proportions of the whole story."""
    share = n_randomised / N_RANDOMISED
    return {ending: max(1, round(n * share)) for ending, n in ENDINGS.items()} | {S.RANDOMISED: n_randomised}


def plans(calendar: Calendar, seed: str, n_randomised: int) -> list[Plan]:
    """Every referral of the story, by the day on which it ends."""
    rng = source(seed, "plans")
    wanted = counts(n_randomised)
    drawn = [
        *_randomised(calendar, rng, n_randomised),
        *(one for ending, n in wanted.items() if ending != S.RANDOMISED for one in _others(calendar, rng, ending, n)),
    ]
    return [replace(one, number=number) for number, one in enumerate(sorted(drawn, key=lambda one: one.last_day), 1)]


def _others(calendar: Calendar, rng: Random, ending: Status, n: int) -> Iterator[Plan]:
    """People who are not randomised: those still on their way are recent, the others spread over recruitment."""
    for index in range(n):
        site = SITES[index % 3]
        if ending in OPEN:
            day = calendar.today - timedelta(days=1 + (index * 3 + rng.randint(0, 1)) % OPEN[ending])
        else:
            first, last = calendar.opens(site) + timedelta(days=30), calendar.today - timedelta(days=10)
            day = first + timedelta(days=int((last - first).days * rng.betavariate(1.1, 1.5)))
        comes_back = ending == S.NOT_CONTACTABLE and index == 0
        yield Plan(0, site, ending, calendar.working(day), again=60 if comes_back else 0)


def _randomised(calendar: Calendar, rng: Random, n: int) -> Iterator[Plan]:
    for index, site in enumerate(SITES):
        here = n // 3 + (index < n % 3)
        waiting = WAITING[site] if n >= N_RANDOMISED else WAITING[site] // 2
        first, second = calendar.waves(site)
        n_first = (here - waiting + 1) // 2
        people = [
            *_of_wave(calendar, rng, site, first, n_first),
            *_of_wave(calendar, rng, site, second, here - waiting - n_first),
        ]
        yield from (_timed(calendar, one) for one in _with_parts(people, site, is_small=n < N_RANDOMISED))
        for turn in range(waiting):
            yield Plan(0, site, S.RANDOMISED, calendar.working(calendar.today - timedelta(days=2 + 3 * turn)))


def _timed(calendar: Calendar, plan: Plan) -> Plan:
    """Whoever answers worryingly today is in week 5."""
    if plan.part != Part.ALERT_TODAY:
        return plan
    return replace(plan, last_day=calendar.working(calendar.today - timedelta(days=34)))


def _of_wave(calendar: Calendar, rng: Random, site: str, wave: Wave, n: int) -> Iterator[Plan]:
    """Most are randomised in the four weeks before their group starts; some wait longer, some join late."""
    for index in range(n):
        before = rng.randint(3, 25)
        if index % 5 == 4:
            before = rng.randint(29, 46)
        elif index % 8 == 6:
            before = -rng.randint(2, 8)
        day = calendar.working(wave.first - timedelta(days=before))
        yield Plan(0, site, S.RANDOMISED, max(day, calendar.opens(site) + timedelta(days=40)), wave=wave.number)


def _with_parts(people: list[Plan], site: str, *, is_small: bool) -> list[Plan]:
    """Hand out the parts, each to somebody else, from the middle of each wave."""
    free = {wave: [one for one in people if one.wave == wave] for wave in (1, 2)}
    played: dict[int, Part] = {}
    for part, places in CAST.items():
        for place_site, wave in places[:1] if is_small else places:
            if place_site == site and free[wave]:
                played[id(free[wave].pop(len(free[wave]) // 2))] = part
    return [replace(one, part=played.get(id(one))) for one in people]
