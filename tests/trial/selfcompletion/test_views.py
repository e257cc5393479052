"""Pages behind a link, as a browser without JavaScript sees them: right answers, wrong ones, and people who lose their way."""

from datetime import date, timedelta

import pytest
from django.contrib.sessions.models import Session

from tests.factories import NOW, Trial, final_lock
from tests.trial.selfcompletion.builders import BORN, AtHome, a_link, in_week_five, visit_of
from trial.assessments.models import Administration, InstrumentLicence
from trial.journey import steps
from trial.messages.models import Task
from trial.participants import identity
from trial.participation.models import ParticipationChange
from trial.safety.models import RiskAlert
from trial.selfcompletion import sending
from trial.selfcompletion.models import SelfCompletion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
WRONG = {"check_0": "15", "check_1": "3"}
FIRST, PHQ9 = "/questions/1/1/", "/questions/2/{}/"


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def participant(trial):
    return in_week_five(trial)


@pytest.fixture
def home(participant):
    return AtHome(a_link(participant))


def stored(instrument="wemwbs"):
    return Administration.objects.filter(visit__code="V2", instrument=instrument).first()


# -- the link


def test_opening_a_link_changes_nothing(home):
    for method in (home.client.get, home.client.head):
        assert method(home.link).status_code == 200

    assert stored() is None
    assert SelfCompletion.objects.get().opened_at is None
    assert not Session.objects.exists()


def test_every_page_is_private_and_none_holds_the_token(home):
    home.begin()
    token = home.link.split("/")[2]
    answers = [home.client.get(path) for path in (home.link, FIRST, "/questions/check/", "/questions/saved/", "/q/x/")]

    assert {(one.headers["Cache-Control"], one.headers["Referrer-Policy"]) for one in answers} == {
        ("no-store", "no-referrer")
    }
    assert token not in home.url
    assert [one for one in answers if token in one.content.decode()] == []


def test_a_browser_that_hands_on_no_address_may_still_post(participant):
    home = AtHome(a_link(participant), enforce_csrf_checks=True)
    home.open()
    token = home.client.cookies["csrftoken"].value
    refused = home.client.post(home.link, {}, HTTP_ORIGIN="null")
    foreign = home.client.post(home.link, {"csrfmiddlewaretoken": token}, HTTP_ORIGIN="https://evil.example")

    allowed = home.client.post(home.link, {"csrfmiddlewaretoken": token}, HTTP_ORIGIN="null")

    assert (refused.status_code, foreign.status_code, allowed.status_code) == (403, 403, 302)


def ended(participant, trial, how):
    """Why no more answers are needed."""
    steps.change_participation(
        participant=participant,
        effective_date=NOW.date(),
        decided_by=ParticipationChange.DecidedBy.PARTICIPANT,
        elements={"questionnaires_web": False},
        cause=how,
        by=trial.coordinator,
        at=NOW,
    )


def test_who_left_died_or_is_locked_reads_the_same_page(trial, participant, home):
    home.begin()
    other = trial.randomised(at=NOW - timedelta(days=29))
    third = AtHome(a_link(trial.randomised(at=NOW - timedelta(days=28))))
    at_others = AtHome(a_link(other))

    ended(participant, trial, "choice")
    ended(other, trial, "death")
    texts = {home.open().text, at_others.open().text}
    final_lock()
    texts.add(third.open().text)

    assert len(texts) == 1
    assert (home.heading, home.response.status_code) == ("No more answers are needed", 410)
    assert home.post(FIRST, answer="3").response.status_code == 410
    assert stored() is None


@pytest.mark.parametrize("spoil", ["truncated", "tampered", "none", "other words", "expired"])
def test_links_that_open_nothing(participant, home, clock, spoil):
    if spoil == "expired":
        clock.move_to(NOW + timedelta(days=13))  # the day after the window's last day
    paths = {
        "truncated": home.link[:-5] + "/",
        "tampered": home.link[:-2] + "x/",
        "none": "/q/",
        "other words": "/q/é%20‘quoted’/",
        "expired": home.link,
    }
    home.open(paths[spoil])

    expected = (410, "The time for these questions is over") if spoil == "expired" else (404, "This link does not work")
    assert (home.response.status_code, home.heading) == expected
    assert participant.study_id not in home.text
    assert home.post(paths[spoil]).response.status_code == expected[0]


def test_the_last_day_of_the_window_still_counts(home, clock):
    clock.move_to(NOW.replace(month=7, day=21, hour=22, minute=30))  # half past eleven in London

    assert home.begin().url == FIRST


# -- the second check


def test_nothing_is_shown_or_taken_before_the_second_check(home):
    home.open().post()
    for path in (FIRST, "/questions/", "/questions/answers/"):
        assert home.open(path).url == "/questions/check/"
    home.post(FIRST, answer="3")

    assert home.url == "/questions/check/"
    assert stored() is None


