"""Everything held about one person, in plain words and for machines, with other people taken out (R-35)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from trial.access.models import AccessEvent, User
from trial.access.policy import Action
from trial.base.documents import Block, Facts, Heading, Rows, Text, document
from trial.base.words import local_day, long_date
from trial.participants import identity
from trial.participants.models import Participant, Referral
from trial.rights import copy_sections
from trial.rights.copy_sections import Reader, Section
from trial.rights.third_parties import names_to_remove, without

FORMAT = "hedgerow-subject-access/1"


@dataclass(frozen=True)
class Copy:
    """What one person is given: the same sections as PDF and as JSON.

    Attributes:
        left_out: what this member of staff may not see and somebody else has to add, in words for the person.
    """

    number: str
    study: str
    made_at: datetime
    sections: tuple[Section, ...]
    left_out: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        return f"<Copy for {self.number}>"


@transaction.atomic
@sensitive_variables()
def copy_of(*, referral: Referral, by: User, at: datetime) -> Copy:
    """Put the copy together for one person; that it was made, and the identity shown, is logged (R-07).

    Only what `by` may see is in it: the arm and the groups are left out for somebody blinded, and referrals of other
    sites are given by those sites.

    Raises:
        SealBroken: the keys do not fit, or the person's details were destroyed.
    """
    person = referral.person
    who = identity.show(referral=referral, by=by, at=at, reason="Copy of a person's data")
    referrals = list(person.referrals.filter(by.access.sites(Action.COPY_PERSON)).select_related("site", "participant"))
    names = names_to_remove(person, who, {one.site for one in referrals})
    reader = Reader(user=by, at=at, person=person, identity=who)
    found = tuple(
        _cleaned(section, names) for one in referrals for section in copy_sections.of(one, reader) if section.entries
    )
    AccessEvent(
        user=by,
        role=by.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=referral.number,
        detail="Copy of a person's data",
        at=at,
    ).save()
    study = referral.protocol_version.spec.study
    first = Section("Who you are", (dict(copy_sections.who_rows(who)),))
    return Copy(
        referral.number, study.short_name, at, (first, *found), _left_out(referrals, person.referrals.count(), by)
    )


def _left_out(referrals: list[Referral], n_all: int, by: User) -> tuple[str, ...]:
    """What has to come from somebody else."""
    participants: list[Participant] = [one.participant for one in referrals if hasattr(one, "participant")]
    sites = {one.site for one in referrals}
    found = []
    if any(p.randomised_date for p in participants) and not all(by.access.may(Action.VIEW_ARM, s) for s in sites):
        found.append(
            "The group you were allocated to, and the sessions you came to: a colleague who may know adds them."
        )
    if len(referrals) < n_all:
        found.append("What another site of the study holds: that site gives it to you.")
    return tuple(found)


def _cleaned(section: Section, names: Mapping[str, str]) -> Section:
    """The section with other people's names taken out of everything that was written freely."""
    entries = tuple(
        {term: without(value, names) if term in section.free else value for term, value in entry.items()}
        for entry in section.entries
    )
    return Section(section.title, entries, section.free)


def as_json(copy: Copy) -> bytes:
    """For machines: UTF-8, keys in the order of the sections."""
    content = {
        "format": FORMAT,
        "study": copy.study,
        "number": copy.number,
        "made_at": copy.made_at.isoformat(timespec="seconds"),
        "sections": [{"title": one.title, "entries": list(one.entries)} for one in copy.sections],
        "left_out": list(copy.left_out),
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _blocks(copy: Copy) -> Iterator[Block]:
    yield Facts([("Number", copy.number), ("Made on", long_date(copy.made_at))])
    yield Text(
        "This is what the study holds about you. Names of other people are taken out, and staff are named by their"
        " role. You may ask for corrections, and you may complain to the Information Commissioner's Office."
    )
    for line in copy.left_out:
        yield Text(line)
    for section in copy.sections:
        yield Heading(section.title)
        yield from _entries(section)


def _entries(section: Section) -> Iterator[Block]:
    """A short table where every entry has the same few terms, facts otherwise."""
    terms = list(section.entries[0])
    if len(section.entries) > 1 and len(terms) <= 4 and all(list(one) == terms for one in section.entries):
        yield Rows(terms, [list(one.values()) for one in section.entries], [1 / len(terms)] * len(terms))
        return
    for entry in section.entries:
        yield Facts(list(entry.items()))


def as_pdf(copy: Copy) -> bytes:
    """For people."""
    return document(
        title="Your data in the study",
        head=copy.study,
        blocks=list(_blocks(copy)),
        foot=f"{copy.number}, {long_date(local_day(copy.made_at))}. Confidential",
    )


def digest(content: bytes) -> str:
    """SHA-256 (hex) of a file that was handed over."""
    return hashlib.sha256(content).hexdigest()
