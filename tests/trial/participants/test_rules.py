"""Numbers, ages and names."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.participants import rules
from trial.participants.models import Referral


@pytest.mark.parametrize(
    ("site", "sequence", "number"),
    [
        # domain.md section 4: 01+001 -> 7; 01+017 -> 3; 02+017 -> 2; 03+096 -> 5; 01+071 -> 0.
        ("01", 1, "GRX-01-001-7"),
        ("01", 17, "GRX-01-017-3"),
        ("02", 17, "GRX-02-017-2"),
        ("03", 96, "GRX-03-096-5"),
        ("01", 71, "GRX-01-071-0"),
    ],
)
def test_a_study_number_carries_its_check_digit(site, sequence, number):
    assert rules.study_number("GRX", site, sequence) == number
    assert rules.is_study_number(number, "GRX")


@given(site=st.integers(0, 99), sequence=st.integers(1, 999), position=st.integers(0, 4), wrong=st.integers(0, 9))
def test_one_wrong_digit_is_always_noticed(site, sequence, position, wrong):
    digits = f"{site:02d}{sequence:03d}"
    number = rules.study_number("GRX", digits[:2], sequence)
    changed = digits[:position] + str(wrong) + digits[position + 1 :]

    found = rules.is_study_number(f"GRX-{changed[:2]}-{changed[2:]}-{number[-1]}", "GRX")

    assert found == (changed == digits)


@pytest.mark.parametrize("sequence", [0, 1000, -1])
def test_a_site_gives_999_numbers(sequence):
    with pytest.raises(ValueError, match="001 to 999"):
        rules.study_number("GRX", "01", sequence)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("999 000 0018", "9990000018"),  # ux.md section 5
        ("999-000-0018", "9990000018"),
        ("999 000 0019", ""),
        ("99900000", ""),
        ("abcdefghij", ""),
        ("٩٩٩٠٠٠٠٠١٨", ""),
    ],
)
def test_an_nhs_number_is_checked_by_modulus_11(typed, digits):
    assert rules.nhs_digits(typed) == digits


@given(st.integers(0, 999_999_999))
def test_nine_digits_have_at_most_one_check_digit(number):
    valid = [d for d in range(10) if rules.is_nhs_number(f"{number:09d}{d}")]

    assert len(valid) <= 1


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2000, 7, 9), date(2026, 7, 8), 25),
        (date(2000, 7, 9), date(2026, 7, 9), 26),
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
    ],
)
def test_age_is_in_whole_years(birth, day, age):
    assert rules.age_on(birth, day) == age


@pytest.mark.parametrize(
    ("age", "band"), [(17, "under 18"), (18, "18-29"), (29, "18-29"), (30, "30-44"), (99, "75-120")]
)
def test_only_a_band_is_kept_of_an_age(age, band):
    assert rules.age_band(age) == band


def test_names_are_compared_without_case_accents_and_punctuation():
    assert rules.same_name("Siân", "O'Neill") == rules.same_name("SIAN", "O NEILL")
    assert rules.same_name("Ann", "Smith") != rules.same_name("Anne", "Smith")


@pytest.mark.parametrize(
    ("source", "referrer", "words"),
    [
        ("gp_practice", "Tavyside Surgery", "Referred by Tavyside Surgery"),
        ("link_worker", "", "Referred by Link worker"),
        ("self", "", "Self-referral"),
    ],
)
def test_where_a_referral_comes_from_is_said_in_words(source, referrer, words):
    assert Referral(source_type=source, referrer=referrer).origin == words
