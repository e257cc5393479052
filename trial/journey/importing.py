"""Bringing in a list of referrals: checked first, saved when confirmed, every line accounted for (R-42)."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.base import keys
from trial.base.errors import TrialError
from trial.base.gathering import gathered
from trial.journey.import_reading import Problem, Row, read
from trial.journey.import_resource import ReferralResource, add_repeats
from trial.journey.models import ImportedLine, ImportFile, ReferralImport
from trial.locking.rules import require_unlocked
from trial.protocol.versions import current

State = ReferralImport.State
LINES_AT_ONCE = 100
"""Lines that one request saves; the rest follow as a job, with the next request, or with `tick`."""
LINES_IN_ONE_GO = 40
"""Lines in one transaction: long enough to be quick, short enough that nobody else waits."""
KEPT_FOR = timedelta(days=7)


class ImportRefused(TrialError):
    """The list cannot be saved now; the text says why."""


class CountsDiffer(Exception):
    """A line of a list is neither stored nor refused: an error of the program, never of a person."""


@dataclass(frozen=True)
class CheckedLine:
    """One line after the check: its cells, what to put right, and what to look at before it is saved."""

    line: int
    cells: dict[str, str]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class CheckedList:
    """A list that was checked and is not saved yet."""

    file_name: str
    lines: tuple[CheckedLine, ...]

    @property
    def ready(self) -> list[CheckedLine]:
        """Lines that can be saved."""
        return [line for line in self.lines if not line.problems]

    @property
    def refused(self) -> list[CheckedLine]:
        """Lines with something to put right."""
        return [line for line in self.lines if line.problems]

    @property
    def noted(self) -> list[CheckedLine]:
        """Lines that can be saved, and should be looked at first."""
        return [line for line in self.ready if line.notes]


def sites_of(user: User) -> list[Site]:
    """Sites for which `user` may bring in a list."""
    if not user.access.may(Action.IMPORT_REFERRALS):
        return []
    ids = user.access.site_ids(Action.IMPORT_REFERRALS)
    return list(Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids))


def imports_of(user: User) -> QuerySet[ReferralImport]:
    """The person's own lists; a colleague's do not exist for them."""
    rows: QuerySet[ReferralImport] = ReferralImport.objects.filter(uploaded_by=user)
    return rows


def import_for(user: User, pk: int) -> ReferralImport:
    """One list of the person's own.

    Raises:
        Http404: there is none, or it is somebody else's.
    """
    found = imports_of(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def resource_for(user: User, at: datetime) -> ReferralResource:
    """What reads and saves lines for this person, by the protocol of today."""
    return ReferralResource(sites=sites_of(user), spec=current().spec, by=user, at=at)


def check(*, data: bytes, file_name: str, by: User, at: datetime) -> ReferralImport:
    """The dry run: read a file, check every line, and keep the result sealed. No referral is saved.

    Raises:
        UnreadableFile: the file cannot be read as a list.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    resource = resource_for(by, at)
    rows = read(data, resource.headings(), required=resource.required(), kinds=resource.kinds())
    outcome = resource.run(rows, dry_run=True)
    add_repeats(outcome, by=by, at=at)
    problems = outcome.problems
    lines = tuple(CheckedLine(r.line, r.cells, tuple(problems.get(r.line, ())), tuple(r.notes)) for r in rows)
    return _keep(CheckedList(file_name[:100], lines), hashlib.sha256(data).hexdigest(), by, at)


@transaction.atomic
def _keep(checked: CheckedList, sha256: str, by: User, at: datetime) -> ReferralImport:
    made = ReferralImport(
        uploaded_by=by, uploaded_at=at, sha256=sha256, n_received=len(checked.lines), n_refused=len(checked.refused)
    ).save_by(by)
    wrapped = keys.new_data_key()
    text = json.dumps({"file_name": checked.file_name, "lines": [asdict(line) for line in checked.lines]})
    ImportFile.objects.create(referral_import=made, wrapped_key=wrapped, sealed=keys.seal(wrapped, text))
    return made


def checked_list(made: ReferralImport) -> CheckedList | None:
    """The checked lines of a list; None once they are deleted.

    Raises:
        SealBroken: the keys do not fit.
    """
    file = ImportFile.objects.filter(referral_import=made).first()
    if file is None:
        return None
    stored = json.loads(keys.unseal(file.wrapped_key, file.sealed))
    return CheckedList(stored["file_name"], tuple(_line_from(one) for one in stored["lines"]))


def _line_from(stored: dict[str, Any]) -> CheckedLine:
    pairs = (tuple((column, text) for column, text in stored[name]) for name in ("problems", "notes"))
    return CheckedLine(stored["line"], stored["cells"], *pairs)


@transaction.atomic
def discard(*, made: ReferralImport, by: User) -> ReferralImport:
    """Throw a checked list away. Asked again, nothing changes.

    Raises:
        ImportRefused: it was confirmed already.
    """
    made = ReferralImport.objects.select_for_update().get(pk=made.pk)
    if made.state in (State.CONFIRMED, State.DONE):
        raise ImportRefused("This list was confirmed already. Referrals that are not right can be closed one by one.")
    if made.state == State.CHECKED:
        made.state = State.DISCARDED
        made.save_by(by, "Discarded")
        ImportFile.objects.filter(referral_import=made).delete()
    return made


