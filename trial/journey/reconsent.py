"""Consent to a later version (BR-17): who owes it, by when, and what is a deviation once that day has passed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from trial.access.models import User
from trial.access.policy import Action
from trial.assessments.models import Administration
from trial.base.words import local_day, long_date
from trial.consent.models import Consent, DocumentUse, DocumentVersion
from trial.deviations import actions as deviations
from trial.deviations import reads as deviation_reads
from trial.deviations.models import Deviation
from trial.participants.models import Participant, Status
from trial.protocol import rules as protocol_rules
from trial.schedule.models import Visit

ACTIVE = (
    Status.CONSENTED,
    Status.ELIGIBLE,
    Status.BASELINE_DONE,
    Status.RANDOMISED,
    Status.IN_ACTIVITY,
    Status.FOLLOW_UP,
)
"""Who is still in the trial, and so is asked again."""


@dataclass(frozen=True)
class Owed:
    """One person who is to consent to a later version.

    Attributes:
        visit: the next visit after the version came into use at the site, where it is due; None where none is left.
        due_date: first day of that visit's window, or the day the version came into use.
        last_date: after this day it is overdue: when the visit was done, or its window closed.
    """

    participant: Participant
    version: DocumentVersion
    signed: DocumentVersion
    visit: Visit | None
    due_date: date
    last_date: date | None

    def is_overdue(self, today: date) -> bool:
        """Whether the visit at which it was due is over."""
        return self.last_date is not None and today > self.last_date

    def is_due(self, today: date) -> bool:
        """Whether the visit at which it is due has begun."""
        return self.due_date <= today


def owed_at(user: User, today: date) -> list[Owed]:
    """Everybody at the user's sites who is to consent again, the most urgent first."""
    site_ids = user.access.site_ids(Action.VIEW_RECORD)
    found = [one for use in _uses(today) for one in _owed_for(use) if _is_theirs(one, site_ids)]
    newest = {one.participant.pk: one for one in sorted(found, key=lambda o: o.version.document_date)}
    return sorted(newest.values(), key=lambda o: (not o.is_overdue(today), o.due_date, o.participant.study_id))


def _is_theirs(one: Owed, site_ids: set[int] | None) -> bool:
    return site_ids is None or one.participant.referral.site_id in site_ids


def n_active(user: User) -> int:
    """People at the user's sites who are still in the trial."""
    people = Participant.objects.filter(referral__status__in=ACTIVE)
    site_ids = user.access.site_ids(Action.VIEW_RECORD)
    return (people if site_ids is None else people.filter(referral__site__in=site_ids)).count()


def _uses(today: date) -> list[DocumentUse]:
    """Consent forms in use today, at each site, that ask for consent again."""
    found = DocumentUse.objects.on(today).filter(
        document__kind=DocumentVersion.Kind.CONSENT,
        document__requires_reconsent=True,
        document__approved_date__lte=today,
    )
    return list(found.select_related("document", "site"))


def _owed_for(use: DocumentUse, only: Participant | None = None) -> Iterator[Owed]:
    """Who owes consent to the version of a use at its site; or whether one person does."""
    consents = Consent.objects.filter(
        state=Consent.State.VALID,
        form__document_date__lt=use.document.document_date,
        participant__referral__site=use.site_id,
        participant__referral__status__in=ACTIVE,
    )
    if only is not None:
        consents = consents.filter(participant=only)
    related = ("form", "participant__referral__site", "participant__referral__protocol_version")
    for consent in consents.select_related(*related).prefetch_related("participant__visits__administrations"):
        yield _owed(consent, use)


def _owed(consent: Consent, use: DocumentUse) -> Owed:
    visits = sorted(consent.participant.visits.all(), key=lambda v: (v.opens_date, v.pk))
    visit = next((v for v in visits if v.closes_date is None or v.closes_date >= use.from_date), None)
    due = max(use.from_date, visit.opens_date) if visit else use.from_date
    return Owed(consent.participant, use.document, consent.form, visit, due, _last_date(visit, use.from_date))


def _last_date(visit: Visit | None, from_date: date) -> date | None:
    """The day on which the visit was done after the version came into use, or on which its window closes."""
    if visit is None:
        return from_date
    done = [form.completed_date for form in visit.administrations.all() if form.completed_date]
    after = [day for day in done if day >= from_date]
    if after and visit.closes_date is not None:
        return min(max(after), visit.closes_date)
    return visit.closes_date


def form_saved(administration: Administration, by: User | None, at: datetime) -> None:
    """Called after every saved questionnaire (trial.wiring): data after the visit at which it was due deviate, once."""
    participant, today = administration.participant, local_day(at)
    uses = [use for use in _uses(today) if use.site_id == participant.referral.site_id]
    for use in uses:
        for one in _owed_for(use, participant):
            if _is_after(administration, one, today):
                _deviate(one, administration, today, by, at)


def _is_after(administration: Administration, one: Owed, today: date) -> bool:
    """Whether the form belongs to a later visit, or was answered after the visit's window."""
    if one.visit is None:
        return True
    if administration.visit.opens_date > one.visit.opens_date:
        return True
    day = administration.completed_date or today
    return one.visit.closes_date is not None and day > one.visit.closes_date


def _deviate(one: Owed, administration: Administration, today: date, by: User | None, at: datetime) -> None:
    description = f"Data were collected without consent to version {one.version.version}, which was due {_when(one)}."
    participant = one.participant
    if deviation_reads.described(description, participant=participant, kind=Deviation.Kind.CONSENT):
        return
    deviations.record_deviation(
        site=participant.referral.site,
        participant=participant,
        occurred_date=min(administration.completed_date or today, today),
        kind=Deviation.Kind.CONSENT,
        severity=Deviation.Severity.MAJOR,
        description=description,
        reveals_arm=False,
        by=by,
        at=at,
    )


def _when(one: Owed) -> str:
    if one.visit is None:
        return f"on {long_date(one.due_date)}"
    spec = one.participant.referral.protocol_version.spec
    return f"at {protocol_rules.visit(spec, one.visit.code).label}"
