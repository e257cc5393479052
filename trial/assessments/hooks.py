"""What higher features add to forms, set in trial.wiring: lower features never call them by name."""

from collections.abc import Callable, Sequence
from datetime import datetime

from trial.access.models import User
from trial.assessments.models import Administration
from trial.base.parts import Fact, Link, ScanPanel
from trial.participants.models import Participant
from trial.schedule.models import Visit

after_save: list[Callable[[Administration, User | None, datetime], None]] = []
"""Called in the transaction of each save and each "Not done": the journey moves on when baseline is complete (T10)."""

form_links: list[Callable[[Administration, User], Sequence[Link]]] = []
"""Links beside the title of a stored form, such as raising a query."""

further_facts: list[Callable[[Administration, User], Sequence[Fact]]] = []
"""Facts under the title of a stored form beside its own, such as that its assessor was blinded no longer."""


def facts_beside(form: Administration, user: User) -> list[Fact]:
    """What the features above say of a form under its title."""
    return [fact for hook in further_facts for fact in hook(form, user)]


item_links: list[Callable[[Administration, str, User], Link | None]] = []
"""A link beside one answer of a stored form, by item code."""

kept_from: list[Callable[[Administration, User], str]] = []
"""Address to which a person goes instead of a stored form: a second person has not yet entered it unseen (BR-36)."""


def elsewhere(form: Administration | None, user: User) -> str:
    """Where the user goes instead of seeing what the form holds; empty where they may see it."""
    if form is None:
        return ""
    return next((url for hook in kept_from if (url := hook(form, user))), "")


scan_panels: list[Callable[[Participant, Visit, str, User], ScanPanel]] = []
"""Scans to be shown beside the entry of a form, by person, visit and code of the instrument."""


def scan_panel(participant: Participant, visit: Visit, instrument: str, user: User) -> ScanPanel | None:
    """What is known of scans of one form; None where nobody keeps any."""
    return next((panel(participant, visit, instrument, user) for panel in scan_panels), None)


shown: list[Callable[[Administration, User, datetime], None]] = []
"""Called when a page shows the answers of a stored form to somebody."""


def note_shown(form: Administration | None, to: User, at: datetime) -> None:
    """Tell the features above that the user sees what the form holds."""
    if form is not None:
        for hook in shown:
            hook(form, to, at)
