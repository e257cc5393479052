"""A consent on a screen: started by staff, answered, signed and certified by the person, ended by staff."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.crypto import constant_time_compare

from trial.access.models import Duty, User
from trial.access.permissions import is_delegated
from trial.access.policy import Role
from trial.base.words import date_and_time, local_day
from trial.consent import actions as consents
from trial.consent import documents, rules
from trial.consent.errors import ConsentRefused
from trial.consent.evidence_models import SignatureKind
from trial.consent.models import Consent, DocumentVersion, InformationGiven
from trial.consent.sealing import Mark, opened
from trial.econsent import reads
from trial.econsent.errors import CannotStart, CheckPaused, NotOpen, NotReady
from trial.econsent.models import ConsentSession
from trial.econsent.reads import State
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.participants import identity
from trial.participants.models import Referral
from trial.selfcompletion.rules import known_answer

MOST_NAME = 120


# -- by staff, before


@transaction.atomic
def start(
    *,
    referral: Referral,
    method: str,
    form: DocumentVersion,
    information: InformationGiven,
    by: User,
    at: datetime,
    interpreter: bool = False,
) -> ConsentSession:
    """Begin a consent on a screen with the approved files as they are now. One at a time for each person.

    Raises:
        CannotStart: the starter is not delegated, the protocol has no such way, a file is not uploaded, somebody's
            consent waits already, or the person cannot consent now.
        VersionNotInUse: form or information sheet is out of use today (BR-10).
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    today = local_day(at)
    referral = Referral.objects.select_for_update(of=("self",)).select_related("site").get(pk=referral.pk)
    if method not in referral.protocol_version.spec.consent.methods:
        raise CannotStart("The protocol does not allow this way of consenting.")
    if referral.status not in reads.MAY_CONSENT:
        raise CannotStart(f"This person cannot consent now: {referral.get_status_display().lower()}.")
    if not is_delegated(by, Duty.CONSENT, referral.site, today):
        raise CannotStart(f"The delegation log does not let you take consent at {referral.site} today.")
    consents.require_in_use(form, site=referral.site, on=today)
    consents.require_in_use(information.document, site=referral.site, on=local_day(information.given_at))
    if waits := reads.on_its_way(referral):
        if waits.state == ConsentSession.State.SIGNED:
            raise CannotStart("A consent of this person is signed and waits for the countersignature.")
        cancel(session=waits, reason="Started again", by=by, at=at)
    shown = {kind: documents.file_of(document) for kind, document in _both(form, information)}
    if missing := [str(document) for kind, document in _both(form, information) if shown[kind] is None]:
        raise CannotStart(f"The approved file is not uploaded yet: {', '.join(missing)}. Ask the trial manager.")
    return ConsentSession(
        referral=referral,
        method=method,
        form=form,
        information=information,
        form_sha256=shown["form"].sha256,  # type: ignore[union-attr]  # looked at above
        information_sha256=shown["information"].sha256,  # type: ignore[union-attr]
        started_by=by,
        started_at=at,
        interpreter=interpreter,
    ).save_by(by)


def _both(form: DocumentVersion, information: InformationGiven) -> list[tuple[str, DocumentVersion]]:
    return [("form", form), ("information", information.document)]


@transaction.atomic
def cancel(*, session: ConsentSession, reason: str, by: User | None, at: datetime) -> ConsentSession:
    """End a consent on a screen that was not countersigned; it stays on record, and its links stop.

    Raises:
        NotReady: it was countersigned, or ended, already.
    """
    mine = _locked(session)
    if mine.state not in (ConsentSession.State.OPEN, ConsentSession.State.SIGNED):
        raise NotReady("This consent is finished already.")
    mine.state, mine.ended_at, mine.ended_because = ConsentSession.State.CANCELLED, at, reason[:200]
    mine.save_by(by, reason)
    for link in mine.links.select_for_update().filter(revoked_at__isnull=True):
        link.revoked_at = at
        link.save_by(by, "Cancelled")
    messages.close_task(key=f"countersign:{mine.pk}", by=by, at=at)
    return mine


def _locked(session: ConsentSession) -> ConsentSession:
    return ConsentSession.objects.select_for_update(of=("self",)).select_related(*reads.PATH).get(pk=session.pk)


def _open(session: ConsentSession) -> ConsentSession:
    """The row, locked, while the person may answer and sign.

    Raises:
        NotOpen: it is signed, ended, or the person cannot consent any more.
    """
    mine = _locked(session)
    if (state := reads.state_of(mine)) != State.OPEN:
        raise NotOpen(state)
    return mine


# -- by the person


@transaction.atomic
def check_person(*, session: ConsentSession, given: str, at: datetime) -> bool:
    """Compare the second check with what is known; each wrong answer is counted, and the last one tells the team.

    Raises:
        CheckPaused: too many wrong ones before; this one was not looked at.
        SealBroken: the identity record cannot be opened.
    """
    mine = _locked(session)
    tries = reads.tries_of(mine, at)
    if not tries.may_try:
        raise CheckPaused(tries.until)
    check = mine.referral.protocol_version.spec.self_completion.second_check
    known = known_answer(check, identity.read(mine.referral.person))
    if known and constant_time_compare(known, given):
        mine.n_failed, mine.opened_at = 0, mine.opened_at or at
        mine.save_by(None, "Second check passed")
        return True
    _count_failure(mine, at)
    return False


