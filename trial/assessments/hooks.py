"""What higher features add to forms, set in trial.wiring: lower features never call them by name."""

from collections.abc import Callable, Sequence
from datetime import datetime

from trial.access.models import User
from trial.assessments.models import Administration
from trial.base.parts import Link

after_save: list[Callable[[Administration, User | None, datetime], None]] = []
"""Called in the transaction of each save and each "Not done": the journey moves on when baseline is complete (T10)."""

form_links: list[Callable[[Administration, User], Sequence[Link]]] = []
"""Links beside the title of a stored form, such as raising a query."""

item_links: list[Callable[[Administration, str, User], Link | None]] = []
"""A link beside one answer of a stored form, by item code."""

kept_from: list[Callable[[Administration, User], str]] = []
"""Address to which a person goes instead of a stored form: a second person has not yet entered it unseen (BR-36)."""


def elsewhere(form: Administration | None, user: User) -> str:
    """Where the user goes instead of seeing what the form holds; empty where they may see it."""
    if form is None:
        return ""
    return next((url for hook in kept_from if (url := hook(form, user))), "")
