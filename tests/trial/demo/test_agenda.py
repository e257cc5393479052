"""Entries happen in the order of time, and history carries their moment."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import NOW
from trial.activities.models import Provider
from trial.demo.agenda import Agenda

pytestmark = pytest.mark.django_db


def test_entries_run_by_moment_then_in_the_order_they_were_written_down():
    agenda, ran = Agenda(NOW), []
    agenda.at(NOW - timedelta(days=1), lambda at: ran.append("second"))
    agenda.at(NOW - timedelta(days=2), lambda at: ran.append("first"))
    agenda.at(NOW - timedelta(days=1), lambda at: ran.append("third"), is_alone=True)
    agenda.at(NOW + timedelta(seconds=1), lambda at: ran.append("never"))

    agenda.play()

    assert ran == ["first", "second", "third"]


def test_an_entry_may_write_down_later_ones():
    agenda, ran = Agenda(NOW), []
    agenda.at(NOW - timedelta(days=2), lambda at: agenda.at(at + timedelta(days=1), ran.append))

    agenda.play()

    assert ran == [NOW - timedelta(days=1)]


def test_history_rows_carry_the_moment_of_their_entry_and_only_while_the_story_plays():
    agenda = Agenda(NOW)
    then = datetime(2026, 3, 2, 10, tzinfo=UTC)
    agenda.at(then, lambda at: Provider(name="Told").save_by(None))

    agenda.play()
    Provider(name="Untold").save_by(None)

    assert Provider.history.get(name="Told").history_date == then
    assert Provider.history.get(name="Untold").history_date > NOW
