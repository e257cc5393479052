"""Every POST of the site with nonsense: never a 500, never a row half-written (issue 2, Bad input).

Hypothesis fills the fields that each page itself shows, and sends them as somebody who may.
"""

import re

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import PASSWORD
from tests.test_permissions import World, address, is_permitted, pages, values
from trial.access.policy import POLICY, Role
from trial.base import audit

pytestmark = [pytest.mark.django_db, pytest.mark.only_sqlite]  # tells of the pages, not of a database
NAMES = re.compile(r'<(?:input|select|textarea|button)[^>]*\bname="([^"]+)"[^>]*?(?:\bvalue="([^"]*)")?[^>]*>')
POSTING = [(name, pattern) for name, pattern in pages() if "download" not in name]
SHARES = 4


def nonsense(valid: list[str]) -> st.SearchStrategy[str]:
    """Values that people, broken programs and attackers send for a field that offers `valid`."""
    return st.one_of(
        st.sampled_from([*valid, ""]),
        st.sampled_from(["\x00", "a\x00b", "\x1f", "\ud800", "-1", "0", "99999999999999999999", "1e400", "NaN", "३"]),
        st.sampled_from(["31", "2", "1900", "2999", "0000", "yes", "no", PASSWORD, "987654", "'; DROP TABLE x;--"]),
        st.sampled_from(["<script>alert(1)</script>", "=1+1", "{{ 7*7 }}", "../../etc/passwd", "x" * 20_000]),
        st.text(max_size=40),
    )


def fields(html: str) -> dict[str, list[str]]:
    """Names of a page's fields, each with the values it offers."""
    found: dict[str, list[str]] = {}
    for name, value in NAMES.findall(html.partition("<main")[2]):
        found.setdefault(name, []).append(value)
    found.pop("csrfmiddlewaretoken", None)
    return found


def who_may(world: World, pattern) -> object:
    """Somebody who may open the page, and is not blinded where that matters."""
    role = next(r for r in POLICY if is_permitted(pattern.callback, r, bool(POLICY[r].blinded)))
    return world.own.leader if role == Role.ACTIVITY_LEADER else world.people(role)


class _World(World):
    """The two sites, with one person for each role, made once."""

    def people(self, role: Role):
        cache = self.__dict__.setdefault("_people", {})
        if role not in cache:
            cache[role] = self.member(role, bool(POLICY[role].blinded))
        return cache[role]


@pytest.mark.parametrize("share", range(SHARES))
def test_no_post_of_nonsense_ends_in_a_server_error(clock, share):
    world = _World()
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)

    for name, pattern in POSTING[share::SHARES]:
        user = who_may(world, pattern)
        where, _ = address(name, pattern, values(world, world.own, name, user))
        client.force_login(user)
        shown = client.get(where)
        asked = (
            fields(shown.content.decode(errors="replace")) if shown.status_code == 200 and not shown.streaming else {}
        )
        _send_nonsense(client, name, where, asked)

    assert audit.verify() == []


def _send_nonsense(client: Client, name: str, where: str, asked: dict[str, list[str]]) -> None:
    form = st.fixed_dictionaries(
        {}, optional={field: nonsense([v for v in offered if v]) for field, offered in asked.items()}
    )

    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(form)
    def send(data: dict[str, str]) -> None:
        posted = {key: value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for key, value in data.items()}
        answer = client.post(where, posted)
        assert answer.status_code < 500 or name == "readyz", f"{name} {where} {data!r}"

    send()


BROKEN = (
    (b"\xff\xfe\x00", "application/json"),
    (b"[" * 5000, "application/json"),
    (b'{"marks": [{"key": 5}]}', "application/json"),
    (b"null", "application/json"),
    (b"a=%00&b=%ff", "application/x-www-form-urlencoded"),
    (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
)


@pytest.mark.drill
def test_broken_bodies_are_refused_politely_everywhere(clock):
    world = _World()
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    problems = []

    for name, pattern in POSTING:
        user = who_may(world, pattern)
        where, _ = address(name, pattern, values(world, world.own, name, user))
        client.force_login(user)
        for body, kind in BROKEN:
            answer = client.generic("POST", where, body, content_type=kind)
            if answer.status_code >= 500 and name != "readyz":
                problems.append(f"{name} {kind}: {answer.status_code}")

    assert problems == []
