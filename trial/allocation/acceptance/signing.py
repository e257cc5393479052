"""The statistician's signature under an acceptance test (randomisation.md section 10, R-19)."""

from datetime import datetime
from typing import Any

from django.db import transaction

from randomisation.models import DraftDocument
from trial.access.models import User
from trial.access.signing import Proof, sign
from trial.allocation import schemes
from trial.allocation.acceptance import reads

MEANING = "I have read every case of this acceptance test and accept it."


@transaction.atomic
def sign_test(*, document: DraftDocument, deviations: str, proof: Proof, by: User, at: datetime) -> None:
    """Sign a test that somebody else ran (CONFIGURE_SCHEME).

    Args:
        deviations: what was decided about each case that failed.

    Raises:
        AllocationRefused: by who ran it, of an older design, or with failed cases that nobody explains.
        ProofRefused: the proof is another person's.
    """
    sign(proof=proof, by=by, meaning=MEANING, record=document, content=content_of(document, deviations), at=at)
    schemes.sign_acceptance_test(document=document, by=by, at=at, deviations=deviations)


def content_of(document: DraftDocument, deviations: str) -> dict[str, Any]:
    """What is signed: every case as it ended, and the decision on those that failed."""
    return {"revision": document.revision_id, "found": reads.opened(document), "deviations": deviations}
