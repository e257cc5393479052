"""Numbers, ages and the shape of a person's details: values in, value out."""

import re
import unicodedata
from datetime import date


def luhn_check_digit(digits: str) -> int:
    """Luhn check digit over a string of digits (domain.md section 4: 01001 -> 7)."""
    total = 0
    for index, character in enumerate(reversed(digits)):
        value = int(character) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def study_number(prefix: str, site_code: str, sequence: int) -> str:
    """`GRX-SS-NNN-C`: prefix from the protocol, site, sequence from 001, check digit over SSNNN.

    Raises:
        ValueError: the sequence is outside 1 to 999.
    """
    if not 1 <= sequence <= 999:
        raise ValueError("A site gives study numbers 001 to 999.")
    return f"{prefix}-{site_code}-{sequence:03d}-{luhn_check_digit(f'{site_code}{sequence:03d}')}"


def is_study_number(text: str, prefix: str) -> bool:
    """Whether `text` is a study number of this trial with the right check digit."""
    match = re.fullmatch(rf"{re.escape(prefix)}-([0-9]{{2}})-([0-9]{{3}})-([0-9])", text)
    return match is not None and luhn_check_digit(match[1] + match[2]) == int(match[3])


def screening_number(site_code: str, sequence: int) -> str:
    """`S-SS-NNNN`: site and its sequence of referrals."""
    return f"S-{site_code}-{sequence:04d}"


def nhs_digits(text: str) -> str:
    """The ten digits of an NHS number typed with or without spaces or hyphens; empty when it is not one."""
    digits = re.sub(r"[\s-]", "", text)
    return digits if is_nhs_number(digits) else ""


def is_nhs_number(digits: str) -> bool:
    """Ten digits whose last is the modulus 11 check digit of the first nine."""
    if not re.fullmatch(r"[0-9]{10}", digits):
        return False
    total = sum(int(d) * weight for d, weight in zip(digits, range(10, 1, -1), strict=False))
    return (11 - total % 11) % 11 == int(digits[9])


def is_practice_code(code: str) -> bool:
    """Whether a text has the shape of a GP practice's ODS code: a letter and five digits."""
    return re.fullmatch(r"[A-Z][0-9]{5}", code) is not None


def age_on(birth: date, day: date) -> int:
    """Whole years; somebody born on 29 February has a birthday on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


AGE_BANDS = ((18, 29), (30, 44), (45, 59), (60, 74), (75, 120))


def age_band(age: int) -> str:
    """The band kept for people who never consent; `under 18` below the first."""
    for low, high in AGE_BANDS:
        if low <= age <= high:
            return f"{low}-{high}"
    return "under 18"


def letters(name: str) -> str:
    """A name's letters as they are compared: no case, accents, spaces or punctuation, in any script."""
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if c.isalpha())


def same_name(first: str, last: str) -> str:
    """A whole name as it is compared."""
    return f"{letters(first)}|{letters(last)}"


def search_parts(typed: str) -> list[str]:
    """Beginnings, of three letters at most, of every surname that a search may mean: of the whole, and after a word.

    "Ann Smyth" may be somebody whose surname starts with "Ann Smyth", or one called Ann with the surname Smyth.
    """
    words = typed.split()
    return list(dict.fromkeys(part for n in range(len(words)) if (part := letters("".join(words[n:]))[:3])))
