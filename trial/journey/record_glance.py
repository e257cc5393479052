"""What a coordinator needs while the telephone rings: next due, last contact, open tasks, preferred channel."""

from collections.abc import Callable, Sequence
from datetime import date

from trial.access.models import User
from trial.access.policy import Action
from trial.assessments.reads import VisitState
from trial.base import keys
from trial.base.parts import Fact, Link
from trial.base.words import short_date
from trial.journey.forms import PREFERRED
from trial.journey.next_rules import Facts, in_a_few_words
from trial.messages.models import Task
from trial.participants import identity
from trial.participants.models import Participant, Referral

further_facts: list[Callable[[Referral], Fact | None]] = []
"""Facts of higher features that come first, such as that nothing may be processed; set in trial.wiring."""
TASKS = "tasks-of-this-person"
"""Where the list of open tasks stands on the page."""


def glance(
    referral: Referral, user: User, today: date, visits: Sequence[VisitState], tasks: Sequence[Task]
) -> list[Fact]:
    """Four facts, in four lookups at most, whatever is on record."""
    first = [fact for ask in further_facts if (fact := ask(referral)) is not None]
    facts = [*first, _next(referral, today, visits), _last_contact(referral)]
    if user.access.may(Action.VIEW_TASKS):
        facts.append(_tasks(tasks, today))
    if user.access.may(Action.VIEW_IDENTITY, referral.site):
        facts.append(Fact("Prefers", _preferred(referral) or "Not asked"))
    return facts


def _next(referral: Referral, today: date, visits: Sequence[VisitState]) -> Fact:
    participant: Participant | None = getattr(referral, "participant", None)
    spec = referral.protocol_version.spec
    facts = Facts(referral, spec, today)
    if participant is not None:
        facts = Facts(
            referral,
            spec,
            today,
            visits=visits,
            changes=list(participant.participation_changes.all()),
            eligibility=getattr(participant, "eligibility", None),
        )
    return Fact("Next due", strong=in_a_few_words(facts) or "Nothing")


def _last_contact(referral: Referral) -> Fact:
    last = referral.contact_attempts.order_by("-at", "-pk").first()
    if last is None:
        return Fact("Last contact", "None yet")
    said = f"{short_date(last.at)}, {last.get_channel_display().lower()}"
    return Fact("Last contact", said, detail=last.get_outcome_display())


def _tasks(tasks: Sequence[Task], today: date) -> Fact:
    if not tasks:
        return Fact("Open tasks", "None")
    late = sum(task.due_date < today for task in tasks)
    more = f"{late} overdue" if late else f"next {short_date(tasks[0].due_date)}"
    return Fact("Open tasks", link=Link(f"{len(tasks)} open", f"#{TASKS}"), detail=more)


def _preferred(referral: Referral) -> str:
    """The preferred channel: a word that identifies nobody, so its showing is not logged."""
    try:
        who = identity.read(referral.person)
    except keys.SealBroken:
        return ""
    return dict(PREFERRED).get(who.preferred_contact, who.preferred_contact)


def open_tasks(referral: Referral, user: User) -> list[Task]:
    """Open tasks about this person for roles of the user, the nearest first."""
    if not user.access.may(Action.VIEW_TASKS):
        return []
    return list(Task.objects.visible_to(user).open().filter(referral=referral).order_by("due_date", "pk"))


def other_pages(referral: Referral, user: User) -> list[Link]:
    """Pages that are needed less often than those beside the title."""
    base, site, may = f"/people/{referral.number}/", referral.site, user.access.may
    has_consented = hasattr(referral, "participant")
    claims = may(Action.RECORD_CLAIM, site) or may(Action.PAY_CLAIM, site)
    offered = (
        (has_consented and claims, Link("Vouchers and travel", f"{base}claims/")),
        (may(Action.HANDLE_REQUEST, site), Link("Record a request about data", f"{base}data-request/")),
        (may(Action.COPY_PERSON, site), Link("Copy of their data", f"{base}data-copy/")),
        (may(Action.REDACT_TEXT, site), Link("Remove a text", f"{base}remove-text/")),
        (
            may(Action.ASK_DISPOSAL, site) and not referral.person.is_disposed,
            Link("Destroy the protected details", f"{base}disposal/"),
        ),
    )
    return [link for allowed, link in offered if allowed]
