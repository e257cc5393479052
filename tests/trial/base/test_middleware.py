"""The boundary that control characters do not cross, and the reference of each request."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse

from trial.base.logs import request_id as current_request_id
from trial.base.middleware import has_control_characters, refuse_control_characters, request_id

pytestmark = pytest.mark.django_db


def answer(rf, path, **cookies):
    """What the boundary answers to a request; 200 where it lets it pass."""
    request = rf.get(path)
    request.COOKIES.update(cookies)
    request.user = AnonymousUser()
    return refuse_control_characters(lambda request: HttpResponse("passed"))(request).status_code


@pytest.mark.parametrize(
    "path",
    [
        "/people/%00/",
        "/people/S-01-0001%07/",
        "/people/?q=%00",
        "/people/?q=a&q=%1b",
        "/people/?%00=1",
        "/x/?q=%7f",
        "/x/?q=%c2%85",
    ],
)
def test_a_control_character_in_path_or_query_is_refused(rf, path):
    assert answer(rf, path) == 400


@pytest.mark.parametrize(
    "path", ["/people/?q=O%27Hara", "/people/?q=%C3%89lodie%20Caf%C3%A9", "/people/?q=a%0d%0ab%09c", "/x/?q=%ff"]
)
def test_what_people_type_passes(rf, path):
    assert answer(rf, path) == 200


def test_a_control_character_in_a_cookie_is_refused(rf):
    assert answer(rf, "/people/", sessionid="abcdefgh\x00") == 400


def test_the_site_answers_with_its_page(client):
    response = client.get("/people/?q=%00")

    assert response.status_code == 400
    assert b"<h1" in response.content


def test_a_session_cookie_with_nul_gets_the_page_too(client):
    client.cookies["sessionid"] = "abcdefgh\x00ijkl"

    assert client.get("/accounts/login/").status_code == 400


@pytest.mark.parametrize("text", ["\x00", "a\x1fb", "\x7f", "\x80", "\x9f", "\ud800"])
def test_control_characters_and_lone_surrogates_are_found(text):
    assert has_control_characters(text)


@pytest.mark.parametrize("text", ["", "two\r\nlines\tand a tab", "naïve", "\xa0", "\ue000", "😀"])
def test_text_is_text(text):
    assert not has_control_characters(text)


def test_each_answer_carries_a_reference_of_its_own(client):
    references = [client.get("/accounts/login/").headers["X-Request-Id"] for _ in range(2)]

    assert all(re.fullmatch("[0-9A-F]{8}", reference) for reference in references)
    assert len(set(references)) == 2


def test_the_log_knows_the_reference_during_the_request_only(rf):
    seen = []
    handler = request_id(lambda request: (seen.append(current_request_id.get()), HttpResponse())[1])

    response = handler(rf.get("/"))

    assert seen == [response.headers["X-Request-Id"]]
    assert current_request_id.get() == ""
