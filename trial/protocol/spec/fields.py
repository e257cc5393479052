"""Kinds of value that a protocol file holds, and how each is described when it is refused."""

import re
from datetime import date, time
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LINE = r"^\S(.*\S)?$"
TEXT = r"^\S"
CODE = r"^[A-Z][A-Z0-9_]{0,31}$"
KEY = r"^[a-z0-9][a-z0-9_-]{0,31}$"
NAME = r"^[a-z][a-z0-9_]{0,31}$"
SITE_CODE = r"^[0-9]{2}$"
VERSION = r"^[0-9]+(\.[0-9]+){0,2}$"
PHONE = r"^\+?[0-9][0-9 ]{1,18}[0-9]$"
SUFFIX = r"^[a-z][a-z0-9]{0,4}$"
PREFIX = r"^[A-Z]{2,5}$"
STUDY_CODE = r"^[A-Z][A-Z0-9]{1,15}$"
SCHEME = r"^[a-z0-9-]{1,32}$"
LANGUAGE = r"^[a-z]{2}(-[A-Z]{2})?$"
SHA256 = r"^[0-9a-f]{64}$"

PATTERN_WORDS = {
    LINE: "one line of text without spaces at its ends",
    TEXT: "text that does not start with a space",
    CODE: "capitals, digits and underscores, starting with a capital",
    KEY: "small letters, digits, underscores and hyphens, at most 32",
    NAME: "small letters, digits and underscores, starting with a letter",
    SITE_CODE: "two digits",
    VERSION: "numbers with points, such as 1.0",
    PHONE: "a telephone number",
    SUFFIX: "1 to 5 small letters and digits, starting with a letter",
    PREFIX: "2 to 5 capitals",
    STUDY_CODE: "2 to 16 capitals and digits, starting with a capital",
    SCHEME: "small letters, digits and hyphens, at most 32",
    LANGUAGE: "a language such as en-GB or cy",
    SHA256: "64 hexadecimal digits",
}
"""Words for each pattern, for the person who reads why a key was refused."""


class Part(BaseModel):
    """One object of the file. Unknown keys are refused; nothing is converted; nothing changes once read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def _day(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("must be a real date such as 2026-01-12")


def _clock(value: object) -> time:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return time.fromisoformat(value)
    raise ValueError("must be a time such as 09:00")


def _exact(value: object) -> Decimal:
    if isinstance(value, str) and re.fullmatch(r"(0|[1-9][0-9]{0,5})(\.[0-9]{1,6})?", value):
        return Decimal(value)
    raise ValueError('must be a decimal number in quotes, such as "0.75"')


Line = Annotated[str, Field(min_length=1, max_length=120, pattern=LINE)]
Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=TEXT)]
Code = Annotated[str, Field(pattern=CODE)]
Key = Annotated[str, Field(pattern=KEY)]
Name = Annotated[str, Field(pattern=NAME)]
SiteCode = Annotated[str, Field(pattern=SITE_CODE)]
VersionNumber = Annotated[str, Field(max_length=20, pattern=VERSION)]
Phone = Annotated[str, Field(pattern=PHONE)]
Language = Annotated[str, Field(pattern=LANGUAGE)]
Count = Annotated[int, Field(ge=0, le=100_000)]
Positive = Annotated[int, Field(ge=1, le=100_000)]
Days = Annotated[int, Field(ge=0, le=3_660)]
Score = Annotated[int, Field(ge=-100_000, le=100_000)]
Day = Annotated[date, BeforeValidator(_day)]
Clock = Annotated[time, BeforeValidator(_clock)]
Exact = Annotated[Decimal, BeforeValidator(_exact)]
"""An exact decimal; the file writes it in quotes, so that no binary fraction comes between (domain.md 8)."""
Share = Annotated[Decimal, BeforeValidator(_exact), Field(le=1)]
"""A proportion from 0 to 1, exact."""
