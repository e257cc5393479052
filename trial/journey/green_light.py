"""The green light of a site: what the system sees for itself, what people tick with evidence, and two signatures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from trial.access.checklist_models import SiteChecklist
from trial.access.models import Delegation, Duty, RoleAssignment, Site, User
from trial.access.policy import Action, Role
from trial.access.signing import Proof, sign
from trial.allocation.reads import is_ready_to_allocate
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.consent.actions import documents_on
from trial.consent.documents import file_of
from trial.protocol.models import SiteApproval
from trial.protocol.versions import active_version

MEANING = {
    "manager": "I checked this list: the site may open.",
    "investigator": "I agree: my site is ready, and I take responsibility for the study here.",
}


class NotGreen(TrialError):
    """The checklist cannot be signed yet; the text says what is missing."""


@dataclass(frozen=True)
class Item:
    """One line of the checklist. `missing` is empty where it is in order."""

    code: str
    label: str
    missing: str
    detail: str = ""

    @property
    def is_met(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


JUDGED: tuple[tuple[str, str], ...] = (
    ("SPONSOR", "The sponsor's green light for this site"),
    ("CAPACITY", "The organisation confirmed capacity and capability"),
    ("AGREEMENT", "The site agreement is signed by both sides"),
    ("TRAINING", "The site was trained: protocol, consent, safety reporting, this system"),
    ("NUMBERS", "Emergency and out-of-hours numbers were rung and answered"),
)
"""What only people can say, with their evidence."""


def _approval(site: Site, on: date) -> str:
    version = active_version()
    found = SiteApproval.objects.filter(version=version, site=site, effective_date__lte=on)
    return "" if version and found.exists() else "No protocol version is approved and in effect here"


def _document(kind: str, label: str) -> Callable[[Site, date], str]:
    def check(site: Site, on: date) -> str:
        versions = documents_on(kind=kind, site=site, on=on)
        if not versions:
            return f"No {label} is approved and in effect here"
        return "" if file_of(versions[0]) else f"The approved file of {versions[0]} is not uploaded"

    return check


def _duty(duty: Duty) -> Callable[[Site, date], str]:
    def check(site: Site, on: date) -> str:
        lines = Delegation.objects.filter(
            Q(to_date__isnull=True) | Q(to_date__gte=on),
            Q(training_expires_date__isnull=True) | Q(training_expires_date__gte=on),
            site=site,
            duty=duty,
            from_date__lte=on,
            signature__isnull=False,
            user__is_active=True,
        )
        return "" if lines.exists() else f"Nobody is delegated and trained: {duty.label.lower()}"

    return check


def _role(role: Role) -> Callable[[Site, date], str]:
    def check(site: Site, on: date) -> str:
        held = RoleAssignment.objects.filter(
            Q(to_date__isnull=True) | Q(to_date__gte=on),
            Q(site=site) | Q(site__isnull=True),
            role=role,
            from_date__lte=on,
            user__is_active=True,
        )
        return "" if held.exists() else f"Nobody is {role.label.lower()} here"

    return check


def _allocation(site: Site, on: date) -> str:
    version = active_version()
    is_ready = version is not None and is_ready_to_allocate(version)
    return "" if is_ready else "The scheme has no signed acceptance test, or is not locked yet"


COMPUTED: tuple[tuple[str, str, Callable[[Site, date], str]], ...] = (
    ("PROTOCOL", "Protocol approved and in effect", _approval),
    ("PIS", "Information sheet approved, in effect, its file kept", _document("pis", "information sheet")),
    ("FORM", "Consent form approved, in effect, its file kept", _document("consent", "consent form")),
    ("PI", "Principal investigator", _role(Role.PRINCIPAL_INVESTIGATOR)),
    ("CONSENT", "Somebody takes consent", _duty(Duty.CONSENT)),
    ("ELIGIBILITY", "Somebody signs eligibility", _duty(Duty.ELIGIBILITY)),
    ("RANDOMISATION", "Somebody randomises", _duty(Duty.RANDOMISATION)),
    ("SAFETY", "Somebody assesses risk", _duty(Duty.SAFETY)),
    ("COORDINATOR", "Coordinator", _role(Role.COORDINATOR)),
    ("CLINICIAN", "Duty clinician for alerts", _role(Role.DUTY_CLINICIAN)),
    ("SAFEGUARDING", "Safeguarding lead", _role(Role.SAFEGUARDING_LEAD)),
    ("ALLOCATION", "Test allocation: acceptance test signed, scheme locked", _allocation),
)
"""What the system sees for itself."""


def computed(site: Site, on: date) -> list[Item]:
    """The lines that nobody ticks, as they stand on a day."""
    return [Item(code, label, check(site, on)) for code, label, check in COMPUTED]


def judged(ticks: Mapping[str, str]) -> list[Item]:
    """The lines that people tick, with their evidence."""
    return [Item(code, label, "" if ticks.get(code) else "Not ticked", ticks.get(code, "")) for code, label in JUDGED]


def missing(site: Site, ticks: Mapping[str, str], on: date) -> list[str]:
    """What stands in the way of the first signature, in words."""
    return [f"{one.label}: {one.missing}" for one in (*computed(site, on), *judged(ticks)) if not one.is_met]


def checklist_of(site: Site) -> SiteChecklist:
    """The checklist of a site, stored or new."""
    return SiteChecklist.objects.filter(site=site).first() or SiteChecklist(site=site)


@transaction.atomic
def tick(*, site: Site, ticks: Mapping[str, str], by: User) -> SiteChecklist:
    """Keep the evidence of judged lines; a signature that was there goes with the change.

    Raises:
        NotGreen: both have signed.
    """
    found = _locked(site)
    if found.investigator_signature_id:
        raise NotGreen("This checklist is signed by both. It stays as it is.")
    known = {code for code, _ in JUDGED}
    found.ticks = {code: text.strip() for code, text in ticks.items() if code in known and text.strip()}
    found.manager_signature, found.found = None, {}
    return found.save_by(by, "Checklist filled in")


def _locked(site: Site) -> SiteChecklist:
    Site.objects.select_for_update().get(pk=site.pk)
    return checklist_of(site)


@transaction.atomic
def sign_as_manager(*, site: Site, proof: Proof, by: User, at: datetime) -> SiteChecklist:
    """The trial manager signs a complete checklist.

    Raises:
        NotGreen: a line is missing, or it is signed already.
    """
    found, today = _locked(site), local_day(at)
    if found.manager_signature_id:
        raise NotGreen("The trial manager has signed already.")
    if lacking := missing(site, found.ticks, today):
        raise NotGreen(f"Not complete yet. {lacking[0]}.")
    found.found = {one.code: one.label for one in computed(site, today)}
    found.save_by(by, "Complete")
    found.manager_signature = sign(
        proof=proof, by=by, meaning=MEANING["manager"], record=found, content=content_of(found), at=at
    )
    return found.save_by(by, "Signed by the trial manager")


@transaction.atomic
def sign_as_investigator(*, site: Site, proof: Proof, by: User, at: datetime) -> SiteChecklist:
    """The principal investigator signs, and the site is open from today.

    Raises:
        NotGreen: the manager has not signed, it is signed already, the same person signs twice, or a computed line
            is no longer in order.
    """
    found, today = _locked(site), local_day(at)
    if found.investigator_signature_id:
        raise NotGreen("This checklist is signed by both already.")
    if found.manager_signature is None:
        raise NotGreen("The trial manager signs first.")
    if found.manager_signature.signer_id == by.pk:
        raise NotGreen("Two people sign: somebody else signed as trial manager before.")
    if lacking := missing(site, found.ticks, today):
        raise NotGreen(f"No longer complete. {lacking[0]}.")
    found.investigator_signature = sign(
        proof=proof, by=by, meaning=MEANING["investigator"], record=found, content=content_of(found), at=at
    )
    found.save_by(by, "Signed by the principal investigator")
    opened = Site.objects.get(pk=site.pk)
    opened.green_light_date = today
    opened.save_by(by, "Green light: the checklist is signed")
    return found


def content_of(found: SiteChecklist) -> dict[str, Any]:
    """What both sign."""
    return {"site": found.site.code, "ticks": dict(found.ticks), "found": dict(found.found)}


def signs_as(user: User, site: Site) -> str:
    """Which of the two signatures is this person's: "manager", "investigator", or neither."""
    if any(a.role == Role.TRIAL_MANAGER for a in user.access.assignments):
        return "manager"
    return "investigator" if user.access.may(Action.SIGN_GREEN_LIGHT, site) else ""
