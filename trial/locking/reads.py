"""The lock room as one person may see it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.base.parts import CheckCell, CheckRow
from trial.base.words import clock_time, local_day, long_date, short_date
from trial.locking import checks
from trial.locking.checks import ALL_SITES, Count, Finding
from trial.locking.models import DatasetLock


@dataclass(frozen=True)
class Todo:
    """One thing left to do: a link where the person may follow it, the site, and whose data it is about."""

    label: str
    url: str
    where: str
    detail: str


@dataclass(frozen=True)
class Earlier:
    """One earlier lock or cut, in words."""

    code: str
    when: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Room:
    """The checks by site, what is left to do, and the lock that is in force or asked for."""

    checked: str
    columns: list[str]
    rows: list[CheckRow]
    todos: list[Todo]
    is_ready: bool
    lock: DatasetLock | None
    earlier: list[Earlier]

    @property
    def waits_elsewhere(self) -> bool:
        """Something is left to do, none of it at this person's sites."""
        return not self.is_ready and not self.todos


def room_for(user: User, at: datetime) -> Room:
    """Everything the page shows; sites where the person has no say are left out."""
    findings = checks.evaluate_for_page(checks.all_sites(), local_day(at))
    sites = _sites_of(user)
    locks = list(
        DatasetLock.objects.select_related("asked_by", "agreed_by", "unlock_asked_by", "unlock_agreed_by").order_by(
            "-pk"
        )
    )
    current = next((one for one in locks if one.state in ("asked", "locked", "unlock_asked")), None)
    return Room(
        checked=f"Checked {local_day(at):%A} {long_date(at)} at {clock_time(at)}.",
        columns=[site.name for site in sites],
        rows=[_row(finding, sites, user) for finding in findings],
        todos=[todo for finding in findings for todo in _todos(finding, sites, user)],
        is_ready=all(finding.met for finding in findings),
        lock=current,
        earlier=[_earlier(one) for one in locks if one is not current],
    )


def _sites_of(user: User) -> list[Site]:
    ids = user.access.site_ids(Action.VIEW_LOCKS)
    return [site for site in checks.all_sites() if ids is None or site.pk in ids]


def _row(finding: Finding, sites: Sequence[Site], user: User) -> CheckRow:
    check = finding.check
    if ALL_SITES in finding.counts:
        return CheckRow(check.title, check.detail, overall=_cell(finding.counts[ALL_SITES], user))
    return CheckRow(check.title, check.detail, [_cell(finding.counts[site.pk], user) for site in sites])


def _cell(count: Count, user: User) -> CheckCell:
    return CheckCell(count.met, count.text, _url(count, user))


def _url(count: Count, user: User) -> str:
    """The link of a count, for people who may open what it leads to."""
    return count.url if count.action is None or user.access.may(count.action) else ""


def _todos(finding: Finding, sites: Sequence[Site], user: User) -> Iterable[Todo]:
    places = {ALL_SITES: ""} | {site.pk: f"at {site.name}" for site in sites}
    return [
        Todo(count.todo, _url(count, user), places[site], count.detail)
        for site, count in finding.counts.items()
        if not count.met and site in places
    ]


def _earlier(lock: DatasetLock) -> Earlier:
    made = short_date(lock.locked_at or lock.asked_at)
    if lock.state == DatasetLock.State.CUT:
        return Earlier(lock.code, made, (f"Data cut by {lock.asked_by}: {lock.name}", lock.reason))
    if lock.state == DatasetLock.State.REFUSED:
        return Earlier(lock.code, made, (f"Asked for by {lock.asked_by}, not agreed", lock.reason))
    until = short_date(lock.unlocked_at) if lock.unlocked_at else ""
    by = f"Unlocked by {lock.unlock_asked_by} and {lock.unlock_agreed_by}"
    return Earlier(lock.code, f"{made} to {until}", (by, lock.unlock_reason))


def two_people(lock: DatasetLock | None) -> list[tuple[str, str]]:
    """Who asked and who agreed, as far as that is known."""
    if lock is None:
        return [("Asks", "A data manager"), ("Agrees", "A chief or principal investigator")]
    if lock.state == DatasetLock.State.UNLOCK_ASKED:
        return [("Asks to unlock", str(lock.unlock_asked_by)), ("Agrees", "Another person, not yet")]
    agreed = str(lock.agreed_by) if lock.agreed_by else "Another person, not yet"
    return [("Asks", str(lock.asked_by)), ("Agrees", agreed)]
