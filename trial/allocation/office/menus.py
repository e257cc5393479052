"""Links of the office: places, reports of a scheme, and what this person may do with it as it stands."""

from django.urls import reverse

from randomisation.models import Scheme, State
from trial.access.drafts import is_form_of
from trial.access.models import User
from trial.access.policy import Action
from trial.allocation.office.log_views import may_read
from trial.allocation.office.pages import url_of
from trial.base.parts import Link

PLACES = (
    ("Requests", "/randomisation/requests/"),
    ("Exceptions", "/randomisation/exceptions/"),
    ("Code breaks", "/randomisation/code-breaks/"),
    ("Emergency envelopes", "/randomisation/envelopes/"),
    ("Recover lost allocations", "/randomisation/recover/"),
    ("New scheme", "/randomisation/new/"),
    ("Suspected leak", "/randomisation/leak/"),
    ("Error found in the system", "/randomisation/error/"),
)
REPORTS = (
    ("Accrual by month", "accrual/"),
    ("Event log", "log/"),
    ("Simulations", "simulations/"),
    ("Acceptance tests", "acceptance/"),
    ("Public statement", "statement/"),
    ("Balance by arm", "balance/"),
    ("Inspection pack", "inspection/"),
    ("Reveal", "reveal/"),
)


def places_of(user: User) -> list[Link]:
    """Places of the office that the person may open: each page says itself who may."""
    return [Link(label, url) for label, url in PLACES if is_form_of(user, url)]


def reports_of(scheme: Scheme, user: User) -> list[Link]:
    """Reports of a scheme that the person may open."""
    links = [Link(label, f"{url_of(scheme)}{where}") for label, where in REPORTS]
    return [link for link in links if is_form_of(user, link.url) and (may_read(user) or not link.url.endswith("/log/"))]


def doings_of(scheme: Scheme, user: User) -> list[Link]:
    """What this person may do with the scheme as it stands."""
    may, state = user.access.may, scheme.state
    links = []
    if may(Action.CONFIGURE_SCHEME) and state != State.REVEALED:
        links.append(Link("Change the draft" if scheme.draft else "Start a new revision", _url("configure", scheme)))
        links += [Link("Simulate", _url("simulate", scheme))] if scheme.draft else []
        links += [Link("Check first allocations", _url("first_check", scheme))] if scheme.next_seq > 1 else []
    if not may(Action.OPERATE_SCHEME):
        return links
    return [*links, *_operating(scheme, state)]


def _operating(scheme: Scheme, state: str) -> list[Link]:
    names = {
        State.LOCKED: [("Open", "open_scheme")],
        State.OPEN: [("Pause", "pause_scheme"), ("Ask to close", "ask_close")],
        State.PAUSED: [("Open again", "open_scheme"), ("Ask to reopen after a restored backup", "reopen")],
    }
    growing = [("Ask to extend the lists", "extend"), ("Ask to add a level", "add_level")]
    found = list(names.get(State(state), []))
    if state == State.PAUSED:
        found.append(("Ask to close", "ask_close"))
    if state in (State.OPEN, State.PAUSED):
        found += [*growing, ("Ask for a higher ceiling", "raise_ceiling")]
    return [Link(label, _url(name, scheme)) for label, name in found]


def _url(name: str, scheme: Scheme) -> str:
    return reverse(f"allocation:{name}", args=[scheme.code])