def _count_failure(mine: ConsentSession, at: datetime) -> None:
    mine.n_failed, mine.last_failed_at = mine.n_failed + 1, at
    mine.save_by(None, "Second check failed")
    referral, limits = mine.referral, mine.referral.protocol_version.spec.self_completion
    if mine.n_failed < limits.max_tries:
        return
    messages.open_task(
        key=f"consent-locked:{mine.pk}:{at.isoformat()}",
        kind="consent_link_locked",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title="Help with a consent link",
        detail=f"Locked on {date_and_time(at)} after too many wrong second checks. Somebody else may have opened it",
        link=f"/people/{referral.number}/consent/",
        due_date=local_day(at),
        at=at,
    )


@transaction.atomic
def note_sheet(*, session: ConsentSession, at: datetime) -> None:
    """Remember when the person first opened the information sheet here."""
    mine = _locked(session)
    if mine.sheet_opened_at is None and mine.state == ConsentSession.State.OPEN:
        mine.sheet_opened_at = at
        mine.save_by(None, "Information sheet opened")


@transaction.atomic
def answer(*, session: ConsentSession, answers: Mapping[str, bool], at: datetime) -> ConsentSession:
    """Keep the answers to every statement; nothing is assumed (BR-12).

    Raises:
        NotOpen: it takes no answers now.
        ConsentRefused: a statement without an answer, or a mandatory one that is not agreed to.
    """
    mine = _open(session)
    if missing := rules.unanswered(mine.form.statements, answers):
        raise ConsentRefused(f"Select yes or no for statement {missing[0]}.")
    if no := rules.refused(mine.form.statements, answers):
        raise ConsentRefused(f"Statement {no[0]} must be agreed to take part.")
    mine.answers = {one["code"]: bool(answers[one["code"]]) for one in mine.form.statements}
    return mine.save_by(None, "Statements answered")


@transaction.atomic
def sign(*, session: ConsentSession, name: str, mark: Mark, at: datetime) -> ConsentSession:
    """Keep name and signature, sealed. The consent is signed only once it is certified.

    Raises:
        NotOpen: it takes no signature now.
        NotReady: the statements are not answered.
        ConsentRefused: typed signatures are not allowed by the protocol.
    """
    mine = _open(session)
    if not mine.answers:
        raise NotReady("Answer the statements first.")
    spec = mine.referral.protocol_version.spec
    if mark.kind == SignatureKind.TYPED and not spec.consent.typed_signature_allowed:
        raise ConsentRefused("This study needs a drawn signature. You can also consent on paper: ask the team.")
    person = mine.referral.person
    mine.name_sealed = identity.seal_text(person, name.strip()[:MOST_NAME])
    mine.signature_kind = mark.kind
    mine.signature_sealed = identity.seal_text(person, mark.as_text())
    return mine.save_by(None, "Name and signature given")


@transaction.atomic
def certify(*, session: ConsentSession, at: datetime) -> ConsentSession:
    """The person has read everything again and certified it: signed now, at the server's time (R-31).

    Raises:
        NotOpen: it was signed before, or takes no signature now.
        NotReady: answers or signature are missing.
        ConsentRefused, VersionNotInUse: a rule is no longer met today (BR-10, BR-12).
    """
    mine = _open(session)
    if not (mine.answers and mine.name_sealed and mine.signature_sealed):
        raise NotReady("Answer the statements and sign first.")
    if rules.unanswered(mine.form.statements, mine.answers) or rules.refused(mine.form.statements, mine.answers):
        raise NotReady("Answer the statements first.")
    consents.require_in_use(mine.form, site=mine.referral.site, on=local_day(at))
    mine.state, mine.signed_at = ConsentSession.State.SIGNED, at
    mine.save_by(None, "Certified and signed by the participant")
    _ask_for_countersignature(mine, at)
    return mine


def _ask_for_countersignature(mine: ConsentSession, at: datetime) -> None:
    referral = mine.referral
    messages.open_task(
        key=f"countersign:{mine.pk}",
        kind="countersign",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title="Countersign a consent",
        detail=f"Signed on {date_and_time(at)}. It is valid only once it is countersigned",
        link=f"/people/{referral.number}/consent/countersign/",
        due_date=local_day(at),
        at=at,
    )


@transaction.atomic
def decline(*, session: ConsentSession, at: datetime) -> ConsentSession:
    """The person chose not to take part: nothing they typed counts, and the team is told.

    Raises:
        NotOpen: it is signed or ended already.
    """
    mine = cancel(session=_open(session), reason="The person chose not to take part", by=None, at=at)
    referral = mine.referral
    messages.open_task(
        key=f"consent-declined:{mine.pk}",
        kind="consent_declined",
        role=Role.COORDINATOR,
        site=referral.site,
        referral=referral,
        title="Record that the person declined",
        detail=f"Chosen on the consent page on {date_and_time(at)}. Nothing was signed",
        link=f"/people/{referral.number}/",
        due_date=local_day(at),
        at=at,
    )
    return mine


def name_and_mark(session: ConsentSession) -> tuple[str, Mark]:
    """The name as typed and the signature as made.

    Raises:
        SealBroken: the person's key does not open them.
    """
    person = session.referral.person
    mark = opened(person, session.signature_kind, session.signature_sealed)
    return identity.open_text(person, session.name_sealed), mark


@transaction.atomic
def finish(*, session: ConsentSession, consent: Consent, by: User, at: datetime) -> ConsentSession:
    """Tie a signed session to the consent that the countersignature made."""
    mine = _locked(session)
    mine.state, mine.consent, mine.ended_at = ConsentSession.State.FINISHED, consent, at
    mine.save_by(by, "Countersigned")
    for link in mine.links.select_for_update().filter(revoked_at__isnull=True, purpose="sign"):
        link.revoked_at = at
        link.save_by(by, "Signed")
    messages.close_task(key=f"countersign:{mine.pk}", by=by, at=at)
    return mine
