"""Pages of questionnaires through the HTTP client."""

import re
from datetime import timedelta

import pytest

import instruments
from tests.trial.assessments.builders import (
    CONSENTED,
    NOW,
    consented,
    licence,
    phq9,
    randomised,
    save,
    site,
    staff,
)
from trial.access.policy import Role
from trial.assessments import hooks
from trial.assessments.models import Administration, InstrumentLicence
from trial.base.parts import Link
from trial.safety.models import RiskAlert

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def participant():
    return randomised()


@pytest.fixture
def coordinator(client):
    user = staff(Role.COORDINATOR, name="Asha Patel")
    client.force_login(user)
    return user


def url(participant, visit="V3", form="phq9", more=""):
    return f"/people/{participant.study_id}/{visit}/{form}/{more}"


def posted(answers=None, *, revision=0, **more):
    """What the page sends for a telephone interview on 6 July 2026."""
    answers = phq9(1, 1, 1, 1, 1, 1, 1, 1, 0, 1) if answers is None else answers
    return {
        "revision": str(revision),
        "completed_date_0": "6",
        "completed_date_1": "Jul",
        "completed_date_2": "2026",
        "mode": "interview_phone",
        **{code: str(value) for code, value in answers.items()},
        **more,
    }


def text_of(response):
    return response.content.decode()


def chosen(page):
    """{name: value} of the radios that the page shows as chosen."""
    inputs = re.findall(r"<input[^>]*type=\"radio\"[^>]*>", page)
    marked = [one for one in inputs if " checked" in one]
    return {re.search('name="(.*?)"', one)[1]: re.search('value="(.*?)"', one)[1] for one in marked}


def test_the_page_shows_the_form_in_paper_order_with_its_words_and_copyright(client, coordinator, participant):
    page = text_of(client.get(url(participant)))

    items = instruments.get("phq9").items
    places = [page.index(item.text.replace("'", "&#x27;")) for item in items]
    assert places == sorted(places)
    assert "Spitzer" in page
    assert "PHQ-9 English 1.0.0" in page
    assert chosen(page) == {}


def test_save_and_continue_completes_and_leads_to_the_record(client, coordinator, participant):
    response = client.post(url(participant), posted())

    assert response["Location"] == f"/people/{participant.study_id}/"
    form = Administration.objects.get()
    assert (form.status, form.scores["phq9_total"]["value"], form.entered_by) == ("complete", 8, coordinator)


def test_the_same_post_again_is_no_conflict(client, coordinator, participant):
    client.post(url(participant), posted())

    again = client.post(url(participant), posted())

    assert again.status_code == 302
    assert Administration.objects.get().revision == 1


def test_open_questions_are_asked_about_once_and_then_left_blank(client, coordinator, participant):
    entered = posted(phq9(1, 1, 1))

    asked = client.post(url(participant), entered)

    assert "No answer to questions 4, 5, 6, 7, 8, 9 and 10" in text_of(asked)
    assert Administration.objects.get().status == "draft"
    confirmed = {**entered, "revision": "1", "asked_blank": ",".join(f"phq9_{n}" for n in range(4, 11))}
    assert client.post(url(participant), confirmed).status_code == 302
    form = Administration.objects.get()
    assert (form.status, form.missing["phq9_9"]) == ("complete", "BL")
    assert RiskAlert.objects.get().codes == ["phq9_item9_missing"]


def test_a_reason_for_no_answer_is_kept_and_not_asked_about(client, coordinator, participant):
    answers = phq9(1, 1, 1, 1, 1, 1, 1, 1, None, 1)

    client.post(url(participant), posted(answers, phq9_9="RF"))

    assert Administration.objects.get().missing == {"phq9_9": "RF"}


