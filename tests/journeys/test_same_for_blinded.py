"""Two people who differ only by arm look the same to everybody who is blinded, on every page about them (R-05)."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from exports.canonical import opened
from randomisation.codes import certificate_code
from tests.exports.builders import frozen, named_rows
from tests.factories import NOW, Trial
from tests.journeys import sentinel
from tests.test_permissions import PUBLIC, pages
from tests.trial.activities.builders import make_group, session_of
from tests.trial.journey.builders import arm_number
from trial.activities.models import Membership
from trial.allocation.reads import allocation_of, digest_of
from trial.attendance import actions as attendance
from trial.base.words import in_groups

pytestmark = [pytest.mark.django_db, pytest.mark.only_sqlite, pytest.mark.usefixtures("clock", "reading")]

PARTS = {"visit": "V2", "form": "phq9", "how": "left", "page": 1, "part": 1, "item": 1, "code": "phq9", "table": "DM"}
GROUPS = ("Thursday morning group", "Friday afternoon group")


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def two(trial):
    """One person of each arm, chosen by it after the allocation: the same dates, answers, group days and attendance."""
    found = {}
    while len(found) < 2:
        participant = trial.randomised(at=NOW - timedelta(days=30))
        found.setdefault(arm_number(trial, participant), participant)
    for number, participant in sorted(found.items()):
        trial.save_form(participant, "V2", "phq9", mode="self_paper", by=trial.coordinator)
        group = make_group(trial, name=GROUPS[number], arm_number=number)
        Membership(participant=participant, group=group, from_date=group.start_date).save_by(trial.coordinator)
        attendance.mark(
            key=uuid4(),
            session=session_of(group),
            participant=participant,
            status="full",
            by=group.leader,
            captured_at=NOW,
            at=NOW,
        )
    return found[0], found[1]


def pages_about(participant):
    """Every page of the site whose address names a participant."""
    for name, pattern in pages():
        wanted = pattern.pattern.regex.groupindex
        if "number" in wanted and name not in PUBLIC and set(wanted) <= {"number", *PARTS}:
            given = {part: PARTS[part] for part in wanted if part != "number"}
            yield name, reverse(name, kwargs={"number": participant.study_id, **given})
    yield "search", f"/people/?q={participant.study_id}"


def plain(response, participant) -> str:
    """The words of a page without what names this person, this allocation, this request or a row by its number."""
    text = "".join(words for _, words in sentinel.texts_of("", response.content) if not words.startswith("%PDF"))
    for own in (participant.study_id, participant.referral.screening_number, *keyed(participant)):
        text = text.replace(own, "#")
    text = re.sub(r"(Number of the allocation(?:\s|<[^>]*>)*)\d+", r"\1#", text)
    text = re.sub(r"Tester [A-Z][a-z]+|carol\d+@example\.org", "#", text)
    text = re.sub(r'nonce="[^"]*"|name="(?:csrfmiddlewaretoken|draft_owner)" value="[^"]*"', "", text)
    return re.sub(r"/\d+/|value=\"[0-9a-f-]{36}\"", "#", text)


def keyed(participant) -> list[str]:
    """Code and digest of the person's certificate: keyed or chained, so that they tell nothing."""
    made = allocation_of(participant)
    code, digest = certificate_code(made), digest_of(made)
    return [in_groups(part) for part in (code, digest[:32], digest[32:])]


@pytest.mark.drill
def test_every_page_about_either_is_the_same_to_each_blinded_reader(trial, two):
    different, n_looked_at = [], 0

    for reader in sentinel.blinded_readers(trial.site):
        client = Client(raise_request_exception=False)
        client.force_login(reader)
        for (name, first), (_, second) in zip(pages_about(two[0]), pages_about(two[1]), strict=True):
            seen = [look(client, where, person) for where, person in ((first, two[0]), (second, two[1]))]
            n_looked_at += seen[0][0] == 200
            if seen[0] != seen[1]:
                different.append((reader.role_code, name, difference(*seen)))

    assert different == []
    assert n_looked_at > 40


def look(client, where, participant):
    """Status, length, number of look-ups and text of a page."""
    queries = []

    def count(execute, sql, *more):
        queries.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(count):
        response = client.get(where)
    text = plain(response, participant)
    return response.status_code, len(text), len(queries), text


def difference(one, other):
    """Where two pages part, for a failing test."""
    at = next((n for n, (a, b) in enumerate(zip(one[3], other[3], strict=False)) if a != b), 0)
    return one[:3], other[:3], one[3][max(0, at - 80) : at + 80], other[3][max(0, at - 80) : at + 80]


def test_their_rows_in_a_blinded_release_are_the_same(trial, two):
    stored = frozen()

    with opened(stored.path) as canonical:
        for table in canonical.model.blinded().tables:
            rows = named_rows(canonical, table.name, blinded=True)
            of_each = [[r | {"subjid": "#"} for r in rows if r.get("subjid") == one.study_id] for one in two]
            assert of_each[0] == of_each[1], table.name
