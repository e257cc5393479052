"""The inspection pack: everything of section 15 in one zip, without an arm or a restricted parameter.

The same records give the same bytes. Participant numbers stand only where the reader may see the person; what was
typed freely only where the reader is not blinded, since it may hint at an arm (6.3).
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation.models import AcceptanceSignature, Revision, Scheme
from trial.access.models import User
from trial.allocation.acceptance import reads, report
from trial.allocation.office.accrual import accrual_of
from trial.allocation.reports import inspection_tables as tables
from trial.allocation.reports import reveal
from trial.allocation.reports.reveal_views import draw_verification
from trial.allocation.reports.statement import as_text, statement
from trial.allocation.reports.words import parameter_rows
from trial.base.lists import defused
from trial.base.words import date_and_time

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_README = """Inspection pack of scheme {code}: {name}

parameters/     public parameters of each locked revision, as JSON
certificates/   what was fixed at each lock: commitment, fingerprints, approvers
acceptance/     reports of the signed acceptance tests
statement.txt   the public randomisation statement
allocations.csv every allocation without its arm
events.csv      the hash-linked log: digest[n] = SHA-256(digest[n-1] and entry), digest[0] the commitment of revision 1
exceptions.csv  every request, who asked and who decided
unblinding.csv  code breaks and blinding events
recruitment.csv people randomised by site and month
envelopes.csv   emergency documents printed, used and counted
delegation.csv  the roles of the randomisation with their dates
arm-access.csv  every decryption of an arm: who, when, why
verification.pdf  after the reveal: every allocation computed again
SHA256SUMS      the digest of each file

Nothing here tells an arm or a restricted parameter. Cells are empty where whoever asked for the pack may not see them.
"""


@sensitive_variables()
def build(scheme: Scheme, *, reader: User) -> bytes:
    """The zip, as this reader may have it."""
    files = {
        "README.txt": _README.format(code=scheme.code, name=scheme.name),
        "statement.txt": as_text(scheme, statement(scheme, reader=reader)),
        "allocations.csv": _csv(tables.allocations(scheme, reader)),
        "events.csv": _csv(tables.events(scheme, reader)),
        "exceptions.csv": _csv(tables.exceptions(scheme, reader)),
        "unblinding.csv": _csv(tables.unblinding(scheme, reader)),
        "recruitment.csv": _csv(_recruitment(scheme)),
        "envelopes.csv": _csv(tables.envelopes(scheme, reader)),
        "delegation.csv": _csv(tables.delegation()),
        "arm-access.csv": _csv(tables.arm_access(scheme, reader)),
    }
    for revision in scheme.revisions.exclude(commitment="").order_by("number"):
        files[f"parameters/revision-{revision.number}.json"] = json.dumps(
            revision.params_public, indent=1, sort_keys=True
        )
        files[f"certificates/revision-{revision.number}.txt"] = _certificate(revision)
    data = {name: text.encode("utf-8") for name, text in files.items()}
    return _zipped(data | _acceptance_reports(scheme, reader) | _verification(scheme))


def _recruitment(scheme: Scheme) -> tables.Rows:
    accrual = accrual_of(scheme)
    yield ["site", *accrual.heads, "total"]
    for line in accrual.lines:
        yield [line.label, *line.counts, line.total]


def _certificate(revision: Revision) -> str:
    lock = tables.lock_of(revision)
    approvers = " and ".join(str(p) for p in (lock.first_approver, lock.second_approver) if p) if lock else ""
    rows = [
        *parameter_rows(revision.params_public),
        ("Locked", date_and_time(revision.locked_at) if revision.locked_at else ""),
        ("Approved by", approvers),
        ("Commitment", revision.commitment),
        *((f"Fingerprint {key}", shown) for key, shown in tables.fingerprints(revision)),
    ]
    return "".join(f"{term}: {value}\n" for term, value in rows)


def _acceptance_reports(scheme: Scheme, reader: User) -> dict[str, bytes]:
    signed = AcceptanceSignature.objects.filter(document__revision__scheme=scheme).order_by("document_id")
    found = {}
    for signature in signed.select_related("document__revision__scheme", "document__by"):
        test = reads.tested(signature.document)
        if test.outcomes:
            name = f"acceptance/revision-{test.document.revision.number}-test-{test.document.pk}.pdf"
            found[name] = report.draw(test, is_full=False, shows_text=not reader.access.blinded)
    return found


@sensitive_variables()
def _verification(scheme: Scheme) -> dict[str, bytes]:
    if not reveal.is_revealed(scheme):
        return {}
    return {"verification.pdf": draw_verification(scheme, reveal.verification(scheme))}


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(["" if cell is None else defused(cell) for cell in row])
    return text.getvalue()


def _zipped(files: dict[str, bytes]) -> bytes:
    """Sorted names, one date and one mode: equal files give equal bytes."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for name, data in sorted({**files, "SHA256SUMS": sums.encode("ascii")}.items()):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system, entry.external_attr, entry.compress_type = 3, _MODE, zipfile.ZIP_DEFLATED
            target.writestr(entry, data)
    return archive.getvalue()
