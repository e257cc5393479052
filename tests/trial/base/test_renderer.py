import re

import pytest
from django import forms

from tests.trial.base.gallery import BornForm, ConsentForm, EveryForm, QuestionForm
from trial.base.renderer import HedgerowBoundField, summary_of
from trial.base.widgets import Radios


class PlainForm(forms.Form):
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"placeholder": "you@example.org"}))
    colour = forms.ChoiceField(label="Colour", choices=[("r", "Red")], widget=forms.RadioSelect)
    sure = forms.BooleanField(label="I am sure")
    why = forms.CharField(label="Why?")
    key = forms.CharField(widget=forms.HiddenInput)


def test_every_form_is_drawn_by_our_fields_without_asking():
    assert isinstance(PlainForm()["email"], HedgerowBoundField)
    assert 'class="nhsuk-input"' in str(PlainForm())


def test_the_summary_leads_to_the_first_control_of_each_field():
    form = ConsentForm({"consent_date_0": "9", "consent_date_1": "7", "consent_date_2": ""})

    assert summary_of(form) == [
        ("id_consent_date_0", "Date of consent must include a year"),
        ("id_read_0", "Select yes or no for statement 1"),
        ("id_gp_0", "Select yes or no for statement 3"),
    ]


def test_every_link_of_the_summary_leads_somewhere():
    html = str(EveryForm({}))

    targets = re.findall(r'href="#([^"]+)"', html)

    assert len(targets) >= 7
    assert all(f'id="{target}"' in html for target in targets)


def test_an_unbound_form_has_no_summary():
    assert summary_of(ConsentForm()) == []
    assert "There is a problem" not in str(ConsentForm())


def test_the_summary_is_shown_once_though_the_page_shows_it_above_its_title():
    form = ConsentForm({})
    form.summary_shown = True

    assert "There is a problem" not in str(form)


def test_a_refusal_of_the_whole_form_has_no_link():
    form = ConsentForm({})
    form.add_error(None, "Priya saved this form at 10:42am.")

    assert summary_of(form)[0] == ("", "Priya saved this form at 10:42am.")


def test_djangos_own_required_message_says_what_to_do():
    messages = [message for _target, message in summary_of(PlainForm({}))]

    assert messages == [
        "Enter e-mail address",
        "Select colour",
        "Confirm: I am sure",
        "Answer the question: Why?",
        "Enter key",
    ]


def test_only_the_wrong_box_of_a_date_is_red_and_said_to_be_wrong():
    html = str(ConsentForm({"consent_date_0": "9", "consent_date_1": "7", "consent_date_2": ""})["consent_date"])

    boxes = re.findall(r"<input[^>]+>", html)

    assert ["aria-invalid" in box for box in boxes] == [False, False, True]
    assert ["nhsuk-input--error" in box for box in boxes] == [False, False, True]
    assert 'value="9"' in boxes[0]


def test_hint_and_error_describe_the_control():
    html = EveryForm({"weight": "3000"})["name"].as_field_group()

    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_options_are_named_by_a_legend_and_none_is_chosen():
    html = QuestionForm()["item"].as_field_group()

    assert "<legend" in html
    assert "checked" not in html
    assert 'id="id_item_0"' in html


def test_an_answer_may_be_set_apart_by_or():
    html = str(QuestionForm()["item"])

    assert html.index("Nearly every day") < html.index(">or<") < html.index("Prefer not to answer")


def test_a_hint_of_an_answer_describes_it():
    html = str(EveryForm()["source"])

    assert 'aria-describedby="id_source_1_hint"' in html
    assert 'id="id_source_1_hint">With its ODS code' in html


def test_optional_is_said_unless_the_form_says_not_to():
    form = EveryForm()
    assert "Optional" in form["notes"].as_field_group()
    assert "Optional" not in form["name"].as_field_group()

    form.mark_optional = False

    assert "Optional" not in form["notes"].as_field_group()


def test_a_unit_follows_its_box():
    assert ">kg</div>" in EveryForm()["weight"].as_field_group()


def test_the_server_alone_says_what_is_required_and_nothing_hides_in_a_placeholder():
    html = str(PlainForm()) + str(EveryForm())

    assert " required" not in html
    assert "placeholder" not in html


def test_hidden_fields_stay_hidden():
    html = str(PlainForm())

    assert '<input type="hidden" name="key"' in html
    assert html.count("nhsuk-form-group") == 4


@pytest.mark.parametrize("form", [EveryForm(), EveryForm({}), BornForm({}), PlainForm({})])
def test_no_style_attribute_is_drawn(form):
    assert "style=" not in str(form)


def test_what_was_typed_is_escaped():
    assert "<script>" not in str(EveryForm({"name": "<script>", "notes": "</textarea><script>"}))


def test_radios_may_be_small_and_side_by_side():
    assert "nhsuk-radios--inline" in Radios(choices=[("a", "A")], inline=True).render(
        "x", None, {"id": "x"}, renderer=PlainForm().renderer
    )
