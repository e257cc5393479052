"""The message itself: a JSON document under the block names of the PRSB standard, and the same as a letter."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pypdf import PdfReader, PdfWriter

from trial.base.documents import Block, Facts, Heading, Text, document
from trial.base.words import in_groups, local_day, long_date
from trial.consent.models import DocumentVersion
from trial.participants import choices, identity
from trial.participants.models import Referral
from trial.referrals.models import MessageBack

FORMAT = "hedgerow-message-back/1"
SCHEMA = Path(__file__).with_name("message_back.schema.json")
OFFERED = (
    "A weekly group activity, as part of a research study in which chance decides between two kinds of group. Which one"
    " is not told in this message."
)
WORDS = {
    "consent": "The person agreed to take part in the study. Their usual care goes on. No action is needed.",
    "exit": "The person no longer takes part in the study. Their usual care goes on.",
}


class NotAsTheSchemaSays(Exception):
    """A document that its published schema does not accept: an error of the program, never of a person."""


@dataclass(frozen=True)
class Recipient:
    """Who gets a message."""

    name: str
    ods_code: str = ""
    address: str = ""
    email: str = ""

    def as_text(self) -> str:
        """As it is sealed."""
        return "\n".join(part for part in (self.name, self.ods_code, self.address, self.email) if part)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def build(message: MessageBack, *, to: Recipient, letter: DocumentVersion | None, on: date) -> dict[str, Any]:
    """The document; empty parts are left out.

    Raises:
        NotAsTheSchemaSays: it is not as the schema says.
    """
    referral = message.participant.referral
    found = {
        "format": FORMAT,
        "message": _message(message, referral, to, letter, on),
        "person": _person(message, referral),
        "needs_and_concerns": {
            "needs": _labels(referral.needs, choices.Need),
            "concerns": _labels(referral.concerns, choices.Concern),
        },
        "support_offered": {
            "referral_received": referral.received_date.isoformat(),
            "contacts": _contacts(referral),
            "referral_to_activity": OFFERED,
        },
        "outcomes": _outcomes(message, referral),
    }
    if errors := [error.message for error in _validator().iter_errors(found)]:
        raise NotAsTheSchemaSays("; ".join(errors))
    return found


def _message(
    message: MessageBack, referral: Referral, to: Recipient, letter: DocumentVersion | None, on: date
) -> dict[str, Any]:
    study = referral.protocol_version.spec.study
    return {
        "kind": message.kind,
        "date": on.isoformat(),
        "sender": {
            "organisation": f"{study.public_name}, {referral.site.name}",
            "telephone": study.office_phone,
            "email": study.office_email,
        },
        "recipient": {"role": message.recipient, "name": to.name} | _known(ods_code=to.ods_code, address=to.address),
        "study": {"title": study.title, "iras": study.iras, "rec": study.rec}
        | _known(letter_version=f"{letter.title} {letter.version}, {letter.rec_reference}" if letter else ""),
    }


def _person(message: MessageBack, referral: Referral) -> dict[str, Any]:
    who = identity.read(referral.person)
    return {"name": who.name or "Not known", "study_number": message.participant.study_id} | _known(
        date_of_birth=who.birth_date.isoformat() if who.birth_date else "", nhs_number=who.nhs_number
    )


def _known(**parts: str) -> dict[str, str]:
    return {name: value for name, value in parts.items() if value}


def _labels(codes: list[str], listed: Any) -> list[str]:
    words = dict(listed.choices)
    return [str(words[code]) for code in codes if code in words]


def _contacts(referral: Referral) -> list[dict[str, Any]]:
    found = referral.contact_attempts.filter(outcome="two_way").order_by("at", "id")
    return [
        {"date": local_day(one.at).isoformat(), "channel": one.get_channel_display()}
        | ({"minutes": one.duration_min} if one.duration_min is not None else {})
        for one in found
    ]


def _outcomes(message: MessageBack, referral: Referral) -> dict[str, str]:
    """The status in neutral words: of a participant only that they take part, or no longer do."""
    text = WORDS.get(message.kind) or identity.open_text(referral.person, message.text_sealed)
    takes_part = message.kind != MessageBack.Kind.EXIT
    return {
        "status": "Takes part" if takes_part else "No longer takes part",
        "date": local_day(message.caused_at).isoformat(),
        "text": text,
    }


def canonical(found: dict[str, Any]) -> str:
    """The document as it is hashed and stored."""
    return json.dumps(found, sort_keys=True, ensure_ascii=False, indent=1)


# -- as a letter


def blocks_of(found: dict[str, Any]) -> list[Block]:
    """The same as a letter under the names of the standard."""
    message, person, offered = found["message"], found["person"], found["support_offered"]
    to = message["recipient"]
    contacts = "\n".join(_contact_line(one) for one in offered["contacts"])
    needs = found["needs_and_concerns"]
    return [
        Text("\n".join(part for part in (to["name"], to.get("ods_code", ""), to.get("address", "")) if part)),
        Text(long_date(date.fromisoformat(message["date"]))),
        Heading("Person"),
        Facts(
            [
                ("Name", person["name"]),
                ("Date of birth", _day(person.get("date_of_birth", ""))),
                ("NHS number", in_groups(person.get("nhs_number", ""))),
                ("Study number", person.get("study_number", "")),
            ]
        ),
        Heading("Outcomes"),
        Facts([(found["outcomes"]["status"], _day(found["outcomes"]["date"]))]),
        Text(found["outcomes"]["text"]),
        Heading("Needs and concerns"),
        Facts(
            [
                ("Would like to change", "; ".join(needs["needs"])),
                ("Worries about", "; ".join(needs["concerns"])),
            ]
        ),
        Heading("Support offered, including referrals to activities"),
        Facts([("Referral received", _day(offered["referral_received"])), ("Contacts", contacts)]),
        Text(offered["referral_to_activity"]),
        Text(
            f"From {message['sender']['organisation']}, {message['sender']['telephone']}, {message['sender']['email']}"
        ),
        Text(f"{message['study'].get('letter_version', '')}\nIRAS {message['study']['iras']}".strip(), quiet=True),
    ]


def _day(text: str) -> str:
    return long_date(date.fromisoformat(text)) if text else ""


def _contact_line(one: dict[str, Any]) -> str:
    minutes = f", {one['minutes']} minutes" if "minutes" in one else ""
    return f"{_day(one['date'])}, {one['channel'].lower()}{minutes}"


def pdf(found: dict[str, Any], *, sha256: str, approved: bytes | None = None) -> bytes:
    """The letter, with the approved letter of that version behind it where its file is held."""
    letter = document(
        title="Message about your patient" if found["message"]["recipient"]["role"] == "gp" else "Message back to you",
        head=found["message"]["study"]["title"],
        blocks=blocks_of(found),
        foot=f"SHA-256 {sha256[:16]}…" if sha256 else "Draft",
    )
    if approved is None:
        return letter
    writer = PdfWriter()
    for one in (letter, approved):
        writer.append(PdfReader(BytesIO(one)))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def plain(found: dict[str, Any]) -> str:
    """The same as plain text, for a secure mailbox."""
    lines: list[str] = []
    for block in blocks_of(found):
        if isinstance(block, Facts):
            lines += [f"{term}: {value}" for term, value in block.rows if value]
        elif isinstance(block, Heading | Text):
            lines += ["", block.text.upper() if isinstance(block, Heading) else block.text]
    return "\n".join(lines).strip() + "\n"