def confirm(*, made: ReferralImport, by: User, at: datetime, n_lines: int = LINES_AT_ONCE) -> ReferralImport:
    """Save the lines without problems, `n_lines` of them now. Asked again, it goes on where it stopped.

    Raises:
        ImportRefused: it was discarded, or has no line to save.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    made = _confirmed(made, by, at)
    return made if made.state == State.DONE else _go_on(made, by, at, n_lines)


@transaction.atomic
def _confirmed(made: ReferralImport, by: User, at: datetime) -> ReferralImport:
    made = ReferralImport.objects.select_for_update().get(pk=made.pk)
    if made.state == State.DISCARDED:
        raise ImportRefused("This list was discarded. Choose the file again.")
    if made.state == State.CHECKED:
        if made.n_refused == made.n_received:
            raise ImportRefused("No line of this list can be saved. Put the lines right and choose the file again.")
        made.state, made.confirmed_at = State.CONFIRMED, at
        made.save_by(by, "Confirmed")
    return made


def go_on(*, made: ReferralImport, at: datetime) -> ReferralImport:
    """Save whatever a confirmed list still holds, as a job; its progress is the count of its lines.

    Raises:
        DatasetLocked: a final lock is in force; the list waits.
    """
    require_unlocked()
    made = ReferralImport.objects.get(pk=made.pk)
    return _go_on(made, made.uploaded_by, at, made.n_received) if made.state == State.CONFIRMED else made


def _go_on(made: ReferralImport, by: User, at: datetime, n_lines: int) -> ReferralImport:
    """Save the next lines, some of them in each transaction, and finish after the last."""
    checked = checked_list(made)
    if checked is None:
        return ReferralImport.objects.get(pk=made.pk)
    resource = resource_for(made.uploaded_by, at)
    done = set(made.lines.values_list("line", flat=True))
    waiting = [line for line in checked.lines if line.line not in done]
    for start in range(0, min(n_lines, len(waiting)), LINES_IN_ONE_GO):
        _save_lines(made, waiting[start : min(start + LINES_IN_ONE_GO, n_lines)], resource, at)
    return made if len(waiting) > n_lines else _finish(made, by, at)


@gathered()
def _save_lines(made: ReferralImport, lines: list[CheckedLine], resource: ReferralResource, at: datetime) -> None:
    """Each line: its referral, or its refusal, and never both and never twice."""
    made = ReferralImport.objects.select_for_update().get(pk=made.pk)
    numbers = [line.line for line in lines]
    done = set(made.lines.filter(line__in=numbers).values_list("line", flat=True))
    lines = [line for line in lines if line.line not in done]
    outcome = resource.run([Row(line.line, line.cells) for line in lines if not line.problems], dry_run=False)
    for line in lines:
        candidate = outcome.candidates.get(line.line)
        referral = candidate.referral if candidate else None
        reason = "" if referral else _words(line.problems or outcome.problems.get(line.line, ()))
        ImportedLine(referral_import=made, line=line.line, referral=referral, reason=reason, at=at).save()


def _words(problems: Iterable[Problem]) -> str:
    return "\n".join(f"{column}: {text}" if column else text for column, text in problems)


@transaction.atomic
def _finish(made: ReferralImport, by: User | None, at: datetime) -> ReferralImport:
    """Count the lines, and delete what they said: received = stored + refused (R-42).

    Raises:
        CountsDiffer: the lines do not add up; nothing is finished then.
    """
    made = ReferralImport.objects.select_for_update().get(pk=made.pk)
    if made.state == State.DONE:
        return made
    made.n_stored = made.lines.filter(referral__isnull=False).count()
    made.n_refused = made.lines.filter(referral__isnull=True).count()
    if made.n_stored + made.n_refused != made.n_received:
        raise CountsDiffer(f"{made}: {made.n_received} received, {made.n_stored} stored, {made.n_refused} refused")
    made.state, made.done_at = State.DONE, at
    made.save_by(by, "Every line is stored or refused")
    ImportFile.objects.filter(referral_import=made).delete()
    return made


def go_on_with_confirmed(*, at: datetime) -> int:
    """Save what confirmed lists still hold, for the scheduled job; returns how many lists were finished."""
    finished = 0
    for made in ReferralImport.objects.filter(state=State.CONFIRMED).select_related("uploaded_by"):
        finished += _go_on(made, made.uploaded_by, at, made.n_received).state == State.DONE
    return finished


def forget_old(*, at: datetime) -> int:
    """Discard lists that nobody confirmed, for the scheduled job; returns how many."""
    old = ReferralImport.objects.filter(state=State.CHECKED, uploaded_at__lt=at - KEPT_FOR)
    return len([_expire(made) for made in old])


@transaction.atomic
def _expire(made: ReferralImport) -> None:
    made.state = State.DISCARDED
    made.save_by(None, "Not confirmed in time")
    ImportFile.objects.filter(referral_import=made).delete()


def refused_lines(made: ReferralImport) -> Iterator[tuple[int, str, str]]:
    """Line, column and what to do, for every problem of a list: as checked, or as it was saved."""
    checked = checked_list(made)
    if checked is not None and made.state == State.CHECKED:
        yield from ((line.line, column, text) for line in checked.refused for column, text in line.problems)
        return
    for line in made.lines.filter(referral__isnull=True):
        for problem in line.reason.split("\n"):
            column, separator, text = problem.partition(": ")
            yield (line.line, column, text) if separator else (line.line, "", problem)


def every_line(made: ReferralImport) -> Iterator[tuple[int, str, str, str]]:
    """Line, what became of it, its screening number, and why it was refused: received = stored + refused (R-42)."""
    for line in made.lines.select_related("referral").order_by("line"):
        if line.referral is not None:
            yield line.line, "stored", line.referral.screening_number, ""
        else:
            yield line.line, "refused", "", "; ".join(line.reason.split("\n"))
