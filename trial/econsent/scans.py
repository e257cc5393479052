"""Scans of consent forms that were signed on paper: attached, read back, asked for while they are missing."""

import hashlib
from datetime import datetime

from django.conf import settings
from django.db import transaction

from trial.access.models import User
from trial.access.policy import Role
from trial.base.words import local_day, long_date
from trial.consent.errors import ConsentRefused
from trial.consent.evidence_models import ConsentScan
from trial.consent.models import Consent
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.paper import scan_rules
from trial.paper.scan_rules import ScanRefused
from trial.participants import sealed_files


@transaction.atomic
def attach(*, consent: Consent, data: bytes, by: User, at: datetime) -> ConsentScan:
    """Keep the scan of a form on paper, sealed with the person's own key. The same bytes again are the same scan.

    Raises:
        ScanRefused: the bytes are no scan that can be kept.
        ConsentRefused: the consent was not on paper.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    if consent.method != Consent.Method.PAPER:
        raise ConsentRefused("Only a consent on paper has a scan.")
    if len(data) > settings.UPLOAD_MAX_BYTES:
        raise ScanRefused(f"The file must be smaller than {settings.UPLOAD_MAX_BYTES // 1024**2} MB.")
    facts, digest = scan_rules.facts_of(data), hashlib.sha256(data).hexdigest()
    Consent.objects.select_for_update(of=("self",)).get(pk=consent.pk)
    scan = ConsentScan.objects.filter(consent=consent, sha256=digest).first()
    if scan is None:
        scan = ConsentScan(
            consent=consent,
            kind=facts.kind,
            sha256=digest,
            n_bytes=len(data),
            n_pages=facts.n_pages,
            stored_as=sealed_files.write(consent.participant.referral.person, data),
            attached_by=by,
            attached_at=at,
        )
        scan.save()
    messages.close_task(key=f"consent-scan:{consent.pk}", by=by, at=at)
    return scan


def read(scan: ConsentScan) -> bytes:
    """The bytes as they were received.

    Raises:
        FileDamaged: the file is gone, or is not what was received.
    """
    return sealed_files.read(scan.consent.participant.referral.person, scan.stored_as, scan.sha256)


def ask_for(*, consent: Consent, by: User, at: datetime) -> None:
    """The task that stays open until the scan of a consent on paper is attached."""
    participant = consent.participant
    messages.open_task(
        key=f"consent-scan:{consent.pk}",
        kind="consent_scan",
        role=Role.COORDINATOR,
        site=participant.site,
        referral=participant.referral,
        title="Attach the scan of the consent form",
        detail=f"Signed on paper on {long_date(consent.signed_at)}",
        link=f"/people/{participant.study_id}/consent/scan/",
        due_date=local_day(at),
        at=at,
        by=by,
    )
