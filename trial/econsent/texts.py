"""The messages that carry a link: why they are sent and how to stop them; nothing about health."""

from datetime import date

from trial.base.words import long_date
from trial.protocol.spec import ProtocolSpec
from trial.selfcompletion.texts import CHECKS, LINK

TO_SIGN, COPY = "consent_link", "consent_copy"
HEADINGS = {TO_SIGN: "Your consent form is ready to read", COPY: "Your copy of the consent form"}


def to_sign(spec: ProtocolSpec, until: date) -> str:
    """The message with the link to read, answer and sign."""
    study = spec.study
    return "\n\n".join(
        (
            "Hello,",
            f"You are thinking about taking part in the {study.public_name}. Here you can read the information sheet"
            f" again, and answer and sign the consent form:\n{LINK}",
            f"First we ask {CHECKS[spec.self_completion.second_check]}, to check it is you. You can stop and come back"
            f" with the same link until {long_date(until)}. Take your time: you need not take part.",
            "Somebody of the study team will speak with you to check who you are and to answer your questions. You"
            " are in the study only once they have signed too; then we send you your copy.",
            "Why we write: you, or somebody you allowed, gave us this address so that we could tell you about the"
            " study.",
            f"If you would rather consent on paper or by telephone, or do not want to hear from us, ring"
            f" {study.office_phone} ({study.office_hours}) or write to {study.office_email}. You need not say why.",
            study.public_name,
        )
    )


def copy(spec: ProtocolSpec, until: date) -> str:
    """The message with the link to the person's own copy."""
    study = spec.study
    return "\n\n".join(
        (
            "Hello,",
            f"Thank you. Your consent form is signed by you and by us. This is your copy, to keep:\n{LINK}",
            f"First we ask {CHECKS[spec.self_completion.second_check]}, to check it is you. The link works until"
            f" {long_date(until)}. The page shows how to check that the file is ours and unaltered.",
            f"You may change your mind at any time. Ring {study.office_phone} ({study.office_hours}) or write to"
            f" {study.office_email}. You need not say why.",
            study.public_name,
        )
    )
