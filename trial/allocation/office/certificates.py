"""What the lock certificate says, from recorded facts: no secret, nothing restricted (randomisation.md 3.3, 6.4)."""

from dataclasses import dataclass

from randomisation.engine.canonical import canonical_json
from randomisation.models import ContributionPart, EventLog, Revision
from trial import __version__
from trial.allocation.office.scheme_reads import METHODS, arms_of, factors_of
from trial.base.models import AuditSeal
from trial.base.words import date_and_time

Event = EventLog.Event


@dataclass(frozen=True)
class LockCertificate:
    """One locked revision.

    Attributes:
        rows: terms and values, in order.
        fingerprints: (list, 16 hexadecimal digits); empty until the lists are made.
        parameters: the public parameters as canonical JSON.
        commitment: 64 hexadecimal digits.
        log_digest: of the newest entry about the lock: the lock itself, or the contribution after it.
    """

    title: str
    rows: list[tuple[str, str]]
    fingerprints: list[tuple[str, str]]
    parameters: str
    commitment: str
    log_digest: str


def certificate_of(revision: Revision) -> LockCertificate:
    """The certificate of a locked revision, the same whenever it is printed but for the audit seal."""
    lock = _entry(revision, Event.LOCK)
    contribution = _entry(revision, Event.CONTRIBUTION)
    newest = contribution or lock
    facts = newest.facts if newest else {}
    return LockCertificate(
        title=f"Lock certificate: {revision.scheme.name}, revision {revision.number}",
        rows=[*_design(revision), *_lock(revision, lock), *_after(revision, contribution), *_seal()],
        fingerprints=sorted(facts.get("fingerprints", {}).items()),
        parameters=canonical_json(revision.params_public).decode("ascii"),
        commitment=revision.commitment,
        log_digest=newest.digest if newest else "",
    )


def _entry(revision: Revision, event: EventLog.Event) -> EventLog | None:
    """The entry of the log about this revision, if there is one."""
    entries = revision.scheme.events.filter(event=event).select_related("first_approver", "second_approver", "actor")
    return next((entry for entry in entries.order_by("n") if entry.facts.get("revision") == revision.number), None)


def _design(revision: Revision) -> list[tuple[str, str]]:
    public = revision.params_public
    factors = "; ".join(f"{row.label}: {row.levels}" for row in factors_of(revision)) or "None"
    return [
        ("Scheme", f"{revision.scheme.name} ({revision.scheme.code})"),
        ("Revision", str(revision.number)),
        ("Software and engine", f"Hedgerow {__version__}, {public['algorithm']}"),
        ("Method", METHODS[public["method"]]),
        ("Arms and ratio", ", ".join(f"{label} {share}" for label, share in arms_of(revision))),
        ("Factors", factors),
        ("Contribution", _contribution_source(public["contribution_source"])),
    ]


def _contribution_source(source: str) -> str:
    return "None" if source == "none" else source[:1].upper() + source[1:]


def _lock(revision: Revision, lock: EventLog | None) -> list[tuple[str, str]]:
    if lock is None or revision.locked_at is None:
        return []
    approvers = [str(person) for person in (lock.first_approver, lock.second_approver) if person]
    return [
        ("Locked", date_and_time(revision.locked_at)),
        ("Asked for by", str(lock.actor)),
        ("Approved by", " and ".join(approvers)),
    ]


def _after(revision: Revision, contribution: EventLog | None) -> list[tuple[str, str]]:
    parts = [(f"Text {part.part} given by", f"{part.by}, {date_and_time(part.at)}") for part in _parts(revision)]
    if contribution is not None:
        parts.append(("Lists made", date_and_time(contribution.at)))
    return parts


def _parts(revision: Revision) -> list[ContributionPart]:
    return list(revision.contribution_parts.select_related("by").order_by("part"))


def _seal() -> list[tuple[str, str]]:
    """The newest seal over the audit trail, so that the print can be dated by it."""
    seal = AuditSeal.objects.order_by("-number").first()
    return [("Audit seal", f"{seal.number}: {seal.digest}")] if seal else []
