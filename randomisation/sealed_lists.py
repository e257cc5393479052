"""Making, sealing and lengthening the lists of a revision, inside the caller's transaction."""

from randomisation.engine.parameters import Parameters, stratum_keys
from randomisation.engine.source import contribution_bytes
from randomisation.errors import ListMismatch
from randomisation.models import Purpose, Revision, SealedRow, StratumCursor
from randomisation.sealing import unwrap
from randomisation.unsealed import Unsealed, unseal


def name_lists(revision: Revision, parameters: Parameters, rows_per_stratum: int, backup_rows: int) -> None:
    """Give every list its cursor, still without rows; no emergency lists when `backup_rows` is 0."""
    names = [(Purpose.LIST, key, rows_per_stratum) for key in stratum_keys(parameters.factors)]
    if backup_rows:
        names += [(Purpose.BACKUP, key, backup_rows) for key in parameters.backup_keys()]
    for purpose, key, n_rows in names:
        StratumCursor.objects.create(revision=revision, purpose=purpose, key=key, rows_requested=n_rows)


def make_lists(revision: Revision, contribution: str) -> None:
    """Seal the contribution, then make and seal every list in position order (6.3)."""
    seal = unwrap(revision.data_key_wrapped)
    revision.contribution_sealed = seal.seal(contribution_bytes(contribution))
    revision.save(update_fields=["contribution_sealed"])
    unsealed = unseal(revision)
    for cursor in revision.cursors.order_by("pk"):
        fill(cursor, unsealed)


def fill(cursor: StratumCursor, unsealed: Unsealed) -> None:
    """Seal the rows a list still lacks, once those it has agree with the seed."""
    arms = unsealed.list_arms(purpose=cursor.purpose, key=cursor.key, n_rows=cursor.rows_requested)
    if cursor.n_rows and unsealed.fingerprint_of(cursor, arms[: cursor.n_rows]) != cursor.fingerprint:
        raise ListMismatch
    SealedRow.objects.bulk_create(
        [
            _sealed_row(cursor, unsealed, position, arms[position - 1])
            for position in range(cursor.n_rows + 1, len(arms) + 1)
        ],
        batch_size=500,
    )
    cursor.n_rows = len(arms)
    cursor.fingerprint = unsealed.fingerprint_of(cursor, arms)
    cursor.save(update_fields=["rows_requested", "n_rows", "fingerprint"])


def _sealed_row(cursor: StratumCursor, unsealed: Unsealed, position: int, arm: int) -> SealedRow:
    context = unsealed.row_context(purpose=cursor.purpose, key=cursor.key, position=position)
    return SealedRow(
        revision_id=cursor.revision_id,
        purpose=cursor.purpose,
        key=cursor.key,
        position=position,
        token=unsealed.seal.seal_arm(arm, context),
    )


def fingerprints(revision: Revision) -> dict[str, object]:
    """What the certificate shows of each list: 16 hexadecimal digits (6.4)."""
    return {c.fingerprint_key: c.fingerprint[:16] for c in revision.cursors.exclude(fingerprint="").order_by("pk")}