def test_save_draft_asks_nothing_and_stays(client, coordinator, participant):
    response = client.post(url(participant), posted(phq9(1), save_draft="yes"))

    assert response["Location"] == url(participant)
    assert Administration.objects.get().status == "draft"
    page = text_of(client.get(url(participant)))
    assert chosen(page) == {"phq9_1": "1", "mode": "interview_phone"}
    assert "1 of 10 entered" in page


def test_unlikely_answers_are_confirmed_with_a_reason(client, coordinator, participant):
    definition = instruments.get("health_resource_use")
    entered = {"revision": "0", "mode": "interview_phone", "respondent": "participant"}
    entered |= {f"completed_date_{n}": value for n, value in enumerate(("6", "7", "2026"))}
    for item in definition.items:
        entered[item.code if item.type == "choice" else f"{item.code}_value"] = str(item.min)
    entered["hru_gp_surgery_value"] = "40"

    asked = client.post(url(participant, form="health_resource_use"), entered)

    assert "You entered 40 contacts for question 1" in text_of(asked)
    confirmed = {**entered, "revision": "1", "asked_high": "hru_gp_surgery=40", "asked_blank": ""}
    unexplained = client.post(url(participant, form="health_resource_use"), confirmed)
    assert "Enter why this is right" in text_of(unexplained)
    client.post(url(participant, form="health_resource_use"), {**confirmed, "high_reason": "Weekly dressing"})
    form = Administration.objects.get()
    assert (form.status, form.answers["hru_gp_surgery"]) == ("complete", 40)
    assert form.reasons == {"hru_gp_surgery": "Checked: Weekly dressing"}


def test_a_number_out_of_range_or_with_a_reason_beside_it_is_refused_at_its_field(client, coordinator, participant):
    entered = posted({}, hru_gp_surgery_value="61", hru_nurse_value="1", hru_nurse="RF", hru_talking_value="two")

    page = text_of(client.post(url(participant, form="health_resource_use"), entered))

    assert "Question 1 must be between 0 and 60" in page
    assert "Question 5 has an answer and a reason for none. Keep one" in page
    assert "Question 7 must be a number" in page
    assert 'href="#id_hru_gp_surgery_value"' in page
    assert not Administration.objects.exists()


def test_what_the_action_refuses_stands_at_its_field(client, coordinator, participant):
    page = text_of(client.post(url(participant), posted(completed_date_2="2027")))

    assert "The date it was completed must be today or in the past" in page
    assert "Error:" in page


def test_the_second_of_two_people_sees_both_versions_and_loses_nothing(client, coordinator, participant):
    priya = staff(Role.COORDINATOR, name="Priya Nair")
    save(participant, answers=phq9(1, 1, 1, None, 2), submit=False, by=priya)

    answer = client.post(url(participant), posted(phq9(1, 3, 1, 2)))

    assert answer.status_code == 409
    page = text_of(answer)
    assert "Priya Nair saved this form at" in page
    assert "Check the 3 answers that differ" in page
    assert "Several days (1)" in page
    assert "Nearly every day (3)" in page
    assert chosen(page)["phq9_2"] == "3"  # mine is kept
    assert chosen(page)["phq9_5"] == "2"  # theirs where I left it open
    assert 'name="revision" value="1"' in page
    assert Administration.objects.get().answers == phq9(1, 1, 1, None, 2)


def test_a_conflict_with_a_completed_form_becomes_a_correction(client, coordinator, participant):
    save(participant, by=staff(Role.COORDINATOR))

    answer = client.post(url(participant), posted(phq9(3, 1, 1, 1, 1, 1, 1, 1, 0, 1)))

    assert answer.status_code == 409
    assert "Why are you changing it?" in text_of(answer)
    assert f'action="{url(participant, more="correct/")}"' in text_of(answer)


def test_autosave_answers_with_time_and_revision(client, coordinator, participant):
    first = client.post(url(participant, more="draft/"), posted(phq9(1)))
    second = client.post(url(participant, more="draft/"), posted(phq9(1, 2), revision=1))

    assert first.json() == {"saved_at": "11am", "revision": 1}
    assert second.json()["revision"] == 2


