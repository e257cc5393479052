"""The end of a person's protected details: two people, one key, a certificate (R-36)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from trial.access.models import User
from trial.access.signing import Proof, sign
from trial.base.errors import ReasonMissing, TrialError
from trial.base.words import local_day
from trial.participants.models import Disposal, Person, Referral, TextKey


class DisposalRefused(TrialError):
    """Nothing is left to destroy, it was decided already, or it needs somebody else."""


@transaction.atomic
def ask(*, referral: Referral, why: str, reason: str, by: User, at: datetime) -> Disposal:
    """Ask that a person's protected details be destroyed. Asked twice, it is one request.

    Raises:
        ReasonMissing: nobody said why.
        DisposalRefused: they were destroyed already.
    """
    if not reason.strip():
        raise ReasonMissing
    person = Person.objects.select_for_update().get(pk=referral.person_id)
    if person.is_disposed:
        raise DisposalRefused("The protected details of this person were destroyed already.")
    waiting = Disposal.objects.filter(person=person, state=Disposal.State.ASKED).first()
    return waiting or Disposal(
        person=person, referral=referral, why=why, reason=reason.strip(), asked_by=by, asked_at=at
    ).save_by(by)


def _waiting(disposal: Disposal, by: User) -> Disposal:
    """The request, locked, if this person may decide it."""
    disposal = Disposal.objects.select_for_update(of=("self",)).select_related("person").get(pk=disposal.pk)
    if disposal.state != Disposal.State.ASKED:
        raise DisposalRefused("This was decided already.")
    if disposal.asked_by_id == by.pk:
        raise DisposalRefused("You asked for this, so somebody else must decide it.")
    return disposal


@transaction.atomic
def refuse(*, disposal: Disposal, why: str, by: User, at: datetime) -> Disposal:
    """Say that the details stay.

    Raises:
        DisposalRefused: it was decided already, or by asked for it.
        ReasonMissing: nobody said why.
    """
    if not why.strip():
        raise ReasonMissing
    disposal = _waiting(disposal, by)
    disposal.state, disposal.refusal = Disposal.State.REFUSED, why.strip()
    disposal.decided_by, disposal.decided_at = by, at
    return disposal.save_by(by, "Not agreed")


@transaction.atomic
def carry_out(*, disposal: Disposal, proof: Proof, by: User, at: datetime) -> Disposal:
    """Agree, sign, and destroy the key and the look-up hashes. It cannot be undone.

    Raises:
        DisposalRefused: it was decided already, or `by` asked for it.
        ProofRefused: the proof is another person's.
    """
    disposal = _waiting(disposal, by)
    person = Person.objects.select_for_update().get(pk=disposal.person_id)
    disposal.n_texts = TextKey.objects.filter(person=person).exclude(sealed_key="").count()
    disposal.backups_expire_date = local_day(at) + timedelta(days=settings.BACKUP_RETENTION_DAYS)
    disposal.signature = sign(
        proof=proof,
        by=by,
        meaning="I agree that the protected details of this person are destroyed.",
        record=disposal,
        content=signed_content(disposal),
        at=at,
    )
    disposal.state, disposal.decided_by, disposal.decided_at = Disposal.State.DONE, by, at
    disposal.save_by(by, "Agreed and done")
    person.wrapped_key = person.nhs_number_hash = person.name_birth_hash = ""
    person.birth_date_hash = person.surname_hash = ""
    person.save_by(by, f"Disposal {disposal.pk}: key and hashes destroyed")
    return disposal


def signed_content(disposal: Disposal) -> dict[str, object]:
    """What the second person signs."""
    return {
        "person": disposal.person_id,
        "why": disposal.why,
        "reason": disposal.reason,
        "asked_by": disposal.asked_by_id,
        "asked_at": disposal.asked_at,
        "n_texts": disposal.n_texts,
        "backups_expire_date": disposal.backups_expire_date,
    }


@transaction.atomic
def confirm_backups(*, disposal: Disposal, by: User, at: datetime) -> Disposal:
    """Confirm that no backup is left that holds the key.

    Raises:
        DisposalRefused: nothing was destroyed, or such backups are not due to have expired yet.
    """
    disposal = Disposal.objects.select_for_update(of=("self",)).get(pk=disposal.pk)
    expires = disposal.backups_expire_date
    if expires is None or local_day(at) <= expires:
        raise DisposalRefused("Backups that hold the key have not expired yet.")
    if disposal.backups_confirmed_at is None:
        disposal.backups_confirmed_at, disposal.backups_confirmed_by = at, by
        disposal.save_by(by, "Backups have expired")
    return disposal
