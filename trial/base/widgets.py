"""Widgets of our own: radios that may be set apart by "or", and dates and times in text boxes."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from trial.base.words import clock_time

_Label = Any  # str, or a lazy translation of one


class _Options(forms.widgets.ChoiceWidget):
    """What our radios and check boxes share.

    Args:
        inline: side by side, for two or three short answers.
        or_before: values set apart from those above by the word "or".
        hints: a second line under some answers, by value.
    """

    template_name = "forms/widgets/options.html"

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        choices: Any = (),
        *,
        inline: bool = False,
        or_before: Collection[str] = (),
        hints: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(attrs, choices)
        self.inline = inline
        self.or_before = frozenset(or_before)
        self.hints = dict(hints or {})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add whether the answers stand side by side."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["inline"] = self.inline
        return context

    def create_option(
        self,
        name: str,
        value: Any,
        label: int | str,
        selected: bool,
        index: int,
        subindex: int | None = None,
        attrs: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add to one answer its hint and whether "or" comes before it."""
        option: dict[str, Any] = super().create_option(name, value, label, selected, index, subindex, attrs)
        option["or_before"] = str(value) in self.or_before
        option["hint"] = self.hints.get(str(value), "")
        if option["hint"] and "id" in option["attrs"]:
            option["attrs"]["aria-describedby"] = f"{option['attrs']['id']}_hint"
        return option


class Radios(_Options, forms.RadioSelect):
    """Radio buttons. See `_Options` for the arguments."""

    template_name = "forms/widgets/options.html"


class CheckBoxes(_Options, forms.CheckboxSelectMultiple):
    """Check boxes for more than one answer. See `_Options` for the arguments."""

    template_name = "forms/widgets/options.html"


class DatePartsInput(forms.MultiWidget):
    """Text boxes for the parts of a date; never a calendar.

    Posts `name_0`, `name_1`, … in the order of `parts`. A script or a stored draft may instead post one ISO value
    under the plain name.

    Args:
        quick: offer "Today" and "Yesterday" (staff forms, with JavaScript).
        compact: boxes without visible labels of their own, for the head of fast entry.
    """

    template_name = "forms/widgets/date.html"
    use_fieldset = True
    parts: tuple[str, ...] = ("day", "month", "year")
    labels: Mapping[str, _Label] = {"day": _("Day"), "month": _("Month"), "year": _("Year"), "time": _("Time")}

    def __init__(self, attrs: dict[str, Any] | None = None, *, quick: bool = False, compact: bool = False) -> None:
        super().__init__([forms.TextInput() for _part in self.parts], attrs)
        self.quick = quick
        self.compact = compact
        self.wrong_parts: frozenset[str] = frozenset()

    def decompress(self, value: Any) -> list[str]:
        """Split a stored value into the texts of the boxes."""
        if isinstance(value, datetime):
            value = timezone.localtime(value) if timezone.is_aware(value) else value
        if not isinstance(value, date):
            return [""] * len(self.parts)
        return [clock_time(value) if part == "time" else str(getattr(value, part)) for part in self.parts]  # type: ignore[arg-type]

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> list[str]:
        """The texts as they were typed, or the parts of one ISO value."""
        whole = data.get(name)
        if isinstance(whole, str) and whole and self.parts[:3] == ("day", "month", "year"):
            day, _separator, clock = whole.replace("T", " ").partition(" ")
            if day.count("-") == 2:
                return [*reversed(day.split("-")), clock][: len(self.parts)]
        return [text if isinstance(text, str) else "" for text in super().value_from_datadict(data, files, name)]

    def id_for_label(self, id_: str) -> str:
        """Links of the error summary lead to the first box."""
        return f"{id_}_0" if id_ else id_

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add to each box its label and whether it is the one to put right."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        widget = context["widget"]
        widget["quick"], widget["compact"] = self.quick, self.compact
        for part, box in zip(self.parts, widget["subwidgets"], strict=True):
            box["part"], box["label"] = part, self.labels[part]
            box["attrs"].pop("aria-invalid", None)
            box["attrs"].setdefault("autocomplete", "off")
            if part in self.wrong_parts:
                box["attrs"]["aria-invalid"] = "true"
                box["attrs"]["class"] = f"{box['attrs'].get('class', '')} nhsuk-input--error".strip()
            if part in ("day", "year"):
                box["attrs"]["inputmode"] = "numeric"
        return context


class DateTimePartsInput(DatePartsInput):
    """The parts of a date, and a time such as 2:30pm."""

    parts = ("day", "month", "year", "time")


class DayMonthInput(DatePartsInput):
    """Day and month alone, for the check that it is you."""

    parts = ("day", "month")
