"""A change that had begun before the lock is either seen by its checks or refused: nothing slips in between (R-40)."""

import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from tests.factories import NOW, TODAY, Trial, proof, staff
from trial.access.policy import Role
from trial.locking import actions
from trial.review import actions as review

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True, databases=["default", "reading"]),
    pytest.mark.usefixtures("clock"),
    pytest.mark.only_postgresql,
]


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_query_raised_while_somebody_agrees_is_seen_by_the_checks(settings, tmp_path):
    settings.RELEASE_DIR = tmp_path
    trial = Trial()
    manager, chief = staff(Role.DATA_MANAGER), staff(Role.CHIEF_INVESTIGATOR)
    lock = actions.ask_lock(reason="Analysis", data_through=TODAY, proof=proof(manager), by=manager, at=NOW)
    participant = trial.consented()
    written, may_commit = threading.Event(), threading.Event()

    def raise_query() -> None:
        with transaction.atomic():
            review.raise_query(participant=participant, text="Why?", by=trial.coordinator, at=NOW)
            written.set()
            may_commit.wait(10)

    writer = in_thread(raise_query)
    written.wait(10)
    threading.Timer(1, may_commit.set).start()

    with pytest.raises(actions.NotReady, match="Open queries"):
        actions.agree_lock(lock=lock, proof=proof(chief), by=chief, at=NOW)

    writer.join()
    lock.refresh_from_db()
    assert lock.state == "asked"
