"""Plausible answers: each person has latent traits, and every answer follows from them.

Baseline and follow-up correlate by about 0.55. Both arms improve, the first of the protocol a little more. The same
seed, person, visit and arm give the same answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random

import instruments
from trial.assessments.models import MissingCode

CARRY = 0.56
"""Share of a latent trait that a follow-up keeps from baseline; answers add noise of their own to it."""
SHARED = 0.6
"""Correlation of one person's change between two follow-ups."""
GAINS = {"V2": 0.4, "V3": 0.68, "V4": 0.6}
"""Mean improvement of latent well-being since baseline, in standard deviations, where the activity adds nothing."""
ARM_GAIN = (0.35, 0.0)
"""What the activity of each arm adds at most."""
SELF_HARM = "phq9_9"


@dataclass(frozen=True)
class Traits:
    """Latent standing of one person at one visit, in standard deviations of people who enter the trial.

    Attributes:
        mood: high is low mood.
    """

    mood: float
    wellbeing: float
    worry: float
    loneliness: float
    nature: float
    health: float


def source(*parts: object) -> Random:
    """A generator of its own for each thing that is drawn, so that one more draw elsewhere changes nothing here."""
    return Random("|".join(map(str, parts)))


def traits(seed: str, person: int, visit: str, arm: int | None) -> Traits:
    """A person's traits at a visit; before randomisation, and without an arm, nobody has improved.

    Args:
        arm: position of the arm in the protocol's list.
    """
    base = _base(source(seed, person, "traits"))
    if visit not in GAINS:
        return base
    gain = GAINS[visit] + (ARM_GAIN[arm] * GAINS[visit] / GAINS["V3"] if arm is not None else 0.0)
    change, own = _base(source(seed, person, "change")), _base(source(seed, person, visit))

    def later(name: str, gained: float) -> float:
        moved = sqrt(SHARED) * getattr(change, name) + sqrt(1 - SHARED) * getattr(own, name)
        return float(CARRY * getattr(base, name) + sqrt(1 - CARRY**2) * moved + gained)

    return Traits(
        mood=later("mood", -gain),
        wellbeing=later("wellbeing", gain),
        worry=later("worry", -0.7 * gain),
        loneliness=later("loneliness", -0.5 * gain),
        nature=later("nature", 0.8 * gain if arm == 0 else 0.1),
        health=later("health", 0.2 * gain),
    )


def _base(rng: Random) -> Traits:
    mood = rng.gauss(0, 1)
    mixed = [sqrt(1 - share**2) * rng.gauss(0, 1) + share * mood for share in (-0.65, 0.7, 0.45, 0.0, -0.4)]
    return Traits(mood, *mixed)


def spread(rng: Random, total: int, items: Sequence[instruments.Item], lean: Sequence[float] = ()) -> dict[str, int]:
    """Answers to `items` that add up to `total`, as evenly as people give them: steps land at random.

    Args:
        total: inside the sum of the items' lowest and highest answers.
        lean: how readily each item takes a step; equally where it is not given.
    """
    given = {item.code: item.min for item in items}
    weights = dict(zip(given, lean or [1.0] * len(items), strict=True))
    for _ in range(total - sum(given.values())):
        open_items = [item for item in items if given[item.code] < item.max]
        chances = [weights[i.code] * (i.max - given[i.code]) for i in open_items]
        given[rng.choices(open_items, chances)[0].code] += 1
    return given


def clamp(value: float, low: int, high: int) -> int:
    """The nearest whole number between two ends."""
    return min(max(round(value), low), high)


def _count(rng: Random, mean: float, most: int) -> int:
    """A small count, skewed as visits to a surgery are."""
    return min(int(rng.expovariate(1 / mean)) if mean else 0, most)


# -- one function for each instrument: what a person with these traits would answer

PHQ9_LEAN = (1.1, 1.3, 1.2, 1.6, 0.9, 1.1, 0.9, 0.4)


def phq9_total(found: Traits) -> int:
    """Total of PHQ-9, item 9 left out: 10 on average before the trial."""
    return clamp(9.9 + 3.3 * found.mood, 0, 19)


def phq9(rng: Random, found: Traits, total: int | None = None) -> dict[str, int]:
    """PHQ-9 without thoughts of self-harm: those belong to two people of the story."""
    items = instruments.get("phq9").items
    wanted = clamp(phq9_total(found) + rng.gauss(0, 0.8), 0, 19) if total is None else total
    answers = spread(rng, wanted, items[:8], PHQ9_LEAN) | {SELF_HARM: 0}
    return answers | ({"phq9_10": clamp(wanted / 8 + rng.gauss(0, 0.5), 0, 3)} if wanted else {})


def _wemwbs(rng: Random, found: Traits) -> dict[str, int]:
    return spread(rng, clamp(41.5 + 8.2 * found.wellbeing + rng.gauss(0, 2), 15, 69), instruments.get("wemwbs").items)


def _gad7(rng: Random, found: Traits) -> dict[str, int]:
    return spread(rng, clamp(8 + 4 * found.worry + rng.gauss(0, 1), 0, 20), instruments.get("gad7").items)


def _ons4(rng: Random, found: Traits) -> dict[str, int]:
    well = [5.6 + 1.6 * found.wellbeing, 5.9 + 1.5 * found.wellbeing, 5.4 + 1.7 * found.wellbeing]
    levels = [*well, 5.2 + 1.8 * found.worry]
    codes = [item.code for item in instruments.get("ons4").items]
    return {code: clamp(level + rng.gauss(0, 0.9), 0, 10) for code, level in zip(codes, levels, strict=True)}


def _nr6(rng: Random, found: Traits) -> dict[str, int]:
    items = instruments.get("nr6").items
    return {item.code: clamp(3.4 + 0.7 * found.nature + rng.gauss(0, 0.6), 1, 5) for item in items}