def test_autosave_says_why_it_did_not_save(client, coordinator, participant):
    save(participant, answers=phq9(2), submit=False)

    conflict = client.post(url(participant, more="draft/"), posted(phq9(1)))
    wrong = client.post(url(participant, more="draft/"), posted({"phq9_1": 7}))
    unlicensed = client.post(url(participant, form="wemwbs", more="draft/"), posted({}))

    assert (conflict.status_code, wrong.status_code, unlicensed.status_code) == (409, 422, 422)
    assert "phq9_1" in wrong.json()["errors"]
    assert client.get(url(participant, more="draft/")).status_code == 405


def test_autosave_keeps_the_rest_while_a_date_is_typed(client, coordinator, participant):
    answer = client.post(url(participant, more="draft/"), posted(phq9(1), completed_date_2=""))

    assert answer.status_code == 200
    assert (Administration.objects.get().answers, Administration.objects.get().completed_date) == (phq9(1), None)


def test_autosave_of_item_9_raises_the_alert_and_names_the_support_page(client, coordinator, participant):
    answer = client.post(url(participant, more="draft/"), posted({"phq9_9": 1}))

    assert answer.json()["support_url"] == url(participant, more="support/")
    assert RiskAlert.objects.count() == 1
    assert "An answer on this form raised a risk alert" in text_of(client.get(url(participant)))


