"""Who sits at the questions: the session between "Start now" and the end, without the token (ux.md 4.3, rule 1)."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core import signing
from django.http import HttpRequest
from django.utils import timezone

from trial.selfcompletion import reads
from trial.selfcompletion.models import SelfCompletionLink
from trial.selfcompletion.pack import Pack, pack_of
from trial.selfcompletion.rules import LinkState

KEY, SHOWN = "self_completion", "self_completion_shown"
SALT = "trial.selfcompletion"
KEPT_FOR_SECONDS = 24 * 60 * 60
MOST_KEPT = 200
"""Characters of one answer that are carried through a second check: no answer is as long."""


@dataclass(frozen=True)
class Sitting:
    """One person at one link. `has_passed` says that the second check was passed in this session."""

    link: SelfCompletionLink
    has_passed: bool

    @cached_property
    def pack(self) -> Pack:
        """The questions as they stand when this request first asks."""
        return pack_of(self.link.self_completion.visit, timezone.localdate())

    @property
    def state(self) -> LinkState:
        """What the link answers now."""
        return reads.state_of(self.link.self_completion.visit, timezone.now(), self.link, self.pack)


def begin(request: HttpRequest, link: SelfCompletionLink) -> None:
    """Open a session of its own: whoever was signed in on this device is signed out first."""
    request.session.flush()
    request.session[KEY] = {"link": link.pk, "passed": False}


def current(request: HttpRequest) -> Sitting | None:
    """The sitting of this session, if there is one."""
    remembered = request.session.get(KEY)
    link = reads.link_with(remembered["link"]) if remembered else None
    return Sitting(link, remembered["passed"]) if link and remembered else None


def let_in(request: HttpRequest, link: SelfCompletionLink) -> None:
    """The second check was passed: a new session key, so that nobody else holds it."""
    request.session.cycle_key()
    request.session[KEY] = {"link": link.pk, "passed": True}


def end(request: HttpRequest) -> None:
    """Forget everything about the sitting."""
    request.session.flush()


# -- when the question that is being answered was shown


def note_shown(request: HttpRequest, part: int, item: int, at: datetime) -> None:
    """Remember when a question was shown, for the time that its answer took."""
    request.session[SHOWN] = [part, item, at.isoformat()]


def shown_at(request: HttpRequest, part: int, item: int) -> datetime | None:
    """When this question was shown; None where another one was shown since."""
    found = request.session.get(SHOWN)
    return datetime.fromisoformat(found[2]) if found and found[:2] == [part, item] else None


# -- what was typed when the session had run out


def ticket(sitting: Sitting) -> str:
    """Stands in each question's form: says, signed, whose questions these are once the session has run out."""
    return signing.dumps(sitting.link.pk, salt=SALT)


def link_of_ticket(text: str) -> SelfCompletionLink | None:
    """The link that a question's form was made for. It opens nothing without the second check."""
    try:
        return reads.link_with(int(signing.loads(text, salt=SALT, max_age=KEPT_FOR_SECONDS)))
    except (signing.BadSignature, TypeError, ValueError):
        return None


def keep(link: SelfCompletionLink, part: int, item: int, posted: dict[str, Any]) -> str:
    """What was typed, signed, to be carried through the second check."""
    typed = {name: str(value)[:MOST_KEPT] for name, value in posted.items() if name in ("answer", "refuse", "skip")}
    return signing.dumps([link.pk, part, item, typed], salt=f"{SALT}.kept")


def kept(text: str) -> tuple[SelfCompletionLink, int, int, dict[str, str]] | None:
    """What keep() wrote."""
    try:
        pk, part, item, typed = signing.loads(text, salt=f"{SALT}.kept", max_age=KEPT_FOR_SECONDS)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    link = reads.link_with(pk)
    return (link, part, item, typed) if link else None
