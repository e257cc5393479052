"""The acceptance test report as PDF (randomisation.md section 12). The same test gives the same bytes."""

from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation.drafts import draft_parameters
from randomisation.errors import RandomisationError
from randomisation.models import Revision
from randomisation.simulation import Comparison
from randomisation.simulation.table import note, rows
from randomisation.unsealed import unseal
from trial.allocation.acceptance import reads
from trial.allocation.acceptance.reads import Tested
from trial.allocation.office.documents import heading, space, terms, text, title
from trial.allocation.reports.printed import PORTRAIT_MM, columns, pdf
from trial.allocation.reports.words import parameter_rows
from trial.base.words import date_and_time

BANNER = "TEST. Every case ran with a test secret on made-up people, never in the live database."
COVERED_NOTE = (
    "Cases “covered by automated test” need a person at a screen. They were not run with this design: the named test"
    " of the software does what they ask for, and runs with every change of the software."
)


@sensitive_variables()
def draw(test: Tested, *, is_full: bool, shows_text: bool) -> bytes:
    """The report.

    Args:
        is_full: with restricted parameters and the simulation's figures, from which they can be guessed.
        shows_text: with the decisions as they were typed, which blinded people do not read (6.3).
    """
    revision = test.document.revision
    story = [
        title(f"Acceptance test report: {revision.scheme.name}, revision {revision.number}"),
        text(BANNER),
        space(),
        terms(_header(test)),
        heading("Parameters" if is_full else "Parameters (public version)"),
        terms(parameter_rows(revision.params_public)),
        *(_restricted(revision) if is_full else []),
        heading("Requirements and their cases"),
        columns(("Requirement", "Cases", "Result"), list(test.requirements()), (32, 108, 40)),
        text("Numbers are sections of the randomisation reference; BR and R are business rules."),
        heading("Published test vectors"),
        _vectors(test.found),
        heading("Simulation"),
        *_simulation(revision, is_full=is_full),
        heading("Cases"),
        _cases(test),
        space(),
        text(COVERED_NOTE),
        heading("Deviations and decision"),
        text(_deviations(test, shows_text=shows_text)),
        heading("Live part"),
        *_live(revision),
        heading("Signatures"),
        _signatures(test),
    ]
    return pdf(story, name=f"Acceptance test {test.document.pk}", foot=f"Acceptance test {test.document.pk}. TEST")


def _header(test: Tested) -> list[tuple[str, str]]:
    document, found = test.document, test.found
    approver = test.signature.by.name if test.signature else "Not signed yet"
    return [
        ("Trial and scheme", f"{document.revision.scheme.name} ({document.revision.scheme.code})"),
        ("Revision", str(document.revision.number)),
        ("Software", f"Hedgerow {found['software_version']}, commit {found['commit']}"),
        ("Engine", found["engine_version"]),
        ("Database of the cases", found["database"]),
        ("Python", found["python"]),
        ("Date", date_and_time(document.at)),
        ("Tester", document.by.name),
        ("Approver", approver),
        ("Result", f"{document.n_passed} passed, {document.n_failed} failed, {test.n_covered} covered"),
    ]


@sensitive_variables()
def _restricted(revision: Revision) -> list[Any]:
    try:
        parameters = unseal(revision).locked if revision.is_locked else draft_parameters(revision)
    except RandomisationError:
        return [text("The restricted parameters cannot be opened now.")]
    sizes = parameters.backup_block_sizes
    backup = {"backup_block_sizes": sizes} if sizes is not None else {}
    shown = [(key, str(value)) for key, value in {**parameters.settings, **backup}.items()]
    return [text("Restricted: for unblinded readers only."), terms(shown or [("Restricted", "None")])]


def _vectors(found: dict[str, Any]) -> Any:
    cells = [f"{one['id']} {one['outcome']}" for one in found["vectors"]]
    width = 6
    rows_ = [cells[at : at + width] for at in range(0, len(cells), width)]
    return columns((), [row + [""] * (width - len(row)) for row in rows_], (PORTRAIT_MM / width,) * width)


@sensitive_variables()
def _simulation(revision: Revision, *, is_full: bool) -> list[Any]:
    document = reads.simulation_of(revision)
    if document is None:
        return [text("None was kept.")]
    compared = comparison_in(reads.opened(document))
    size = (
        f"{compared.n_trials:,} simulated trials of {compared.target:,} people" if compared else "Kept with the draft"
    )
    told = [text(f"{size}, by {document.by.name}, {date_and_time(document.at)}.")]
    if compared is None:
        return told
    if not is_full:
        return [*told, text("Its figures would show the restricted parameters. They stand in the restricted report.")]
    heads = ("", *(method.label for method in compared.methods))
    body = [(what, *cells) for what, cells in rows(compared)]
    first = 46.0
    others = (PORTRAIT_MM - first) / len(compared.methods)
    return [*told, text(note(compared)), columns(heads, body, (first, *(others for _ in compared.methods)))]


def comparison_in(found: dict[str, Any]) -> Comparison | None:
    """The comparison that a simulation kept, alone or as `comparison`; None where there is none."""
    given = found.get("comparison", found)
    return Comparison.from_json(given) if "methods" in given else None


def _cases(test: Tested) -> Any:
    heads = ("Case", "Section", "What is tried", "Expected", "Observed", "Result", "Initials")
    body = [
        (one.id, one.requirement, one.title, one.expected, one.observed, one.status.value, "") for one in test.outcomes
    ]
    return columns(heads, body, (11, 18, 33, 40, 42, 20, 16))


def _deviations(test: Tested, *, shows_text: bool) -> str:
    if not test.failed:
        return "No case failed."
    failed = f"Failed: {', '.join(one.id for one in test.failed)}. "
    if test.signature is None:
        return f"{failed}Nothing is decided yet."
    return failed + (test.signature.deviations if shows_text else "The decision is on record for unblinded readers.")


def _live(revision: Revision) -> list[Any]:
    if not revision.is_locked:
        return [text("The revision is not locked yet: there is no commitment, and there are no lists.")]
    lists = revision.cursors.exclude(fingerprint="").order_by("pk")
    found = [(one.fingerprint_key, one.fingerprint[:16]) for one in lists]
    return [terms([("Commitment", revision.commitment), *[(f"List {key}", shown) for key, shown in found]])]


def _signatures(test: Tested) -> Any:
    rows_ = [("Tester", test.document.by.name, date_and_time(test.document.at), "Ran the cases")]
    if test.signature:
        rows_.append(
            ("Statistician", test.signature.by.name, date_and_time(test.signature.at), "Signed with password or code")
        )
    else:
        rows_.append(("Statistician", "", "", ""))
    return columns(("Role", "Name", "Time", "How"), rows_, (35, 55, 50, 40))