@pytest.mark.parametrize("first_as_draft", [False, True])
def test_an_interviewer_is_shown_what_to_say_after_item_9(client, coordinator, participant, first_as_draft):
    answers = phq9(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    if first_as_draft:
        client.post(url(participant, more="draft/"), posted(answers))

    response = client.post(url(participant), posted(answers, revision=int(first_as_draft)), follow=True)

    page = text_of(response)
    assert "Say this to the participant now" in page
    for words in ("999", "111, choose option 2", "Samaritans on 116 123"):
        assert words in page
    assert RiskAlert.objects.get().get_absolute_url() in page


def test_paper_entry_says_what_happens_instead(client, coordinator, participant):
    answers = phq9(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)

    response = client.post(url(participant), posted(answers, mode="self_paper"), follow=True)

    assert "An answer raised a risk alert" in text_of(response)
    assert "Say this to the participant" not in text_of(response)


def test_an_assessor_gets_the_script_without_a_link_that_is_closed_to_them(client, participant):
    client.force_login(staff(Role.OUTCOME_ASSESSOR))

    page = text_of(client.post(url(participant), posted(phq9(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)), follow=True))

    assert "Say this to the participant now" in page
    assert "/safety/alerts/" not in page


def test_there_is_no_support_page_without_an_alert(client, coordinator, participant):
    save(participant)

    assert client.get(url(participant, more="support/")).status_code == 404


def test_a_complete_form_is_read_with_values_scores_and_bands(client, coordinator, participant):
    save(participant, answers=phq9(1, 1, 1, 1, 1, 1, 1, 1, None, 1), missing={"phq9_9": "RF"})

    page = text_of(client.get(url(participant)))

    assert "Several days (1)" in page
    assert "Prefer not to answer" in page
    assert "9 of 27" in page
    assert "Mild" in page
    assert "Some answers are missing" in page
    assert "Correct</a>" in page


def test_links_of_higher_features_stand_on_the_page(client, coordinator, participant, monkeypatch):
    save(participant)
    monkeypatch.setattr(hooks, "form_links", [lambda form, user: [Link("Raise a query", "/queries/new/")]])
    monkeypatch.setattr(
        hooks, "item_links", [lambda form, code, user: Link("Query", f"/q/{code}/") if code == "phq9_3" else None]
    )

    page = text_of(client.get(url(participant)))

    assert "Raise a query" in page
    assert page.count("/q/phq9_3/") == 1


def test_a_correction_needs_its_reason_and_keeps_it(client, coordinator, participant):
    save(participant)
    changed = posted(phq9(1, 1, 2, 1, 1, 1, 1, 1, 0, 1), revision=1)
    assert "Select why you are changing it" in text_of(client.post(url(participant, more="correct/"), changed))

    response = client.post(
        url(participant, more="correct/"), {**changed, "why": "MISREAD_PAPER", "words": "paper shows 2"}
    )

    assert response["Location"] == url(participant)
    form = Administration.objects.get()
    assert form.answers["phq9_3"] == 2
    assert form.reasons == {"phq9_3": "Misread paper: paper shows 2"}
    assert "Misread paper: paper shows 2" in text_of(client.get(url(participant)))


def test_the_correction_page_of_an_unfinished_form_leads_to_its_entry(client, coordinator, participant):
    assert client.get(url(participant, more="correct/"))["Location"] == url(participant)


def test_a_correction_over_another_persons_is_a_conflict(client, coordinator, participant):
    save(participant)
    save(
        participant,
        answers=phq9(2, 1, 1, 1, 1, 1, 1, 1, 0, 1),
        expected_revision=1,
        reasons={"phq9_1": "Typing mistake"},
        by=staff(Role.COORDINATOR, name="Priya Nair"),
    )

    answer = client.post(
        url(participant, more="correct/"),
        {**posted(phq9(3, 1, 1, 1, 1, 1, 1, 1, 0, 1), revision=1), "why": "TYPING"},
    )

    assert answer.status_code == 409
    assert "Priya Nair saved this form" in text_of(answer)


def test_not_done_takes_a_reason_of_the_protocol_and_can_be_taken_back(client, coordinator, participant):
    assert "Select why it was not done" in text_of(client.post(url(participant, more="not-done/"), {}))

    client.post(url(participant, more="not-done/"), {"reason": "UNWELL"})

    assert Administration.objects.get().not_done_reason == "UNWELL"
    assert "Unwell" in text_of(client.get(url(participant)))
    assert "Save and continue" in text_of(client.get(f"{url(participant)}?enter=yes"))


def test_not_done_of_an_answered_form_says_why_not(client, coordinator, participant):
    save(participant)

    page = client.post(url(participant, more="not-done/"), {"reason": "UNWELL"})

    assert "Some of this questionnaire is answered" in text_of(page)


def test_a_form_without_its_licence_says_what_is_needed_until_it_is_recorded(client, coordinator, participant):
    assert "cannot be opened yet" in text_of(client.get(url(participant, form="wemwbs")))
    assert "cannot be opened yet" in text_of(client.post(url(participant, form="wemwbs"), posted({})))
    manager = staff(Role.TRIAL_MANAGER, blinded=True)
    client.force_login(manager)
    assert "Record the licence" in text_of(client.get("/licences/"))
    given = {"reference": "W-1", "holder": "Westmarch", "copyright_line": "© University of Warwick"} | {
        f"licence_date_{n}": value for n, value in enumerate(("5", "1", "2026"))
    }
    assert "Enter the" in text_of(client.post("/licences/wemwbs/", {}))

    assert client.post("/licences/wemwbs/", given).status_code == 302

    assert InstrumentLicence.objects.get().holder == "Westmarch"
    assert "recorded already" in text_of(client.post("/licences/wemwbs/", given))
    assert client.get("/licences/phq9/").status_code == 404
    client.force_login(coordinator)
    assert "University of Warwick" in text_of(client.get(url(participant, form="wemwbs")))


@pytest.mark.parametrize("by_setting", [False, True])
def test_withheld_wording_shows_short_names_and_says_so(client, coordinator, participant, settings, by_setting):
    code = "phq9" if by_setting else "eq5d5l"
    if by_setting:
        settings.WITHHELD_WORDING = ["phq9"]
    else:
        licence("eq5d5l")

    page = text_of(client.get(url(participant, form=code)))

    assert "The wording of this questionnaire is withheld" in page
    assert ("Anhedonia" if by_setting else "Mobility") in page
    assert "Little interest" not in page


def test_provisional_bands_say_so(client, coordinator, participant):
    licence()
    save(participant, instrument="wemwbs", answers={f"wemwbs_{n}": 3 for n in range(1, 15)})

    assert "Bands provisional" in text_of(client.get(url(participant, form="wemwbs")))


@pytest.mark.parametrize(
    "role", [Role.PRINCIPAL_INVESTIGATOR, Role.DATA_MANAGER, Role.MONITOR, Role.CHIEF_INVESTIGATOR]
)
def test_readers_see_answers_and_enter_none(client, participant, role):
    save(participant, answers=phq9(1), submit=False)
    client.force_login(staff(role))

    page = text_of(client.get(url(participant)))

    assert "Several days (1)" in page
    assert "Save and continue" not in page
    assert client.post(url(participant), posted()).status_code == 403
    assert client.post(url(participant, more="draft/"), posted()).status_code == 403
    assert "Not answered yet" in text_of(client.get(url(participant, "V2")))


@pytest.mark.parametrize("more", ["", "draft/", "correct/", "not-done/", "support/"])
def test_other_peoples_forms_answer_like_absent_ones(client, coordinator, more):
    other = consented(site("02"))
    mine = consented()
    method = client.post if more == "draft/" else client.get

    assert method(url(other, "V1", more=more)).status_code == 404
    assert method(url(mine, "V9", more=more)).status_code == 404
    assert method(url(mine, "V3", more=more)).status_code == 404  # exists from allocation
    assert method(url(mine, "V0", "gad7", more=more)).status_code == 404
    assert method(url(mine, "V0", "eligibility", more=more)).status_code == 404


@pytest.mark.parametrize("role", [Role.DUTY_CLINICIAN, Role.ACTIVITY_LEADER, Role.TRIAL_STATISTICIAN, Role.RANDOMISER])
def test_roles_without_answers_are_refused(client, participant, role):
    client.force_login(staff(role))

    assert client.get(url(participant)).status_code == 403


def test_two_people_who_differ_only_by_arm_look_the_same_to_an_assessor(client):
    one, other = randomised(), randomised()
    client.force_login(staff(Role.OUTCOME_ASSESSOR))

    pages = [text_of(client.get(url(p))).replace(p.study_id, "GRX") for p in (one, other)]

    strip = [page.split('name="csrfmiddlewaretoken"') for page in pages]
    assert len(strip[0]) == len(strip[1])
    assert "nature group" not in pages[0].lower()


@pytest.mark.parametrize(
    "wrong",
    [
        {"revision": "x"},
        {"revision": "-1"},
        {"revision": "9" * 30},
        {"phq9_1": "4"},
        {"phq9_1": "a\x00b"},
        {"mode": "self_web"},
        {"mode": "\x7f"},
        {"completed_date_0": "99"},
        {"completed_date_1": "Foo"},
        {"completed_date_2": "1"},
        {"asked_blank": "\x00", "asked_high": "=,=,x"},
    ],
    ids=str,
)
def test_bad_input_is_answered_with_a_page(client, coordinator, participant, wrong):
    response = client.post(url(participant), {**posted(), **wrong})

    assert response.status_code in (200, 302, 409)
    assert client.post(url(participant, more="draft/"), {**posted(), **wrong}).status_code in (200, 409, 422)


@pytest.mark.parametrize("visit", ["V1", "V3"])
def test_every_form_of_a_visit_opens(client, coordinator, participant, visit):
    for code in ("wemwbs", "eq5d5l"):
        licence(code)

    for one in participant.visits.get(code=visit).protocol_version.spec.visits:
        for form in one.forms if one.code == visit else ():
            assert client.get(url(participant, visit, form.form)).status_code == 200, form.form


def test_a_form_takes_a_bounded_number_of_lookups(client, coordinator, participant, django_assert_max_num_queries):
    save(participant)

    with django_assert_max_num_queries(16):
        client.get(url(participant))
    with django_assert_max_num_queries(16):
        client.get(url(participant, form="gad7"))


def test_completing_an_interview_asks_who_held_it_and_keeps_whom_the_page_says(client, coordinator, participant):
    assessor = staff(Role.OUTCOME_ASSESSOR, name="Hannah Quiller")
    other_site = staff(Role.OUTCOME_ASSESSOR, site("02"), name="Dev Malhotra")

    page = text_of(client.get(url(participant)))
    asked = text_of(client.post(url(participant), posted(assessor="")))
    elsewhere = text_of(client.post(url(participant), posted(assessor=str(other_site.pk))))
    client.post(url(participant), posted(assessor=str(assessor.pk)))

    assert f'<option value="{coordinator.pk}" selected>Asha Patel' in page
    assert "Select who held the interview" in asked
    assert "Select who held the interview" in elsewhere
    stored = Administration.objects.get()
    assert (stored.assessor, stored.entered_by) == (assessor, coordinator)
    assert "interview by telephone, by Hannah Quiller" in text_of(client.get(url(participant)))


def test_who_held_the_interview_is_corrected_with_a_reason_and_paper_has_nobody(client, coordinator, participant):
    assessor = staff(Role.OUTCOME_ASSESSOR, name="Hannah Quiller")
    client.post(url(participant), posted())

    corrected = posted(revision=1, assessor=str(assessor.pk), why="MISREAD_PAPER", words="")
    client.post(url(participant, more="correct/"), corrected)
    client.post(url(participant, form="gad7"), posted({"gad7_1": 1}, mode="self_paper", save_draft="yes"))

    stored = Administration.objects.get(instrument="phq9")
    assert stored.assessor == assessor
    assert list(stored.reasons) == ["assessor"]
    assert Administration.objects.get(instrument="gad7").assessor is None


def test_what_is_posted_after_the_session_ended_is_back_after_signing_in(client, coordinator, participant):
    page = text_of(client.get(url(participant)))
    owner = re.search('name="draft_owner" value="(.*?)"', page)[1]
    client.logout()

    sent = client.post(url(participant), posted({"phq9_1": 2, "phq9_9": 1}, draft_owner=owner))
    assert sent.headers["Location"].startswith("/accounts/login/?next=")
    assert not Administration.objects.exists()
    client.force_login(coordinator)
    back = text_of(client.get(url(participant)))

    assert chosen(back) == {"mode": "interview_phone", "phq9_1": "2", "phq9_9": "1"}
    assert "data-draft-kept" in back
    assert "What you typed until 11am is below" in back
    client.post(url(participant, more="draft/"), posted({"phq9_1": 2, "phq9_9": 1}))
    assert "data-draft-kept" not in text_of(client.get(url(participant)))
    assert RiskAlert.objects.count() == 1


def test_an_early_form_is_kept(client, coordinator):
    participant = randomised(day0=CONSENTED + timedelta(days=90))

    client.post(url(participant), posted())

    assert Administration.objects.get().completed_date < participant.visits.get(code="V3").opens_date
    assert Administration.objects.get().submitted_at == NOW


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"hru_gp_surgery": "40"}, "Enter a number for question 1"),
        ({"hru_gp_surgery_value": "many"}, "Question 1 must be a number, like 70"),
        ({"hru_gp_surgery_value": "400"}, "Question 1 must be between 0 and 60"),
    ],
)
def test_what_is_wrong_with_a_number_is_said_at_its_box(client, coordinator, participant, sent, message):
    page = text_of(client.post(url(participant, form="health_resource_use"), posted({}, **sent)))

    assert f'<a href="#id_hru_gp_surgery_value">{message}</a>' in page
    assert 'id="id_hru_gp_surgery_value"' in page
    assert not Administration.objects.exists()
