"""Forms, queries and registers, and what is checked over everything: scores, trail, definitions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import Count as CountOf
from django.utils import timezone

from exports import checks as model_checks
from exports.datasets import datasets_of, records
from exports.datasets.definition import current_definition, questionnaires
from exports.datasets.records import FormRecord, VisitRecord
from exports.datasets.snapshot import take
from exports.datasets.visits import Diary, diaries
from exports.readiness.counting import by_site, counted, of_total
from trial.access.models import Site
from trial.access.policy import Action
from trial.activities.models import Session
from trial.assessments import verify
from trial.assessments.models import Administration
from trial.attendance.models import Mark
from trial.base import audit
from trial.base.models import AuditLeaf
from trial.double_entry import reads as double_entry
from trial.locking.checks import ALL_SITES, Count, Counts
from trial.review.models import Query

DEFAULT = "default"


def expected_forms(sites: Sequence[Site], on: date) -> Counts:
    """Required questionnaires of every visit that has begun: complete, not done with a reason, or not to be had."""
    totals: Counter[str] = Counter()
    left: Counter[str] = Counter()
    snapshot = take(through=on, locked_at=timezone.now(), using=DEFAULT)
    for ids, people in snapshot.batches():
        forms = records.forms(snapshot, ids)
        for diary in diaries(snapshot, ids, people):
            n, n_left = _forms_of(diary, {(f.visit, f.instrument): f for f in forms.get(diary.person.pk, ())})
            totals[diary.person.site] += n
            left[diary.person.site] += n_left
    return of_total(
        sites,
        {site.pk: totals[site.code] for site in sites},
        {site.pk: left[site.code] for site in sites},
        short="to explain",
        todo=lambda n: f"Explain {counted(n, 'form')}",
        url="/data/",
        action=Action.VIEW_DATA,
    )


def _forms_of(diary: Diary, forms: Mapping[tuple[int, str], FormRecord]) -> tuple[int, int]:
    """(expected, of these neither there nor explained) for one person."""
    codes = {visit.code: visit.pk for visit in diary.visits}
    total = left = 0
    for visit in diary.visits:
        if visit.opens > diary.snapshot.through or diary.died_before(visit):
            continue
        for form in questionnaires(diary.spec_of(visit)):
            stored = forms.get((visit.pk, form.form))
            earlier = forms.get((codes.get(form.repeat_of.visit, 0), form.form)) if form.repeat_of else None
            if stored is None and not (form.required and diary.was_asked(form, earlier)):
                continue
            total += 1
            left += not _is_settled(diary, visit, stored)
    return total, left


def _is_settled(diary: Diary, visit: VisitRecord, stored: FormRecord | None) -> bool:
    if stored is not None and (stored.is_complete or stored.is_not_done):
        return True
    return diary.had_stopped(visit) or (stored is None and bool(visit.missed_reason))


def double_entries(sites: Sequence[Site], on: date) -> Counts:
    """Every paper form that the protocol has entered twice was, and every difference decided (BR-36)."""
    waiting = Counter(double_entry.awaiting().values_list("participant__referral__site", flat=True))
    open_ones = Counter(double_entry.undecided().values_list("participant__referral__site", flat=True))

    def count(site: Site) -> Count:
        n_second, n_decide = waiting[site.pk], open_ones[site.pk]
        n = n_second + n_decide
        what = [f"Enter {counted(n_second, 'form')} a second time"] if n_second else []
        what += [f"Decide between the entries of {counted(n_decide, 'form')}"] if n_decide else []
        return Count(not n, f"{n:,} waiting", ". ".join(what), url="/double-entry/", action=Action.VIEW_DATA)

    return by_site(sites, count)


def open_queries(sites: Sequence[Site], on: date) -> Counts:
    """Every query closed."""
    rows = (
        Query.objects.exclude(state=Query.State.CLOSED)
        .values_list("participant__referral__site")
        .annotate(n=CountOf("pk"))
    )
    left = dict(rows)

    def count(site: Site) -> Count:
        n = left.get(site.pk, 0)
        todo = f"Close {counted(n, 'query', 'queries')}" if n else ""
        return Count(not n, f"{n:,} open", todo, url=f"/queries/?site={site.code}", action=Action.VIEW_QUERIES)

    return by_site(sites, count)


def register_marks(sites: Sequence[Site], on: date) -> Counts:
    """No mark in conflict, and every session that is over delivered or cancelled. Counts only: BR-26."""
    undecided = Mark.objects.undecided().values_list("session__group__site").annotate(n=CountOf("pk"))
    now = timezone.now()
    over = (
        Session.objects.filter(status=Session.Status.PLANNED, ends_at__lt=now)
        .values_list("group__site")
        .annotate(n=CountOf("pk"))
    )
    conflicts, unfinished = dict(undecided), dict(over)

    def count(site: Site) -> Count:
        n = conflicts.get(site.pk, 0) + unfinished.get(site.pk, 0)
        todo = f"Ask for {counted(n, 'register entry', 'register entries')} to be settled" if n else ""
        return Count(not n, f"{n:,}", todo, url="/sessions/", action=Action.VIEW_SESSIONS)

    return by_site(sites, count)


def scores(sites: Sequence[Site], on: date) -> Counts:
    """Every stored score equal to the one worked out again (R-26)."""
    total = Administration.objects.filter(status=Administration.Status.COMPLETE).count()
    differing = verify.score_differences()
    if not differing:
        return {ALL_SITES: Count(True, f"{total:,} of {total:,} equal")}
    todo = f"Tell the administrator: {counted(len(differing), 'stored score')} differ"
    return {ALL_SITES: Count(False, f"{len(differing):,} of {total:,} differ", todo, differing[0])}


def audit_trail(sites: Sequence[Site], on: date) -> Counts:
    """No entry of the trail altered or gone (R-02)."""
    problems = audit.verify()
    total = AuditLeaf.objects.count()
    if not problems:
        return {ALL_SITES: Count(True, counted(total, "entry", "entries"))}
    todo = f"Tell the administrator: {counted(len(problems), 'entry', 'entries')} of the audit trail differ"
    return {ALL_SITES: Count(False, f"{len(problems):,} of {total:,} differ", todo, problems[0])}


def definitions(sites: Sequence[Site], on: date) -> Counts:
    """Names, labels and code lists of the dataset fit every format (dataset_release.md 13.1)."""
    definition = current_definition()
    if not definition.specs:
        return {ALL_SITES: Count(False, "No protocol is active", "Activate a protocol")}
    model = datasets_of(definition).model
    problems = model_checks.problems(model)
    n_variables = sum(len(table.variables) for table in model.tables)
    if not problems:
        return {ALL_SITES: Count(True, f"{counted(n_variables, 'variable')} fit every format")}
    todo = f"Tell the administrator: {counted(len(problems), 'variable')} of the dataset do not fit"
    return {ALL_SITES: Count(False, f"{len(problems):,} do not fit", todo, problems[0])}
