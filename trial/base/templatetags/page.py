"""Tags and filters that every template has without loading them (settings: builtins)."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms, template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from trial.base import icons, statuses, words
from trial.base.renderer import summary_of

register = template.Library()


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """`{% icon "tick" %}`: an icon of `trial.base.icons`; a word must follow it."""
    return icons.icon(name, classes)


@register.simple_tag
def status(code: str, group: str = "", word: str = "") -> SafeString:
    """`{% status "due" %}`, `{% status visit.status "visit" %}`, `{% status "locked" word="Locked 14 Apr" %}`."""
    found = statuses.status(str(code), group)
    return format_html(
        '<span class="app-status app-status--{}">{}<span>{}</span></span>',
        found.tone,
        icons.icon(found.icon),
        word or found.word,
    )


@register.simple_tag
def public_url(name: str) -> str:
    """The address of help, accessibility, privacy or home, also where the URLs cannot be read (error pages)."""
    try:
        return reverse(name)
    except (NoReverseMatch, ImportError):
        return f"/{name}/"


@register.simple_tag(takes_context=True)
def help_link(context: Context) -> str:
    """The address of the help with this page."""
    match = getattr(context.get("request"), "resolver_match", None)
    return public_url("help") + (f"?{urlencode({'page': match.view_name})}" if match and match.view_name else "")


@register.simple_tag
def error_summary(*shown: forms.BaseForm | str | None) -> SafeString | str:
    """`{% error_summary form %}`: "There is a problem" with links to what to put right; nothing without errors."""
    given = [form for form in shown if isinstance(form, forms.BaseForm)]
    errors = summary_of(*given)
    for form in given:
        form.summary_shown = True  # type: ignore[attr-defined]  # the form's own template then leaves it out
    return render_to_string("components/_error_summary.html", {"errors": errors}) if errors else ""


@register.simple_tag
def form_errors(form: forms.BaseForm) -> list[tuple[str, str]]:
    """`{% form_errors form as errors %}`: (id, message) for each error, in the order of the fields."""
    return summary_of(form)


@register.simple_block_tag(end_name="endcard")
def card(
    content: str, title: str = "", *, tone: str = "", url: str = "", label: str = "", aside: str = ""
) -> SafeString:
    """`{% card "Today's sessions" %} … {% endcard %}`: a white block with an `h2`. See `_card.html`."""
    values = {"content": content, "title": title, "tone": tone, "url": url, "label": label, "aside": aside}
    return render_to_string("components/_card.html", values)


_STUDY_NUMBER = re.compile(r"\b[A-Z]{1,8}-\d{2}-\d{3,4}(?:-\d)?\b")


@register.filter
def numbers(value: Any) -> SafeString:
    """Text in which no study number breaks over two lines."""
    escaped = conditional_escape(value)
    return mark_safe(_STUDY_NUMBER.sub(r'<span class="app-number">\g<0></span>', escaped))  # noqa: S308  # escaped above


@register.filter
def beside(values: Sequence[Any], others: Sequence[Any]) -> list[tuple[Any, Any]]:
    """`{% for cell, column in row.cells|beside:columns %}`."""
    return list(zip(values, others, strict=False))


@register.filter
def uk_date(value: date | datetime | None) -> str:
    """22 November 2026."""
    return words.long_date(value) if value else ""


@register.filter
def uk_short(value: date | datetime | None) -> str:
    """22 Nov 2026."""
    return words.short_date(value) if value else ""


@register.filter
def uk_day(value: date | datetime | None) -> str:
    """22 Nov."""
    return words.day_and_month(value) if value else ""


@register.filter
def uk_weekday(value: date | datetime | None) -> str:
    """Thursday 9 July 2026."""
    return f"{words.local_day(value):%A} {words.long_date(value)}" if value else ""


@register.filter
def uk_time(value: time | datetime | None) -> str:
    """2:30pm. Midnight is a time, so only None is nothing."""
    return words.clock_time(value) if isinstance(value, (time, datetime)) else ""


@register.filter
def utc_clock(value: datetime | None) -> str:
    """13:14, in UTC, for the audit trail."""
    return f"{value.astimezone(UTC):%H:%M}" if value else ""


@register.filter
def uk_datetime(value: datetime | None) -> str:
    """22 November 2026 at 2:30pm."""
    return words.date_and_time(value) if value else ""


@register.filter
def uk_short_datetime(value: datetime | None) -> str:
    """22 Nov 2026, 2:30pm."""
    return words.short_date_and_time(value) if value else ""


@register.filter
def groups(value: Any) -> str:
    """999 000 0018; hashes in fours."""
    return words.in_groups(str(value)) if value else ""


@register.filter
def group_list(value: Any) -> list[str]:
    """The groups of a hash, to be wrapped one by one."""
    return words.in_groups(str(value)).split() if value else []


@register.filter
def percent(value: float | Decimal | None, places: int = 1) -> str:
    """75.4% for 0.754."""
    return words.percent(value, places) if value is not None else ""
