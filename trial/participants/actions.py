"""Referrals in, study numbers out, and the one writer of a status (trial.journey decides when)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Q

from trial.access.models import Site, User
from trial.base import keys
from trial.base.errors import TrialError
from trial.base.models import role_of
from trial.locking.rules import require_unlocked
from trial.participants import identity, rules
from trial.participants.identity import IdentityData
from trial.participants.models import (
    AFTER_RANDOMISATION,
    RE_REFERRABLE,
    Participant,
    Person,
    Referral,
    Status,
    StatusEvent,
)
from trial.protocol.models import ProtocolVersion
from trial.protocol.versions import version_in_force


class AlreadyReferred(TrialError):
    """The person already has an open referral, or was randomised (BR-04)."""


class NumbersExhausted(TrialError):
    """A site has given study number 999."""


@dataclass(frozen=True)
class ReferralData:
    """What a referral says besides who the person is. Free text is sealed when it is stored.

    Attributes:
        notes: needs and worries in the person's words; like goals, access and risk it is sealed.
    """

    source_type: str
    received_date: date
    contact_basis: str
    referrer: str = ""
    sex: str = Referral.Sex.UNKNOWN
    arm_preference: str = ""
    notes: str = ""
    referral_model: str = ""
    referrer_ods: str = ""
    channel: str = ""
    permission_date: date | None = None
    needs: Sequence[str] = ()
    concerns: Sequence[str] = ()
    activity_preferences: Sequence[str] = ()
    access_needs: Sequence[str] = ()
    language: str = ""
    needs_interpreter: bool = False
    goals: str = ""
    access: str = ""
    risk: str = ""


SEALED = ("notes", "goals", "access", "risk")
"""Free text of a referral."""
PLAIN = (
    "referral_model",
    "referrer",
    "referrer_ods",
    "channel",
    "permission_date",
    "needs",
    "concerns",
    "activity_preferences",
    "access_needs",
    "language",
    "needs_interpreter",
    "sex",
    "arm_preference",
)
"""What may be put right later, with a reason, besides the free text."""


def _fill(referral: Referral, data: ReferralData) -> None:
    """Write what the referral says into its row, the free text sealed; text that stays as it was keeps its seal."""
    for name in PLAIN:
        value = getattr(data, name)
        setattr(referral, name, list(value) if isinstance(value, list | tuple) else value)
    for name in SEALED:
        text, column = getattr(data, name), f"{name}_sealed"
        if identity.open_text(referral.person, getattr(referral, column)) != text:
            setattr(referral, column, identity.seal_text(referral.person, text))


_KNOWN = f"SELECT 1 FROM {Person._meta.db_table} WHERE nhs_number_hash = %s OR name_birth_hash = %s LIMIT 1"  # noqa: S608
_LAST_NUMBER = f"SELECT max(sequence) FROM {Referral._meta.db_table} WHERE site_id = %s"  # noqa: S608
_NOBODY = "-"
"""No hash is this."""


def find_person(data: IdentityData) -> Person | None:
    """The person with this NHS number, or this name and birth date, by keyed hash."""
    nhs, name_birth = identity.hashes(data)
    with connection.cursor() as cursor:  # most people are new, and an import asks for every line
        cursor.execute(_KNOWN, [nhs or _NOBODY, name_birth or _NOBODY])
        if cursor.fetchone() is None:
            return None
    if nhs and (person := Person.objects.filter(nhs_number_hash=nhs).first()):
        return person
    if not name_birth:
        return None
    candidates = Person.objects.filter(name_birth_hash=name_birth)
    # Two NHS numbers mean two people, even with one name and one birthday.
    return candidates.filter(Q(nhs_number_hash="") | Q(nhs_number_hash=nhs)).first() if nhs else candidates.first()


def _check_not_referred(person: Person, site: Site) -> Referral | None:
    """The closed referral that a new one follows (T17).

    Raises:
        AlreadyReferred: without revealing anything of another site (BR-04).
    """
    latest = person.referrals.select_related("site").order_by("-id").first()
    if latest is None:
        return None
    if person.referrals.filter(status__in=AFTER_RANDOMISATION).exists():
        raise AlreadyReferred("This person cannot be referred again. Ring the trial office.")
    if latest.status not in RE_REFERRABLE:
        here = f" See {latest.screening_number}." if latest.site_id == site.pk else " Ring the trial office."
        raise AlreadyReferred("This person already has an open referral." + here)
    return latest


def _last_number(site: Site) -> int:
    """The last screening number of a site, whose row is locked. Written out: an import asks for every line."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_NUMBER, [site.pk])
        return cursor.fetchone()[0] or 0


