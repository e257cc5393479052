"""The identity record: who a participant is and how to reach them, sealed with the person's own key (R-34)."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from trial.access.models import AccessEvent, User
from trial.base import keys
from trial.base.errors import ReasonMissing, TrialError
from trial.base.words import long_date
from trial.participants import rules
from trial.participants.models import Identity, Person, Referral, TextKey

_NEW_KEY = f"INSERT INTO {TextKey._meta.db_table} (person_id, sealed_key) VALUES (%s, %s) RETURNING id"  # noqa: S608
PREFIX = "k"
"""Before the number of a text's key."""
DESTROYED = "[Destroyed with the person's key]"


class BelongsToAnother(TrialError):
    """Two records would have one NHS number."""


@dataclass(frozen=True)
class IdentityData:
    """What the vault holds about one person. Empty text or None where it is not known."""

    first_name: str = ""
    last_name: str = ""
    birth_date: date | None = None
    nhs_number: str = ""
    address: str = ""
    postcode: str = ""
    phone: str = ""
    other_phone: str = ""
    email: str = ""
    preferred_contact: str = ""
    gp_practice: str = ""
    gp_code: str = ""
    emergency_name: str = ""
    emergency_relation: str = ""
    emergency_phone: str = ""

    def as_text(self) -> str:
        """Canonical JSON, as it is sealed."""
        return json.dumps(asdict(self), sort_keys=True, default=date.isoformat)

    @classmethod
    def from_text(cls, text: str) -> "IdentityData":
        """Read what as_text() wrote."""
        values = json.loads(text)
        born = values.get("birth_date")
        return cls(**{**values, "birth_date": date.fromisoformat(born) if born else None})

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


def hashes(data: IdentityData) -> tuple[str, str]:
    """Keyed hashes of NHS number, and of name with birth date; empty where there is nothing to hash."""
    nhs = keys.lookup_hash("nhs", data.nhs_number) if data.nhs_number else ""
    name = rules.same_name(data.first_name, data.last_name)
    if not (rules.letters(data.last_name) and data.birth_date):
        return nhs, ""
    return nhs, keys.lookup_hash("name-birth", f"{name}|{data.birth_date.isoformat()}")


def birth_hash(born: date) -> str:
    """Keyed hash under which everybody born that day is found."""
    return keys.lookup_hash("birth", born.isoformat())


def surname_hash(start: str) -> str:
    """Keyed hash of a surname's first three letters: what a search looks up before it opens the few it found."""
    return keys.lookup_hash("surname", start)


def hashes_of(data: IdentityData) -> dict[str, str]:
    """What stands beside the person's key, by column."""
    nhs, name_birth = hashes(data)
    start = rules.letters(data.last_name)[:3]
    return {
        "nhs_number_hash": nhs,
        "name_birth_hash": name_birth,
        "birth_date_hash": birth_hash(data.birth_date) if data.birth_date else "",
        "surname_hash": surname_hash(start) if start else "",
    }


@transaction.atomic(savepoint=False)
def store(*, person: Person, data: IdentityData, by: User | None, reason: str = "") -> Identity:
    """Seal `data` as the person's identity record, and keep the hashes beside the key.

    Raises:
        ReasonMissing: a stored record would change without a reason.
    """
    found = hashes_of(data)
    is_new = person._state.adding
    if is_new or any(getattr(person, name) != value for name, value in found.items()):
        for name, value in found.items():
            setattr(person, name, value)
        person.save_by(by, reason or "Identity recorded")
    stored = None if is_new else Identity.objects.filter(person=person).first()
    identity = stored or Identity(person=person)
    identity.sealed = keys.seal(person.wrapped_key, data.as_text())
    identity.save_by(by, reason)
    return identity


@transaction.atomic
def change(*, referral: Referral, data: IdentityData, reason: str, by: User) -> Identity:
    """Put the identity record right, with a reason (BR-63).

    Raises:
        BelongsToAnother: the NHS number is another person's.
    """
    nhs, _ = hashes(data)
    if nhs and Person.objects.filter(nhs_number_hash=nhs).exclude(pk=referral.person_id).exists():
        raise BelongsToAnother("This NHS number belongs to another record. Ring the trial office.")
    return store(person=referral.person, data=data, by=by, reason=reason)


