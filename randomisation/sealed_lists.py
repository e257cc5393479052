"""Making, sealing and lengthening the lists of a revision, inside the caller's transaction."""

from collections.abc import Iterable

from randomisation.engine.imported import read_list
from randomisation.engine.parameters import Parameters, stratum_keys
from randomisation.engine.source import contribution_bytes
from randomisation.errors import ListMismatch
from randomisation.models import Purpose, Revision, SealedRow, StratumCursor
from randomisation.sealing import unwrap
from randomisation.unsealed import DerivedRow, Unsealed, unseal

_BATCH = 500


def name_lists(revision: Revision, parameters: Parameters, rows_per_stratum: int, backup_rows: int) -> None:
    """Give every list that has no cursor yet its own, still without rows; no emergency lists for 0 rows."""
    wanted = []
    if parameters.method != "minimisation":
        wanted += [(Purpose.LIST, key, rows_per_stratum) for key in stratum_keys(parameters.factors)]
    if backup_rows:
        wanted += [(Purpose.BACKUP, key, backup_rows) for key in parameters.backup_keys()]
    there = set(revision.cursors.values_list("purpose", "key"))
    for purpose, key, n_rows in wanted:
        if (str(purpose), key) not in there:
            StratumCursor.objects.create(revision=revision, purpose=purpose, key=key, rows_requested=n_rows)


def make_lists(revision: Revision, contribution: str) -> None:
    """Seal the contribution, then make and seal every list in position order (6.3)."""
    seal = unwrap(revision.data_key_wrapped)
    revision.contribution_sealed = seal.seal(contribution_bytes(contribution))
    revision.save(update_fields=["contribution_sealed"])
    fill_all(revision, unseal(revision), revision.cursors.order_by("pk"))


def fill_all(revision: Revision, unsealed: Unsealed, cursors: Iterable[StratumCursor]) -> None:
    """Seal the rows that these lists still lack."""
    imported = imported_arms(revision, unsealed)
    for cursor in cursors:
        if unsealed.is_derived(cursor.purpose):
            rows = unsealed.derived_rows(purpose=cursor.purpose, key=cursor.key, n_rows=cursor.rows_requested)
        else:
            rows = [DerivedRow(arm, None, 0) for arm in imported[cursor.key]]
        _fill(cursor, unsealed, rows)


def imported_arms(revision: Revision, unsealed: Unsealed) -> dict[str, list[int]]:
    """The arms of an imported list by stratum key, from the file as it was sent; empty for other methods."""
    if not revision.import_sealed:
        return {}
    listed = read_list(unsealed.seal.open(revision.import_sealed), unsealed.locked, rows_needed=1)
    return {key: [row.arm for row in rows] for key, rows in listed.rows.items()}


def _fill(cursor: StratumCursor, unsealed: Unsealed, derived: list[DerivedRow]) -> None:
    """Seal the rows beyond those there are, once these agree with what is derived."""
    arms = [row.arm for row in derived]
    if cursor.n_rows and unsealed.fingerprint_of(cursor, arms[: cursor.n_rows]) != cursor.fingerprint:
        raise ListMismatch
    rows = [
        _sealed_row(cursor, unsealed, position, derived[position - 1])
        for position in range(cursor.n_rows + 1, len(arms) + 1)
    ]
    SealedRow.objects.bulk_create(rows, batch_size=_BATCH)
    cursor.n_rows = len(arms)
    cursor.fingerprint = unsealed.fingerprint_of(cursor, arms)
    cursor.save(update_fields=["rows_requested", "n_rows", "fingerprint"])


def _sealed_row(cursor: StratumCursor, unsealed: Unsealed, position: int, row: DerivedRow) -> SealedRow:
    context = unsealed.context(purpose=cursor.purpose, key=cursor.key, position=position)
    return SealedRow(
        revision_id=cursor.revision_id,
        purpose=cursor.purpose,
        key=cursor.key,
        position=position,
        token=unsealed.seal.seal_arm(row.arm, context),
        resume_sealed="" if row.start is None else unsealed.seal.seal_start(row.start, row.offset, context),
    )


def fingerprints(revision: Revision) -> dict[str, object]:
    """What the certificate shows of each list: 16 hexadecimal digits (6.4)."""
    return {c.fingerprint_key: c.fingerprint[:16] for c in revision.cursors.exclude(fingerprint="").order_by("pk")}
