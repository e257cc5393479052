"""The pages of queries and sign-off (ux.md 4.4)."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, PASSWORD, Trial, answers_with_total, give_role, make_user, staff
from trial.access.models import AccessEvent, Site
from trial.access.policy import Role
from trial.review import actions
from trial.review.models import Query, SignOff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LIST = "/queries/"


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def form(trial):
    return trial.save_form(trial.consented(), "V0", "phq9", answers_with_total("phq9", 8))


@pytest.fixture
def query(trial, form):
    return ask(trial, form, field="phq9_3", value_asked="3")


def ask(trial, form, **more):
    return actions.raise_query(
        participant=form.participant, administration=form, text="Is this right?", by=trial.coordinator, at=NOW, **more
    )


def page_of(query):
    return f"{LIST}{query.pk}/"


def as_(client, user):
    client.force_login(user)
    return client


def elsewhere(role):
    return staff(role, Site.objects.get(code="02"), blinded=False)


def test_a_query_names_its_item_without_words_that_are_withheld(client, trial, query, settings):
    settings.WITHHELD_WORDING = ["phq9"]

    page = as_(client, trial.coordinator).get(page_of(query)).content.decode()

    assert "item 3: Sleep" in page
    assert "Trouble falling" not in page


# -- the list


def test_the_list_says_what_each_query_is_about_by_state(client, trial, query):
    response = as_(client, trial.coordinator).get(LIST)

    text = response.content.decode()
    assert response.status_code == 200
    assert "PHQ-9 V0, item 3" in text
    assert "Open 1" in text
    assert "No closed queries" in as_(client, trial.coordinator).get(f"{LIST}?state=closed").content.decode()


@pytest.mark.parametrize("state", ["", "unknown", "open'", "OPEN"])
def test_an_unknown_state_shows_the_open_ones(client, trial, query, state):
    response = as_(client, trial.coordinator).get(LIST, {"state": state, "page": "99999999999999999999"})

    assert response.status_code == 200
    assert "item 3" in response.content.decode()


def test_the_list_is_narrowed_to_one_site_and_stays_so(client, trial, query):
    manager = as_(client, staff(Role.DATA_MANAGER))

    here = manager.get(LIST, {"site": trial.site.code}).content.decode()
    elsewhere = manager.get(LIST, {"site": "02"}).content.decode()
    unknown = manager.get(LIST, {"site": "99"})

    assert "PHQ-9 V0, item 3" in here
    assert f"?state=closed&amp;site={trial.site.code}" in here
    assert "PHQ-9 V0, item 3" not in elsewhere
    assert unknown.status_code == 200


def test_queries_of_another_site_do_not_exist(client, trial, query):
    visitor = as_(client, elsewhere(Role.COORDINATOR))

    assert "item 3" not in visitor.get(LIST).content.decode()
    assert visitor.get(page_of(query)).status_code == 404
    assert visitor.post(page_of(query), {"what": "answer", "text": "x"}).status_code == 404
    assert Query.objects.get().state == "open"


def test_the_list_takes_the_same_lookups_for_few_and_for_many(client, trial, form):
    visitor = as_(client, trial.coordinator)
    for n in range(3):
        ask(trial, form, value_asked=str(n))
    visitor.get(LIST)
    few = lookups(visitor)
    for n in range(60):
        ask(trial, form, value_asked=str(n))

    response = visitor.get(LIST)

    assert lookups(visitor) == few <= 15
    assert "63 queries" in response.content.decode()
    assert len(re.findall(r'href="/queries/\d+/"', response.content.decode())) == 50


def lookups(client):
    with CaptureQueriesContext(connection) as captured:
        client.get(LIST)
    return len(captured)


# -- one query


def test_a_query_shows_the_answer_as_it_is_now_and_its_thread(client, trial, query):
    text = as_(client, trial.coordinator).get(page_of(query)).content.decode()

    assert "Is this right?" in text
    assert "Answer now" in text
    assert f"/people/{query.participant.study_id}/V0/phq9/" in text


def test_the_coordinator_answers_and_the_data_manager_closes(client, trial, query):
    as_(client, trial.coordinator).post(page_of(query), {"what": "answer", "text": "Misread"})
    assert Query.objects.get().state == "answered"

    response = as_(client, staff(Role.DATA_MANAGER)).post(page_of(query), {"what": "close", "text": "Thank you"})

    assert (response.status_code, response.headers["Location"]) == (302, page_of(query))
    assert Query.objects.get().state == "closed"


@pytest.mark.parametrize("what", ["close", "reopen", "", "delete", "__class__"])
def test_what_a_role_may_not_do_is_refused_and_the_words_stay(client, trial, query, what):
    response = as_(client, trial.coordinator).post(page_of(query), {"what": what, "text": "My long answer"})

    assert response.status_code == 200
    assert "My long answer" in response.content.decode()
    assert "Your role does not let you do this now" in response.content.decode()
    assert Query.objects.get().state == "open"


def test_an_answer_sent_twice_is_kept_once(client, trial, query):
    visitor = as_(client, trial.coordinator)

    for _ in range(2):
        response = visitor.post(page_of(query), {"what": "answer", "text": "Misread"})

    assert response.status_code == 200
    assert query.thread.count() == 2


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "x" * 1001])
def test_what_cannot_be_an_answer_is_refused_in_words(client, trial, query, text):
    response = as_(client, trial.coordinator).post(page_of(query), {"what": "answer", "text": text})

    assert response.status_code == 200
    assert "There is a problem" in response.content.decode()
    assert Query.objects.get().state == "open"


def test_a_lost_session_leads_to_sign_in_and_back(client, query):
    response = client.post(page_of(query), {"what": "answer", "text": "Misread"})

    assert response.headers["Location"] == f"/accounts/login/?next={page_of(query)}"


# -- raising one


def test_a_query_is_raised_from_an_item(client, trial, form):
    url = f"/people/{form.participant.study_id}/V0/phq9/query/?item=phq9_3"
    visitor = as_(client, staff(Role.MONITOR, trial.site, blinded=False))
    assert "item 3" in visitor.get(url).content.decode()

    response = visitor.post(url, {"text": "Is this right?"})

    query = Query.objects.get()
    assert response.headers["Location"] == page_of(query)
    assert (query.field, query.value_asked, query.administration) == ("phq9_3", str(form.answers["phq9_3"]), form)


def test_a_query_is_raised_from_a_whole_questionnaire(client, trial, form):
    as_(client, trial.coordinator).post(f"/people/{form.participant.study_id}/V0/phq9/query/", {"text": "Why late?"})

    assert Query.objects.get().field == ""


@pytest.mark.parametrize("path", ["V0/phq9/query/?item=other", "V0/gad7/query/", "V9/phq9/query/"])
def test_what_is_not_there_cannot_be_asked_about(client, trial, form, path):
    visitor = as_(client, trial.coordinator)

    assert visitor.get(f"/people/{form.participant.study_id}/{path}").status_code == 404
    assert visitor.get(f"/people/GRX-01-999-9/{path}").status_code == 404


def test_nobody_asks_about_another_sites_participant(client, trial, form):
    url = f"/people/{form.participant.study_id}/V0/phq9/query/"

    assert as_(client, elsewhere(Role.COORDINATOR)).post(url, {"text": "x"}).status_code == 404
    assert as_(client, staff(Role.OUTCOME_ASSESSOR, trial.site)).post(url, {"text": "x"}).status_code == 403
    assert not Query.objects.exists()


# -- sign-off


def sign_off_url(form):
    return f"/people/{form.participant.study_id}/sign-off/"


def test_the_investigator_signs_off_with_the_password(client, trial, form):
    response = as_(client, trial.investigator).post(sign_off_url(form), {"secret": PASSWORD})

    assert response.headers["Location"] == f"/people/{form.participant.study_id}/"
    assert actions.is_signed_off(form.participant)
    assert "still covers the data" in client.get(sign_off_url(form)).content.decode()


def test_a_wrong_password_keeps_the_page_and_is_logged(client, trial, form):
    response = as_(client, trial.investigator).post(sign_off_url(form), {"secret": "not-my-password"})

    assert response.status_code == 200
    assert "Enter your own password" in response.content.decode()
    assert "not-my-password" not in response.content.decode()
    assert not SignOff.objects.exists()
    assert AccessEvent.objects.filter(kind="signing_failed", user=trial.investigator).count() == 1


def test_an_open_query_stops_the_sign_off_in_words(client, trial, form, query):
    response = as_(client, trial.investigator).post(sign_off_url(form), {"secret": PASSWORD})

    assert "Close the open queries" in response.content.decode()


def test_only_the_sites_investigator_signs_off(client, trial, form):
    assert as_(client, trial.coordinator).get(sign_off_url(form)).status_code == 403
    assert as_(client, elsewhere(Role.PRINCIPAL_INVESTIGATOR)).get(sign_off_url(form)).status_code == 404
    assert as_(client, give_role(make_user(), Role.DATA_MANAGER)).get(sign_off_url(form)).status_code == 403
