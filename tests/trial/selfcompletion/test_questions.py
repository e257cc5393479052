"""One question a page: saved, skipped, declined, refused, changed, lost and found; then everything sent once."""

from datetime import date, timedelta

import pytest

from tests.factories import NOW, final_lock
from tests.trial.selfcompletion.builders import BORN, FIRST, PHQ9, WRONG, AtHome, a_link, stored
from trial.assessments.models import Administration, InstrumentLicence

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_each_continue_saves_and_returning_starts_at_the_first_open_question(home, clock, participant):
    home.begin().answer(3)
    clock.shift(timedelta(seconds=20))
    home.answer(4)
    home.post(later="yes")
    saved = stored()
    assert home.heading == "Your answers are saved"
    assert "21 July 2026" in home.text
    assert (saved.answers, saved.status, saved.mode, saved.entered_by) == (
        {"wemwbs_1": 3, "wemwbs_2": 4},
        "draft",
        "self_web",
        None,
    )
    assert (saved.first_opened_at, saved.seconds_active) == (NOW, 20)

    assert AtHome(home.link).begin().url == "/questions/1/3/"


def test_the_question_is_the_heading_in_its_published_words(home):
    home.begin()

    assert home.heading == "I’ve been feeling optimistic about the future"
    assert "Part 1 of 3. Question 1 of 14" in home.text
    assert "Used with permission" in home.text
    labels = ["None of the time", "Rarely", "Some of the time", "Often", "All of the time", "Prefer not to answer"]
    places = [home.text.index(f">{label}<") for label in labels]
    assert places == sorted(places)
    assert "checked" not in home.text.partition("<form")[2].replace('name="checked"', "")


def test_a_blank_is_asked_about_once_and_is_not_a_refusal(home):
    home.begin().post(asked="")
    assert "You have not answered this question" in home.text
    home.post(skip="yes")
    home.answer("RF")
    home.post(asked="yes")

    assert home.url == "/questions/1/4/"
    assert stored().missing == {"wemwbs_1": "BL", "wemwbs_2": "RF", "wemwbs_3": "BL"}
    home.post(FIRST)  # left blank before: not asked again
    assert home.url == "/questions/1/2/"


@pytest.mark.parametrize(
    "value", ["99", "-1", "0", "3.0", "३", "３", "é", "x" * 20_000, "<script>", "BL", "None", "1e1", " 3"]
)
def test_an_answer_that_is_none_of_the_options_is_refused_and_nothing_saved(home, value):
    home.begin().answer(value)

    assert home.response.status_code == 200
    assert "There is a problem" in home.text
    assert stored() is None


def test_extra_and_repeated_fields_change_nothing_else(home):
    home.begin()
    home.response = home.client.post(
        FIRST, {"answer": ["2", "4"], "wemwbs_5": "5", "submit": "yes", "status": "complete", "part": "2"}, follow=True
    )

    assert (stored().answers, stored().status) == ({"wemwbs_1": 4}, "draft")


