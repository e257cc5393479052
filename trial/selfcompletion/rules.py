"""What a link answers, how often the second check may be tried, which questions are asked: values in, value out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

import instruments
from instruments import Instrument, Item
from trial.participants.identity import IdentityData
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec, SelfCompletionRules

MOST_SECONDS = 300
"""One question counts for at most so long: whoever stays longer has left the page open."""


class LinkState(StrEnum):
    """What somebody finds who opens a link."""

    OPEN = "open"
    SENT = "sent"
    CLOSED = "closed"
    REVOKED = "revoked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


def link_state(
    *, is_wanted: bool, is_sent: bool, is_revoked: bool, closes: date | None, has_questions: bool, today: date
) -> LinkState:
    """The first reason that holds, so that nobody who left the study learns anything else.

    Args:
        is_wanted: the person still answers online, and no final lock is in force.
        closes: last day of the visit's window; None while day 0 is not known, when the link stays open.
        has_questions: some of the visit's questionnaires are not answered yet.
    """
    if not is_wanted:
        return LinkState.CLOSED
    if is_sent:
        return LinkState.SENT
    if is_revoked:
        return LinkState.REVOKED
    if closes is not None and today > closes:
        return LinkState.EXPIRED
    return LinkState.OPEN if has_questions else LinkState.CLOSED


# -- the second check


@dataclass(frozen=True)
class Tries:
    """Whether the second check may be tried now; `until` is when it may be again, `is_locked` that it may not."""

    until: datetime | None = None
    is_locked: bool = False

    @property
    def may_try(self) -> bool:
        """Whether an answer is looked at."""
        return self.until is None and not self.is_locked


def tries(limits: SelfCompletionRules, n_failed: int, last_failed_at: datetime | None, at: datetime) -> Tries:
    """What is left of the tries: a pause after every `tries` wrong ones, the end after `max_tries` (R-32)."""
    if n_failed >= limits.max_tries:
        return Tries(is_locked=True)
    if last_failed_at is None or not n_failed or n_failed % limits.tries:
        return Tries()
    until = last_failed_at + timedelta(minutes=limits.wait_min)
    return Tries(until=until) if at < until else Tries()


SecondCheck = Literal["birth_day_month", "postcode"]


def known_answer(kind: SecondCheck, who: IdentityData) -> str:
    """The right answer to the second check; empty where the study does not know it, so that nothing fits."""
    if kind == "postcode":
        return plain_postcode(who.postcode)
    return f"{who.birth_date.day}-{who.birth_date.month}" if who.birth_date else ""


def plain_postcode(text: str) -> str:
    """ "EX1 2AB" however it was typed."""
    return "".join(text.split()).upper()


# -- questions


def asked(definition: Instrument, answers: Mapping[str, int], missing: Mapping[str, str]) -> list[Item]:
    """The items to ask, in published order: all without a condition, and those whose condition holds.

    An item that was answered while its condition held stays, so that no answer disappears unseen.
    """
    wanted = {*instruments.required_items(definition, answers), *answers, *missing}
    return [item for item in definition.items if item.required_if is None or item.code in wanted]


def raises_support(definition: Instrument, item: Item, answer: int | None) -> bool:
    """Whether this answer, by itself, is one after which help is shown at once (BR-50)."""
    return answer is not None and any(
        alert.item == item.code and alert.severity == "urgent" and alert.condition.holds(answer)
        for alert in definition.alerts
    )


def seconds_spent(shown_at: datetime | None, at: datetime) -> int:
    """Seconds between a question's page and its answer, at most MOST_SECONDS; 0 where the page is not known."""
    if shown_at is None or at < shown_at:
        return 0
    return min(int((at - shown_at).total_seconds()), MOST_SECONDS)


def minutes_words(n_questions: int) -> str:
    """About how long so many questions take: ten seconds each."""
    minutes = max(1, round(n_questions / 6))
    return "about 1 minute" if minutes == 1 else f"about {minutes} minutes"


# -- messages


def message_due(spec: ProtocolSpec, opens: date, closes: date, today: date) -> int | None:
    """The plan's last message day up to today, in days after the window's opening; None before the first (BR-37).

    Only the last counts: after days without the scheduled job nobody gets three messages at once.
    """
    due = [day for day in protocol_rules.reminder_dates(spec, opens, closes) if day <= today]
    return (due[-1] - opens).days if due and today <= closes else None
