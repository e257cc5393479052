"""Wrapping every data key again with the first key of its list; what they seal stays as it is (randomisation.md 6.2).

Identity data, drafts, locks and second factors lie under IDENTITY_KEYS; the randomisation under SEALING_KEYS.
"""

from collections.abc import Iterator
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction

from trial.access.models import User
from trial.allocation import seals
from trial.base import keys
from trial.base.models import AuditedModel, AuditRow
from trial.protocol import sealing
from trial.protocol.models import ProtocolVersion

COLUMN = "wrapped_key"
CHUNK = 200
SEEDS = ("secret", "seed")
"""Keys of an authenticator's data that hold something sealed."""
REASON = "Data key wrapped again: the key list was rotated"


def tables() -> Iterator[type[models.Model]]:
    """Every table that holds data keys: people, drafts, lists not saved yet, data of locks."""
    for model in apps.get_models():
        try:
            model._meta.get_field(COLUMN)
        except FieldDoesNotExist:
            continue
        if not issubclass(model, AuditRow):
            yield model


def rotate(*, at: datetime, by: User | None = None) -> int:
    """Re-wrap every data key, and the seeds of second factors, that the first key of its list does not wrap yet.

    Stopped half-way, it goes on where it was. Returns how many were wrapped again.

    Args:
        by: whom the log of each scheme names; where nobody is given, who wrote its newest entry.

    Raises:
        SealBroken: no key of IDENTITY_KEYS opens one of them; the chunks before it are done.
        ParametersUnavailable, AllocationRefused: no key of SEALING_KEYS opens one of them.
    """
    n_keys = sum(_rotate_rows(model, wanted) for model in tables() for wanted in _chunks(model))
    n_seeds = sum(_rotate_seeds(pk) for pk in Authenticator.objects.values_list("pk", flat=True))
    return n_keys + n_seeds + _rotate_restricted() + seals.rotate(by=by, at=at)


@transaction.atomic
def _rotate_restricted() -> int:
    """Keys of the parameters that wait in versions of the protocol; there are few."""
    held = ProtocolVersion.objects.select_for_update().exclude(restricted_key="").order_by("pk")
    old = [version for version in held if not sealing.is_current(version.restricted_key)]
    for version in old:
        version.restricted_key = sealing.rewrap(version.restricted_key)
        version.save_by(None, REASON)
    return len(old)


@transaction.atomic
def _rotate_seeds(pk: int) -> int:
    """Seeds of one person's second factor: no record of the trial, so without history."""
    row = Authenticator.objects.select_for_update().get(pk=pk)
    old = {name for name in SEEDS if name in row.data and not keys.is_current(row.data[name])}
    row.data |= {name: keys.rewrap(row.data[name]) for name in old}
    if old:
        row.save(update_fields=["data"])
    return len(old)


def _chunks(model: type[models.Model]) -> list[list[int]]:
    """Ids of the rows still wrapped by an older key."""
    held = model._default_manager.exclude(**{COLUMN: ""}).order_by("pk").values_list("pk", COLUMN)
    old = [pk for pk, wrapped in held if not keys.is_current(wrapped)]
    return [old[start : start + CHUNK] for start in range(0, len(old), CHUNK)]


@transaction.atomic
def _rotate_rows(model: type[models.Model], wanted: list[int]) -> int:
    rows = model._default_manager.select_for_update().filter(pk__in=wanted).exclude(**{COLUMN: ""})
    n_wrapped = 0
    for row in rows:
        setattr(row, COLUMN, keys.rewrap(getattr(row, COLUMN)))
        if isinstance(row, AuditedModel):
            row.save_by(None, REASON)
        else:
            row.save(update_fields=[COLUMN])
        n_wrapped += 1
    return n_wrapped