def read(person: Person) -> IdentityData:
    """The identity record, opened. Callers show it to permitted people only, and log that they did.

    Raises:
        SealBroken: the keys do not fit, or the person's key was destroyed (KeyDestroyed).
    """
    identity = Identity.objects.filter(person=person).first()
    return IdentityData.from_text(keys.unseal(person.wrapped_key, identity.sealed)) if identity else IdentityData()


def show(*, referral: Referral, by: User, at: datetime, reason: str) -> IdentityData:
    """The identity record for one person to look at; each showing is logged with its reason (R-07, R-34).

    Raises:
        ReasonMissing: nobody said why.
        SealBroken: as read().
    """
    if not reason.strip():
        raise ReasonMissing
    data = read(referral.person)
    AccessEvent(
        user=by,
        role=by.role_code,
        kind=AccessEvent.Kind.IDENTITY_VIEWED,
        record=referral.screening_number,
        detail=reason[:300],
        at=at,
    ).save()
    return data


def first_names(people: list[Person]) -> dict[int, str]:
    """First names by person id, for a leader's register: one lookup for all of them (BR-40)."""
    identities = Identity.objects.filter(person__in=people).select_related("person")
    return {
        i.person_id: IdentityData.from_text(keys.unseal(i.person.wrapped_key, i.sealed)).first_name for i in identities
    }


def surnames_like(people: Collection[int], start: str) -> set[int]:
    """Of these people, those whose surname, or first name and surname, starts with these letters.

    Raises:
        SealBroken: the keys do not fit.
    """
    found = set()
    rows = Identity.objects.filter(person__in=people).exclude(person__wrapped_key="").select_related("person")
    for row in rows:
        data = IdentityData.from_text(keys.unseal(row.person.wrapped_key, row.sealed))
        if any(rules.letters(name).startswith(start) for name in (data.last_name, data.name)):
            found.add(row.person_id)
    return found


def names_of(people: Collection[int] | QuerySet[Any, Any]) -> set[str]:
    """Full names of these people, to take them out of somebody else's papers; kept nowhere."""
    rows = Identity.objects.filter(person__in=people).exclude(person__wrapped_key="").select_related("person")
    opened = (IdentityData.from_text(keys.unseal(row.person.wrapped_key, row.sealed)) for row in rows)
    return {data.name for data in opened if data.first_name and data.last_name}


def seal_text(person: Person, text: str) -> str:
    """Free text that may hold identifiers, sealed with a key of its own that hangs on the person's key."""
    if not text:
        return ""
    key, sealed_key = keys.new_text_key(person.wrapped_key)
    with connection.cursor() as cursor:
        cursor.execute(_NEW_KEY, [person.pk, sealed_key])
        (number,) = cursor.fetchone()
    return f"{PREFIX}{number}:{keys.seal_with(key, text)}"


def open_text(person: Person, token: str) -> str:
    """Free text sealed by seal_text(); a marker where it was redacted, or died with the person's key.

    Raises:
        SealBroken: the keys do not fit, or the text is another person's.
    """
    return open_texts([(person, token)])[0]


def open_texts(sealed: Sequence[tuple[Person, str]]) -> list[str]:
    """The same for many texts, each with its person: one lookup for all of them."""
    numbers = {number for person, token in sealed if not person.is_disposed and (number := text_key_of(token))}
    rows = TextKey.objects.filter(pk__in=numbers).select_related("redaction").in_bulk() if numbers else {}
    return [_opened(person, token, rows) for person, token in sealed]


def _opened(person: Person, token: str, rows: Mapping[int, TextKey]) -> str:
    if not token:
        return ""
    if person.is_disposed:
        return DESTROYED
    row = rows.get(text_key_of(token) or 0)
    if row is None or row.person_id != person.pk:
        raise keys.SealBroken
    sealed = token.removeprefix(PREFIX).partition(":")[2]
    if not row.sealed_key:
        return f"[Removed on {long_date(row.redaction.at)}: {row.redaction.marker}]"
    return keys.unseal_with(keys.unseal(person.wrapped_key, row.sealed_key), sealed)


def text_key_of(token: str) -> int | None:
    """Number of the key of a sealed text; None for what is no token."""
    number = token.removeprefix(PREFIX).partition(":")[0]
    return int(number) if token.startswith(PREFIX) and number.isdecimal() else None


def merged(old: IdentityData, new: IdentityData) -> IdentityData:
    """`old` with whatever `new` knows."""
    known = {name: value for name, value in asdict(new).items() if value not in ("", None)}
    return replace(old, **known)
