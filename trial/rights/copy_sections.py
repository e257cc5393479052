"""The sections of the copy of a person's data: each reads one kind of record, in words (R-35)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import instruments
from trial.access.models import AccessEvent, User
from trial.access.policy import Action
from trial.allocation.reads import show_arm
from trial.assessments.models import Administration
from trial.attendance.models import Mark
from trial.base.words import in_groups, long_date, short_date, short_date_and_time
from trial.claims.models import Claim
from trial.claims.reads import pounds, what_for
from trial.journey.monitor import role_words
from trial.journey.people import word_of
from trial.participants import identity
from trial.participants.identity import IdentityData
from trial.participants.models import Participant, Person, Referral
from trial.protocol import rules as protocol_rules
from trial.rights.models import SubjectRequest
from trial.safety.reads import category_choices

Entry = dict[str, str]


@dataclass(frozen=True)
class Section:
    """One heading of the copy: entries of terms and values. `free` names the terms that somebody wrote freely."""

    title: str
    entries: tuple[Entry, ...]
    free: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class Reader:
    """Who makes the copy, for whom."""

    user: User
    at: datetime
    person: Person
    identity: IdentityData

    def opened(self, token: str) -> str:
        """A sealed text of the person."""
        return identity.open_text(self.person, token)


Source = Callable[[Referral, Reader], Section]


def of(referral: Referral, reader: Reader) -> Iterator[Section]:
    """The sections about one referral, in the order of the journey."""
    for source in BEFORE_CONSENT:
        yield source(referral, reader)
    if hasattr(referral, "participant"):
        for source in AFTER_CONSENT:
            yield source(referral, reader)
    for source in (_messages, _requests, _views):
        yield source(referral, reader)


def who_rows(who: IdentityData) -> Iterator[tuple[str, str]]:
    """The identity record; of an emergency contact only that there is one."""
    rows = (
        ("Name", who.name),
        ("Date of birth", long_date(who.birth_date) if who.birth_date else ""),
        ("NHS number", in_groups(who.nhs_number)),
        ("Address", "\n".join(part for part in (who.address, who.postcode) if part)),
        ("Telephone", ", ".join(part for part in (who.phone, who.other_phone) if part)),
        ("E-mail", who.email),
        ("Preferred way to be contacted", who.preferred_contact),
        ("GP practice", " ".join(part for part in (who.gp_practice, who.gp_code) if part)),
        ("Emergency contact", "You named one" if who.emergency_name or who.emergency_phone else ""),
    )
    return ((term, value) for term, value in rows if value)


def _filled(**values: str) -> Entry:
    """Terms from keyword names, without what is empty."""
    return {name.replace("_", " "): value for name, value in values.items() if value}


def _day(day: date | datetime | None) -> str:
    return short_date(day) if day else ""


SEALED_OF_REFERRAL = {
    "notes_sealed": "Needs and worries",
    "goals_sealed": "Hopes",
    "access_sealed": "Transport and access",
    "risk_sealed": "Risk information passed on",
}


def _referral(referral: Referral, reader: Reader) -> Section:
    texts = {
        term: reader.opened(token)
        for name, term in SEALED_OF_REFERRAL.items()
        if (token := getattr(referral, name, ""))
    }
    entry = _filled(
        Screening_number=referral.screening_number,
        Site=str(referral.site),
        Received=_day(referral.received_date),
        From=referral.get_source_type_display(),
        Why_we_may_contact_you=referral.get_contact_basis_display(),
        Sex=referral.get_sex_display(),
        Age_band=referral.age_band,
        Group_you_would_rather_have=referral.arm_preference,
        Where_you_stand=word_of(referral.status),
        Since=_day(referral.status_date),
    )
    return Section("Your referral", ({**entry, **texts},), frozenset(texts))


def _contacts(referral: Referral, reader: Reader) -> Section:
    rows = tuple(
        _filled(
            When=short_date_and_time(one.at),
            How=one.get_channel_display(),
            What_came_of_it=one.get_outcome_display(),
            Note=reader.opened(one.note_sealed),
        )
        for one in referral.contact_attempts.order_by("at", "pk")
    )
    return Section("Contacts with you", rows, frozenset({"Note"}))


def _information(referral: Referral, reader: Reader) -> Section:
    found = referral.information_given.select_related("document").order_by("given_at", "pk")
    rows = (_filled(Document=str(one.document), Given=short_date_and_time(one.given_at)) for one in found)
    return Section("Information you were given", tuple(rows))


def _consents(referral: Referral, reader: Reader) -> Section:
    rows = []
    for one in referral.participant.consents.select_related("form").order_by("signed_at", "pk"):
        words = {str(each["code"]): str(each["text"]) for each in one.form.statements}
        said = {words.get(code, code): "Yes" if answer else "No" for code, answer in one.statements.items()}
        head = _filled(
            Form=str(one.form),
            Signed=short_date_and_time(one.signed_at),
            How=one.get_method_display(),
            State=one.get_state_display(),
        )
        rows.append(head | said)
    return Section("Your consent", tuple(rows))


def _participant(referral: Referral, reader: Reader) -> Section:
    one = referral.participant
    entry = _filled(
        Study_number=one.study_id,
        Consented=_day(one.consented_date),
        Year_of_birth=str(one.birth_year or ""),
        Age_at_consent=str(one.age_at_consent or ""),
        Randomised=_day(one.randomised_date),
    )
    if one.randomised_date and reader.user.access.may(Action.VIEW_ARM, referral.site):
        arm = show_arm(participant=one, by=reader.user, at=reader.at, reason="Copy of a person's data")
        entry |= {"Allocated to": arm.label} if arm else {}
    return Section("You in the study", (entry,))


def _eligibility(referral: Referral, reader: Reader) -> Section:
    found = getattr(referral.participant, "eligibility", None)
    if found is None:
        return Section("Eligibility", ())
    texts = {c.code: c.text for c in found.protocol_version.spec.criteria}
    rows = tuple(
        _filled(Criterion=texts.get(code, code), Answer=str(entry.get("answer") or ""))
        for code, entry in found.answers.items()
    )
    return Section("Eligibility", rows)


def _questionnaires(referral: Referral, reader: Reader) -> Section:
    rows = []
    for one in referral.participant.administrations.select_related("visit").order_by("visit__number", "pk"):
        rows.append(
            _filled(Questionnaire=_form_name(one), Answered=_day(one.completed_date), How=one.get_mode_display())
            | dict(_answers(one))
            | {f"Score: {code}": str(score.get("value")) for code, score in one.scores.items()}
        )
    return Section("Your questionnaires", tuple(rows))


def _form_name(form: Administration) -> str:
    spec = form.protocol_version.spec
    visit = protocol_rules.visit(spec, form.visit.code)
    return f"{protocol_rules.form_label(spec, form.instrument)}, {visit.name}"


def _answers(form: Administration) -> Iterator[tuple[str, str]]:
    """Answers by the short name of their question: the wording of some questionnaires belongs to others."""
    definition = instruments.get(form.instrument, form.instrument_version)
    for item in definition.items:
        if item.code in form.answers:
            answer = form.answers[item.code]
            words = item.label(answer)
            yield item.short, f"{words} ({answer})" if words else str(answer)
        elif item.code in form.missing:
            yield item.short, "No answer"


def _participation(referral: Referral, reader: Reader) -> Section:
    labels = {str(e.code): e.label for e in referral.protocol_version.spec.participation_elements}
    rows = tuple(
        _filled(
            From=_day(one.effective_date),
            Decided_by=one.get_decided_by_display(),
            What="; ".join(f"{labels.get(c, c)} {'goes on' if on else 'stops'}" for c, on in one.elements.items()),
            How_we_learned=reader.opened(one.how_learned_sealed),
        )
        for one in referral.participant.participation_changes.all()
    )
    return Section("Changes in how you take part", rows, frozenset({"How we learned"}))


def _alerts(referral: Referral, reader: Reader) -> Section:
    """That the team looked after them: never what somebody else wrote of a worry, nor its assessment in words."""
    rows = tuple(
        _filled(
            Raised=short_date_and_time(one.raised_at),
            Because_of=one.get_trigger_display(),
            Graded=one.get_level_display() if one.level else "",
            GP_told=_day(one.gp_informed_date),
            Closed=_day(one.closed_at),
        )
        for one in referral.participant.alerts.order_by("raised_at", "pk")
    )
    return Section("When the team checked that you were safe", rows)


def _adverse_events(referral: Referral, reader: Reader) -> Section:
    """Events of health; the words only from somebody who may know the group, which they can tell (BR-26)."""
    names = dict(category_choices(referral.protocol_version.spec))
    rows = tuple(
        _filled(
            Started=_day(one.onset_date),
            What=names.get(one.category, one.category),
            Severity=str(one.severity),
            Outcome=str(one.outcome).replace("_", " "),
            Description="" if reader.user.access.blinded else reader.opened(one.description_sealed),
        )
        for one in referral.participant.adverse_events.order_by("onset_date", "pk")
    )
    return Section("Events of your health", rows, frozenset({"Description"}))


def _sessions(referral: Referral, reader: Reader) -> Section:
    if not reader.user.access.may(Action.VIEW_SESSIONS, referral.site):
        return Section("Groups and sessions", ())
    groups = tuple(
        _filled(Group=str(one.group), From=_day(one.from_date), To=_day(one.to_date))
        for one in referral.participant.memberships.select_related("group").order_by("from_date", "pk")
    )
    marks = Mark.objects.current().filter(participant=referral.participant).select_related("session__group")
    sessions = tuple(
        _filled(
            Group=str(one.session.group),
            Session=f"{one.session.number}, {short_date(one.session.starts_at)}",
            You_were=one.get_status_display(),
        )
        for one in marks.order_by("session__starts_at", "pk")
    )
    return Section("Groups and sessions", groups + sessions)


def _deviations(referral: Referral, reader: Reader) -> Section:
    found = referral.participant.deviations.order_by("recorded_at", "pk")
    shown = found.filter(reveals_arm=False) if reader.user.access.blinded else found
    rows = tuple(_filled(Recorded=_day(one.recorded_at), Kind=one.get_kind_display()) for one in shown)
    return Section("Departures from the plan of the study", rows)


def _claims(referral: Referral, reader: Reader) -> Section:
    if reader.user.access.blinded:
        return Section("Vouchers and travel", ())
    found = Claim.objects.filter(participant=referral.participant).select_related("visit").order_by("recorded_at", "pk")
    rows = tuple(
        _filled(For=what_for(one), Amount=pounds(one.amount_pence), State=one.get_state_display()) for one in found
    )
    return Section("Vouchers and travel", rows)


def _messages(referral: Referral, reader: Reader) -> Section:
    found = referral.messages.filter(to_user=None).order_by("written_at", "pk")
    rows = tuple(
        _filled(Message=one.heading, Written=short_date_and_time(one.written_at), State=one.get_state_display())
        for one in found
    )
    return Section("Messages", rows)


def _requests(referral: Referral, reader: Reader) -> Section:
    rows = tuple(
        _filled(
            Request=one.get_kind_display(),
            Received=_day(one.received_date),
            You_asked=reader.opened(one.asked_sealed),
            Decision=one.get_decision_display() if one.decision else "Not decided yet",
            Reason=reader.opened(one.decision_sealed),
        )
        for one in SubjectRequest.objects.filter(referral=referral).order_by("received_date", "pk")
    )
    return Section("Your requests about your data", rows, frozenset({"You asked", "Reason"}))


def _views(referral: Referral, reader: Reader) -> Section:
    """Who looked at the contact details: roles, never names."""
    found = AccessEvent.objects.filter(kind=AccessEvent.Kind.IDENTITY_VIEWED, record__in=_numbers(referral)).order_by(
        "at", "pk"
    )
    rows = tuple(_filled(When=short_date_and_time(one.at), Role=role_words(one.role), Why=one.detail) for one in found)
    return Section("Who looked at your contact details", rows, frozenset({"Why"}))


def _numbers(referral: Referral) -> set[str]:
    participant: Participant | None = getattr(referral, "participant", None)
    return {referral.screening_number, *([participant.study_id] if participant else [])}


BEFORE_CONSENT: tuple[Source, ...] = (_referral, _contacts, _information)
AFTER_CONSENT: tuple[Source, ...] = (
    _participant,
    _consents,
    _eligibility,
    _questionnaires,
    _sessions,
    _participation,
    _alerts,
    _adverse_events,
    _deviations,
    _claims,
)
