"""The identity record: who a participant is and how to reach them, sealed with the person's own key (R-34)."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from django.db import transaction

from trial.access.models import AccessEvent, User
from trial.base import keys
from trial.base.errors import TrialError
from trial.participants import rules
from trial.participants.models import Identity, Person, Referral


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
    email: str = ""
    preferred_contact: str = ""
    gp_practice: str = ""
    emergency_name: str = ""
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
    if not (data.last_name and data.birth_date):
        return nhs, ""
    name = rules.same_name(data.first_name, data.last_name)
    return nhs, keys.lookup_hash("name-birth", f"{name}|{data.birth_date.isoformat()}")


@transaction.atomic
def store(*, person: Person, data: IdentityData, by: User | None, reason: str = "") -> Identity:
    """Seal `data` as the person's identity record, and keep the hashes beside the key.

    Raises:
        ReasonMissing: a stored record would change without a reason.
    """
    nhs, name_birth = hashes(data)
    if (person.nhs_number_hash, person.name_birth_hash) != (nhs, name_birth):
        person.nhs_number_hash, person.name_birth_hash = nhs, name_birth
        person.save_by(by, reason or "Identity recorded")
    identity = Identity.objects.filter(person=person).first() or Identity(person=person)
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
        SealBroken: the keys do not fit, or the person's key was destroyed.
    """
    identity = Identity.objects.filter(person=person).first()
    return IdentityData.from_text(keys.unseal(person.wrapped_key, identity.sealed)) if identity else IdentityData()


def show(*, referral: Referral, by: User, at: datetime, reason: str) -> IdentityData:
    """The identity record for one person to look at; each showing is logged (R-07, R-34)."""
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


def seal_text(person: Person, text: str) -> str:
    """Free text that may hold identifiers, sealed with the person's key."""
    return keys.seal(person.wrapped_key, text)


def open_text(person: Person, token: str) -> str:
    """Free text sealed by seal_text()."""
    return keys.unseal(person.wrapped_key, token)


def merged(old: IdentityData, new: IdentityData) -> IdentityData:
    """`old` with whatever `new` knows."""
    known = {name: value for name, value in asdict(new).items() if value not in ("", None)}
    return replace(old, **known)
