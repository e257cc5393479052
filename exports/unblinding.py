"""The unblinding: asked by one person, agreed by another, after the analysis plan is signed (BR-67)."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from exports.errors import ReleaseRefused
from exports.models import Unblinding
from trial.access.models import User
from trial.access.policy import Action
from trial.access.signing import Proof, sign
from trial.locking.models import DatasetLock


def is_unblinded() -> bool:
    """Whether two people have recorded that arms may be released."""
    return Unblinding.objects.filter(agreed_at__isnull=False).exists()


@transaction.atomic
def ask_unblinding(*, lock: DatasetLock, plan: str, reason: str, proof: Proof, by: User, at: datetime) -> Unblinding:
    """Ask that arms be released; another person has to agree.

    Raises:
        ReleaseRefused: not this person's to ask, no plan or reason, no final lock, or it was asked or agreed before.
        ProofRefused: the proof is another person's.
    """
    _check_authorises(by)
    if not plan.strip() or not reason.strip():
        raise ReleaseRefused("Name the signed analysis plan, and say why arms are released now.")
    agreed_locks = (DatasetLock.State.LOCKED, DatasetLock.State.UNLOCK_ASKED, DatasetLock.State.UNLOCKED)
    if lock.kind != DatasetLock.Kind.FINAL or lock.state not in agreed_locks:
        raise ReleaseRefused("Unblinding needs a final lock.")
    if is_unblinded() or Unblinding.objects.filter(lock=lock, agreed_at__isnull=True).exists():
        raise ReleaseRefused("Somebody has asked for this already. Look at the page again.")
    row = Unblinding(lock=lock, plan=plan.strip(), reason=reason.strip(), asked_by=by, asked_at=at).save_by(by)
    sign(proof=proof, by=by, meaning="I ask to unblind the trial.", record=row, content=_unblinding(row), at=at)
    return row


@transaction.atomic
def agree_unblinding(*, unblinding: Unblinding, proof: Proof, by: User, at: datetime) -> Unblinding:
    """Agree that arms may be released.

    Raises:
        ReleaseRefused: not this person's to agree, the same person asked, or it was agreed before.
        ProofRefused: the proof is another person's.
    """
    _check_authorises(by)
    row = Unblinding.objects.select_for_update(of=("self",)).get(pk=unblinding.pk)
    if row.agreed_at is not None:
        raise ReleaseRefused("The unblinding is recorded already.")
    if row.asked_by_id == by.pk:
        raise ReleaseRefused("You asked for this, so somebody else has to agree.")
    row.agreed_by, row.agreed_at = by, at
    row.save_by(by, "Agreed to unblinding")
    sign(proof=proof, by=by, meaning="I agree to unblind the trial.", record=row, content=_unblinding(row), at=at)
    return row


def _check_authorises(by: User) -> None:
    if not by.access.may(Action.AUTHORISE_UNBLINDING):
        raise ReleaseRefused("Your role does not let you authorise unblinding.")


def _unblinding(row: Unblinding) -> Mapping[str, object]:
    return {"lock": row.lock.code, "plan": row.plan, "reason": row.reason, "asked_at": row.asked_at}
