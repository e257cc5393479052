"""What the tables share: states, purposes, and conditions for triggers."""

from django.db import models

Guards = tuple[tuple[str, str, str, str], ...]


def changes(*columns: str) -> str:
    """SQL that holds when one of `columns` changes."""
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


class State(models.TextChoices):
    """Where a revision stands in its life (section 10); a scheme stands where its revision in force does."""

    DRAFT = "draft", "Draft"
    SIMULATED = "simulated", "Simulated"
    TESTED = "tested", "Tested"
    LOCKED = "locked", "Locked"
    OPEN = "open", "Open"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"
    REVEALED = "revealed", "Revealed"


IN_FORCE = (State.OPEN, State.PAUSED)
BEFORE_LOCK = (State.DRAFT, State.SIMULATED, State.TESTED)
ENDED = (State.CLOSED, State.REVEALED)


def rank(row: str) -> str:
    """SQL for how far the state of `row` is along its life; open and paused may alternate."""
    return (
        f"CASE {row}.state WHEN 'draft' THEN 0 WHEN 'simulated' THEN 1 WHEN 'tested' THEN 2 WHEN 'locked' THEN 3"
        " WHEN 'closed' THEN 5 WHEN 'revealed' THEN 6 ELSE 4 END"
    )


class Purpose(models.TextChoices):
    """Where a draw comes from (2.1): the main list, an emergency list, or minimisation, which has no list."""

    LIST = "list", "Main list"
    BACKUP = "backup", "Emergency list"
    MIN = "min", "Minimisation"
