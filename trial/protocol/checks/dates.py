"""Dates in order: recruitment, sites, documents and criteria."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations

from trial.protocol.errors import Problem
from trial.protocol.spec import Document, DocumentAtSite, ProtocolSpec


def problems(spec: ProtocolSpec) -> Iterator[Problem]:
    """Dates that contradict each other."""
    if spec.recruitment.ends < spec.recruitment.starts:
        yield Problem("recruitment.ends", f"must not be before {_words(spec.recruitment.starts)}, the start")
    if spec.calendar.day_ends <= spec.calendar.day_starts:
        yield Problem("calendar.day_ends", "must be later than the start of the working day")
    if spec.progression.frozen_on > spec.recruitment.starts:
        yield Problem("progression.frozen_on", "must not be after the start of recruitment")
    yield from _sites(spec)
    for index, document in enumerate(spec.documents):
        yield from _document(spec, f"documents.{index}", document)
    yield from _same_version(spec)
    yield from _overlaps(spec)
    yield from _sites_without(spec)


def _sites(spec: ProtocolSpec) -> Iterator[Problem]:
    for index, site in enumerate(spec.sites):
        key = f"sites.{index}"
        if not spec.recruitment.starts <= site.opens <= spec.recruitment.ends:
            yield Problem(f"{key}.opens", "must lie inside recruitment")
        if site.protocol_approved and site.protocol_approved < spec.protocol.date:
            yield Problem(f"{key}.protocol_approved", "must not be before the date of the protocol")
        if site.protocol_effective and not site.protocol_approved:
            yield Problem(f"{key}.protocol_approved", "must be given where the version is effective (R-28)")
        elif site.protocol_approved and not site.protocol_effective:
            yield Problem(f"{key}.protocol_effective", "must be given where the version is approved")
        elif site.protocol_approved and site.protocol_effective and site.protocol_effective < site.protocol_approved:
            yield Problem(f"{key}.protocol_effective", "must not be before the approval (R-28)")
    if sum(site.target for site in spec.sites) != spec.recruitment.target:
        yield Problem("recruitment.target", "must be the sum of the sites' targets")


def _document(spec: ProtocolSpec, key: str, document: Document) -> Iterator[Problem]:
    if document.approved_on < document.date:
        yield Problem(f"{key}.approved_on", "must not be before the date of the document")
    known = {site.code for site in spec.sites}
    for index, at in enumerate(document.sites):
        if at.site not in known:
            yield Problem(f"{key}.sites.{index}.site", f'"{at.site}" is no site')
        if at.effective_from < document.approved_on:
            yield Problem(f"{key}.sites.{index}.effective_from", "must not be before the approval (BR-10)")
        if at.effective_to and at.effective_to < at.effective_from:
            yield Problem(f"{key}.sites.{index}.effective_to", "must not be before effective_from")
    if document.supersedes and not _predecessor(spec, document):
        yield Problem(f"{key}.supersedes", "must be another document of the same type and language")
    if document.type == "consent" and not any(one.mandatory for one in document.statements):
        yield Problem(f"{key}.statements", "must hold a mandatory statement")
    if document.type != "consent" and document.statements:
        yield Problem(f"{key}.statements", "only a consent form has statements")


def _predecessor(spec: ProtocolSpec, document: Document) -> bool:
    return any(
        one.code == document.supersedes and one is not document and _kind(one) == _kind(document)
        for one in spec.documents
    )


def _kind(document: Document) -> tuple[str, str]:
    return document.type, document.language


def _same_version(spec: ProtocolSpec) -> Iterator[Problem]:
    named = [(*_kind(document), document.version) for document in spec.documents]
    for index, name in enumerate(named):
        if name in named[:index]:
            yield Problem(f"documents.{index}.version", "another document of this type and language has it")


def _overlaps(spec: ProtocolSpec) -> Iterator[Problem]:
    """Two versions of one document in one language at one site on one day."""
    uses = [
        (f"documents.{index}.sites.{number}.effective_from", _kind(document), at)
        for index, document in enumerate(spec.documents)
        for number, at in enumerate(document.sites)
    ]
    for (_, kind, first), (key, other_kind, second) in combinations(uses, 2):
        if kind == other_kind and first.site == second.site and _meet(first, second):
            yield Problem(key, f"site {second.site} would use two versions on one day")


def _meet(a: DocumentAtSite, b: DocumentAtSite) -> bool:
    a_ends, b_ends = a.effective_to or date.max, b.effective_to or date.max
    return a.effective_from <= b_ends and b.effective_from <= a_ends


def _sites_without(spec: ProtocolSpec) -> Iterator[Problem]:
    for needed in ("pis", "consent"):
        having = {at.site for document in spec.documents if document.type == needed for at in document.sites}
        for site in spec.sites:
            if site.code not in having:
                yield Problem("documents", f"site {site.code} has no document of type {needed}")


def _words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
