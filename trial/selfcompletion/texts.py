"""The messages that carry a link: why they are sent, how to stop them, nothing about arm or health (BR-26, rule 8)."""

from datetime import date

from trial.base.words import long_date
from trial.protocol.spec import ProtocolSpec

LINK = "[The link is filled in when the message leaves. It is stored nowhere.]"
"""Stands in the stored body where the message that is sent has its link."""
INVITATION, REMINDER = "questionnaire_invitation", "questionnaire_reminder"
HEADINGS = {INVITATION: "Your next questions are ready", REMINDER: "Reminder: your questions are still waiting"}
FIRST = {
    INVITATION: "It is time for your next questions for the study.",
    REMINDER: "We have not had your answers to these questions yet. If you have just sent them, thank you.",
}
CHECKS = {"birth_day_month": "the day and month you were born", "postcode": "your postcode"}


def body(kind: str, spec: ProtocolSpec, closes: date | None, minutes: str) -> str:
    """The text of one message, with LINK where its link goes."""
    study = spec.study
    until = f"The link works until {long_date(closes)}, or until you have sent your answers." if closes else ""
    support = spec.support_pages[0]
    calls = "\n".join(f"- {call.label}. {call.purpose}." for call in support.calls)
    return "\n\n".join(
        part
        for part in (
            "Hello,",
            FIRST[kind],
            f"Open this link to answer them. They take {minutes}:\n{LINK}",
            f"First we ask {CHECKS[spec.self_completion.second_check]}, to check it is you. You can stop and come back"
            f" with the same link: your answers are kept. {until}".strip(),
            f"Why we write: you agreed to take part in the {study.public_name}, and gave us this address for it.",
            f"To stop these messages, or to answer another way, ring {study.office_phone} ({study.office_hours})"
            f" or write to {study.office_email}. You need not say why.",
            f"We do not read answers straight away. If you need help now:\n{calls}",
            study.public_name,
        )
        if part
    )
