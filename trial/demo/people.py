"""Invented people: names, birth dates, NHS numbers that belong to nobody, and ways to reach them."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from trial.demo import names
from trial.participants.identity import IdentityData
from trial.participants.rules import is_nhs_number

TEST_NUMBERS = "999"
"""NHS numbers that begin so are kept for tests and belong to nobody."""
CHANNELS = ("phone", "text", "email", "letter")


@dataclass(frozen=True)
class Somebody:
    """One invented person of one site."""

    data: IdentityData
    sex: str


def nhs_number(serial: int) -> str:
    """The test number of a serial from 0 to 90 000: each gives another one, with its check digit."""
    first = int(f"{TEST_NUMBERS}{serial * 11:06d}")
    tens = (f"{nine}{digit}" for nine in range(first, first + 11) for digit in range(10))
    return next(number for number in tens if is_nhs_number(number))


def somebody(rng: Random, *, number: int, site: str, on: date, is_under_age: bool = False) -> Somebody:
    """Draw one person.

    Args:
        number: counts people; no two with different numbers share name, NHS number, telephone or e-mail.
        on: the day of the referral, from which the age counts.
    """
    sex = rng.choices(("female", "male", "other"), (66, 32, 2))[0]
    firsts = {"female": names.FEMALE, "male": names.MALE}.get(sex, names.OTHER)
    first, last = rng.choice(firsts), names.LAST[(number * 37) % len(names.LAST)]
    age = 17 if is_under_age else min(max(round(rng.gauss(51, 15)), 18), 86)
    town, outward = names.TOWNS[site]
    phone = f"07700 900{number % 1000:03d}" if rng.random() < 0.7 else f"01632 960{number % 1000:03d}"
    has_email = rng.random() < 0.85
    data = IdentityData(
        first_name=first,
        last_name=last,
        birth_date=on - timedelta(days=age * 365 + age // 4 + rng.randint(2, 358)),
        nhs_number=nhs_number(number) if rng.random() < 0.9 else "",
        address=f"{rng.randint(1, 120)} {rng.choice(names.STREETS)}, {town}",
        postcode=f"{outward} {rng.randint(1, 9)}{rng.choice('ABDEFGHJ')}{rng.choice('LNPQRSTU')}",
        phone=phone,
        email=f"{first}.{last}.{number}@example.org".lower() if has_email else "",
        preferred_contact=rng.choice(CHANNELS if has_email else ("phone", "text", "letter")),
        gp_practice=rng.choice(names.PRACTICES[site]),
        emergency_name=f"{rng.choice(names.FEMALE + names.MALE)} {last}",
        emergency_phone=f"01632 960{(number + 500) % 1000:03d}",
    )
    return Somebody(data, sex)
