"""A revision through every state up to its lock, with the least that each step asks for."""

from randomisation.drafts import Draft, configure, keep_document, sign_test
from randomisation.locks import lock
from randomisation.models import DraftDocument
from tests.randomisation.people import make_user


def ready_revision(*, scheme, parameters, rows_per_stratum, at, backup_rows=0, reason="", list_file=None, by=None):
    """Configured, simulated, tested and signed; by one statistician and one tester."""
    statistician, tester = by or make_user(), make_user()
    draft = Draft(parameters, rows_per_stratum, backup_rows, reason, list_file)
    revision = configure(scheme=scheme, draft=draft, by=statistician, at=at)
    given = {"revision": revision, "at": at, "software_version": "tests"}
    keep_document(kind=DraftDocument.Kind.SIMULATION, document={"n_trials": 0}, by=statistician, **given)
    test = keep_document(kind=DraftDocument.Kind.ACCEPTANCE, document={"cases": []}, by=tester, n_passed=1, **given)
    sign_test(document=test, by=statistician, at=at)
    revision.refresh_from_db()
    return revision


def lock_scheme(*, scheme, parameters, rows_per_stratum, approvers, by, at, **given):
    """The scheme's next revision, locked."""
    revision = ready_revision(scheme=scheme, parameters=parameters, rows_per_stratum=rows_per_stratum, at=at, **given)
    return lock(revision=revision, approvers=approvers, by=by, at=at)
