from datetime import UTC, date, datetime, time

import pytest
from django import forms
from django.template import Context, Template

from trial.base.statuses import UnknownStatus


def render(source, **context):
    return Template(source).render(Context(context))


class NameForm(forms.Form):
    name = forms.CharField(label="Your name")


def test_filters_write_dates_and_numbers_as_the_guide_says():
    at = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)

    assert render("{{ at|uk_date }}", at=at) == "22 November 2026"
    assert render("{{ at|uk_short }}", at=at) == "22 Nov 2026"
    assert render("{{ at|uk_day }}", at=at) == "22 Nov"
    assert render("{{ at|uk_weekday }}", at=at) == "Sunday 22 November 2026"
    assert render("{{ at|uk_time }}", at=at) == "2:30pm"
    assert render("{{ at|uk_datetime }}", at=at) == "22 November 2026 at 2:30pm"
    assert render("{{ at|uk_short_datetime }}", at=at) == "22 Nov 2026, 2:30pm"
    assert render("{{ at|utc_clock }}", at=datetime(2026, 7, 9, 13, 14, tzinfo=UTC)) == "13:14"
    assert render("{{ n|groups }} {{ share|percent }}", n="9990000018", share=0.754) == "999 000 0018 75.4%"


@pytest.mark.parametrize(
    "name",
    [
        "uk_date",
        "uk_short",
        "uk_day",
        "uk_weekday",
        "uk_time",
        "uk_datetime",
        "uk_short_datetime",
        "utc_clock",
        "groups",
        "percent",
    ],
)
def test_nothing_is_written_as_nothing(name):
    assert render("{{ nothing|" + name + " }}", nothing=None) == ""


def test_midnight_and_a_date_without_time_are_written():
    assert render("{{ t|uk_time }}", t=time(0)) == "12am"
    assert render("{{ d|uk_date }}", d=date(2026, 1, 2)) == "2 January 2026"


def test_a_status_is_icon_and_word():
    html = render('{% status "due" %}{% status "RANDOMISED" "participant" %}{% status "locked" word="Locked 14 Apr" %}')

    assert html.count("<svg") == 3
    assert html.count('aria-hidden="true"') == 3
    assert "<span>Due</span>" in html
    assert "<span>Randomised</span>" in html
    assert "<span>Locked 14 Apr</span>" in html


def test_an_unknown_status_is_not_passed_over():
    with pytest.raises(UnknownStatus):
        render('{% status "sorted" %}')


def test_study_numbers_stay_on_one_line_and_text_is_escaped():
    html = render("{{ text|numbers }}", text="Randomise GRX-01-042-1 & S-01-0061?")

    assert html == (
        'Randomise <span class="app-number">GRX-01-042-1</span> &amp; <span class="app-number">S-01-0061</span>?'
    )


def test_a_card_surrounds_what_it_is_given():
    html = render('{% card "Open queries" url="/queries/" label="All 6" %}<p>{{ text }}</p>{% endcard %}', text="<b>")

    assert "<h2>Open queries</h2>" in html
    assert '<a href="/queries/">All 6</a>' in html
    assert "<p>&lt;b&gt;</p>" in html


def test_the_error_summary_is_there_only_when_something_is_wrong():
    wrong = NameForm({})

    assert render("{% error_summary form %}", form=NameForm()) == ""
    html = render("{% error_summary form %}{{ form }}", form=wrong)
    assert html.count("There is a problem") == 1
    assert '<a href="#id_name">Enter your name</a>' in html


def test_help_leads_to_the_page_that_was_open(rf):
    request = rf.get("/people/")
    request.resolver_match = type("Match", (), {"view_name": "people:list"})()

    assert render("{% help_link %}").endswith("/help/")
    assert render("{% help_link %}", request=request).endswith("/help/?page=people%3Alist")


def test_pages_that_everyone_may_open_have_an_address_even_when_the_urls_do_not_load(settings):
    settings.ROOT_URLCONF = "tests.trial.base.gallery_urls"

    assert render('{% public_url "privacy" %}') == "/privacy/"
