"""Dates in text boxes: never a calendar, and the message names the box to put right (ux.md section 2)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from trial.base.asking import Asks
from trial.base.clock import local_moment, parse_clock, parse_month
from trial.base.widgets import DatePartsInput, DateTimePartsInput, DayMonthInput
from trial.base.words import long_date

EARLIEST_YEAR, LATEST_YEAR = 1900, 2100


class DateField(Asks, forms.Field):
    """A date in three text boxes; the month may be 3, 03, Mar or March. Gives a `date`.

    Args:
        not_in_future: refuse a date after today, in UK time.
        quick: offer "Today" and "Yesterday".
        compact: for the head of fast entry.
    """

    article = "the "
    widget_class: type[DatePartsInput] = DatePartsInput

    def __init__(
        self, *, not_in_future: bool = False, quick: bool = False, compact: bool = False, **kwargs: Any
    ) -> None:
        self.not_in_future = not_in_future
        kwargs.setdefault("widget", self.widget_class(quick=quick, compact=compact))
        if not compact:
            kwargs.setdefault("help_text", _("For example, 31 3 2026"))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> date | None:
        """Read the boxes.

        Raises:
            ValidationError: with the parts that are missing or wrong in `params["parts"]`.
        """
        if isinstance(value, date):
            return value
        texts = self._texts(value)
        if texts is None:
            return None
        found = self._date(texts)
        if self.not_in_future and found > timezone.localdate():
            self.wrong("must be today or in the past", "future")
        return found

    def _texts(self, value: Any) -> dict[str, str] | None:
        """What was typed, by part; None where every box is empty."""
        parts = self.widget_class.parts
        texts = {part: str(text or "").strip() for part, text in zip(parts, value or [""] * len(parts), strict=False)}
        if not any(texts.values()):
            return None
        if missing := [part for part in parts if not texts.get(part)]:
            self.wrong(f"must include a {' and a '.join(missing)}", "incomplete", *missing)
        return texts

    def _date(self, texts: Mapping[str, str]) -> date:
        day, month, year = _whole(texts["day"]), parse_month(texts["month"]), _whole(texts["year"])
        if len(texts["year"]) != 4 or year is None:
            self.wrong("must have a year of 4 digits, like 2026", "year", "year")
        if not EARLIEST_YEAR <= year <= LATEST_YEAR:
            self.wrong(f"must have a year between {EARLIEST_YEAR} and {LATEST_YEAR}", "year", "year")
        wrong = [part for part, number in (("day", day), ("month", month)) if number is None]
        if day is None or month is None:
            self.wrong("must be a real date", "unreal", *wrong)
        try:
            return date(year, month, day)
        except ValueError:
            self.wrong("must be a real date", "unreal", "day", "month")


class DateTimeField(DateField):
    """A date, and a time such as 2:30pm or 14:30, both in UK time. Gives an aware `datetime`."""

    widget_class = DateTimePartsInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("For example, 31 3 2026 at 2:30pm"))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> datetime | None:
        """Read the boxes. A time that the clock change leaves out is not real; one it repeats is the first."""
        if isinstance(value, datetime):
            return value
        texts = self._texts(value)
        if texts is None:
            return None
        day, clock = self._date(texts), parse_clock(texts["time"])
        if clock is None:
            self.wrong("must have a time like 2:30pm or 14:30", "time", "time")
        moment = local_moment(day, clock)
        if moment is None:
            self.wrong(f"must be a real time: the clocks went forward on {long_date(day)}", "time", "time")
        if self.not_in_future and moment > timezone.now():
            self.wrong("must be in the past", "future")
        return moment


class DayMonthField(Asks, forms.Field):
    """Day and month of birth, for the second check of a questionnaire link. Gives (day, month)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", DayMonthInput())
        kwargs.setdefault("help_text", _("For example, 31 3"))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Never show back what was stored: the boxes start empty."""
        return None if isinstance(value, tuple) else value

    def to_python(self, value: Any) -> tuple[int, int] | None:
        """Read the two boxes. Any year is allowed for, so 29 February is a day."""
        texts = [str(text or "").strip() for text in value or ["", ""]]
        if not any(texts):
            return None
        day, month = _whole(texts[0]), parse_month(texts[1])
        if day is None or not 1 <= day <= 31:
            raise ValidationError(_("Day must be between 1 and 31"), code="day", params={"parts": ("day",)})
        if month is None:
            raise ValidationError(_("Month must be between 1 and 12"), code="month", params={"parts": ("month",)})
        try:
            date(2024, month, day)
        except ValueError:
            raise ValidationError(
                _("Day and month must be a real date"), code="unreal", params={"parts": ("day", "month")}
            ) from None
        return day, month


def _whole(text: str) -> int | None:
    """A number of 1 to 4 plain digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
