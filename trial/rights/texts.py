"""Every sealed text about a person, to find the one that has to be redacted (R-03)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from trial.access.models import User
from trial.base.models import AuditedModel, AuditRow, EventModel
from trial.journey.trail import TELLS_THE_ARM, path_to_referral, without_tellers
from trial.participants import identity
from trial.participants.models import Referral
from trial.safety.models import EventReview

ENDING = "_sealed"
PROOF = frozenset({"name_sealed", "signature_sealed", "taker_sealed"})
"""Parts of a signed consent: a signature that could be taken out would prove nothing."""
OTHER_SEAL = frozenset({"guess_sealed", "restricted_sealed"})
"""Sealed with keys of the randomisation, and no text about a person."""


@dataclass(frozen=True)
class SealedText:
    """One text as a page shows it: what it is, when it was written, its words."""

    number: int
    what: str
    text: str
    token: str


def texts_of(referral: Referral, user: User) -> list[SealedText]:
    """Sealed texts about this referral that the user may read, opened, with the number of each one's key."""
    found = []
    for what, token in _tokens(referral, user):
        number = identity.text_key_of(token)
        if number is not None:
            found.append(SealedText(number, what, identity.open_text(referral.person, token), token))
    return sorted({one.number: one for one in found}.values(), key=lambda one: one.number)


def _tokens(referral: Referral, user: User) -> Iterator[tuple[str, str]]:
    for model in apps.get_models():
        names = [f.attname for f in model._meta.concrete_fields if f.attname.endswith(ENDING)]
        names = [name for name in names if name not in PROOF | OTHER_SEAL]
        if not names or not issubclass(model, AuditedModel | EventModel | AuditRow):
            continue
        base = getattr(model, "instance_type", model)
        path = "event__participant__referral" if base is EventReview else path_to_referral(base)
        is_hidden = user.access.blinded and (base in TELLS_THE_ARM or base is EventReview)
        if path is None or is_hidden:
            continue
        found: Any = model._default_manager.filter(**{path: referral.pk})
        if user.access.blinded:
            found = without_tellers(base, found)
        yield from _of_table(model, base, names, found.order_by("pk").values("id", *names))


def _of_table(
    model: type[models.Model], base: type[models.Model], names: list[str], rows: Iterable[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Tokens of a table, or of its history: an earlier version of a text is redacted like the current one."""
    is_history = issubclass(model, AuditRow)
    for row in rows:
        for name in names:
            if row[name]:
                label = name.removesuffix(ENDING).replace("_", " ")
                earlier = ", as saved before" if is_history else ""
                yield f"{str(base._meta.verbose_name).capitalize()} {row['id']}: {label}{earlier}", row[name]
