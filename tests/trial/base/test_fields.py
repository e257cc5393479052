from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from trial.base.fields import ChoiceField, NumberField, TextField, YesNoField


def message_of(field, value):
    with pytest.raises(ValidationError) as caught:
        field.clean(value)
    return caught.value.messages[0]


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\ud800"])
def test_text_refuses_control_characters(character):
    assert message_of(TextField(label="Notes"), f"a{character}b").startswith("Remove the hidden characters")


def test_text_is_kept_as_typed_with_one_kind_of_line_end():
    assert TextField(label="Notes", rows=3).clean("  Tea\tand\r\ncake ") == "  Tea\tand\ncake "


@pytest.mark.parametrize("blank", ["", " ", "\n", None])
def test_only_spaces_is_nothing(blank):
    assert message_of(TextField(label="Full name", what="your full name"), blank) == "Enter your full name"
    assert TextField(label="Notes", required=False).clean(blank) == ""


def test_too_long_a_text_says_how_long_it_may_be():
    assert message_of(TextField(label="Notes", max_length=5), "123456") == "Notes must be 5 characters or fewer"


@given(st.text(max_size=40))
def test_any_text_is_taken_or_refused_in_words(text):
    form = type("NotesForm", (forms.Form,), {"notes": TextField(label="Notes", required=False)})({"notes": text})

    if form.is_valid():
        assert "\x00" not in form.cleaned_data["notes"]
    else:
        assert form.errors["notes"] == ["Remove the hidden characters. Type the text again instead of pasting it"]


def test_a_choice_says_select_and_never_shows_what_was_sent():
    field = ChoiceField(label="Loneliness", what="how often you feel lonely", choices=[("0", "Never"), ("1", "Often")])

    assert field.clean("1") == "1"
    assert message_of(field, "") == "Select how often you feel lonely"
    assert message_of(field, "<script>") == "Select how often you feel lonely"


def test_a_label_that_is_a_question_is_not_bent_into_a_sentence():
    field = ChoiceField(label="How do you feel?", choices=[("0", "Well")])

    assert message_of(field, "") == "Answer the question: How do you feel?"


def test_more_than_10_choices_become_a_list():
    few = ChoiceField(label="Few", choices=[(str(n), str(n)) for n in range(10)])
    many = ChoiceField(label="Many", choices=[(str(n), str(n)) for n in range(11)])

    assert isinstance(few.widget, forms.RadioSelect)
    assert isinstance(many.widget, forms.Select)
    assert many.choices[0] == ("", "")


def test_yes_and_no_are_booleans_and_neither_is_chosen_in_advance():
    field = YesNoField(label="3. My GP may be told.", what="statement 3")

    assert field.clean("yes") is True
    assert field.clean("no") is False
    assert message_of(field, "") == "Select yes or no for statement 3"
    assert message_of(field, "maybe") == "Select yes or no for statement 3"
    assert YesNoField(label="Interview", required=False).clean("") is None


def test_yes_no_shows_what_was_stored():
    class StatementForm(forms.Form):
        gp = YesNoField(label="GP")

    assert "checked" not in str(StatementForm())
    assert str(StatementForm(initial={"gp": False})).count("checked") == 1
    assert not StatementForm({"gp": "no"}, initial={"gp": False}).has_changed()


@pytest.mark.parametrize(
    ("typed", "number"), [("70", 70), (" 70 ", 70), ("1,200", 1200), ("-3", -3), ("0070", 70), (70, 70)]
)
def test_a_whole_number_is_read_as_people_type_it(typed, number):
    assert NumberField(label="Count").clean(typed) == number


def test_a_number_with_places_is_a_decimal():
    assert NumberField(label="Weight", places=1).clean("70.5") == Decimal("70.5")


@pytest.mark.parametrize(
    "typed", ["seventy", "1e5", "NaN", "Infinity", "--3", "1.2.3", "٧٠", "0x10", "1" * 21, "+", "-", ".", "\x00"]
)
def test_what_is_no_number_is_refused(typed):
    assert message_of(NumberField(label="Weight", places=2), typed) == "Weight must be a number, like 70"


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        (NumberField(label="Weight", unit="kg", unit_words="kilograms"), "", "Enter the weight in kilograms"),
        (NumberField(label="Age", min_value=18, max_value=110), "17", "Age must be between 18 and 110"),
        (NumberField(label="Minutes", min_value=0), "-1", "Minutes must be 0 or more"),
        (NumberField(label="Minutes", max_value=90), "91", "Minutes must be 90 or less"),
        (NumberField(label="Age"), "70.5", "Age must be a whole number"),
        (NumberField(label="Weight", places=1), "70.55", "Weight must have 1 decimal places or fewer"),
    ],
)
def test_a_number_says_what_to_do(field, typed, message):
    assert message_of(field, typed) == message


@given(st.text(max_size=24))
def test_any_text_is_a_number_or_refused_in_words(text):
    fields = {"weight": NumberField(label="Weight", required=False, places=2)}

    form = type("WeightForm", (forms.Form,), fields)({"weight": text})

    if form.is_valid():
        number = form.cleaned_data["weight"]
        assert number is None or number.is_finite()
    else:
        assert form.errors["weight"][0].startswith("Weight must")


def test_a_message_of_ones_own_wins():
    field = NumberField(label="Age", min_value=18, error_messages={"range": "People under 18 cannot take part"})

    assert message_of(field, "17") == "People under 18 cannot take part"
