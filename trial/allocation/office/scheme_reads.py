"""One scheme as everybody may see it: public parameters, states, totals (randomisation.md 6.1, 6.3)."""

from dataclasses import dataclass
from typing import Any

from randomisation import high_water, supply
from randomisation.errors import SealError
from randomisation.models import BEFORE_LOCK, Revision, Scheme, SchemeSite, State
from trial.access.models import Site, User
from trial.access.policy import Action
from trial.allocation import marks
from trial.allocation.office.accrual import totals_by_site
from trial.base.parts import Fact
from trial.base.words import long_date
from trial.participants.models import Referral, Status
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import active_version

METHODS = {
    "simple": "Simple randomisation",
    "permuted_blocks": "Permuted blocks",
    "big_stick": "Big stick",
    "minimisation": "Minimisation",
    "import": "List made elsewhere",
}
"""Method codes in words."""

COMMITMENT_SHOWN = 16
STANDS_STILL = "Nobody can be randomised. Recover what is missing, then ask to go on: two people must approve it."
RUNS_OUT = "A list is nearly used. Ask for longer lists."
NO_KEY = "No sealing key opens this scheme, so nobody can be randomised. Tell the administrator."
WAITING = (Status.CONSENTED, Status.ELIGIBLE, Status.BASELINE_DONE)
"""Consented, and not allocated yet."""


@dataclass(frozen=True)
class SiteRow:
    """One site in a scheme."""

    code: str
    name: str
    state: str
    total: int
    ceiling: int | None
    may_change: bool


@dataclass(frozen=True)
class FactorRow:
    """One factor with its levels in words; `weight` only where it means something."""

    label: str
    levels: str
    weight: int | None


def newest_of(scheme: Scheme) -> Revision | None:
    """The revision in force, else the newest."""
    return scheme.revision_in_force or scheme.revisions.order_by("-number").first()


def facts_of(scheme: Scheme) -> list[Fact]:
    """The strip under the title."""
    revision = newest_of(scheme)
    state = State(scheme.state)
    return [
        Fact("State", state.label, detail=_state_detail(scheme)),
        Fact("Method", METHODS[revision.params_public["method"]] if revision else "Not configured"),
        Fact("Randomised", _of_ceiling(scheme)),
        Fact("Dates", _dates(scheme)),
        Fact("Commitment", _commitment(revision)),
    ]


def _commitment(revision: Revision | None) -> str:
    """Its first digits; the revision's own page has them all."""
    return f"{revision.commitment[:COMMITMENT_SHOWN]}…" if revision and revision.commitment else "Not locked yet"


def _state_detail(scheme: Scheme) -> str:
    draft, in_force = scheme.draft, scheme.revision_in_force
    if in_force is None:
        return ""
    more = f"; revision {draft.number} is being prepared" if draft else ""
    return f"Revision {in_force.number}{more}"


def _of_ceiling(scheme: Scheme) -> str:
    total = sum(totals_by_site(scheme).values())
    return f"{total:,} of {scheme.ceiling:,}" if scheme.ceiling else f"{total:,}"


def _dates(scheme: Scheme) -> str:
    opens = f"From {long_date(scheme.opens_date)}" if scheme.opens_date else "No first day"
    return f"{opens} to {long_date(scheme.closes_date)}" if scheme.closes_date else opens


def arms_of(revision: Revision) -> list[tuple[str, int]]:
    """(arm in words, share in the ratio): what is compared is public, who got it is not."""
    spec = spec_of(revision.scheme)
    labels = {arm.code: arm.label for arm in spec.arms} if spec else {}
    public = revision.params_public
    return [(labels.get(code, code), share) for code, share in zip(public["arms"], public["ratio"], strict=True)]


def factors_of(revision: Revision) -> list[FactorRow]:
    """The factors in words, with the levels added since the lock."""
    added: dict[str, list[str]] = {}
    for level in revision.added_levels.order_by("pk"):
        added.setdefault(level.factor, []).append(level.level)
    weighted = revision.params_public["method"] == "minimisation"
    return [
        _factor_row(factor, added.get(factor["code"], []), weighted) for factor in revision.params_public["factors"]
    ]


def _factor_row(factor: dict[str, Any], added: list[str], weighted: bool) -> FactorRow:
    label, labels = factor_words(factor["code"])
    levels = ", ".join(labels.get(level, level) for level in [*factor["levels"], *added])
    return FactorRow(label, levels, factor["weight"] if weighted else None)


def factor_words(code: str) -> tuple[str, dict[str, str]]:
    """A factor's name in words, and those of its levels, as the active protocol has them."""
    version = active_version()
    for factor in version.spec.randomisation.factors if version else ():
        if factor.code == code:
            return factor.label, {level.code: level.label for level in factor.levels}
    return code, {}


def spec_of(scheme: Scheme) -> ProtocolSpec | None:
    """The active protocol where this is its own scheme; None for a scheme of a sub-study."""
    version = active_version()
    return version.spec if version and version.spec.randomisation.scheme == scheme.code else None


def sites_of(scheme: Scheme, user: User) -> list[SiteRow]:
    """Every site with its state and total."""
    rows = {row.site: row for row in scheme.sites.all()}
    totals = totals_by_site(scheme)
    locked = scheme.events.exists()
    return [_site_row(site, rows.get(site.code), totals[site.code], user, locked) for site in Site.objects.all()]


def _site_row(site: Site, row: SchemeSite | None, total: int, user: User, locked: bool) -> SiteRow:
    state = SchemeSite.State(row.state) if row else SchemeSite.State.OPEN
    may = user.access.may(Action.OPERATE_SCHEME) or user.access.may(Action.PAUSE_SITE, site)
    return SiteRow(
        site.code,
        site.name,
        state.label,
        total,
        row.ceiling if row else None,
        may_change=locked and may and state != SchemeSite.State.CLOSED,
    )


def warnings_of(scheme: Scheme, user: User) -> list[str]:
    """What whoever is entitled must look at; no stratum, no size (6.3, 9.8)."""
    entitled = (Action.OPERATE_SCHEME, Action.APPROVE_EXCEPTION)
    if not any(user.access.may(action) for action in entitled):
        return []
    standing = high_water.compare(scheme)
    found = [f"{marks.WORDS[standing]} {STANDS_STILL}"] if standing in marks.WORDS else []
    try:
        return [*found, RUNS_OUT] if supply.is_nearly_used(scheme) else found
    except SealError:
        return [*found, NO_KEY]


def revisions_of(scheme: Scheme) -> list[Revision]:
    """Locked revisions, newest first."""
    return list(scheme.revisions.exclude(state__in=BEFORE_LOCK).order_by("-number"))


def waiting_people(scheme: Scheme, user: User) -> list[Referral]:
    """People consented and not allocated at the person's own sites, while randomisation stands still there (9.9)."""
    if spec_of(scheme) is None or not user.access.may(Action.VIEW_PEOPLE):
        return []
    found = Referral.objects.visible_to(user).filter(status__in=WAITING).select_related("site", "participant")
    if scheme.state != State.PAUSED:
        paused = scheme.sites.exclude(state=SchemeSite.State.OPEN).values_list("site", flat=True)
        found = found.filter(site__code__in=list(paused))
    return list(found.order_by("site", "screening_number"))
