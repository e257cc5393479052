"""The list of people: filters, search, and what comes next for each, in a constant number of lookups.

No name and no arm is ever part of a row. What somebody typed to search is not kept anywhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Max, Prefetch, Q, QuerySet, prefetch_related_objects

from trial.access.models import AccessEvent, Site, User
from trial.access.policy import Action
from trial.assessments.models import Administration
from trial.assessments.reads import visit_states
from trial.base import keys
from trial.base.clock import parse_month
from trial.base.statuses import PARTICIPANT
from trial.journey.next_rules import Facts, in_a_few_words
from trial.participants import identity
from trial.participants import rules as person_rules
from trial.participants.models import Participant, Referral, Status, StatusEvent
from trial.protocol.models import ProtocolVersion
from trial.screening.models import ContactAttempt

NUMBER = re.compile(r"(?:[A-Z]{1,5})?[- ]*[0-9][0-9 -]*", re.IGNORECASE)
FEWEST_LETTERS = 2
"""Letters of a surname below which nobody is looked up; with two, only surnames of two letters are found."""


@dataclass(frozen=True)
class PersonRow:
    """One line of the list."""

    number: str
    screening_number: str
    site: str
    status: str
    status_date: date
    next: str
    changed_at: datetime | None

    @property
    def url(self) -> str:
        """The record."""
        return f"/people/{self.number}/"


def sites_of(user: User) -> list[Site]:
    """Sites whose people the user may see, by code."""
    ids = user.access.site_ids(Action.VIEW_PEOPLE)
    return list(Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids))


def people_for(user: User, *, site: str = "", status: str = "") -> QuerySet[Referral]:
    """Records of the user's sites, the newest referral first; an unknown site code or status finds nothing."""
    found = Referral.objects.visible_to(user).select_related("site", "participant__eligibility")
    if site:
        found = found.filter(site__code=site)
    if status:
        found = found.filter(status=status.upper())
    return found.order_by("-received_date", "-id")


# -- search


def search(records: QuerySet[Referral], typed: str, *, by: User, at: datetime) -> QuerySet[Referral]:
    """Records whose study or screening number starts with what was typed.

    Where `by` may see identities, also those with this birth date or NHS number, or whose surname starts like this;
    that such a search was made is logged with the records it found, never with what was typed (R-07).
    """
    text = " ".join(typed.split())
    asks_who = _birth_date(text) is not None or person_rules.nhs_digits(text)
    if NUMBER.fullmatch(text) and not asks_who:
        return records.filter(_by_number(text))
    ids = _by_identity(records, text, by)
    if ids:
        numbers = ", ".join(records.filter(pk__in=ids).values_list("screening_number", flat=True)[:20])
        detail = f"Found by surname, date of birth or NHS number: {numbers}"
        kind = AccessEvent.Kind.IDENTITY_VIEWED
        AccessEvent(user=by, role=by.role_code, kind=kind, detail=detail[:300], at=at).save()
    return records.filter(pk__in=ids)


def _by_number(text: str) -> Q:
    number = re.sub(r"[ -]+", "-", text.upper())
    return Q(screening_number__startswith=number) | Q(participant__study_id__startswith=number)


def _by_identity(records: QuerySet[Referral], text: str, by: User) -> list[int]:
    """Ids of the records that fit, at sites where `by` may see identities.

    Keyed hashes name the candidates; a surname has to be opened to be compared, and is kept nowhere.
    """
    if not by.access.may(Action.VIEW_IDENTITY):
        return []
    here = records.filter(by.access.sites(Action.VIEW_IDENTITY)).order_by()
    if nhs := person_rules.nhs_digits(text):
        return list(here.filter(person__nhs_number_hash=keys.lookup_hash("nhs", nhs)).values_list("pk", flat=True))
    if (born := _birth_date(text)) is not None:
        return list(here.filter(person__birth_date_hash=identity.birth_hash(born)).values_list("pk", flat=True))
    return _by_surname(here, text)


