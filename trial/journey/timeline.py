"""What has happened to one person, newest first: for the record page.

Lines about groups, sessions and attendance are read only for people who may know of them (BR-26); those of safety and
deviations only for whoever may open them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from trial.access.models import User
from trial.access.policy import Action
from trial.assessments.models import Administration
from trial.attendance.models import Mark
from trial.attendance.rules import PRESENT
from trial.base.parts import Event
from trial.base.statuses import PARTICIPANT
from trial.base.words import local_day, short_date, short_date_and_time
from trial.claims.models import Claim
from trial.journey.models import EndConfirmation
from trial.journey.next_rules import reason_words
from trial.participants.models import Referral, Status
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec
from trial.referrals.models import MessageBack
from trial.review.models import Query

KEY_STATUSES = frozenset({Status.CONSENTED, Status.RANDOMISED, Status.COMPLETED, Status.ENDED_EARLY})
SOURCES = {
    "gp_practice": "GP practice",
    "link_worker": "link worker",
    "mental_health_team": "mental health team",
    "voluntary": "voluntary organisation",
}


@dataclass(frozen=True)
class Moment:
    """An event and when it happened (aware; a mere day counts from its start)."""

    at: datetime
    event: Event


Source = Callable[[Referral, User, ProtocolSpec], Iterator[Moment]]
further: list[Source] = []
"""Sources of higher features; set in trial.wiring."""


def timeline(referral: Referral, user: User) -> list[Event]:
    """Every event this user may see, newest first; a constant number of lookups."""
    spec = referral.protocol_version.spec
    sources: list[Source] = [_messages, _contacts, _information]
    if hasattr(referral, "participant"):
        sources += [_consents, _messages_back, _forms, _changes, _queries, _alerts, _adverse_events, _deviations]
        if may_see_sessions(user, referral):
            sources += [_groups, _attendance]
    sources += [_claims, _redactions, *further, _statuses, _decisions]
    moments = [one for source in sources for one in source(referral, user, spec)]
    oldest_first = sorted(moments, key=lambda one: one.at)  # what a fact led to comes after it
    return [one.event for one in reversed(oldest_first)]


def may_see_sessions(user: User, referral: Referral) -> bool:
    """Whether groups, sessions and attendance of this person may be shown; never to a blinded role."""
    return user.access.may(Action.VIEW_SESSIONS, referral.site)


def moment(
    at: datetime, text: str = "", *, strong: str = "", who: object = None, more: str = "", url: str = ""
) -> Moment:
    """One line of the timeline: what, when, who, and where it leads."""
    said = ". ".join(str(part) for part in (short_date_and_time(at), who, more) if part)
    return Moment(at, Event(text=text, detail=said, strong=strong, url=url))


def _day(day: date, text: str, *, strong: str = "", more: str = "", url: str = "") -> Moment:
    said = ". ".join(part for part in (short_date(day), more) if part)
    return Moment(datetime.combine(day, time(0), tzinfo=UTC), Event(text=text, detail=said, strong=strong, url=url))


def _decisions(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    """Requests to take a status back, what became of them, and an early end confirmed (T16, T18)."""
    for one in referral.reversals.select_related("asked_by", "refused_by"):
        word = PARTICIPANT[one.from_status.lower()].word
        yield moment(one.asked_at, f"Asked to take back “{word}”", who=one.asked_by, more=one.reason)
        if one.refused_at:
            yield moment(one.refused_at, f"“{word}” stays", who=one.refused_by, more=one.refusal)
    for confirmed in EndConfirmation.objects.filter(referral=referral).select_related("by"):
        yield moment(confirmed.at, "Early end confirmed", who=confirmed.by)


def _statuses(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    for event in referral.status_events.select_related("by"):
        word = PARTICIPANT[event.to_status.lower()].word
        more = "Entered in error, taken back" if event.transition == "T18" else ""
        if event.to_status == referral.status and (reason := reason_words(spec, referral)):
            more = reason
        if not event.from_status:
            source = (
                "Self-referral" if referral.source_type == "self" else f"Referred by {SOURCES[referral.source_type]}"
            )
            yield moment(event.at, source, who=event.by, more=referral.referrer)
        elif event.to_status in KEY_STATUSES:
            yield moment(event.at, strong=word, who=event.by, more=more)
        else:
            yield moment(event.at, word, who=event.by, more=more)


def _contacts(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    for one in referral.contact_attempts.select_related("made_by"):
        outcome = one.get_outcome_display()
        text = f"{one.get_channel_display()}: {outcome[:1].lower()}{outcome[1:]}"
        others = "" if one.parties == one.Parties.TEAM_PERSON else one.get_parties_display()
        minutes = f"{one.duration_min} minutes" if one.duration_min else ""
        follows = f"Next: {one.get_next_step_display().lower()}" if one.next_date else ""
        yield moment(one.at, text, who=one.made_by, more=". ".join(p for p in (others, minutes, follows) if p))


def _messages_back(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    """Messages to the GP and the referrer; who opens them is asked for again on their own page."""
    may_open = user.access.may(Action.SEND_MESSAGE_BACK, referral.site)
    sent = MessageBack.objects.filter(participant=referral.participant, state="sent")
    for one in sent.select_related("settled_by"):
        if one.settled_at is None:
            continue
        text = f"Message to the {one.get_recipient_display()}: {one.get_kind_display().lower()}"
        url = f"/messages-back/{one.pk}/" if may_open else ""
        yield moment(one.settled_at, text, who=one.settled_by, url=url)


def _information(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    for one in referral.information_given.select_related("document", "given_by"):
        text = f"Information sheet {one.document.version} given"
        yield moment(one.given_at, text, who=one.given_by, more=one.get_how_display())


def _messages(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    """Messages to the person; what was written to staff about them is on its own pages."""
    for one in referral.messages.filter(to_user=None):
        yield moment(one.sent_at or one.written_at, f"Message: {one.heading}", more=one.get_state_display())


def _consents(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    for one in referral.participant.consents.select_related("form", "taken_by"):
        text = f" to version {one.form.version} signed"
        yield moment(one.signed_at, text, strong="Consent", who=one.taken_by, more=one.get_method_display())


def _forms(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    if not user.access.may(Action.VIEW_ANSWERS, referral.site):
        return
    stored = referral.participant.administrations.defer("answers", "missing", "reasons", "scores")
    for one in stored.select_related("visit", "entered_by"):
        name = _form_name(spec, one)
        what = {"draft": "started", "complete": "complete", "not_done": "not done"}[one.status]
        url = f"/people/{referral.number}/{one.visit.code}/{one.instrument}/"
        at = one.submitted_at or one.first_entered_at
        yield moment(at, f"{name} {what}", who=one.entered_by, more=one.get_mode_display(), url=url)


def _form_name(spec: ProtocolSpec, form: Administration) -> str:
    """ "PHQ-9 week 5"; by its codes where the person's protocol version has no such form or visit."""
    try:
        visit = protocol_rules.visit(spec, form.visit.code)
        return f"{protocol_rules.form_label(spec, form.instrument)} {visit.label}"
    except protocol_rules.UnknownCode:
        return f"{form.instrument} {form.visit.code}"


