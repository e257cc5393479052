"""What a consent must satisfy (BR-10 to BR-16): values in, sentences out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any


def unanswered(statements: Sequence[Mapping[str, Any]], answers: Mapping[str, bool]) -> list[int]:
    """Positions, from 1, of statements without an answer: none is assumed (BR-12)."""
    return [n for n, one in enumerate(statements, start=1) if one["code"] not in answers]


def refused(statements: Sequence[Mapping[str, Any]], answers: Mapping[str, bool]) -> list[int]:
    """Positions of mandatory statements that were answered No (BR-12)."""
    return [n for n, one in enumerate(statements, start=1) if one["mandatory"] and answers.get(one["code"]) is False]


def needs_comment(information_given_at: datetime, signed_at: datetime, min_hours: int) -> bool:
    """Whether less time than the protocol asks for lay between information and consent (BR-11)."""
    return signed_at - information_given_at < timedelta(hours=min_hours)
