"""Consent recorded with its proof: countersigned on a screen, heard by a witness, or on paper with its scan (T07)."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from trial.access.models import Duty, User
from trial.access.permissions import is_delegated
from trial.access.signing import Proof
from trial.base.words import local_day
from trial.consent import drawing, sealing
from trial.consent.actions import ConsentData
from trial.consent.errors import ConsentRefused
from trial.consent.evidence_models import CopyHow, SignatureKind
from trial.consent.models import Consent, DocumentVersion, InformationGiven
from trial.consent.sealing import Mark, Signed
from trial.econsent import actions as econsent
from trial.econsent import scans, texts
from trial.econsent import sending as links
from trial.econsent.errors import NotReady
from trial.econsent.models import ConsentSession
from trial.journey import steps
from trial.participants.models import Referral


@dataclass(frozen=True)
class Countersignature:
    """What the taker adds to a consent that the person has signed on a screen."""

    mark: Mark
    capacity_confirmed: bool
    copy_how: str
    comment: str = ""
    interpreter_name: str = ""
    identity_check: str = ""
    identity_items: tuple[str, ...] = ()
    identity_checked_date: date | None = None


@transaction.atomic
def countersign(*, session: ConsentSession, added: Countersignature, proof: Proof, by: User, at: datetime) -> Consent:
    """Make the consent valid: the taker signs too, and the sealed form is made and given at once.

    Raises:
        NotReady: the person has not signed, or somebody countersigned before.
        ConsentRefused, VersionNotInUse, MoveRefused: a rule of consent is not met; nothing is stored.
        CannotStart: the copy is to go by e-mail and no address is known.
    """
    if session.state != ConsentSession.State.SIGNED or session.signed_at is None:
        raise NotReady("The person has not signed yet, or the consent is finished already.")
    _require_duty(session.referral, by, at)
    name, mark = econsent.name_and_mark(session)
    checked = added.identity_checked_date
    if checked and not local_day(session.started_at) <= checked <= local_day(at):
        raise ConsentRefused("Who it is was checked on a day between sending the link and today.")
    signed = Signed(
        name=name,
        mark=mark,
        taker_mark=added.mark,
        proof=proof,
        form_sha256=session.form_sha256,
        information_sha256=session.information_sha256,
        interpreter_name=added.interpreter_name,
        identity_check=added.identity_check,
        identity_items=added.identity_items,
        identity_checked_date=checked,
        copy_how=added.copy_how,
    )
    data = ConsentData(
        method=session.method,
        answers=session.answers,
        signed_at=session.signed_at,
        capacity_confirmed=added.capacity_confirmed,
        copy_given_date=local_day(at),
        interpreter=session.interpreter,
        comment=added.comment,
        signed=signed,
    )
    consent = steps.consent(
        referral=session.referral, form=session.form, information=session.information, data=data, by=by, at=at
    )
    finished = econsent.finish(session=session, consent=consent, by=by, at=at)
    seal(consent, at)
    if added.copy_how == CopyHow.EMAIL:
        links.send(session=finished, kind=texts.COPY, by=by, at=at)
    return consent


def _require_duty(referral: Referral, by: User, at: datetime) -> None:
    """Whoever signs for the team is delegated on the day they sign (BR-13)."""
    if not is_delegated(by, Duty.CONSENT, referral.site, local_day(at)):
        raise ConsentRefused(f"The delegation log does not let you take consent at {referral.site} today.")


def seal(consent: Consent, at: datetime) -> None:
    """Make the PDF of a consent and keep it, sealed."""
    fresh = Consent.objects.select_related(
        "participant__referral__person", "participant__referral__protocol_version", "evidence__signature"
    ).get(pk=consent.pk)
    pdf = drawing.draw(fresh, verify_url=f"{settings.SITE_URL}/consent/verify/")
    sealing.seal_form(consent=fresh, pdf=pdf, at=at)


@transaction.atomic
def by_telephone(
    *,
    referral: Referral,
    form: DocumentVersion,
    information: InformationGiven,
    data: ConsentData,
    spoken_name: str,
    heard_at: datetime,
    interpreter_name: str,
    file_hashes: tuple[str, str],
    proof: Proof,
    by: User,
    at: datetime,
) -> Consent:
    """Record consent spoken before a witness, with both times, signed by the taker; the sealed form is made at once.

    Args:
        file_hashes: SHA-256 of the consent form and of the information sheet as they were read, where kept.

    Raises:
        ConsentRefused, VersionNotInUse, MoveRefused: as record_consent(); the witness heard it before it was said.
    """
    signed = Signed(
        name=spoken_name,
        mark=Mark(SignatureKind.SPOKEN),
        taker_mark=Mark(SignatureKind.TYPED, typed=by.name),
        proof=proof,
        form_sha256=file_hashes[0],
        information_sha256=file_hashes[1],
        witness_heard_at=heard_at,
        interpreter_name=interpreter_name,
    )
    consent = steps.consent(
        referral=referral, form=form, information=information, data=replace(data, signed=signed), by=by, at=at
    )
    seal(consent, at)
    return consent


@transaction.atomic
def on_paper(
    *,
    referral: Referral,
    form: DocumentVersion,
    information: InformationGiven,
    data: ConsentData,
    scan: bytes | None,
    by: User,
    at: datetime,
) -> Consent:
    """Record consent signed on paper with its scan; without one, a task stays open until it is attached.

    Raises:
        ConsentRefused, VersionNotInUse, MoveRefused: as record_consent().
        ScanRefused: the file is no scan; nothing is stored.
    """
    consent = steps.consent(referral=referral, form=form, information=information, data=data, by=by, at=at)
    if scan:
        scans.attach(consent=consent, data=scan, by=by, at=at)
    else:
        scans.ask_for(consent=consent, by=by, at=at)
    return consent
