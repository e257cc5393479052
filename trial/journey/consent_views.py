"""Consent as a page (T07): the ways there are, and the form for paper and telephone."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.base.errors import TrialError
from trial.base.parts import Link
from trial.base.words import date_and_time, local_day, long_date
from trial.consent import actions as consents
from trial.consent import documents
from trial.consent.models import Consent, DocumentVersion, InformationGiven
from trial.econsent import reads as econsent
from trial.econsent.models import ConsentSession
from trial.journey import consenting, steps
from trial.journey.consent_forms import RecordConsentForm
from trial.journey.pages import GET_POST, blocked, page, posted
from trial.participants.models import BEFORE_CONSENT, Referral, Status
from trial.participants.reads import referral_for

CONSENT_METHODS = (Consent.Method.PAPER, Consent.Method.TELEPHONE_WITNESSED)
"""Ways recorded by this form. On a screen the person signs on pages of their own (BR-14)."""


@requires(Action.RECORD_CONSENT)
@GET_POST
def consent(request: StaffRequest, number: str) -> HttpResponse:
    """Record consent, statement by statement (T07, BR-10 to BR-16), or go to a screen."""
    referral = referral_for(request.user, number, Action.RECORD_CONSENT)
    version, given, problems = ready(referral)
    if problems or given is None or version is None:
        return blocked(request, referral, "Record consent", problems)
    files = request.FILES if request.method == "POST" else None
    form = RecordConsentForm(version, _methods(referral), posted(request), files)
    if form.is_valid():
        try:
            made = _record(referral, version, given, form, request.user)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Consent recorded. The study number is {made.participant.study_id}.")
            is_telephone = made.method == Consent.Method.TELEPHONE_WITNESSED
            return redirect(f"/people/{made.participant.study_id}/{'consent/given/' if is_telephone else ''}")
    detail = (
        f"{given.document.title} {given.document.version}, given {long_date(given.given_at)}."
        f" {version.title} {version.version}"
    )
    return page(
        request,
        form,
        title="Record consent",
        subject=referral,
        here="Consent",
        detail=detail,
        template="consent/record.html",
        ways=_ways(referral),
        on_its_way=_on_its_way(referral),
    )


def ready(referral: Referral) -> tuple[DocumentVersion | None, InformationGiven | None, list[tuple[str, str]]]:
    """The form to sign, the sheet that was given, and what is missing before anybody can sign."""
    given = referral.information_given.select_related("document").first()
    versions = consents.documents_on(
        kind=DocumentVersion.Kind.CONSENT, site=referral.site, on=local_day(timezone.now())
    )
    problems = _consent_blocked(referral, given is not None, bool(versions))
    return (versions[0] if versions else None), given, problems


def _methods(referral: Referral) -> list[Consent.Method]:
    allowed = referral.protocol_version.spec.consent.methods
    return [method for method in CONSENT_METHODS if method in allowed]


def _ways(referral: Referral) -> list[Link]:
    """Consent on a screen, where the protocol allows it."""
    allowed, base = referral.protocol_version.spec.consent.methods, f"/people/{referral.number}/consent/"
    ways = (
        ("econsent_in_person", Link("On this tablet, with the person here", f"{base}screen/")),
        ("econsent_remote", Link("By a link to the person", f"{base}link/")),
    )
    return [link for method, link in ways if method in allowed]


def _on_its_way(referral: Referral) -> tuple[str, Link | None] | None:
    """What a consent on a screen waits for, and the way there."""
    found = econsent.on_its_way(referral)
    if found is None:
        return None
    if found.state == ConsentSession.State.SIGNED and found.signed_at:
        link = Link("Countersign it", f"/people/{referral.number}/consent/countersign/")
        return f"Signed on a screen on {date_and_time(found.signed_at)}. It is not valid yet.", link
    locked = econsent.tries_of(found, timezone.now()).is_locked
    words = " The link is locked after too many wrong checks: ring, then send another." if locked else ""
    return f"{found.get_method_display()}, begun on {date_and_time(found.started_at)}, not signed yet.{words}", None


def _record(
    referral: Referral, version: DocumentVersion, given: InformationGiven, form: RecordConsentForm, by: User
) -> Consent:
    data, now = form.cleaned_data, timezone.now()
    said = consents.ConsentData(
        method=data["method"],
        answers=form.answers(),
        signed_at=data["signed_at"],
        capacity_confirmed=data["capacity_confirmed"],
        copy_given_date=data["copy_given_date"],
        witness_name=data["witness_name"] or "",
        interpreter=data["interpreter"],
        comment=data["comment"] or "",
    )
    if said.method != Consent.Method.TELEPHONE_WITNESSED or not said.witness_name:
        return consenting.on_paper(
            referral=referral, form=version, information=given, data=said, scan=data["scan"], by=by, at=now
        )
    return consenting.by_telephone(
        referral=referral,
        form=version,
        information=given,
        data=said,
        spoken_name=data["spoken_name"],
        heard_at=data["witness_heard_at"],
        interpreter_name=data["interpreter_name"] or "",
        file_hashes=(_hash(version), _hash(given.document)),
        proof=reauthenticate(user=by, secret=data["secret"], at=now),
        by=by,
        at=now,
    )


def _hash(document: DocumentVersion) -> str:
    file = documents.file_of(document)
    return file.sha256 if file else ""


def _consent_blocked(referral: Referral, is_informed: bool, has_version: bool) -> list[tuple[str, str]]:
    if not has_version:
        return [(f"No consent form is approved and in use at {referral.site} today.", "")]
    if referral.status not in steps.AFTER_CONSENT | BEFORE_CONSENT:
        return [(f"This referral is closed: {referral.get_status_display().lower()}.", "")]
    problems = []
    if referral.status == Status.REFERRED:
        problems.append(("Record a contact with the person first.", f"/people/{referral.number}/contact/"))
    if not is_informed:
        problems.append(("Give an information sheet first.", f"/people/{referral.number}/information/"))
    return problems