def _by_surname(records: QuerySet[Referral], text: str) -> list[int]:
    wanted = person_rules.letters(text)
    starts = [identity.surname_hash(part) for part in person_rules.search_parts(text)]
    if len(wanted) < FEWEST_LETTERS:
        return []
    found = dict(records.filter(person__surname_hash__in=starts).values_list("pk", "person_id"))
    fits = identity.surnames_like(set(found.values()), wanted)
    return [pk for pk, person_id in found.items() if person_id in fits]


def _birth_date(text: str) -> date | None:
    """A whole date as people type it: 14/3/1971, 14 March 1971, 1971-03-14."""
    parts = re.split(r"[ /.,-]+", text)
    if len(parts) != 3:
        return None
    if len(parts[0]) == 4:
        parts.reverse()
    month = parse_month(parts[1])
    if month is None or not (parts[0].isdecimal() and re.fullmatch(r"[0-9]{4}", parts[2])):
        return None
    try:
        return date(int(parts[2]), month, int(parts[0]))
    except ValueError:
        return None


# -- rows


def rows_of(records: Sequence[Referral], today: date) -> list[PersonRow]:
    """The lines of some records: five lookups, however many there are."""
    _add_versions(records)
    visits = _with_visits([one.participant for one in records if hasattr(one, "participant")])
    changed = _last_changes(records)
    return [_row(one, visits.get(one.pk), changed.get(one.pk), today) for one in records]


def _add_versions(records: Iterable[Referral]) -> None:
    """Each protocol version once: its content is long, and nearly every record has the same."""
    versions = ProtocolVersion.objects.in_bulk({one.protocol_version_id for one in records})
    for one in records:
        one.protocol_version = versions[one.protocol_version_id]


def _with_visits(participants: Iterable[Participant]) -> dict[int, Participant]:
    """Participants by referral, with all that the state of their visits rests on."""
    long = ("answers", "missing", "reasons", "scores")
    forms = Prefetch("administrations", Administration.objects.defer(*long))
    found = list(participants)
    prefetch_related_objects(found, "visits", forms, "participation_changes")
    return {one.referral_id: one for one in found}


def _last_changes(records: Iterable[Referral]) -> dict[int, datetime]:
    """When anything last happened to each record: a status, a form or a contact, in one lookup."""
    ids = [one.pk for one in records]
    latest = (
        StatusEvent.objects.filter(referral__in=ids)
        .order_by()
        .values_list("referral_id")
        .annotate(last=Max("at"))
        .union(
            Administration.history.filter(participant__referral__in=ids)
            .order_by()
            .annotate(record=F("participant__referral"))
            .values_list("record")
            .annotate(last=Max("history_date")),
            ContactAttempt.history.filter(referral__in=ids)
            .order_by()
            .values_list("referral_id")
            .annotate(last=Max("history_date")),
            all=True,
        )
    )
    changed: dict[int, datetime] = {}
    for pk, at in latest:
        changed[pk] = max(at, changed.get(pk, at))
    return changed


def _row(referral: Referral, participant: Participant | None, changed_at: datetime | None, today: date) -> PersonRow:
    spec = referral.protocol_version.spec
    facts = Facts(referral, spec, today)
    if participant is not None:
        participant.referral = referral
        facts = Facts(
            referral,
            spec,
            today,
            visits=visit_states(participant, spec, today),
            changes=list(participant.participation_changes.all()),
            eligibility=getattr(participant, "eligibility", None),
        )
    return PersonRow(
        number=referral.number,
        screening_number=referral.screening_number,
        site=referral.site.name,
        status=referral.status,
        status_date=referral.status_date,
        next=in_a_few_words(facts),
        changed_at=changed_at,
    )


def word_of(status: str) -> str:
    """A status in words."""
    return PARTICIPANT[status.lower()].word


def status_choices() -> list[tuple[str, str]]:
    """Codes and words for the filter."""
    return [(status.value.lower(), word_of(status)) for status in Status]
