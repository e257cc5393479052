"""The lock room, and each step of a cut, a lock and an unlock (ux.md 4.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import Proof, reauthenticate
from trial.base.errors import TrialError
from trial.base.parts import Link
from trial.base.words import local_day, long_date
from trial.locking import actions, checks
from trial.locking import forms as lock_forms
from trial.locking.models import DatasetLock
from trial.locking.reads import room_for, two_people

GET_POST = require_http_methods(["GET", "POST"])
BACK = Link("Go back to the locks", "/locks/")


@requires(Action.VIEW_LOCKS)
@require_http_methods(["GET"])
def index(request: StaffRequest) -> HttpResponse:
    """Checks by site, what is left to do, two people, earlier locks."""
    room = room_for(request.user, timezone.now())
    may = request.user.access.may
    context = {
        "title": "Lock the dataset",
        "room": room,
        "people": two_people(room.lock),
        "steps": steps_for(request, room.lock, room.is_ready),
        "may_cut": may(Action.MAKE_CUT),
        "may_check": may(Action.ASK_LOCK),
        "check_again": Link("Check again", request.path),
    }
    return render(request, "locking/index.html", context)


def steps_for(request: StaffRequest, lock: DatasetLock | None, is_ready: bool) -> list[Link]:
    """What this person may do next, the chief thing first; nothing while something is left to do."""
    asks, agrees = request.user.access.may(Action.ASK_LOCK), request.user.access.may(Action.AGREE_LOCK)
    if lock is None:
        return [Link("Ask for the lock", "/locks/ask/")] if asks and is_ready else []
    base, links = f"/locks/{lock.pk}/", []
    if lock.state == DatasetLock.State.ASKED:
        if agrees and lock.asked_by_id != request.user.pk and is_ready:
            links.append(Link("Agree to the lock", f"{base}agree/"))
        return [*links, Link("Do not agree", f"{base}refuse/")] if asks or agrees else links
    if lock.state == DatasetLock.State.LOCKED:
        return [Link("Ask to unlock", f"{base}unlock/")] if asks else []
    if agrees and lock.unlock_asked_by_id != request.user.pk:
        links.append(Link("Agree to unlock", f"{base}agree-unlock/"))
    return [*links, Link("Keep the lock", f"{base}keep/")] if asks or agrees else links


@requires(Action.ASK_LOCK)
@require_POST
def check(request: StaffRequest) -> HttpResponse:
    """Run the checks that read everything."""
    now = timezone.now()
    checks.run_slow(at=now, on=local_day(now))
    messages.success(request, "Everything was checked again")
    return redirect("locking:index")


# -- steps: a form, an action, back to the room


@dataclass(frozen=True)
class Step:
    """One page with a form and what it does.

    Attributes:
        act: called with the cleaned values, the proof where the form asks for one, and the moment.
        done: said afterwards.
    """

    title: str
    detail: str
    button: str
    form: type[forms.Form]
    act: Callable[[dict[str, Any], Proof | None, datetime], DatasetLock]
    done: str
    facts: tuple[tuple[str, str], ...] = ()


def take(request: StaffRequest, step: Step) -> HttpResponse:
    """Show the step, or do it. A refusal is shown at the form, which keeps what was typed."""
    form = step.form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now, values = timezone.now(), dict(form.cleaned_data)
        secret = values.pop("secret", None)
        try:
            proof = reauthenticate(user=request.user, secret=secret, at=now) if secret else None
            lock = step.act(values, proof, now)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, step.done.format(code=lock.code))
            return redirect("locking:index")
    context = {"title": step.title, "step": step, "form": form, "back": BACK}
    return render(request, "locking/step.html", context)


@requires(Action.MAKE_CUT)
@GET_POST
def cut(request: StaffRequest) -> HttpResponse:
    """Make a data cut; edits go on."""
    step = Step(
        title="Make a data cut",
        detail="The data are stored as they are now. Edits go on, and every file made from it says NOT LOCKED.",
        button="Make the cut",
        form=lock_forms.CutForm,
        act=lambda values, proof, at: actions.make_cut(**values, by=request.user, at=at),
        done="Data cut {code} made",
    )
    return take(request, step)


@requires(Action.ASK_LOCK)
@sensitive_post_parameters("secret")
@GET_POST
def ask(request: StaffRequest) -> HttpResponse:
    """Ask for the final lock."""
    step = Step(
        title="Ask to lock the dataset?",
        detail="Once another person agrees, answers close on every path. Safety, contact and withdrawal entries stay"
        " open and are marked as after the lock.",
        button="Sign and ask for the lock",
        form=lock_forms.AskForm,
        act=lambda values, proof, at: actions.ask_lock(**values, proof=_given(proof), by=request.user, at=at),
        done="Lock {code} asked for. Somebody else has to agree",
    )
    return take(request, step)


@requires(Action.AGREE_LOCK)
@sensitive_post_parameters("secret")
@GET_POST
def agree(request: StaffRequest, pk: int) -> HttpResponse:
    """Agree to the lock that somebody else asked for."""
    lock = _lock(pk)
    step = Step(
        title=f"Lock the dataset as {lock}?",
        detail="Answers close on every path. To open them again takes 2 people and a reason.",
        button="Sign and lock",
        form=lock_forms.SignForm,
        act=lambda values, proof, at: actions.agree_lock(lock=lock, proof=_given(proof), by=request.user, at=at),
        done="The dataset is locked as {code}",
        facts=_facts(lock),
    )
    return take(request, step)


@requires(Action.VIEW_LOCKS)
@GET_POST
def refuse(request: StaffRequest, pk: int) -> HttpResponse:
    """Do not agree, or take back one's own request."""
    lock = _lock(pk)
    step = Step(
        title=f"Do not lock the dataset as {lock}?",
        detail="Edits go on. The lock can be asked for again under the next number.",
        button="Do not lock",
        form=lock_forms.RefuseForm,
        act=lambda values, proof, at: actions.refuse_lock(lock=lock, **values, by=request.user, at=at),
        done="Lock {code} was not agreed",
        facts=_facts(lock),
    )
    return take(request, step)


