"""Cuts, locks and unlocks: two people, every check, and no change while locked (BR-65, R-40)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, give_role, make_user, proof, staff
from trial.access.models import Signature, User
from trial.access.policy import Role
from trial.access.signing import ProofRefused
from trial.assessments.models import Administration
from trial.consent.models import Consent
from trial.locking import actions, checks
from trial.locking.models import CheckRun, DatasetLock
from trial.locking.rules import DatasetLocked, current_lock
from trial.review import actions as review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]


@pytest.fixture(autouse=True)
def _releases_here(settings, tmp_path):
    settings.RELEASE_DIR = tmp_path


@pytest.fixture
def trial() -> Trial:
    return Trial()


@pytest.fixture
def manager(trial) -> User:
    return staff(Role.DATA_MANAGER, name="Tom Ellery")


@pytest.fixture
def chief(trial) -> User:
    return staff(Role.CHIEF_INVESTIGATOR, name="Dr Ruth Sayer")


def asked(manager: User) -> DatasetLock:
    return actions.ask_lock(reason="Main analysis", data_through=TODAY, proof=proof(manager), by=manager, at=NOW)


def locked(manager: User, chief: User) -> DatasetLock:
    return actions.agree_lock(lock=asked(manager), proof=proof(chief), by=chief, at=NOW)


def cut(manager: User, **more) -> DatasetLock:
    given = {"name": "DMC", "reason": "Meeting", "data_through": TODAY, "by": manager, "at": NOW} | more
    return actions.make_cut(**given)


def test_cuts_and_locks_are_numbered_apart(manager, chief):
    codes = [cut(manager).code, cut(manager).code, asked(manager).code]

    assert codes == ["C001", "C002", "L001"]


def test_a_cut_stops_no_edit(manager, trial):
    cut(manager)

    assert trial.consented().study_id
    assert current_lock() is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": " "}, "name"),
        ({"reason": ""}, "what it is for"),
        ({"data_through": TODAY + timedelta(days=1)}, "9 July 2026 or earlier"),
    ],
)
def test_a_cut_needs_a_name_a_reason_and_a_day_that_has_come(manager, more, words):
    with pytest.raises(actions.LockRefused, match=words):
        cut(manager, **more)


def test_a_cut_is_refused_to_other_roles(chief):
    with pytest.raises(actions.LockRefused, match="role"):
        cut(chief)


def test_a_lock_takes_two_people_and_both_sign(manager, chief):
    lock = locked(manager, chief)

    signatures = Signature.objects.filter(record=f"trial_datasetlock:{lock.pk}").order_by("pk")
    assert lock.state == "locked"
    assert current_lock() == lock
    assert [(one.printed_name, one.meaning) for one in signatures] == [
        ("Tom Ellery", "I ask to lock the dataset."),
        ("Dr Ruth Sayer", "I agree to lock the dataset."),
    ]


def test_one_person_with_both_roles_cannot_ask_and_agree(manager):
    both = give_role(manager, Role.CHIEF_INVESTIGATOR, blinded=True)
    lock = asked(both)

    with pytest.raises(actions.LockRefused, match="somebody else"):
        actions.agree_lock(lock=lock, proof=proof(both), by=both, at=NOW)


def test_the_database_refuses_one_person_for_both(manager):
    with pytest.raises(IntegrityError, match="lock_takes_two_people"), transaction.atomic():
        DatasetLock(
            code="L009", kind="final", state="locked", reason="x", data_through=TODAY,
            asked_by=manager, asked_at=NOW, agreed_by=manager, locked_at=NOW,
        ).save_by(manager)  # fmt: skip


def test_the_database_refuses_a_lock_nobody_agreed_to(manager):
    with pytest.raises(IntegrityError, match="final_lock_was_agreed"), transaction.atomic():
        DatasetLock(
            code="L009", kind="final", state="locked", reason="x", data_through=TODAY, asked_by=manager, asked_at=NOW
        ).save_by(manager)


def test_the_database_keeps_what_was_agreed_to(manager, chief):
    lock = locked(manager, chief)
    lock.data_through = TODAY - timedelta(days=3)

    with pytest.raises(IntegrityError, match="agreed to never changes"), transaction.atomic():
        lock.save_by(manager, "no")


def test_the_database_refuses_a_jump_from_locked_to_unlocked(manager, chief):
    lock = locked(manager, chief)
    lock.state, lock.unlock_reason, lock.unlock_asked_by, lock.unlock_agreed_by = "unlocked", "x", manager, chief

    with pytest.raises(IntegrityError, match="does not move this way"), transaction.atomic():
        lock.save_by(manager, "no")


def test_a_second_lock_cannot_be_asked_for(manager, chief):
    asked(manager)

    with pytest.raises(actions.LockRefused, match="meanwhile"):
        asked(manager)


def test_another_persons_proof_is_refused(manager, chief):
    with pytest.raises(ProofRefused):
        actions.ask_lock(reason="x", data_through=TODAY, proof=proof(chief), by=manager, at=NOW)

    assert not DatasetLock.objects.exists()


def test_a_lock_is_refused_while_something_is_left_to_do(manager, trial):
    review.raise_query(participant=trial.consented(), text="Why?", by=trial.coordinator, at=NOW)

    with pytest.raises(actions.NotReady, match="Open queries"):
        asked(manager)


def test_a_lock_is_refused_when_something_came_up_since_it_was_asked_for(manager, chief, trial):
    lock = asked(manager)
    review.raise_query(participant=trial.consented(), text="Why?", by=trial.coordinator, at=NOW)

    with pytest.raises(actions.NotReady):
        actions.agree_lock(lock=lock, proof=proof(chief), by=chief, at=NOW)

    lock.refresh_from_db()
    assert lock.state == "asked"


def test_a_refused_lock_can_be_asked_for_again(manager, chief):
    refused = actions.refuse_lock(lock=asked(manager), reason="Not yet", by=chief, at=NOW)

    again = asked(manager)

    assert (refused.state, again.code) == ("refused", "L002")


def test_an_unlock_takes_two_people_and_a_reason(manager, chief):
    lock = locked(manager, chief)
    waiting = actions.ask_unlock(lock=lock, reason="Paper found", proof=proof(manager), by=manager, at=NOW)
    still = current_lock()

    done = actions.agree_unlock(lock=waiting, proof=proof(chief), by=chief, at=NOW)

    assert still == lock
    assert (done.state, done.unlock_reason, done.unlock_agreed_by) == ("unlocked", "Paper found", chief)
    assert current_lock() is None
    assert asked(manager).code == "L002"


def test_an_unlock_without_a_reason_is_refused(manager, chief):
    with pytest.raises(actions.LockRefused, match="why"):
        actions.ask_unlock(lock=locked(manager, chief), reason=" ", proof=proof(manager), by=manager, at=NOW)


def test_a_refused_unlock_leaves_the_lock_in_force(manager, chief):
    waiting = actions.ask_unlock(
        lock=locked(manager, chief), reason="Paper found", proof=proof(manager), by=manager, at=NOW
    )

    back = actions.refuse_unlock(lock=waiting, reason="Not needed", by=chief, at=NOW)

    assert (back.state, back.unlock_reason) == ("locked", "")
    assert current_lock() == back


def test_a_lock_answered_already_says_so(manager, chief):
    lock = locked(manager, chief)

    with pytest.raises(actions.LockRefused, match="already"):
        actions.agree_lock(lock=lock, proof=proof(chief), by=chief, at=NOW)


@pytest.fixture
def data(trial) -> Administration:
    return trial.save_form(trial.consented(), "V0", "phq9")


def force_lock(manager: User, chief: User) -> DatasetLock:
    """A lock in force, whatever the checks say."""
    return DatasetLock(
        code="L001", kind="final", state="locked", reason="x", data_through=TODAY,
        asked_by=manager, asked_at=NOW, agreed_by=chief, locked_at=NOW,
    ).save_by(manager)  # fmt: skip


def test_actions_refuse_to_change_locked_data_in_words(trial, data, manager, chief):
    force_lock(manager, chief)

    with pytest.raises(DatasetLocked, match=r"locked \(L001\)"):
        trial.save_form(data.participant, "V1", "gad7")


@pytest.mark.parametrize("change", ["update", "insert", "sql"])
def test_triggers_refuse_every_other_path(trial, data, manager, chief, change):
    force_lock(manager, chief)

    with pytest.raises(IntegrityError, match="The dataset is locked"), transaction.atomic():
        _change_by_force(data, change)

    data.refresh_from_db()
    assert data.mode == "interview_in_person"


def _change_by_force(data: Administration, change: str) -> None:
    from django.db import connection

    if change == "sql":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE trial_administration SET mode = 'self_web' WHERE id = %s", [data.pk])
    elif change == "update":
        data.mode = "self_web"
        data.save_by(None, "no")
    else:
        consent = data.participant.consents.get()
        Consent(
            **{f.attname: getattr(consent, f.attname) for f in Consent._meta.concrete_fields if f.name != "id"}
        ).save_by(None)


def test_a_death_is_recorded_after_the_lock(trial, data, manager, chief):
    force_lock(manager, chief)
    person = data.participant
    person.died_date = TODAY

    person.save_by(trial.coordinator, "Letter from the GP")

    person.refresh_from_db()
    assert person.died_date == TODAY


def test_slow_checks_store_what_they_find():
    staff(Role.DATA_MANAGER)

    runs = checks.run_slow(at=NOW, on=TODAY)

    assert {run.code for run in runs} == {"definitions", "scores", "audit"}
    assert CheckRun.objects.count() == 3


def test_the_page_shows_the_last_run_of_slow_checks(trial):
    before = {f.check.code: f.met for f in checks.evaluate_for_page([trial.site], TODAY)}
    checks.run_slow(at=NOW, on=TODAY)

    after = {f.check.code: f for f in checks.evaluate_for_page([trial.site], TODAY)}

    assert not before["audit"]
    assert after["audit"].met
    assert "Ran 9 July 2026, 11am" in after["audit"].counts[checks.ALL_SITES].text


def test_only_people_with_the_role_decide(manager, chief):
    lock = asked(manager)

    with pytest.raises(actions.LockRefused, match="role"):
        actions.refuse_lock(lock=lock, reason="x", by=make_user(), at=NOW)