@transaction.atomic(savepoint=False)
def add_referral(
    *,
    site: Site,
    data: ReferralData,
    who: IdentityData,
    by: User | None,
    at: datetime,
    reason: str = "",
    may_follow: Callable[[Referral], None] = lambda earlier: None,
    version: ProtocolVersion | None = None,
) -> Referral:
    """Store a referral with its screening number, after the duplicate check (T01, T17).

    Args:
        may_follow: refuses, by raising, a referral that would follow this closed one too soon (BR-05).
        version: the protocol in force there on the day received, where the caller has looked it up.

    Raises:
        AlreadyReferred: an open referral exists, or the person was randomised (BR-04).
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    Site.objects.select_for_update().values_list("pk").get(pk=site.pk)
    person = find_person(who)
    earlier = _check_not_referred(person, site) if person else None
    if earlier:
        may_follow(earlier)
    if person is None:
        person = Person(wrapped_key=keys.new_data_key())
        identity.store(person=person, data=who, by=by)
    else:
        identity.store(person=person, data=identity.merged(identity.read(person), who), by=by, reason="Referred again")
    last = _last_number(site)
    referral = Referral(
        person=person,
        site=site,
        sequence=last + 1,
        screening_number=rules.screening_number(site.code, last + 1),
        status_date=data.received_date,
        protocol_version=version or version_in_force(site=site, on=data.received_date),
        source_type=data.source_type,
        received_date=data.received_date,
        contact_basis=data.contact_basis,
        age_band=rules.age_band(rules.age_on(who.birth_date, data.received_date)) if who.birth_date else "",
        earlier_referral=earlier,
    )
    _fill(referral, data)
    referral.save_by(by)
    _log(referral, "T17" if earlier else "T01", "", Status.REFERRED, data.received_date, at, by, reason)
    return referral


def details_of(referral: Referral) -> ReferralData:
    """What a referral says, its free text opened. Callers show it to permitted people only, and log that they did.

    Raises:
        SealBroken: the keys do not fit.
    """
    texts: dict[str, Any] = {
        name: identity.open_text(referral.person, getattr(referral, f"{name}_sealed")) for name in SEALED
    }
    return ReferralData(
        source_type=referral.source_type,
        received_date=referral.received_date,
        contact_basis=referral.contact_basis,
        **{name: getattr(referral, name) for name in PLAIN},
        **texts,
    )


@transaction.atomic
def change_details(*, referral: Referral, data: ReferralData, reason: str, by: User) -> Referral:
    """Put right what a referral says, with a reason (BR-63). Source, day and basis of contact stay as received.

    An arm preference is what was said before randomisation: afterwards it stays as it is.

    Raises:
        ReasonMissing: nobody said why.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    referral = Referral.objects.select_for_update(of=("self",)).select_related("person").get(pk=referral.pk)
    if referral.status in AFTER_RANDOMISATION:
        data = replace(data, arm_preference=referral.arm_preference)
    _fill(referral, data)
    return referral.save_by(by, reason)


@transaction.atomic
def issue_study_number(*, referral: Referral, consented_date: date, by: User) -> Participant:
    """Give the next study number of the site; used once, never again (domain.md section 4).

    Raises:
        NumbersExhausted: the site has given 999.
    """
    site = Site.objects.select_for_update().get(pk=referral.site_id)
    last = Participant.objects.filter(number_site=site).aggregate(last=Max("sequence"))["last"] or 0
    if last >= 999:
        raise NumbersExhausted("This site has given all its study numbers. Ring the trial office.")
    born = identity.read(referral.person).birth_date
    prefix = referral.protocol_version.spec.study.id_prefix
    return Participant(
        referral=referral,
        number_site=site,
        sequence=last + 1,
        study_id=rules.study_number(prefix, site.code, last + 1),
        consented_date=consented_date,
        birth_year=born.year if born else None,
        age_at_consent=rules.age_on(born, consented_date) if born else None,
    ).save_by(by)


@transaction.atomic
def write_status(
    *,
    referral: Referral,
    transition: str,
    target: Status,
    effective_date: date,
    by: User | None,
    at: datetime,
    reason: str = "",
) -> None:
    """Write a status that trial.journey has checked, with its event. A trigger refuses any other pair."""
    source = referral.status
    referral.status = target
    referral.status_date = effective_date
    referral.save_by(by, f"{transition} {reason}".strip())
    _log(referral, transition, source, target, effective_date, at, by, reason)


def _log(
    referral: Referral,
    transition: str,
    source: str,
    target: Status,
    effective_date: date,
    at: datetime,
    by: User | None,
    reason: str,
) -> None:
    StatusEvent(
        referral=referral,
        transition=transition,
        from_status=source,
        to_status=target,
        effective_date=effective_date,
        at=at,
        by=by,
        role=role_of(by),
        reason=reason,
    ).save()
