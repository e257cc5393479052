from datetime import UTC, date, datetime

import pytest
import time_machine
from django import forms
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from trial.base.date_fields import DateField, DateTimeField, DayMonthField
from trial.base.words import MONTHS


class ConsentForm(forms.Form):
    signed = DateField(label="Date of consent")


class MomentForm(forms.Form):
    signed_at = DateTimeField(label="When was it signed?", what="time of signing")


class BornForm(forms.Form):
    born = DayMonthField(label="Born", what="day and month you were born")


def consent(day="", month="", year=""):
    return ConsentForm({"signed_0": day, "signed_1": month, "signed_2": year})


def moment(*parts):
    return MomentForm({f"signed_at_{place}": part for place, part in enumerate(parts)})


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.sampled_from(["number", "two", "short", "long", "capitals"]))
def test_every_date_is_read_however_its_month_is_written(day, style):
    month = {
        "number": str(day.month),
        "two": f"{day.month:02d}",
        "short": MONTHS[day.month - 1][:3],
        "long": MONTHS[day.month - 1],
        "capitals": MONTHS[day.month - 1].upper(),
    }[style]

    form = consent(f" {day.day} ", month, str(day.year))

    assert form.is_valid(), form.errors
    assert form.cleaned_data["signed"] == day


@given(st.text(max_size=8), st.text(max_size=12), st.text(max_size=8))
def test_whatever_is_typed_gives_a_date_or_one_message(day, month, year):
    form = consent(day, month, year)

    assert form.is_valid() or len(form.errors["signed"]) == 1


@pytest.mark.parametrize(
    ("parts", "message", "wrong"),
    [
        (("", "", ""), "Enter the date of consent", {"day", "month", "year"}),
        (("9", "7", ""), "Date of consent must include a year", {"year"}),
        (("", "", "2026"), "Date of consent must include a day and a month", {"day", "month"}),
        (("31", "2", "2026"), "Date of consent must be a real date", {"day", "month"}),
        (("29", "2", "2025"), "Date of consent must be a real date", {"day", "month"}),
        (("9", "Juli", "2026"), "Date of consent must be a real date", {"month"}),
        (("x", "7", "2026"), "Date of consent must be a real date", {"day"}),
        (("9", "7", "26"), "Date of consent must have a year of 4 digits, like 2026", {"year"}),
        (("9", "7", "1066"), "Date of consent must have a year between 1900 and 2100", {"year"}),
    ],
)
def test_the_message_says_what_to_do_and_which_box_is_wrong(parts, message, wrong):
    form = consent(*parts)

    assert form.errors["signed"] == [message]
    assert form["signed"].wrong_parts == wrong


@time_machine.travel(datetime(2026, 7, 9, 23, 30, tzinfo=UTC))
def test_today_is_the_uk_day():
    field = DateField(label="Date of visit", not_in_future=True)

    assert field.clean(["10", "7", "2026"]) == date(2026, 7, 10)
    with pytest.raises(forms.ValidationError, match="Date of visit must be today or in the past"):
        field.clean(["11", "7", "2026"])


def test_a_script_or_a_draft_may_post_one_iso_value():
    assert ConsentForm({"signed": "2026-07-09"}).is_valid()
    assert MomentForm({"signed_at": "2026-07-09T14:30"}).is_valid()


def test_stored_values_are_shown_in_the_boxes():
    form = ConsentForm(initial={"signed": date(2026, 7, 9)})
    at = MomentForm(initial={"signed_at": datetime(2026, 7, 9, 13, 30, tzinfo=UTC)})

    assert 'value="9"' in str(form["signed"])
    assert 'value="2026"' in str(form["signed"])
    assert 'value="2:30pm"' in str(at["signed_at"])


def test_a_date_that_is_not_required_may_be_left_out():
    assert DateField(label="Date of death", required=False).clean(["", "", ""]) is None


def test_an_unchanged_date_has_not_changed():
    form = ConsentForm({"signed_0": "9", "signed_1": "Jul", "signed_2": "2026"}, initial={"signed": date(2026, 7, 9)})

    assert not form.has_changed()


def test_a_moment_is_read_in_uk_time():
    form = moment("9", "7", "2026", "2:30pm")

    assert form.is_valid(), form.errors
    assert form.cleaned_data["signed_at"] == datetime(2026, 7, 9, 13, 30, tzinfo=UTC)
    assert timezone.is_aware(form.cleaned_data["signed_at"])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("", "", "", ""), "Enter the time of signing"),
        (("9", "7", "2026", ""), "Time of signing must include a time"),
        (("9", "7", "2026", "25:00"), "Time of signing must have a time like 2:30pm or 14:30"),
        (
            ("29", "3", "2026", "1:30am"),
            "Time of signing must be a real time: the clocks went forward on 29 March 2026",
        ),
    ],
)
def test_a_moment_says_what_to_do(parts, message):
    assert moment(*parts).errors["signed_at"] == [message]


@time_machine.travel(datetime(2026, 7, 9, 12, 0, tzinfo=UTC))
def test_a_moment_may_be_kept_out_of_the_future():
    field = DateTimeField(label="Time of visit", not_in_future=True)

    assert field.clean(["9", "7", "2026", "12:59"])
    with pytest.raises(forms.ValidationError, match="Time of visit must be in the past"):
        field.clean(["9", "7", "2026", "1:01pm"])


def test_day_and_month_of_birth_allow_a_leap_day():
    assert BornForm({"born_0": "29", "born_1": "Feb"}).is_valid()


@pytest.mark.parametrize(
    ("day", "month", "message", "wrong"),
    [
        ("", "", "Enter day and month you were born", {"day", "month"}),
        ("14", "23", "Month must be between 1 and 12", {"month"}),
        ("32", "3", "Day must be between 1 and 31", {"day"}),
        ("31", "4", "Day and month must be a real date", {"day", "month"}),
    ],
)
def test_day_and_month_of_birth_say_what_to_do(day, month, message, wrong):
    form = BornForm({"born_0": day, "born_1": month})

    assert form.errors["born"] == [message]
    assert form["born"].wrong_parts == wrong


def test_day_and_month_are_never_shown_back():
    assert "14" not in str(BornForm(initial={"born": (14, 3)})["born"])


def test_a_date_posted_as_a_list_of_other_things_is_refused_in_words():
    form = ConsentForm(QueryDict("signed_0=9&signed_0=10&signed_1=7&signed_2=2026"))

    assert form.is_valid()
    assert form.cleaned_data["signed"] == date(2026, 7, 10)
