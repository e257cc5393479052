"""Cuts and locks: a lock and an unlock take two people, who both prove who they are (BR-65)."""

from collections.abc import Callable
from datetime import date, datetime

from django.db import IntegrityError, OperationalError, connection, transaction

from trial.access.models import User
from trial.access.policy import Action
from trial.access.signing import Proof, sign
from trial.base import audit, triggers
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.locking import checks
from trial.locking.models import DatasetLock

Kind, State = DatasetLock.Kind, DatasetLock.State

keepers: list[Callable[[DatasetLock, User], None]] = []
"""Called once a cut is made or a lock agreed, after it is committed: the feature above stores the data once."""


class LockRefused(TrialError):
    """A cut, lock or unlock was asked for that cannot be."""


class NotReady(LockRefused):
    """Something is left to do before the dataset can be locked (BR-65)."""

    def __init__(self, titles: list[str]) -> None:
        super().__init__(f"The dataset cannot be locked yet. Left to do: {', '.join(titles)}.")


def make_cut(*, name: str, reason: str, data_through: date, by: User, at: datetime) -> DatasetLock:
    """Make a data cut: the data as they are now, while edits go on.

    Args:
        data_through: last day whose data are in it.

    Raises:
        LockRefused: no name or reason, or the last day is not over or today.
    """
    _require(by, Action.MAKE_CUT)
    _check_words(reason, data_through, at)
    if not name.strip():
        raise LockRefused("Give the cut a name, such as the meeting it is for.")
    cut = _insert(
        DatasetLock(
            name=name.strip(),
            kind=Kind.CUT,
            state=State.CUT,
            reason=reason.strip(),
            data_through=data_through,
            asked_by=by,
            asked_at=at,
            locked_at=at,
        ),
        by,
        at,
    )
    _keep(cut, by)
    return cut


def ask_lock(*, reason: str, data_through: date, proof: Proof, by: User, at: datetime) -> DatasetLock:
    """Ask for the final lock; another person has to agree.

    Raises:
        NotReady: a check does not hold.
        LockRefused: no reason, a last day in the future, or a lock is asked for or in force.
        ProofRefused: the proof is another person's.
    """
    _require(by, Action.ASK_LOCK)
    _check_words(reason, data_through, at)
    with transaction.atomic():
        findings = _ready(local_day(at))
        lock = _insert(
            DatasetLock(
                kind=Kind.FINAL,
                state=State.ASKED,
                reason=reason.strip(),
                data_through=data_through,
                asked_by=by,
                asked_at=at,
                checks=findings,
            ),
            by,
            at,
        )
        _sign(lock, "I ask to lock the dataset.", proof, by, at)
    return lock


def agree_lock(*, lock: DatasetLock, proof: Proof, by: User, at: datetime) -> DatasetLock:
    """Agree to a lock that somebody else asked for: from then on data stop changing on every path (R-40).

    Everybody's changes wait while the checks are run again, so that nothing slips in between.

    Raises:
        NotReady: a check does not hold any more.
        LockRefused: the same person asked, or nobody is waiting for an answer.
        ProofRefused: the proof is another person's.
    """
    _require(by, Action.AGREE_LOCK)
    with transaction.atomic():
        _stop_writers()
        lock = _waiting(lock, State.ASKED)
        if lock.asked_by_id == by.pk:
            raise LockRefused("You asked for this lock, so somebody else has to agree.")
        lock.checks = _ready(local_day(at))
        lock.state, lock.agreed_by, lock.locked_at = State.LOCKED, by, at
        lock.save_by(by, "Agreed to the lock")
        _sign(lock, "I agree to lock the dataset.", proof, by, at)
        audit.seal(at=at)
    _keep(lock, by)
    return lock


def refuse_lock(*, lock: DatasetLock, reason: str, by: User, at: datetime) -> DatasetLock:
    """Do not agree to a lock, or take back one's own request.

    Raises:
        LockRefused: no reason is given, or nobody is waiting for an answer.
    """
    if not (by.access.may(Action.AGREE_LOCK) or by.access.may(Action.ASK_LOCK)):
        raise LockRefused("Your role does not let you decide about locks.")
    return _say_no(lock, State.ASKED, State.REFUSED, reason, by)


@transaction.atomic
def ask_unlock(*, lock: DatasetLock, reason: str, proof: Proof, by: User, at: datetime) -> DatasetLock:
    """Ask to unlock; the data stay locked until another person agrees.

    Raises:
        LockRefused: no reason, or the lock is not in force.
        ProofRefused: the proof is another person's.
    """
    _require(by, Action.ASK_LOCK)
    if not reason.strip():
        raise LockRefused("Say why the dataset has to be unlocked.")
    lock = _waiting(lock, State.LOCKED)
    lock.state, lock.unlock_reason, lock.unlock_asked_by = State.UNLOCK_ASKED, reason.strip(), by
    lock.save_by(by, reason)
    _sign(lock, "I ask to unlock the dataset.", proof, by, at)
    return lock