def _changes(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    labels = {str(one.code): one.label for one in spec.participation_elements}
    for one in referral.participant.participation_changes.select_related("recorded_by"):
        parts = [
            f"{labels[code]} {'resumed' if on else 'stopped'}" for code, on in one.elements.items() if code in labels
        ]
        cause = "" if one.cause == "choice" else one.get_cause_display()
        text = f": {', '.join(parts) if not cause else cause.lower()}"
        more = f"Recorded by {one.recorded_by}"
        may_print = not cause and user.access.may(Action.CHANGE_PARTICIPATION, referral.site)
        url = f"/people/{referral.number}/participation/{one.pk}/letter/" if may_print else ""
        yield _day(one.effective_date, text, strong="Participation changed", more=more, url=url)


def _queries(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    if not user.access.may(Action.VIEW_QUERIES, referral.site):
        return
    found = Query.objects.filter(participant=referral.participant)
    for one in found.select_related("administration__visit", "raised_by").defer("administration__answers"):
        form = one.administration
        about = f" on {_form_name(spec, form)}" if form else ""
        url = f"/queries/{one.pk}/"
        who = one.raised_by or (f"Rule {one.rule}" if one.rule else "")
        yield moment(one.raised_at, about, strong="Query raised", who=who, url=url)
        if one.closed_at:
            yield moment(one.closed_at, f"Query closed{about}", url=url)


def _alerts(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    if not user.access.may(Action.VIEW_SAFETY, referral.site):
        return
    for one in referral.participant.alerts.select_related("closed_by"):
        url = one.get_absolute_url()
        yield moment(one.raised_at, strong="Risk alert raised", more=one.get_trigger_display(), url=url)
        if one.closed_at:
            yield moment(one.closed_at, "Risk alert closed", who=one.closed_by, url=url)


def _adverse_events(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    """That there was one, never what: the words of an event can tell the arm (BR-26)."""
    if not user.access.may(Action.VIEW_SAFETY, referral.site):
        return
    for one in referral.participant.adverse_events.select_related("reported_by"):
        strong = "Serious adverse event reported" if one.is_serious else "Adverse event reported"
        yield moment(one.reported_at, strong=strong, who=one.reported_by, url=one.get_absolute_url())


def _deviations(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    if not user.access.may(Action.VIEW_DEVIATIONS, referral.site):
        return
    found = referral.participant.deviations.select_related("recorded_by", "site")
    for one in found.filter(reveals_arm=False) if user.access.blinded else found:
        text = f"Deviation {one}: {one.get_kind_display().lower()}"
        url = f"/deviations/{one.pk}/"
        yield moment(one.recorded_at, text, who=one.recorded_by, more=one.get_severity_display(), url=url)


def _claims(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    found = Claim.objects.visible_to(user).filter(participant__referral=referral)
    for one in found.select_related("recorded_by", "paid_by"):
        url = f"/people/{referral.number}/claims/"
        yield moment(one.recorded_at, f"{one.get_kind_display()} recorded", who=one.recorded_by, url=url)
        if one.paid_at:
            yield moment(one.paid_at, f"{one.get_kind_display()} paid", who=one.paid_by, url=url)


def _redactions(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    """That a text was taken out, for whoever may do so themselves: what it was, never its words."""
    if user.access.may(Action.REDACT_TEXT, referral.site):
        for one in referral.redactions.select_related("by"):
            yield moment(one.at, f"Text removed: {one.what}", who=one.by, more=one.reason)


def _groups(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    for one in referral.participant.memberships.select_related("group"):
        yield _day(one.from_date, f"Joined {one.group}")
        if one.to_date:
            yield _day(one.to_date, f"Left {one.group}", more=one.end_reason)


def _attendance(referral: Referral, user: User, spec: ProtocolSpec) -> Iterator[Moment]:
    marks = Mark.objects.current().filter(participant=referral.participant)
    for one in marks.select_related("session__group", "marked_by"):
        came = "attended" if one.status in PRESENT else one.get_status_display().lower()
        more = "Companion came too" if one.companion else ""
        day = local_day(one.session.starts_at)
        said = ". ".join(part for part in (short_date(day), more) if part)
        yield Moment(one.session.starts_at, Event(text=f"Session {one.session.number} {came}", detail=said))
