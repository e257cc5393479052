"""Attaching the scan of a paper form, reading it back, and striking one that was attached in error."""

import hashlib
from datetime import datetime

from django.conf import settings
from django.db import transaction

from trial.access.models import User
from trial.base.errors import TrialError
from trial.locking.rules import require_unlocked
from trial.paper import scan_rules
from trial.paper.models import Scan, ScanStrike
from trial.paper.scan_rules import ScanRefused
from trial.participants import sealed_files
from trial.schedule.models import Visit


class ScanDamaged(TrialError):
    """The stored file is gone, or is not what was received."""

    def __init__(self) -> None:
        super().__init__("This scan cannot be opened: its file is missing or was changed. Tell the administrator.")


class AlreadyStruck(TrialError):
    """The scan was struck before."""

    def __init__(self) -> None:
        super().__init__("This scan was struck already.")


def attach(*, visit: Visit, instrument: str, data: bytes, by: User, at: datetime) -> Scan:
    """Keep a scan as it was received, sealed with the person's own key. The same bytes again are the same scan.

    The file is written before its row, so that a row without a file never exists.

    Raises:
        ScanRefused: the bytes are no scan that can be kept; nothing is stored.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    if len(data) > settings.UPLOAD_MAX_BYTES:
        raise ScanRefused(f"The file must be smaller than {settings.UPLOAD_MAX_BYTES // 1024**2} MB.")
    facts = scan_rules.facts_of(data)
    digest = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        visit = Visit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
        same = Scan.objects.filter(visit=visit, instrument=instrument, sha256=digest).first()
        if same is not None:
            if hasattr(same, "strike"):
                raise ScanRefused("This file was attached here before and struck. Scan the form again.")
            return same
        scan = Scan(
            participant=visit.participant,
            visit=visit,
            instrument=instrument,
            kind=facts.kind,
            sha256=digest,
            n_bytes=len(data),
            n_pages=facts.n_pages,
            has_pictures=facts.has_pictures,
            stored_as=sealed_files.write(visit.participant.referral.person, data),
            attached_by=by,
            attached_at=at,
        )
        scan.save()
        return scan


def read(scan: Scan) -> bytes:
    """The bytes as they were received.

    Raises:
        ScanDamaged: the file is gone, cannot be opened with the person's key, or is not what was received.
    """
    try:
        return sealed_files.read(scan.participant.referral.person, scan.stored_as, scan.sha256)
    except sealed_files.FileDamaged:
        raise ScanDamaged from None


@transaction.atomic
def strike(*, scan: Scan, reason: str, by: User, at: datetime) -> ScanStrike:
    """Say that a scan was attached in error: it is shown no more.

    Raises:
        AlreadyStruck: somebody did so before.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    scan = Scan.objects.select_for_update().get(pk=scan.pk)
    if ScanStrike.objects.filter(scan=scan).exists():
        raise AlreadyStruck
    found = ScanStrike(scan=scan, reason=reason, struck_by=by, struck_at=at)
    found.save()
    return found