@requires(Action.ASK_LOCK)
@sensitive_post_parameters("secret")
@GET_POST
def unlock(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask to unlock."""
    lock = _lock(pk)
    step = Step(
        title=f"Ask to unlock {lock}?",
        detail="The data stay locked until another person agrees. The next lock takes a new number.",
        button="Sign and ask to unlock",
        form=lock_forms.UnlockForm,
        act=lambda values, proof, at: actions.ask_unlock(
            lock=lock, **values, proof=_given(proof), by=request.user, at=at
        ),
        done="Unlocking {code} was asked for. Somebody else has to agree",
        facts=_facts(lock),
    )
    return take(request, step)


@requires(Action.AGREE_LOCK)
@sensitive_post_parameters("secret")
@GET_POST
def agree_unlock(request: StaffRequest, pk: int) -> HttpResponse:
    """Agree to the unlock that somebody else asked for."""
    lock = _lock(pk)
    step = Step(
        title=f"Unlock {lock}?",
        detail="Edits become possible again. Releases made from this lock stay as they are.",
        button="Sign and unlock",
        form=lock_forms.SignForm,
        act=lambda values, proof, at: actions.agree_unlock(lock=lock, proof=_given(proof), by=request.user, at=at),
        done="{code} is unlocked",
        facts=(*_facts(lock), ("Why", lock.unlock_reason)),
    )
    return take(request, step)


@requires(Action.VIEW_LOCKS)
@GET_POST
def keep(request: StaffRequest, pk: int) -> HttpResponse:
    """Do not agree to an unlock, or take back one's own request."""
    lock = _lock(pk)
    step = Step(
        title=f"Keep {lock} locked?",
        detail="The request to unlock is closed, and the data stay locked.",
        button="Keep the lock",
        form=lock_forms.RefuseForm,
        act=lambda values, proof, at: actions.refuse_unlock(lock=lock, **values, by=request.user, at=at),
        done="{code} stays locked",
        facts=_facts(lock),
    )
    return take(request, step)


def _lock(pk: int) -> DatasetLock:
    """A final lock; a cut has no such page."""
    found = DatasetLock.objects.filter(kind=DatasetLock.Kind.FINAL).select_related("asked_by", "agreed_by")
    return get_object_or_404(found, pk=pk)


def _facts(lock: DatasetLock) -> tuple[tuple[str, str], ...]:
    return (
        ("Asked by", str(lock.asked_by)),
        ("For", lock.reason),
        ("Last day of the data", long_date(lock.data_through)),
    )


def _given(proof: Proof | None) -> Proof:
    if proof is None:
        raise actions.LockRefused("Enter your password or code to sign.")
    return proof
