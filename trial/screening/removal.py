"""Identifiers of who never consented go by the protocol's rule, and leave a certificate (domain.md section 4)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from trial.base.words import local_day
from trial.participants.models import Disposal, Participant, Person, Referral, Status, TextKey
from trial.screening.models import IdentifierRemoval

CLOSED_WITHOUT_CONSENT = frozenset({Status.NOT_CONTACTABLE, Status.PRESCREEN_INELIGIBLE, Status.DECLINED})
HASHES = ("nhs_number_hash", "name_birth_hash", "birth_date_hash", "surname_hash")


def closed_without_consent() -> QuerySet[Person]:
    """People whose every referral was closed before consent, and whose identifiers are still there.

    Left out while two people decide on a disposal, or while a request of the person is not decided.
    """
    referrals = Referral.objects.filter(person=OuterRef("pk"))
    people: QuerySet[Person] = Person.objects.exclude(wrapped_key="")
    return people.filter(
        Exists(referrals),
        ~Exists(referrals.exclude(status__in=CLOSED_WITHOUT_CONSENT)),
        ~Exists(Participant.objects.filter(referral__person=OuterRef("pk"))),
        ~Exists(Disposal.objects.filter(person=OuterRef("pk"), state=Disposal.State.ASKED)),
        ~Exists(referrals.filter(subject_requests__isnull=False, subject_requests__decision="")),
    )


def remove_due(*, at: datetime) -> int:
    """Remove what the rule says must go by now, for the scheduled job; returns of how many people."""
    waiting = closed_without_consent()
    return sum(_remove(pk, at) for pk in list(waiting.values_list("pk", flat=True)))


@transaction.atomic
def _remove(pk: int, at: datetime) -> bool:
    """Remove one person's identifiers, if the protocol of their last referral says that it is time."""
    person = Person.objects.select_for_update().get(pk=pk)
    found = closed_without_consent().filter(pk=pk).first()
    last = person.referrals.select_related("protocol_version").order_by("-id").first()
    if found is None or last is None:
        return False
    days = last.protocol_version.spec.contact.identifiers_kept_days
    closed = max(person.referrals.values_list("status_date", flat=True))
    if local_day(at) <= closed + timedelta(days=days):
        return False
    IdentifierRemoval(
        person=person,
        rule=f"Closed without consent: identifiers are kept for {days} days",
        protocol_version=last.protocol_version,
        closed_date=closed,
        at=at,
        n_referrals=person.referrals.count(),
        n_texts=TextKey.objects.filter(person=person).exclude(sealed_key="").count(),
        backups_expire_date=local_day(at) + timedelta(days=settings.BACKUP_RETENTION_DAYS),
    ).save()
    person.wrapped_key = ""
    for name in HASHES:
        setattr(person, name, "")
    person.save_by(None, "Closed without consent: key and hashes destroyed")
    return True
