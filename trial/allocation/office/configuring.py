"""Configuring a scheme's next revision from what a statistician typed (randomisation.md 1, 4.6, 10)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import drafts
from randomisation.drafts import Draft
from randomisation.engine.parameters import Parameters, design_warnings
from randomisation.errors import ImportRefused, RandomisationError, SealError
from randomisation.models import Revision, Scheme
from trial.access.models import User
from trial.allocation.errors import AllocationRefused
from trial.allocation.schemes import protocol_scheme, scheme_parameters, told
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import current


class ListRefused(AllocationRefused):
    """A list that was not imported: every defect by its line, and the digest of what was received.

    No defect tells an arm. Line 0 is the file as a whole.
    """

    def __init__(self, refused: ImportRefused, sha256: str) -> None:
        super().__init__("The list was not imported. Nothing of it was kept.")
        self.problems, self.sha256 = refused.problems, sha256


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """What was typed. Parts are restricted, so its repr is constant."""

    settings: Mapping[str, Any]
    weights: Mapping[str, int]
    rows_per_stratum: int
    backup_rows: int
    reason: str
    list_file: bytes | None = None
    file_sha256: str = ""

    def __repr__(self) -> str:
        return "<Wanted>"


@dataclass(frozen=True)
class NewScheme:
    """A scheme of a sub-study before it exists."""

    code: str
    name: str
    opens: date | None
    closes: date | None
    ceiling: int | None
    households: bool


def protocol_shape(spec: ProtocolSpec) -> dict[str, Any]:
    """Arms, ratio and factors as the protocol fixes them."""
    fixed = scheme_parameters(spec, None)
    return {key: fixed[key] for key in ("arms", "ratio", "factors")}


def own_shape(arms: list[tuple[str, int]], factors: list[str], spec: ProtocolSpec) -> dict[str, Any]:
    """Arms and ratio as typed; factors of the protocol, in its order."""
    chosen = [factor for factor in protocol_shape(spec)["factors"] if factor["code"] in factors]
    return {"arms": [code for code, _share in arms], "ratio": [share for _code, share in arms], "factors": chosen}


@sensitive_variables()
def configure(*, scheme: Scheme, shape: Mapping[str, Any], wanted: Wanted, by: User, at: datetime) -> Revision:
    """Make or change the draft; a list is taken whole or refused whole (CONFIGURE_SCHEME).

    Raises:
        ListRefused: with every defect of the list.
        AllocationRefused: a parameter breaks a rule; the text names it.
    """
    factors = [{**factor, "weight": wanted.weights.get(factor["code"], 1)} for factor in shape["factors"]]
    named = {"file_sha256": wanted.file_sha256} if wanted.list_file is not None else {}
    draft = Draft(
        parameters={**wanted.settings, **shape, "factors": factors, **named},
        rows_per_stratum=wanted.rows_per_stratum,
        backup_rows=wanted.backup_rows,
        reason=wanted.reason,
        list_file=wanted.list_file,
    )
    try:
        return drafts.configure(scheme=scheme, draft=draft, by=by, at=at)
    except ImportRefused as refused:
        raise ListRefused(refused, hashlib.sha256(wanted.list_file or b"").hexdigest()) from None
    except RandomisationError as error:
        raise AllocationRefused(error.text) from error


@sensitive_variables()
@transaction.atomic
def configure_protocols(*, spec: ProtocolSpec, wanted: Wanted, by: User, at: datetime) -> Revision:
    """The same for the protocol's own scheme, which is made where there is none yet.

    Raises:
        ListRefused, AllocationRefused: as configure(); then no scheme is made either.
    """
    return configure(scheme=protocol_scheme(spec), shape=protocol_shape(spec), wanted=wanted, by=by, at=at)


@sensitive_variables()
@transaction.atomic
def create(*, new: NewScheme, shape: Mapping[str, Any], wanted: Wanted, by: User, at: datetime) -> Revision:
    """A scheme of a sub-study with its first draft (CONFIGURE_SCHEME).

    Raises:
        AllocationRefused: the code is taken, is the protocol's own or no code; or as configure().
    """
    if Scheme.objects.filter(code=new.code).exists() or new.code == current().spec.randomisation.scheme:
        raise AllocationRefused("This code is taken. Choose another.")
    with told():
        scheme = drafts.create_scheme(
            code=new.code,
            name=new.name,
            opens_date=new.opens,
            closes_date=new.closes,
            ceiling=new.ceiling,
            households=new.households,
        )
    return configure(scheme=scheme, shape=shape, wanted=wanted, by=by, at=at)


@sensitive_variables()
def stored_parameters(scheme: Scheme) -> Parameters | None:
    """The full parameters of the draft, for whoever may see restricted ones; None without a draft that opens."""
    draft = scheme.draft
    try:
        return drafts.draft_parameters(draft) if draft else None
    except SealError:
        return None


@sensitive_variables()
def as_dict(parameters: Parameters) -> dict[str, Any]:
    """Parameters as plain values, restricted ones included."""
    found: dict[str, Any] = json.loads(parameters.canonical())
    return found


@sensitive_variables("parameters")
def warnings_for(scheme: Scheme, parameters: Parameters, spec: ProtocolSpec) -> list[str]:
    """What section 1 warns of. Staff who recruit in this trial see the arms of their site, so nothing is masked."""
    return design_warnings(parameters, target=scheme.ceiling or spec.recruitment.target, masked=False)