def _ucla3(rng: Random, found: Traits) -> dict[str, int]:
    items = instruments.get("ucla3").items[:3]
    answers = {item.code: clamp(1.9 + 0.6 * found.loneliness + rng.gauss(0, 0.4), 1, 3) for item in items}
    return answers | {"lonely_direct": clamp(2.7 + 0.9 * found.loneliness + rng.gauss(0, 0.5), 1, 5)}


def _eq5d5l(rng: Random, found: Traits) -> dict[str, int]:
    means = {"mobility": 1.5, "self_care": 1.1, "usual_activities": 1.8, "pain_discomfort": 2.1}
    levels = {
        f"eq5d5l_{code}": clamp(mean - 0.5 * found.health + rng.gauss(0, 0.5), 1, 5) for code, mean in means.items()
    }
    mood = clamp(2.5 + 0.6 * found.mood + rng.gauss(0, 0.4), 1, 5)
    vas = clamp(62 + 11 * found.health + 5 * found.wellbeing + rng.gauss(0, 6), 5, 100)
    return levels | {"eq5d5l_anxiety_depression": mood, "eq5d5l_vas": vas}


def _nature_contact(rng: Random, found: Traits) -> dict[str, int]:
    days = clamp(3 + 1.4 * found.nature + rng.gauss(0, 1), 0, 7)
    answers = {"nc_days": days, "nc_view": rng.randint(0, 3), "nc_garden": rng.randint(0, 2), "nc_group_sessions": 0}
    return answers | ({"nc_minutes": 5 * clamp(8 + 4 * found.nature + rng.gauss(0, 3), 1, 60)} if days else {})


def _health_resource_use(rng: Random, found: Traits) -> dict[str, int]:
    means = {
        "gp_surgery": 0.9,
        "gp_remote": 1.2,
        "gp_online": 0.5,
        "gp_home": 0.02,
        "nurse": 0.6,
        "other_pc": 0.4,
        "talking": 0.9,
        "ae": 0.1,
        "outpatient": 0.6,
        "nights": 0.08,
        "111": 0.2,
    }
    answers = {f"hru_{code}": _count(rng, mean, 20) for code, mean in means.items()}
    return answers | {
        "hru_medicine_change": rng.choices((0, 1, 2), (70, 20, 10))[0],
        "hru_days_off": _count(rng, 2, 60),
    }


def _aim_iam_fim(rng: Random, found: Traits) -> dict[str, int]:
    liking = 3.9 + 0.25 * found.wellbeing + rng.gauss(0, 0.5)
    return {item.code: clamp(liking + rng.gauss(0, 0.4), 1, 5) for item in instruments.get("aim_iam_fim").items}


def _demographics(rng: Random, found: Traits) -> dict[str, int]:
    return {
        "dem_sex": rng.choices((1, 2), (66, 34))[0],
        "dem_gender": rng.choices((1, 2), (66, 34))[0],
        "dem_ethnic_group": rng.choices((1, 2, 3, 4, 5), (5, 3, 3, 88, 1))[0],
        "dem_lives_alone": int(rng.random() < 0.38),
        "dem_work": rng.choices((1, 2, 4, 5, 6, 7), (55, 12, 4, 8, 17, 4))[0],
        "dem_education": rng.choices((1, 2, 3, 4, 5), (12, 22, 26, 28, 12))[0],
        "dem_long_term": int(rng.random() < 0.55 - 0.1 * found.health),
        "dem_area_years": _count(rng, 17, 80),
    }


def _activity_preference(rng: Random, found: Traits) -> dict[str, int]:
    chosen = rng.choices((0, 1, 2), (38, 44, 18))[0]
    answers = {"pref_activity": chosen, "pref_expect": clamp(6.3 + rng.gauss(0, 1.8), 0, 10)}
    return answers | ({"pref_strength": clamp(6.5 + rng.gauss(0, 2), 1, 10)} if chosen else {})


ANSWERS = {
    "phq9": phq9,
    "wemwbs": _wemwbs,
    "gad7": _gad7,
    "ons4": _ons4,
    "nr6": _nr6,
    "ucla3": _ucla3,
    "eq5d5l": _eq5d5l,
    "nature_contact": _nature_contact,
    "health_resource_use": _health_resource_use,
    "aim_iam_fim": _aim_iam_fim,
    "demographics": _demographics,
    "activity_preference": _activity_preference,
}


@dataclass(frozen=True)
class Filled:
    """A form as somebody fills it in: answers by item, and why some have none."""

    answers: Mapping[str, int]
    missing: Mapping[str, str]


MISSING_SHARE = {"wemwbs": 0.004, "phq9": 0.006}
"""How often an item stays without an answer; elsewhere OTHER_MISSING."""
OTHER_MISSING = 0.012
BEHIND = {"phq9_10", "nc_days", "pref_activity", SELF_HARM}
"""Items on which others depend, or whose absence asks for a review: always answered."""


def filled(instrument: str, rng: Random, found: Traits, known: Mapping[str, int] | None = None) -> Filled:
    """One form of one person, now and then with an item that is not answered.

    Args:
        known: answers that the story gives; those of another instrument are passed over.
    """
    answers = ANSWERS[instrument](rng, found)
    answers |= {code: value for code, value in (known or {}).items() if code in answers}
    share = MISSING_SHARE.get(instrument, OTHER_MISSING)
    left_out = [code for code in answers if code not in BEHIND and rng.random() < share]
    reasons = (MissingCode.BL, MissingCode.RF, MissingCode.NK)
    missing = {code: rng.choices(reasons, (60, 30, 10))[0].value for code in left_out}
    return Filled({code: value for code, value in answers.items() if code not in missing}, missing)