def test_ten_megabytes_are_refused(home):
    home.begin()
    answer = home.client.post(FIRST, "answer=" + "3" * 10_000_000, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 400
    assert stored() is None


def test_a_number_has_its_limits_and_an_unlikely_one_is_asked_about(home):
    home.begin()
    where = "/questions/3/2/"
    home.post("/questions/3/1/", answer="3")
    assert home.post(where, answer="961").response.status_code == 200
    assert "Your answer must be between 0 and 960" in home.text
    assert 'value="961"' in home.text
    assert "Not both" in home.post(where, answer="20", refuse="RF").text
    home.post(where, answer="700")
    asked = "You entered 700" in home.text
    home.post(where, answer="700", checked="700")

    assert asked
    assert stored("nature_contact").answers == {"nc_days": 3, "nc_minutes": 700}


def test_the_conditional_question_comes_with_its_condition_and_stays_once_answered(home):
    home.begin()
    for number in range(1, 10):
        home.post(PHQ9.format(number), answer="0")
    assert home.url == "/questions/3/1/"
    home.post(PHQ9.format(1) + "?change=yes", answer="2")
    home.post(PHQ9.format(10), answer="1")
    home.post(PHQ9.format(1) + "?change=yes", answer="0")

    assert stored("phq9").answers["phq9_10"] == 1
    assert home.open(PHQ9.format(10)).url == PHQ9.format(10)


def test_a_change_leads_back_to_all_answers(home):
    home.begin().decline_all()
    home.post(FIRST + "?change=yes", answer="5")

    assert home.heading == "Check your answers"
    assert "All of the time" in home.text
    assert "Used with permission" in home.text


def test_two_tabs_keep_each_others_answers(home):
    home.begin()
    other = AtHome(home.link)
    other.begin()
    home.post(FIRST, answer="1")
    other.post("/questions/1/2/", answer="2")
    home.post("/questions/1/3/", answer="3")

    assert stored().answers == {"wemwbs_1": 1, "wemwbs_2": 2, "wemwbs_3": 3}


def test_after_the_session_ran_out_what_was_typed_is_saved_once_it_is_checked_again(home):
    home.begin().answer(3)
    ticket = home.text.partition('name="ticket" value="')[2].partition('"')[0]
    home.client.cookies.pop("sessionid")
    home.post("/questions/1/2/", answer="5", ticket=ticket)
    assert home.heading == "Check it is you"
    assert "Your last answer is kept" in home.text
    kept = home.text.partition('name="kept" value="')[2].partition('"')[0]
    wrong = home.post("/questions/check/", kept=kept, **WRONG).heading
    home.post("/questions/check/", kept=kept, **BORN)

    assert wrong == "Check it is you"
    assert home.url == "/questions/1/3/"
    assert stored().answers == {"wemwbs_1": 3, "wemwbs_2": 5}


@pytest.mark.parametrize("path", ["/questions/", FIRST, "/questions/answers/", "/questions/sent/", "/questions/check/"])
def test_without_a_session_every_page_says_what_to_do(participant, path):
    home = AtHome(a_link(participant))

    assert home.open(path).heading == "Open your link again"
    assert home.post(path, answer="3", ticket="forged", kept="forged").heading == "Open your link again"
    assert stored() is None


def test_pages_that_are_no_question_lead_to_one(home):
    home.begin()

    assert home.open("/questions/99/1/").url == FIRST
    assert home.post("/questions/1/99/", answer="3").url == FIRST


def test_starting_signs_out_whoever_was_signed_in_on_the_device(home, trial):
    home.client.force_login(trial.coordinator)
    home.begin()

    assert home.client.get("/people/").status_code == 302


# -- what the team has, and what may not be shown


def test_a_form_that_the_team_began_or_finished_is_left_to_it(trial, participant, home):
    home.begin()
    trial.save_form(participant, "V2", "wemwbs", {"wemwbs_1": 3}, submit=False)
    home.post(FIRST, answer="5")

    assert stored().answers == {"wemwbs_1": 3}
    assert home.url == PHQ9.format(1)


def test_a_form_without_its_licence_is_not_shown_and_the_rest_goes_on(home, settings):
    settings.WITHHELD_WORDING = ["wemwbs"]

    assert home.begin().url == PHQ9.format(1)
    assert "Part 1 of 2" in home.text


def test_without_a_licence_nothing_is_open(trial, participant):
    licence = InstrumentLicence.objects.get(instrument="wemwbs")
    licence.instrument = "another"
    licence.save_by(None, "Test")

    assert AtHome(a_link(participant)).begin().url == PHQ9.format(1)


# -- the end


def test_sending_completes_every_form_once(home, clock):
    home.begin().decline_all()
    clock.shift(timedelta(minutes=1))
    home.post()
    again = home.post("/questions/answers/")

    assert again.heading == "Your answers have been sent"
    forms = Administration.objects.filter(visit__code="V2")
    assert {(form.status, form.mode, form.completed_date) for form in forms} == {
        ("complete", "self_web", date(2026, 7, 9))
    }
    assert len(forms) == 3
    assert {form.history.filter(status="complete").count() for form in forms} == {1}
    for path in (FIRST, "/questions/answers/", home.link):
        assert home.open(path).heading == "You have already sent this"
    assert home.post(FIRST, answer="1").heading == "You have already sent this"


def test_nothing_is_sent_while_a_question_is_open(home):
    home.begin().answer(3)

    assert home.post("/questions/answers/").url == "/questions/1/2/"
    assert stored().status == "draft"


def test_a_lock_between_the_page_and_the_button_writes_nothing(home):
    home.begin().decline_all()
    final_lock()

    assert home.post("/questions/answers/").heading == "No more answers are needed"
    assert {form.status for form in Administration.objects.filter(visit__code="V2")} == {"draft"}