@transaction.atomic
def agree_unlock(*, lock: DatasetLock, proof: Proof, by: User, at: datetime) -> DatasetLock:
    """Agree to an unlock that somebody else asked for. The next lock takes a new number.

    Raises:
        LockRefused: the same person asked, or nobody is waiting for an answer.
        ProofRefused: the proof is another person's.
    """
    _require(by, Action.AGREE_LOCK)
    lock = _waiting(lock, State.UNLOCK_ASKED)
    if lock.unlock_asked_by_id == by.pk:
        raise LockRefused("You asked to unlock, so somebody else has to agree.")
    lock.state, lock.unlock_agreed_by, lock.unlocked_at = State.UNLOCKED, by, at
    lock.save_by(by, lock.unlock_reason)
    _sign(lock, "I agree to unlock the dataset.", proof, by, at)
    return lock


def refuse_unlock(*, lock: DatasetLock, reason: str, by: User, at: datetime) -> DatasetLock:
    """Do not agree to an unlock, or take back one's own request: the lock stays in force.

    Raises:
        LockRefused: no reason is given, or nobody is waiting for an answer.
    """
    if not (by.access.may(Action.AGREE_LOCK) or by.access.may(Action.ASK_LOCK)):
        raise LockRefused("Your role does not let you decide about locks.")
    return _say_no(lock, State.UNLOCK_ASKED, State.LOCKED, reason, by)


# -- steps


def _require(by: User, action: Action) -> None:
    if not by.access.may(action):
        raise LockRefused("Your role does not let you do this.")


def _check_words(reason: str, data_through: date, at: datetime) -> None:
    if not reason.strip():
        raise LockRefused("Say what it is for.")
    if data_through > local_day(at):
        raise LockRefused(f"The last day of the data must be {long_date(at)} or earlier.")


def _ready(on: date) -> list[dict[str, object]]:
    """Every check run now, as JSON.

    Raises:
        NotReady: one does not hold.
    """
    findings = checks.evaluate(on)
    if unmet := [finding.check.title for finding in findings if not finding.met]:
        raise NotReady(unmet)
    return [finding.as_json() for finding in findings]


def _insert(lock: DatasetLock, by: User, at: datetime) -> DatasetLock:
    """Store it under the next number of its kind: C001, L001."""
    prefix = "L" if lock.kind == Kind.FINAL else "C"
    try:
        with transaction.atomic():
            numbers = DatasetLock.objects.filter(kind=lock.kind).values_list("code", flat=True)
            last = max((int(code[1:]) for code in numbers), default=0)
            lock.code = f"{prefix}{last + 1:03d}"
            lock.save_by(by, lock.reason)
            audit.seal(at=at)
    except IntegrityError as error:
        raise LockRefused(
            "Somebody else asked for a lock or made a cut meanwhile. Look at the list, then try again."
        ) from error
    return lock


def _waiting(lock: DatasetLock, state: str) -> DatasetLock:
    """The lock as it is now, if it is in this state."""
    lock = DatasetLock.objects.select_for_update(of=("self",)).get(pk=lock.pk)
    if lock.state != state:
        raise LockRefused(f"{lock} is {lock.get_state_display().lower()} already. Look at the page again.")
    return lock


@transaction.atomic
def _say_no(lock: DatasetLock, source: str, target: str, reason: str, by: User) -> DatasetLock:
    if not reason.strip():
        raise LockRefused("Say why.")
    lock = _waiting(lock, source)
    lock.state = target
    if target == State.LOCKED:
        lock.unlock_reason, lock.unlock_asked_by = "", None
    return lock.save_by(by, reason)


def _sign(lock: DatasetLock, meaning: str, proof: Proof, by: User, at: datetime) -> None:
    content = {
        "code": lock.code,
        "state": lock.state,
        "reason": lock.unlock_reason or lock.reason,
        "data_through": lock.data_through,
        "checks": lock.checks,
    }
    sign(proof=proof, by=by, meaning=meaning, record=lock, content=content, at=at)


def _keep(lock: DatasetLock, by: User) -> None:
    for keeper in keepers:
        keeper(lock, by)


def _stop_writers() -> None:
    """Wait until nobody is changing what the lock stops, and let nobody begin.

    SQLite has one writer at a time anyway. On PostgreSQL a change that had begun before the lock was stored would
    otherwise pass its trigger and be committed after it.
    """
    if connection.vendor != "postgresql":
        return
    tables = sorted({trigger.table for trigger in triggers.wanted() if trigger.message == triggers.LOCK_MESSAGE})
    quoted = ", ".join(connection.ops.quote_name(table) for table in tables)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {quoted} IN SHARE MODE")
    except OperationalError as error:
        raise LockRefused("Somebody is saving data at this moment. Try again in a minute.") from error
