"""How people of the demonstration consent: on the tablet, by link, by telephone, on paper with a scan."""

from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas

from trial.access.models import User
from trial.consent import documents
from trial.consent.actions import ConsentData
from trial.consent.evidence_models import CopyHow, SignatureKind
from trial.consent.models import Consent, DocumentVersion, InformationGiven
from trial.consent.sealing import Mark
from trial.demo.stage import Stage
from trial.econsent import actions as econsent
from trial.econsent import scans
from trial.econsent.models import ConsentSession
from trial.journey import consenting, steps
from trial.participants.models import Referral

Method = Consent.Method
ON_SCREEN = (Method.ECONSENT_IN_PERSON, Method.ECONSENT_REMOTE)
STROKES = 14


def give(
    *,
    stage: Stage,
    referral: Referral,
    form: DocumentVersion,
    information: InformationGiven,
    data: ConsentData,
    name: str,
    by: User,
    rng: Random,
    at: datetime,
) -> Consent:
    """Consent in the way that `data` says, by the same actions as the pages."""
    if data.method in ON_SCREEN:
        begun = at - timedelta(minutes=20)
        session = econsent.start(
            referral=referral, method=data.method, form=form, information=information, by=by, at=begun
        )
        return _on_screen(stage, session, data, name, by, rng, at)
    if data.method == Method.TELEPHONE_WITNESSED:
        return consenting.by_telephone(
            referral=referral,
            form=form,
            information=information,
            data=data,
            spoken_name=name,
            heard_at=data.signed_at + timedelta(seconds=30),
            interpreter_name="",
            file_hashes=(_hash(form), _hash(information.document)),
            proof=stage.staff.proof(by, at),
            by=by,
            at=at,
        )
    made = steps.consent(referral=referral, form=form, information=information, data=data, by=by, at=at)
    scans.attach(consent=made, data=_scan(made.participant.study_id), by=by, at=at)
    return made


def _on_screen(
    stage: Stage, session: ConsentSession, data: ConsentData, name: str, by: User, rng: Random, at: datetime
) -> Consent:
    """Answered and signed by the person, certified, and countersigned by the team."""
    econsent.answer(session=session, answers=data.answers, at=session.started_at)
    mark = Mark(SignatureKind.DRAWN, png=scribble(rng))
    econsent.sign(session=session, name=name, mark=mark, at=session.started_at)
    signed = econsent.certify(session=session, at=data.signed_at)
    added = consenting.Countersignature(
        mark=Mark(SignatureKind.DRAWN, png=scribble(rng)), capacity_confirmed=True, copy_how=CopyHow.PRINT
    )
    if data.method == Method.ECONSENT_REMOTE:
        added = replace(
            added,
            identity_check="phone",
            identity_items=("name", "date of birth"),
            identity_checked_date=stage.calendar.day_of(at),
        )
    return consenting.countersign(session=signed, added=added, proof=stage.staff.proof(by, at), by=by, at=at)


def scribble(rng: Random) -> bytes:
    """A made-up signature as PNG: a line that goes up and down."""
    picture = Image.new("L", (600, 200), 255)
    points = [(40 + 37 * n, 100 + rng.randint(-55, 55)) for n in range(STROKES)]
    ImageDraw.Draw(picture).line(points, fill=0, width=5, joint="curve")
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _hash(document: DocumentVersion) -> str:
    file = documents.file_of(document)
    return file.sha256 if file else ""


def _scan(study_id: str) -> bytes:
    file = BytesIO()
    canvas = Canvas(file, invariant=1)
    canvas.drawString(72, 740, f"DEMONSTRATION: scan of the consent form of {study_id}, signed on paper")
    canvas.showPage()
    canvas.save()
    return file.getvalue()
