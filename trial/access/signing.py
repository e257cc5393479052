"""sign(): the one way to sign anything. A session alone cannot sign (R-18, R-19, R-20)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models

from trial.access.models import AccessEvent, Signature, User
from trial.base.errors import TrialError

MAX_FAILURES = 5
FAILURES_WITHIN = timedelta(minutes=15)


class ProofRefused(TrialError):
    """The password or code entered to sign is not right."""

    def __init__(self) -> None:
        super().__init__("Enter your own password, or the code from your authenticator app, to sign.")


class TooManyFailures(TrialError):
    """Signing is closed for a while after repeated failures (R-16)."""

    def __init__(self) -> None:
        super().__init__("There were 5 wrong attempts to sign. Wait 15 minutes, then sign again.")


@dataclass(frozen=True)
class Proof:
    """That a person has just proved who they are. Only reauthenticate() makes one."""

    user_id: int
    at: datetime
    evidence: str


def reauthenticate(*, user: User, secret: str, at: datetime) -> Proof:
    """Check the password or second-factor code that was typed to sign; failures are logged.

    Raises:
        ProofRefused: neither fits.
        TooManyFailures: five failures within 15 minutes.
    """
    failures = AccessEvent.objects.filter(
        user=user, kind=AccessEvent.Kind.SIGNING_FAILED, at__gt=at - FAILURES_WITHIN
    ).count()
    if failures >= MAX_FAILURES:
        raise TooManyFailures
    if user.check_password(secret):
        return Proof(user.pk, at, "password")
    if _is_code(user, secret):
        return Proof(user.pk, at, "second factor")
    AccessEvent(user=user, role=user.role_code, kind=AccessEvent.Kind.SIGNING_FAILED, at=at).save()
    raise ProofRefused


def _is_code(user: User, secret: str) -> bool:
    totp = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    return totp is not None and bool(totp.wrap().validate_code(secret.strip()))


def content_hash(content: Any) -> str:
    """SHA-256 (hex) of what is signed, as canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def sign(*, proof: Proof, by: User, meaning: str, record: models.Model, content: Any, at: datetime) -> Signature:
    """Store a signature over `content` of `record`.

    Raises:
        ProofRefused: the proof is another person's.
    """
    if proof.user_id != by.pk:
        raise ProofRefused
    signature = Signature(
        signer=by,
        printed_name=by.name,
        role=by.role_code,
        meaning=meaning,
        record=f"{record._meta.db_table}:{record.pk}",
        content_sha256=content_hash(content),
        signed_at=at,
        evidence=proof.evidence,
    )
    signature.save()
    return signature


def is_stale(signature: Signature, record: models.Model, content: Any) -> bool:
    """Whether the record or its content is no longer what was signed (BR-64, R-20)."""
    same_record = signature.record == f"{record._meta.db_table}:{record.pk}"
    return not (same_record and signature.content_sha256 == content_hash(content))
