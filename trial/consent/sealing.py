"""The proof of a consent: both signatures, the hash over all that was signed, and the sealed PDF (BR-15, R-20)."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction

from trial.access.models import User
from trial.access.signing import Proof, content_hash, is_stale, sign
from trial.consent.errors import ConsentRefused
from trial.consent.evidence_models import ConsentEvidence, CopyHow, SealedForm, SignatureKind
from trial.consent.models import Consent
from trial.participants import identity, sealed_files
from trial.participants.models import Person

MEANING = "I took this consent. The person agreed as written here, in their own words and time."


@dataclass(frozen=True)
class Mark:
    """One signature as it was made: a picture, or a typed name. Spoken consent has neither."""

    kind: str
    png: bytes = b""
    typed: str = ""

    def as_text(self) -> str:
        """What is sealed."""
        return base64.b64encode(self.png).decode("ascii") if self.kind == SignatureKind.DRAWN else self.typed


@dataclass(frozen=True)
class Signed:
    """Both signatures on one consent and what goes with them.

    Attributes:
        name: the participant's, as they typed or said it.
        proof: that the taker has just proved who they are.
        identity_items: what was compared with the record, for a remote consent: two at least.
    """

    name: str
    mark: Mark
    taker_mark: Mark
    proof: Proof
    form_sha256: str = ""
    information_sha256: str = ""
    witness_heard_at: datetime | None = None
    interpreter_name: str = ""
    identity_check: str = ""
    identity_items: tuple[str, ...] = ()
    identity_checked_date: date | None = None
    copy_how: str = CopyHow.PRINT


def keep_evidence(*, consent: Consent, signed: Signed, by: User, at: datetime) -> ConsentEvidence:
    """Write the evidence of a consent with the taker's signature over all of it.

    Raises:
        ConsentRefused: fewer than two things were compared, for a remote consent.
        ProofRefused: the proof is another person's.
    """
    if signed.identity_check and len(set(signed.identity_items)) < 2:
        raise ConsentRefused("Compare at least two things that only this person would know.")
    person = consent.participant.referral.person
    evidence = ConsentEvidence(
        consent=consent,
        form_sha256=signed.form_sha256,
        information_sha256=signed.information_sha256,
        name_sealed=identity.seal_text(person, signed.name),
        signature_kind=signed.mark.kind,
        signature_sealed=identity.seal_text(person, signed.mark.as_text()),
        witness_heard_at=signed.witness_heard_at,
        interpreter_sealed=identity.seal_text(person, signed.interpreter_name),
        identity_check=signed.identity_check,
        identity_items=sorted(set(signed.identity_items)),
        identity_checked_date=signed.identity_checked_date,
        taker_kind=signed.taker_mark.kind,
        taker_sealed=identity.seal_text(person, signed.taker_mark.as_text()),
        copy_how=signed.copy_how,
    )
    content = content_of(consent, evidence)
    evidence.content_sha256 = content_hash(content)
    evidence.signature = sign(proof=signed.proof, by=by, meaning=MEANING, record=consent, content=content, at=at)
    evidence.save()
    return evidence


def content_of(consent: Consent, evidence: ConsentEvidence) -> dict[str, Any]:
    """Everything that was signed. Sealed texts enter by their tokens' hashes: a hash of a name could be guessed."""
    return {
        "participant": consent.participant.study_id,
        "form": [consent.form.code, consent.form.version, consent.form.content_sha256, evidence.form_sha256],
        "information": [
            consent.information.document.code,
            consent.information.document.version,
            evidence.information_sha256,
            _iso(consent.information.given_at),
        ],
        "method": consent.method,
        "statements": {code: bool(answer) for code, answer in consent.statements.items()},
        "signed_at": _iso(consent.signed_at),
        "taken_by": consent.taken_by_id,
        "language": consent.language,
        "interpreter": consent.interpreter,
        "comment": consent.comment,
        "witness": [_hash(consent.witness_name_sealed), _iso(evidence.witness_heard_at)],
        "name": _hash(evidence.name_sealed),
        "signature": [evidence.signature_kind, _hash(evidence.signature_sealed)],
        "interpreter_name": _hash(evidence.interpreter_sealed),
        "identity": [evidence.identity_check, evidence.identity_items, _iso(evidence.identity_checked_date)],
        "taker": [evidence.taker_kind, _hash(evidence.taker_sealed)],
    }


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest() if token else ""


def _iso(moment: date | datetime | None) -> str:
    """A day, or a moment in UTC, however it was typed."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).isoformat()
    return moment.isoformat() if moment else ""


def is_unaltered(consent: Consent) -> bool:
    """Whether a consent still says what was signed; one on paper has its proof on paper (R-20)."""
    evidence: ConsentEvidence | None = getattr(consent, "evidence", None)
    if evidence is None:
        return True
    content = content_of(consent, evidence)
    return evidence.content_sha256 == content_hash(content) and not is_stale(evidence.signature, consent, content)


def opened(person: Person, kind: str, token: str) -> Mark:
    """A signature as it was made; in words where it was removed since.

    Raises:
        SealBroken: the person's key does not open it.
    """
    text = identity.open_text(person, token)
    try:
        png = base64.b64decode(text, validate=True) if kind == SignatureKind.DRAWN else b""
    except ValueError:  # a marker stands where the picture was
        return Mark(SignatureKind.TYPED, typed=text)
    return Mark(kind, png=png) if png else Mark(kind, typed=text)


@transaction.atomic
def seal_form(*, consent: Consent, pdf: bytes, at: datetime) -> SealedForm:
    """Keep the PDF of a consent, once: what was given to the participant is not made again."""
    found = SealedForm.objects.filter(consent=consent).first()
    if found:
        return found
    form = SealedForm(
        consent=consent,
        sha256=hashlib.sha256(pdf).hexdigest(),
        n_bytes=len(pdf),
        stored_as=sealed_files.write(consent.participant.referral.person, pdf),
        made_at=at,
    )
    form.save()
    return form


def read_form(form: SealedForm) -> bytes:
    """The PDF as the participant holds it.

    Raises:
        FileDamaged: the file is gone or not what was kept.
    """
    return sealed_files.read(form.consent.participant.referral.person, form.stored_as, form.sha256)
