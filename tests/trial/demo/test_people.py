"""Invented people belong to nobody: test numbers, drama numbers, example addresses."""

import re
from datetime import date
from random import Random

from trial.demo.people import nhs_number, somebody
from trial.participants.rules import age_on, is_nhs_number

DAY = date(2026, 3, 2)


def people(n: int = 300):
    return [somebody(Random(number), number=number, site=f"0{number % 3 + 1}", on=DAY) for number in range(1, n + 1)]


def test_every_nhs_number_is_a_test_number_of_its_own():
    numbers = [nhs_number(serial) for serial in range(2000)]

    assert len(set(numbers)) == 2000
    assert all(number.startswith("999") and is_nhs_number(number) for number in numbers)


def test_telephones_and_addresses_are_of_the_ranges_that_belong_to_nobody():
    for one in people():
        assert re.fullmatch(r"01632 960\d{3}|07700 900\d{3}", one.data.phone)
        assert re.fullmatch(r"01632 960\d{3}", one.data.emergency_phone)
        assert one.data.email == "" or one.data.email.endswith("@example.org")
        assert one.data.postcode.startswith("ZZ")


def test_no_two_people_share_name_and_birth_date():
    keys = [(one.data.first_name, one.data.last_name, one.data.birth_date) for one in people()]

    assert len(set(keys)) == len(keys)


def test_everybody_is_of_age_but_those_who_are_meant_not_to_be():
    child = somebody(Random(1), number=1, site="01", on=DAY, is_under_age=True)

    assert all(18 <= age_on(one.data.birth_date, DAY) <= 87 for one in people())
    assert age_on(child.data.birth_date, DAY) == 17
