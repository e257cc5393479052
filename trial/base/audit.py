"""Seals over the audit trail, and the proof that no entry was altered (performance.md, R-02, R-03)."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models, transaction

from trial.base.models import AuditLeaf, AuditRow, AuditSeal, EventModel, leaf_hash

BATCH = 2000


def merkle_root(leaves: list[str]) -> str:
    """Root (hex) of a binary Merkle tree over hex leaves in order; an odd node is carried up as it is."""
    level = [bytes.fromhex(leaf) for leaf in leaves]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(left + right).digest() for left, right in pairs] + odd
    return level[0].hex() if level else hashlib.sha256(b"").hexdigest()


@transaction.atomic
def seal(*, at: datetime) -> AuditSeal | None:
    """Seal every leaf that is not sealed yet; None when there is none.

    Unsealed leaves are selected, never `id > last`: a late commit can carry a lower id than the last seal.
    """
    last = AuditSeal.objects.select_for_update().order_by("-number").first()
    leaves = list(AuditLeaf.objects.filter(seal__isnull=True).order_by("id").values_list("id", "sha256"))
    if not leaves:
        return None
    root = merkle_root([sha256 for _, sha256 in leaves])
    previous = last.digest if last else ""
    new = AuditSeal.objects.create(
        number=last.number + 1 if last else 1,
        sealed_at=at,
        n_leaves=len(leaves),
        root=root,
        digest=hashlib.sha256(f"{previous}{root}".encode("ascii")).hexdigest(),
    )
    for start in range(0, len(leaves), BATCH):
        ids = [leaf_id for leaf_id, _ in leaves[start : start + BATCH]]
        AuditLeaf.objects.filter(id__in=ids).update(seal=new)
    return new


def head() -> dict[str, int | str]:
    """The latest seal, as printed on certificates and releases."""
    last = AuditSeal.objects.order_by("-number").first()
    return {"id": last.number if last else 0, "sha256": last.digest if last else ""}


def trail_tables() -> list[type[models.Model]]:
    """Every history and event table."""
    return [m for m in apps.get_models() if issubclass(m, AuditRow | EventModel)]


def verify() -> list[str]:
    """Rebuild every leaf and every seal from the rows themselves; one sentence per difference."""
    return [*_row_problems(), *_missing_rows(), *_seal_problems(), *_record_problems()]


def _row_problems() -> Iterator[str]:
    for model in trail_tables():
        table = model._meta.db_table
        leaves = dict(AuditLeaf.objects.filter(table_name=table).values_list("row_id", "sha256"))
        for row in model._default_manager.order_by("pk").iterator(BATCH):
            if leaves.get(row.pk) != leaf_hash(row):
                yield f"{table} entry {row.pk} does not match its hash"


def _missing_rows() -> Iterator[str]:
    for model in trail_tables():
        table = model._meta.db_table
        rows = model._default_manager.values("pk")
        for row_id in (
            AuditLeaf.objects.filter(table_name=table).exclude(row_id__in=rows).values_list("row_id", flat=True)
        ):
            yield f"{table} entry {row_id} is gone"


def _seal_problems() -> Iterator[str]:
    previous = ""
    for number, seal_ in enumerate(AuditSeal.objects.order_by("number"), start=1):
        hashes = list(seal_.leaves.order_by("id").values_list("sha256", flat=True))
        digest = hashlib.sha256(f"{previous}{seal_.root}".encode("ascii")).hexdigest()
        stored = (seal_.number, seal_.n_leaves, seal_.root, seal_.digest)
        if (number, len(hashes), merkle_root(hashes), digest) != stored:
            yield f"Seal {seal_.number} does not match its entries"
        previous = seal_.digest


def _record_problems() -> Iterator[str]:
    """Rows that differ from their own latest history, or are gone: somebody edited the database directly."""
    for model in apps.get_models():
        if hasattr(model, "history"):
            yield from _records_of(model, model.history)


def _records_of(model: type[models.Model], history: Any) -> Iterator[str]:
    tracked = {field.attname for field in history.model.tracked_fields}
    names = [field.attname for field in model._meta.concrete_fields if field.attname in tracked]
    newest = history.values("id").annotate(newest=models.Max("history_id")).values("newest")
    kept = {row["id"]: row for row in history.filter(history_id__in=newest).values(*names)}
    for row in model._default_manager.values(*names).iterator(BATCH):
        if kept.pop(row["id"], None) != row:
            yield f"{model._meta.db_table} record {row['id']} differs from its history"
    for row_id in sorted(kept):
        yield f"{model._meta.db_table} record {row_id} is gone"