def test_wrong_answers_pause_then_lock_and_tell_the_coordinator(home, clock, participant):
    home.open().post()
    for _ in range(5):
        assert home.post("/questions/check/", **WRONG).heading in ("Check it is you", "Try again later")
    home.post("/questions/check/", **BORN)  # right, and still not looked at
    assert (home.response.status_code, home.heading) == (429, "Try again later")
    assert "11:30am" in home.text
    clock.shift(timedelta(minutes=31))
    for _ in range(5):
        home.open().post()
        home.post(**WRONG)
    clock.shift(timedelta(days=1))
    home.open().post()

    assert (home.response.status_code, home.heading) == (429, "This link is locked")
    assert Task.objects.open().get(kind="link_locked").link == f"/people/{participant.study_id}/V2/link/"
    assert SelfCompletion.objects.get().history.filter(history_change_reason="Second check failed").count() == 10


@pytest.mark.parametrize("typed", [{}, {"check_0": "31", "check_1": "2"}, {"check_0": "१४", "check_1": "3"}])
def test_a_date_that_cannot_be_costs_no_try(home, typed):
    home.open().post()
    home.post(**typed)

    assert "There is a problem" in home.text
    assert SelfCompletion.objects.get().n_failed == 0


def test_a_person_whose_birth_date_is_unknown_never_gets_in(home, participant):
    person = participant.referral.person
    identity.store(person=person, data=identity.IdentityData(email="a@example.org"), by=None, reason="Test")

    assert home.begin().heading == "Check it is you"


def test_the_postcode_where_the_protocol_asks_for_it(clock):
    trial = Trial(changes={"self_completion": {"second_check": "postcode"}}).open_randomisation()
    participant = trial.randomised(
        trial.baseline_done(
            trial.eligible(
                trial.consented(at=NOW - timedelta(days=33), postcode="EX1 2AB"), at=NOW - timedelta(days=32)
            ),
            at=NOW - timedelta(days=31),
        ),
        at=NOW - timedelta(days=30),
    )
    home = AtHome(a_link(participant))

    assert home.begin(check="ex12ab").url == FIRST


# -- questions


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


# -- an answer on self-harm


def test_help_at_once_and_exactly_one_alert_that_a_rise_escalates(trial, home, clock):
    home.begin()
    home.post(PHQ9.format(9), answer="1")
    assert home.heading == "Support for you now"
    for words in (
        "Call 999",
        "Call 111, choose option 2",
        "Call Samaritans on 116 123",
        "We do not read answers straight away",
        "01632 960114",
    ):
        assert words in home.text
    assert "alert" not in home.text.partition("<main")[2].lower()
    alert = RiskAlert.objects.get()
    assert (alert.severity, alert.codes, alert.escalated_at) == ("urgent", ["phq9_item9_positive"], None)
    assert Task.objects.open().filter(kind="risk_alert", is_urgent=True).count() == 1
    home.post(PHQ9.format(9), answer="1")  # sent twice
    assert RiskAlert.objects.get().escalated_at is None

    clock.shift(timedelta(minutes=2))
    home.post(PHQ9.format(9), answer="3")
    assert home.heading == "Support for you now"
    home.post().decline_all()
    home.post("/questions/answers/")

    alert = RiskAlert.objects.get()
    assert alert.codes == ["phq9_item9_frequent", "phq9_item9_positive"]
    assert alert.escalated_at == NOW + timedelta(minutes=2)
    assert home.heading == "Your answers have been sent"
    assert Task.objects.open().filter(kind="risk_alert").count() == 1


def test_help_comes_before_finishing_later(home):
    home.begin()
    home.post(PHQ9.format(9), answer="2", later="yes")
    assert home.heading == "Support for you now"
    home.post(later="yes")

    assert home.heading == "Your answers are saved"
    assert RiskAlert.objects.count() == 1


def test_lowering_the_answer_withdraws_nothing(home):
    home.begin()
    home.post(PHQ9.format(9), answer="1")
    home.post(PHQ9.format(9), answer="0")

    assert home.heading != "Support for you now"
    assert RiskAlert.objects.get().codes == ["phq9_item9_positive"]


# -- the coordinator's page


def test_the_coordinator_sends_and_stops_links(trial, participant, client):
    client.force_login(trial.coordinator)
    page = f"/people/{participant.study_id}/V2/link/"
    record = client.get(f"/people/{participant.study_id}/").content.decode()
    sent = client.post(page, {"do": "send"}, follow=True).content.decode()
    AtHome(a_link(participant)).begin()
    stopped = client.post(page, {"do": "stop"}, follow=True).content.decode()
    bounced = client.post(page, {"do": "bounced"}, follow=True).content.decode()
    nonsense = client.post(page, {"do": "\x00"}, follow=True)

    assert "Send the questionnaire link, week 5" in record
    assert "Not sent yet" in record
    assert "The link will be sent within a minute" in sent
    assert "1 link stopped" in stopped
    assert "Recorded" in bounced
    assert nonsense.status_code == 200
    assert "The e-mail came back on 9 Jul 2026" in client.get(f"/people/{participant.study_id}/").content.decode()
    assert sending.why_not(visit_of(participant), participant, NOW) == ""


def test_the_page_says_why_a_link_cannot_be_sent(trial, participant, client):
    client.force_login(trial.coordinator)
    later = client.post(f"/people/{participant.study_id}/V3/link/", {"do": "send"}, follow=True).content.decode()

    assert "The window of this visit is not open yet." in later
    assert not SelfCompletion.objects.filter(visit__code="V3").exists()
    assert client.get(f"/people/{participant.study_id}/V9/link/").status_code == 404
