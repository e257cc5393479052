"""Information given, consents recorded, and the documents that the protocol approves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from trial.access.models import Duty, Site, User
from trial.access.permissions import is_delegated
from trial.base.words import local_day
from trial.consent import rules, sealing
from trial.consent.documents import load_documents
from trial.consent.errors import ConsentRefused, VersionNotInUse
from trial.consent.models import Consent, DocumentUse, DocumentVersion, InformationGiven
from trial.consent.sealing import Signed
from trial.locking.rules import require_unlocked
from trial.participants import identity
from trial.participants.actions import issue_study_number
from trial.participants.models import Participant, Referral

__all__ = ["ConsentData", "ConsentRefused", "VersionNotInUse", "load_documents"]


@dataclass(frozen=True)
class ConsentData:
    """What was said and signed.

    Attributes:
        answers: by statement code; a statement that is absent was not answered.
        comment: why there was less than the protocol's time to decide, where that is so (BR-11).
        signed: both signatures, of a consent that is not on paper.
    """

    method: str
    answers: Mapping[str, bool]
    signed_at: datetime
    capacity_confirmed: bool
    copy_given_date: date | None = None
    witness_name: str = ""
    interpreter: bool = False
    comment: str = ""
    signed: Signed | None = None


def documents_on(*, kind: str, site: Site, on: date) -> list[DocumentVersion]:
    """Versions of a kind that the site may use that day, newest first (BR-10)."""
    uses = DocumentUse.objects.on(on).filter(site=site, document__kind=kind, document__approved_date__lte=on)
    return [use.document for use in uses.select_related("document").order_by("-from_date", "-document__version")]


def require_in_use(document: DocumentVersion, *, site: Site, on: date) -> None:
    """Refuse a version outside its dates at the site, naming the day it ended (BR-10).

    Raises:
        VersionNotInUse: with the date.
    """
    use = DocumentUse.objects.filter(document=document, site=site).first()
    if use is None or document.approved_date > on:
        raise VersionNotInUse(f"{document} is not approved for {site}. Use the current version.")
    if on < use.from_date:
        raise VersionNotInUse(f"{document} is in use at {site} from {use.from_date:%-d %B %Y}.")
    if use.to_date and on > use.to_date:
        raise VersionNotInUse(f"{document} went out of use on {use.to_date:%-d %B %Y}. Use the current version.")


@transaction.atomic
def give_information(
    *, referral: Referral, document: DocumentVersion, given_at: datetime, how: str, by: User, at: datetime
) -> InformationGiven:
    """Record that an information sheet was given (T04).

    Raises:
        VersionNotInUse: it was not in use at the site that day.
        ConsentRefused: the time is in the future or before the referral.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    day = local_day(given_at)
    if given_at > at:
        raise ConsentRefused("The information sheet cannot have been given later than now.")
    if day < referral.received_date:
        raise ConsentRefused("The information sheet cannot have been given before the referral was received.")
    require_in_use(document, site=referral.site, on=day)
    return InformationGiven(referral=referral, document=document, given_at=given_at, how=how, given_by=by).save_by(by)


