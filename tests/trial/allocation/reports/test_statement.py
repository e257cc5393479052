"""The public statement is generated from what is recorded, and tells block sizes only after the end."""

import pytest

from tests.trial.allocation.reports.builders import URL, Office
from trial.allocation.reports.statement import statement

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(clock):
    return Office()


def words(office, who):
    return office.as_(who).get(f"{URL}statement/").content.decode()


def test_it_answers_the_four_items_from_recorded_facts(office):
    office.trial.open_randomisation()

    items = {item.number: " ".join(item.sentences) for item in statement(office.scheme, reader=office.manager)}

    revision = office.scheme.revision_in_force
    assert list(items) == ["17a", "17b", "18", "19"]
    assert "approved by" in items["17a"]
    assert revision.commitment in items["17a"]
    assert "stratified by" in items["17b"]
    assert "0 allocations were made online" in items["18"]
    assert "0 people randomised participants. None of them" in items["19"]


@pytest.mark.parametrize("who", ["manager", "statistician", "monitor"])
def test_block_sizes_are_told_to_nobody_while_it_is_open(office, who):
    office.trial.open_randomisation()

    page = words(office, who)

    assert "block sizes" not in page.replace("its block sizes or its secret", "")
    assert "published after recruitment has closed" in page


def test_after_the_end_they_are_told_to_those_who_may_know(office):
    office.finished(n_people=1)

    assert "block sizes" in words(office, "statistician").replace("its block sizes or its secret", "")
    assert "published after recruitment has closed" in words(office, "manager")
    assert "1 person randomised participants" in words(office, "manager")


def test_a_scheme_that_is_not_locked_says_so(office):
    office.draft()

    assert "The scheme is not locked yet" in words(office, "manager")


def test_text_and_pdf_say_the_same(office):
    office.trial.open_randomisation()

    text = office.as_("monitor").get(f"{URL}statement.txt")
    printed = office.as_("monitor").get(f"{URL}statement.pdf")

    assert "17b Type of randomisation" in text.content.decode()
    assert printed.content.startswith(b"%PDF")
    assert office.as_("monitor").get("/randomisation/schemes/nothing/statement/").status_code == 404
