"""Until when data are kept, whose time is over, and what a disposal leaves behind (R-36)."""

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from trial.access.models import User
from trial.access.policy import Action, Role
from trial.base.audit import head
from trial.base.documents import Facts, Text, document
from trial.base.words import date_and_time, local_day, long_date
from trial.locking.rules import current_lock
from trial.messages import actions as messages
from trial.participants.models import Disposal, Referral
from trial.protocol.versions import study_line
from trial.rights import rules
from trial.rights.rules import Retention


@dataclass(frozen=True)
class Dates:
    """What the page of retention shows.

    Attributes:
        ended: the end of the study, as declared; None while it is not known.
        locked: the day of the final lock, to compare.
    """

    ended: date | None
    locked: date | None
    kept: Retention


def dates() -> Dates:
    """The end of the study and what follows from it. STUDY_END_DATE says it; a lock alone ends nothing."""
    ended = date.fromisoformat(settings.STUDY_END_DATE) if settings.STUDY_END_DATE else None
    lock = current_lock()
    kept = rules.retention(
        ended,
        identity_months=settings.IDENTITY_RETENTION_MONTHS,
        research_months=settings.RESEARCH_RETENTION_MONTHS,
    )
    return Dates(ended, lock.locked_at.date() if lock and lock.locked_at else None, kept)


def may_see(user: User) -> bool:
    """Whether somebody asks for disposals or agrees to them."""
    return user.access.may(Action.ASK_DISPOSAL) or user.access.may(Action.AGREE_DISPOSAL)


def disposals_for(user: User) -> QuerySet[Disposal]:
    """Every request for a disposal, for whoever may ask for one or agree to it."""
    if not may_see(user):
        return Disposal.objects.none()
    rows: QuerySet[Disposal] = Disposal.objects.select_related(
        "referral__site", "referral__participant", "person", "asked_by", "decided_by", "signature"
    )
    return rows


def disposal_for(user: User, pk: int) -> Disposal:
    """One request.

    Raises:
        Http404: there is none, or not for this user.
    """
    found = disposals_for(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def due_for_disposal(today: date) -> QuerySet[Referral]:
    """The latest referral of everybody whose identity data are kept for too long; nobody asked for them yet."""
    until = dates().kept.identity_until
    if until is None or today <= until:
        return Referral.objects.none()
    asked = Disposal.objects.filter(person=OuterRef("person")).exclude(state=Disposal.State.REFUSED)
    later = Referral.objects.filter(person=OuterRef("person"), pk__gt=OuterRef("pk"))
    rows: QuerySet[Referral] = (
        Referral.objects.exclude(person__wrapped_key="")
        .filter(~Exists(asked), ~Exists(later))
        .select_related("site", "participant")
    )
    return rows.order_by("pk")


def backups_waiting() -> QuerySet[Disposal]:
    """Disposals whose key may still lie in a backup: until somebody confirms that none is left."""
    rows: QuerySet[Disposal] = Disposal.objects.filter(state=Disposal.State.DONE, backups_confirmed_at__isnull=True)
    return rows.order_by("backups_expire_date", "pk").select_related("referral__participant")


def certificate(disposal: Disposal) -> bytes:
    """The certificate of a disposal as PDF: numbers and hashes, no name."""
    study, protocol = study_line()
    seal, signature = head(), disposal.signature
    confirmed = disposal.backups_confirmed_at
    return document(
        title="Certificate of disposal",
        head=f"{study}. {protocol}",
        blocks=[
            Text(
                "The data key and the look-up hashes of one person were destroyed. What they sealed cannot be opened."
            ),
            Facts(
                [
                    ("Number", disposal.referral.number),
                    ("Site", str(disposal.referral.site)),
                    ("Why", f"{disposal.get_why_display()}. {disposal.reason}"),
                    ("Asked by", f"{disposal.asked_by}, {date_and_time(disposal.asked_at)}"),
                    (
                        "Agreed and signed by",
                        f"{signature.printed_name}, {date_and_time(signature.signed_at)}\n{signature.meaning}"
                        if signature
                        else "",
                    ),
                    ("Signed content (SHA-256)", signature.content_sha256 if signature else ""),
                    ("Sealed texts that died with the key", str(disposal.n_texts)),
                    (
                        "Backups that may hold the key",
                        f"Expired, confirmed {date_and_time(confirmed)} by {disposal.backups_confirmed_by}"
                        if confirmed
                        else f"Expire by {long_date(disposal.backups_expire_date)}"
                        if disposal.backups_expire_date
                        else "",
                    ),
                    ("Latest seal of the audit trail", f"{seal['id']}: {seal['sha256']}" if seal["id"] else "None yet"),
                ]
            ),
            Text(
                "Kept: research data under the study number, the allocation, the audit trail, and signatures. Destroyed"
                " with the key: name, birth date, NHS number, address, telephone, e-mail, GP practice, emergency"
                " contact, free text, scans of forms and sealed consent forms.",
                quiet=True,
            ),
        ],
        foot=f"Disposal {disposal.pk}, {disposal.referral.number}",
    )


def tasks(*, at: datetime) -> int:
    """For the scheduled job: ask once to confirm each expired backup. Returns how many wait."""
    waiting = [one for one in backups_waiting() if one.backups_expire_date and one.backups_expire_date < local_day(at)]
    for one in waiting:
        messages.open_task(
            key=f"backups:{one.pk}",
            kind="backups_expired",
            role=Role.TRIAL_MANAGER,
            site=None,
            referral=one.referral,
            title="Confirm that old backups are gone",
            detail=f"They may hold a destroyed key until {long_date(one.backups_expire_date or local_day(at))}",
            link="/retention/",
            due_date=local_day(at),
            at=at,
        )
    return len(waiting)
