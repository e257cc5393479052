"""What a person takes part in, reminders, safety rules and the identity fields collected."""

from typing import Annotated, Literal

from pydantic import Field

from trial.protocol.spec.eligibility import Grade
from trial.protocol.spec.fields import Code, Day, Days, Line, Part, Positive, VersionNumber

Element = Literal[
    "activity",
    "questionnaires_web",
    "questionnaires_phone_post",
    "reminders",
    "contact",
    "records",
    "interview",
    "results_letter",
]


class ParticipationElement(Part):
    """One element that a person may stop or resume by itself (BR-60). Its code says what stops."""

    code: Element
    label: Line


class ParticipationLevel(Part):
    """Shorthand for reports: applies when all of `all_of` have stopped and, where there are, any of `any_of`.

    Levels are listed from least to most; the last that applies counts.
    """

    code: Code
    label: Line
    all_of: tuple[Element, ...]
    any_of: tuple[Element, ...]


class ReminderPlan(Part):
    """Messages for a visit's self-report pack, then a phone task (BR-37).

    Days count from the window's opening. The phone task comes `phone_task_days_after` days after the last
    message, at the latest `phone_task_days_before_close` days before the window closes.
    """

    days_after_opening: Annotated[tuple[Days, ...], Field(min_length=1)]
    phone_task_days_after: Days
    phone_task_days_before_close: Days
    channels: Annotated[tuple[Literal["email", "text", "letter"], ...], Field(min_length=1)]


class SelfCompletionRules(Part):
    """What a participant must know before a questionnaire link shows or takes an answer, and how often they may try.

    After every `tries` wrong answers the link waits `wait_min` minutes; after `max_tries` the team must send another.
    """

    second_check: Literal["birth_day_month", "postcode"] = "birth_day_month"
    tries: Positive = 5
    wait_min: Positive = 30
    max_tries: Positive = 10


class RiskAlertRules(Part):
    """First contact attempt, escalation of an unacknowledged alert, and grades that two people sign (BR-51).

    `first_contact_working_days` 0 means the same working day.
    """

    first_contact_working_days: Days
    escalate_after_working_hours: Positive
    second_sign_off_grades: tuple[Grade, ...]


class ExpectedEvent(Part):
    """An adverse event listed as foreseeable; `check_after_days` opens a follow-up check (BR-56)."""

    code: Code
    label: Line
    check_after_days: Days | None = None


class ExpectedEvents(Part):
    """The list against which expectedness is judged, with the day from which it holds (BR-54)."""

    version: VersionNumber
    effective_from: Day
    events: tuple[ExpectedEvent, ...]


class IdentityField(Part):
    """An identity field that this study collects, and what for (R-33)."""

    field: Literal[
        "name",
        "birth_date",
        "nhs_number",
        "address",
        "phone",
        "email",
        "preferred_contact",
        "gp_practice",
        "emergency_contact",
    ]
    required: bool
    purpose: Line