@transaction.atomic
def record_consent(
    *,
    referral: Referral,
    form: DocumentVersion,
    information: InformationGiven,
    data: ConsentData,
    by: User,
    at: datetime,
) -> Consent:
    """Record a signed consent; the first one gives the study number (T07, BR-10 to BR-16).

    Raises:
        VersionNotInUse: form or information sheet out of use that day (BR-10).
        ConsentRefused: another rule is not met.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    day = local_day(data.signed_at)
    _check_times(referral, information, data, at)
    require_in_use(form, site=referral.site, on=day)
    require_in_use(information.document, site=referral.site, on=local_day(information.given_at))
    _check_statements(form, data)
    if not data.capacity_confirmed:
        raise ConsentRefused("Consent needs the person's capacity to be confirmed.")
    if not is_delegated(by, Duty.CONSENT, referral.site, day):
        raise ConsentRefused(
            f"The delegation log does not let you take consent at {referral.site} on {day:%-d %B %Y}."
            " Ask the principal investigator."
        )
    _check_signatures(data, at)
    referral = Referral.objects.select_for_update(of=("self",)).get(pk=referral.pk)
    participant = Participant.objects.filter(referral=referral).first()
    if Consent.objects.filter(participant=participant, form=form).exclude(state=Consent.State.VOID).exists():
        raise ConsentRefused(f"Consent on {form} is recorded already. Look at the record.")
    if participant is None:
        _check_green_light(referral, day)
    _supersede(participant, by)
    consent = Consent(
        participant=participant or issue_study_number(referral=referral, consented_date=day, by=by),
        form=form,
        information=information,
        method=data.method,
        statements=dict(data.answers),
        signed_at=data.signed_at,
        taken_by=by,
        witness_name_sealed=identity.seal_text(referral.person, data.witness_name),
        language=form.language,
        interpreter=data.interpreter,
        capacity_confirmed=True,
        copy_given_date=data.copy_given_date,
        comment=data.comment,
    ).save_by(by)
    if data.signed:
        sealing.keep_evidence(consent=consent, signed=data.signed, by=by, at=at)
    return consent


def _check_green_light(referral: Referral, day: date) -> None:
    """Nobody consents at a site before its checklist is signed."""
    site = referral.site
    if site.green_light_date is None or day < site.green_light_date:
        raise ConsentRefused(f"{site} is not open yet: its green-light checklist is not signed. Ring the trial office.")


def _check_signatures(data: ConsentData, at: datetime) -> None:
    """Each way of consenting has its proof (BR-14)."""
    if data.method in (Consent.Method.ECONSENT_IN_PERSON, Consent.Method.ECONSENT_REMOTE) and data.signed is None:
        raise ConsentRefused("Consent on a screen needs the person's own signature, given on its own pages.")
    if data.method == Consent.Method.ECONSENT_REMOTE and data.signed and not data.signed.identity_check:
        raise ConsentRefused("Say how you checked who signed: a remote consent needs it.")
    if data.method == Consent.Method.TELEPHONE_WITNESSED:
        if not data.witness_name.strip():
            raise ConsentRefused("Enter the name of the witness to the call.")
        heard = data.signed.witness_heard_at if data.signed else None
        if heard and not data.signed_at <= heard <= at:
            raise ConsentRefused("The witness must have heard it after it was said, and before now.")


def _check_times(referral: Referral, information: InformationGiven, data: ConsentData, at: datetime) -> None:
    if data.signed_at > at:
        raise ConsentRefused("The consent cannot have been signed later than now.")
    if information.referral_id != referral.pk or information.given_at > data.signed_at:
        raise ConsentRefused("The information sheet must be given before consent.")
    hours = referral.protocol_version.spec.consent.min_hours
    if rules.needs_comment(information.given_at, data.signed_at, hours) and not data.comment.strip():
        raise ConsentRefused(
            f"The information sheet was given less than {hours} hours before. Say why that was enough time."
        )


def _check_statements(form: DocumentVersion, data: ConsentData) -> None:
    if missing := rules.unanswered(form.statements, data.answers):
        raise ConsentRefused(f"Select yes or no for statement {missing[0]}.")
    if no := rules.refused(form.statements, data.answers):
        raise ConsentRefused(f"Statement {no[0]} must be agreed to take part. Record that the person declined.")


def _supersede(participant: Participant | None, by: User) -> None:
    """An earlier valid consent gives way to the new one (BR-15, BR-17)."""
    for earlier in Consent.objects.filter(participant=participant, state="valid") if participant else []:
        earlier.state = Consent.State.SUPERSEDED
        earlier.save_by(by, "Consent on a later version")


@transaction.atomic
def void_consent(*, participant: Participant, reason: str, by: User) -> None:
    """Mark the consent in force as entered in error (T18); it stays on record, and a new one may be recorded.

    Raises:
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    for consent in Consent.objects.select_for_update(of=("self",)).filter(participant=participant, state="valid"):
        consent.state = Consent.State.VOID
        consent.save_by(by, reason)


def valid_consent(participant: Participant) -> Consent | None:
    """The consent in force."""
    return participant.consents.filter(state="valid").select_related("form", "information__document").first()


def outstanding_version(participant: Participant, on: date) -> DocumentVersion | None:
    """The version that asks for consent again and has not been signed yet (BR-17)."""
    current = valid_consent(participant)
    if current is None:
        return None
    newest = documents_on(kind=DocumentVersion.Kind.CONSENT, site=participant.site, on=on)
    later = [d for d in newest if d.requires_reconsent and d.document_date > current.form.document_date]
    return later[0] if later else None
