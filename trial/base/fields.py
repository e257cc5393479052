"""Form fields that speak ux.md: what to do when something is wrong, and no control characters anywhere.

Every field takes `what`, the thing in words ("date of consent", "weight"), from which its messages are built; without
it the label serves. `error_messages` still overrides any of them. Dates are in `date_fields`.
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from trial.base.asking import Asks
from trial.base.date_fields import DateField, DateTimeField, DayMonthField
from trial.base.middleware import has_control_characters
from trial.base.widgets import Radios
from trial.base.words import lower_first

_LONGEST_NUMBER = 20


def refuse_control_characters(text: str) -> None:
    """Refuse NUL, other control characters (tab and new line excepted) and lone surrogates.

    Raises:
        ValidationError: with what to do about it.
    """
    if has_control_characters(text):
        raise ValidationError(
            _("Remove the hidden characters. Type the text again instead of pasting it"), code="control_characters"
        )


class TextField(Asks, forms.CharField):
    """Text exactly as typed: nothing is stripped, line ends are `\\n`, control characters are refused.

    Args:
        rows: a box of that many lines instead of a single line.
        max_length: 10,000 unless told.
    """

    def __init__(self, *, rows: int = 0, max_length: int = 10_000, **kwargs: Any) -> None:
        if rows:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        kwargs.setdefault("strip", False)
        super().__init__(max_length=max_length, **kwargs)
        self.validators = [
            check for check in self.validators if type(check).__name__ != "ProhibitNullCharactersValidator"
        ]

    def messages(self) -> dict[str, Any]:
        """Add what to do about too long a text."""
        return {
            **super().messages(),
            "max_length": f"{self.subject} must be %(limit_value)d characters or fewer",
        }

    def to_python(self, value: Any) -> str | None:
        """Only spaces is nothing."""
        text = super().to_python(value)
        if not text or not text.strip():
            return self.empty_value if isinstance(self.empty_value, str) else None
        refuse_control_characters(text)
        return text.replace("\r\n", "\n").replace("\r", "\n")


class ChoiceField(Asks, forms.ChoiceField):
    """One of a few answers as radios, none chosen in advance; more than 10 become a list to select from."""

    verb = "Select"

    def __init__(self, *, choices: Sequence[tuple[Any, Any]] = (), **kwargs: Any) -> None:
        if "widget" not in kwargs:
            kwargs["widget"] = Radios() if len(choices) <= 10 else forms.Select()
            if len(choices) > 10:
                choices = [("", ""), *choices]
        super().__init__(choices=choices, **kwargs)

    def messages(self) -> dict[str, Any]:
        """A value that is not among the answers is a question not answered."""
        required = super().messages()["required"]
        return {"required": required, "invalid_choice": required}


class YesNoField(ChoiceField):
    """Yes or No, never chosen in advance. Gives True, False, or None where it may be left out."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", Radios(inline=True))
        super().__init__(choices=[("yes", _("Yes")), ("no", _("No"))], **kwargs)

    def messages(self) -> dict[str, Any]:
        """ "Select yes or no for statement 3"."""
        if self.what.endswith("?") or not self.what:
            text = str(_("Select yes or no"))
        else:
            text = f"Select yes or no for {lower_first(self.what)}"
        return {"required": text, "invalid_choice": text}

    def prepare_value(self, value: Any) -> Any:
        """Show a stored answer; anything else leaves both empty."""
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value

    def clean(self, value: Any) -> bool | None:
        """ "yes" is True, "no" is False."""
        return {"yes": True, "no": False}.get(super().clean(self.prepare_value(value)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as the words that are posted."""
        return super().has_changed(self.prepare_value(initial), data)


class NumberField(Asks, forms.Field):
    """A number in a text box, with its unit after it. Gives an int, or a Decimal where `places` is not 0.

    Args:
        unit: shown after the box ("kg"); `unit_words` is said in messages ("kilograms").
        min_value, max_value: hard limits, both included.
        places: most decimal places.
    """

    article = "the "

    def __init__(
        self,
        *,
        unit: str = "",
        unit_words: str = "",
        min_value: int | Decimal | None = None,
        max_value: int | Decimal | None = None,
        places: int = 0,
        **kwargs: Any,
    ) -> None:
        self.unit, self.unit_words = unit, unit_words
        self.min_value, self.max_value, self.places = min_value, max_value, places
        attrs = {
            "inputmode": "decimal" if places else "numeric",
            "autocomplete": "off",
            "class": "nhsuk-input--width-5",
        }
        kwargs.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(**kwargs)

    def messages(self) -> dict[str, Any]:
        """ "Enter the weight in kilograms"."""
        found = super().messages()
        if self.unit_words and not self.what.endswith("?"):
            found["required"] = f"{found['required']} in {self.unit_words}"
        return found

    def to_python(self, value: Any) -> int | Decimal | None:
        """Accepts spaces around the number and commas between thousands; refuses anything but digits."""
        text = str(value if value is not None else "").strip().replace(",", "")
        if not text:
            return None
        number = self._decimal(text)
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.places:
            self.wrong(
                f"must have {self.places} decimal places or fewer" if self.places else "must be a whole number",
                "places",
            )
        return number if self.places else int(number)

    def _decimal(self, text: str) -> Decimal:
        """The number in `text`: plain ASCII digits, so no exponent, infinity or "not a number"."""
        digits = text.lstrip("-").replace(".", "", 1)
        if not (digits.isascii() and digits.isdigit()) or len(text) > _LONGEST_NUMBER:
            self.wrong("must be a number, like 70", "number")
        try:
            return Decimal(text)
        except InvalidOperation:
            self.wrong("must be a number, like 70", "number")

    def validate(self, value: Any) -> None:
        """Refuse what is outside the hard limits."""
        super().validate(value)
        low, high = self.min_value, self.max_value
        if value is None or ((low is None or value >= low) and (high is None or value <= high)):
            return
        if low is not None and high is not None:
            self.wrong(f"must be between {low} and {high}", "range")
        self.wrong(f"must be {low} or more" if low is not None else f"must be {high} or less", "range")


__all__ = [
    "ChoiceField",
    "DateField",
    "DateTimeField",
    "DayMonthField",
    "NumberField",
    "TextField",
    "YesNoField",
    "refuse_control_characters",
]
