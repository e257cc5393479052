"""What is next in a scheme, for one person (randomisation.md section 10, ux.md section 1)."""

from dataclasses import dataclass

from django.urls import reverse

from randomisation import high_water
from randomisation.high_water import Standing
from randomisation.locks import TWO_TEXTS
from randomisation.models import Proposal, Revision, Scheme, State
from randomisation.proposals import LOCK
from trial.access.models import User
from trial.access.policy import Action
from trial.allocation.office import first_checks
from trial.allocation.office.contributing import awaited_part
from trial.allocation.office.pages import url_of
from trial.base.parts import Link


@dataclass(frozen=True)
class NextStep:
    """What is next and why; `link` where this person takes it."""

    title: str
    detail: str
    link: Link | None = None


def next_step(scheme: Scheme, user: User) -> NextStep:
    """The next step of the scheme. Whoever may not take it reads who does."""
    draft = scheme.draft
    if draft is not None:
        return _before_lock(scheme, draft, user)
    locked = scheme.revisions.filter(state=State.LOCKED).order_by("-number").first()
    if locked is not None:
        return _locked(scheme, locked, user)
    in_force = scheme.revision_in_force
    if in_force is not None:
        return _in_force(scheme, in_force, user)
    if scheme.state in (State.CLOSED, State.REVEALED):
        return NextStep("Nothing is due", "Randomisation is closed. The analysis and the reveal follow.")
    return configure_step(scheme.code, user)


def configure_step(code: str, user: User) -> NextStep:
    """The first step of all."""
    why = "An independent statistician sets method and lists. Arms and factors come from the protocol."
    return _offer(user, Action.CONFIGURE_SCHEME, "Configure the scheme", why, _link("Configure", "configure", code))


def _before_lock(scheme: Scheme, draft: Revision, user: User) -> NextStep:
    what = f"Revision {draft.number}"
    if draft.state == State.DRAFT:
        why = f"{what} is a draft. An independent statistician simulates it before it is tested."
        link = _link("Simulate", "simulate", scheme.code)
        return _offer(user, Action.CONFIGURE_SCHEME, "Simulate the design", why, link)
    if draft.state == State.SIMULATED:
        why = f"{what} is simulated. A tester runs the acceptance test, and the statistician signs it."
        link = Link("Acceptance tests", f"{url_of(scheme)}acceptance/")
        may = user.access.may(Action.TEST_SCHEME) or user.access.may(Action.CONFIGURE_SCHEME)
        return NextStep("Test the design", why, link if may else None)
    asked = scheme.proposals.filter(kind=LOCK, state=Proposal.State.ASKED).first()
    if asked is not None:
        why = f"{what} is tested. Two people must approve the lock: independent statistician, sponsor representative."
        link = Link("Open the request", reverse("allocation:request", args=[asked.pk]))
        return _offer(user, Action.APPROVE_LOCK, "Approve the lock", why, link)
    why = f"{what} is tested and its report is signed. Anybody who operates the scheme asks for the lock."
    may_ask = user.access.may(Action.OPERATE_SCHEME) or user.access.may(Action.CONFIGURE_SCHEME)
    return NextStep("Ask for the lock", why, _link("Ask for the lock", "ask_lock", scheme.code) if may_ask else None)


def _locked(scheme: Scheme, revision: Revision, user: User) -> NextStep:
    args = [scheme.code, revision.number]
    if not revision.contribution_sealed and revision.params_public["contribution_source"] == TWO_TEXTS:
        why = "Publish the commitment first. Then sponsor's representative and statistician each give a short text."
        part = awaited_part(revision, user)
        link = Link("Give your text", reverse("allocation:contribution", args=args)) if part else None
        return NextStep("Give the two texts", why, link)
    why = f"Revision {revision.number} is locked. The trial manager opens it after the green-light checklist."
    return _offer(user, Action.OPERATE_SCHEME, "Open the scheme", why, _link("Open", "open_scheme", scheme.code))


def _in_force(scheme: Scheme, revision: Revision, user: User) -> NextStep:
    if revision.state == State.PAUSED:
        return _paused(scheme, user)
    due = first_checks.due_in(scheme)
    if due:
        where = ", ".join(place.words for place in due)
        why = f"Due for {where}: the log is replayed and the factors are looked at."
        link = _link("Check them", "first_check", scheme.code)
        return _offer(user, Action.CONFIGURE_SCHEME, "Check the first allocations", why, link)
    return NextStep("Nothing is due", "Randomisation is open.")


def _paused(scheme: Scheme, user: User) -> NextStep:
    standing = high_water.compare(scheme)
    if standing is Standing.BEHIND:
        why = "Enter the allocations that the database lacks, from their certificates and in order."
        return _offer(user, Action.USE_BACKUP, "Recover allocations", why, Link("Recover", "/randomisation/recover/"))
    if standing is not Standing.LEVEL:
        why = "The database and its mark differ. Two people approve that randomisation goes on."
        return _offer(user, Action.OPERATE_SCHEME, "Ask to reopen", why, _link("Ask to reopen", "reopen", scheme.code))
    why = "Randomisation is paused. Open it again once the reason is gone."
    return _offer(user, Action.OPERATE_SCHEME, "Open again", why, _link("Open again", "open_scheme", scheme.code))


def _link(label: str, name: str, code: str) -> Link:
    return Link(label, reverse(f"allocation:{name}", args=[code]))


def _offer(user: User, action: Action, title: str, why: str, link: Link) -> NextStep:
    return NextStep(title, why, link if user.access.may(action) else None)
