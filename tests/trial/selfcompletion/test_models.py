"""What the database refuses about links, whoever writes."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import NOW, Trial, make_user
from trial.base import triggers
from trial.selfcompletion.models import SelfCompletion, SelfCompletionLink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
HASH = "a" * 64


@pytest.fixture
def participant():
    return Trial().consented()


@pytest.fixture
def mine(participant):
    return SelfCompletion(visit=participant.visits.get(code="V1")).save_by(None)


@pytest.fixture
def link(mine):
    return SelfCompletionLink(self_completion=mine, token_hash=HASH, made_at=NOW).save_by(None)


def refused(row, **values):
    """Save a row with other values: the database must refuse."""
    for name, value in values.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save_by(None, "Tried")


def test_a_visit_has_one_row(mine):
    refused(SelfCompletion(visit=mine.visit))


def test_sent_comes_after_opened(mine):
    refused(mine, submitted_at=NOW)
    refused(mine, opened_at=NOW, submitted_at=NOW - timedelta(seconds=1))


def test_failed_checks_say_when(mine):
    refused(mine, n_failed=1)


def test_a_row_stays_with_its_visit(mine, participant):
    refused(mine, visit=participant.visits.get(code="V0"))


@pytest.mark.parametrize("text", ["the-token-itself", "A" * 64, ""])
def test_only_a_hash_is_stored(mine, text):
    refused(SelfCompletionLink(self_completion=mine, token_hash=text, made_at=NOW))


def test_no_two_links_share_a_token(link):
    refused(SelfCompletionLink(self_completion=link.self_completion, token_hash=HASH, made_at=NOW))


def test_a_link_opens_the_same_questionnaires_for_ever(link, participant):
    other = SelfCompletion(visit=participant.visits.get(code="V0")).save_by(None)

    refused(link, self_completion=other)
    refused(SelfCompletionLink.objects.get(pk=link.pk), token_hash="b" * 64)


def test_a_revoked_link_stays_revoked(link):
    refused(link, revoked_by=make_user())
    link = SelfCompletionLink.objects.get(pk=link.pk)
    link.revoked_at = NOW
    link.save_by(None, "Revoked")

    refused(link, revoked_at=None)


def test_nothing_is_deleted_and_every_change_has_a_history(link):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM trial_selfcompletionlink")

    assert link.history.count() == 1
    assert "trial_selfcompletionlink" in {trigger.table for trigger in triggers.wanted()}
