"""One person's record: the facts under the title, the grid, and the links that this user may follow."""

from datetime import date

from trial.access.models import User
from trial.access.policy import Action
from trial.assessments.reads import FormKey, Grid, visit_grid
from trial.base.parts import Fact, Link, VisitCell
from trial.base.words import day_and_month, short_date
from trial.consent.actions import outstanding_version, valid_consent
from trial.journey.people import word_of
from trial.journey.reversal import may_ask
from trial.participants.models import Participant, Referral
from trial.participation import rules as participation_rules
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ELIGIBILITY
from trial.review.models import Query
from trial.schedule.rules import VisitStatus
from trial.screening.models import Eligibility
from trial.selfcompletion.reads import progress_words


def participant_of(referral: Referral) -> Participant | None:
    """The participant, once there is consent."""
    return getattr(referral, "participant", None)


def facts_under_title(referral: Referral, user: User, today: date) -> list[Fact]:
    """Status, consent, participation, day of allocation, and the way to the contact details."""
    participant, base = participant_of(referral), f"/people/{referral.number}/"
    facts = [_status(referral, participant, today)]
    if participant is not None:
        facts += [_consent(participant, user, today), _participation(participant, today)]
        if participant.randomised_date and not user.access.blinded:
            may_see = user.access.may(Action.VIEW_ARM, referral.site)
            link = Link("Show", f"{base}allocation/") if may_see else None
            facts.append(Fact("Allocation", f"{short_date(participant.randomised_date)}.", link=link))
    else:
        facts.append(Fact("Referred", short_date(referral.received_date), detail=referral.get_source_type_display()))
        facts.append(
            Fact("Basis for contact", "Permission" if referral.contact_basis == "permission" else "Self-referral")
        )
    if user.access.may(Action.VIEW_IDENTITY, referral.site):
        show = Link("Show", f"{base}contact-details/")
        facts.append(Fact("Contact details", link=show, detail="Logged each time"))
    if user.access.may(Action.VIEW_REFERRAL, referral.site):
        flag = "With risk information" if referral.risk_sealed else referral.get_referral_model_display().split(":")[0]
        facts.append(Fact("Referral", link=Link("Show", f"{base}referral/"), detail=flag))
    return facts


def _status(referral: Referral, participant: Participant | None, today: date) -> Fact:
    word, since = word_of(referral.status), f"since {short_date(referral.status_date)}"
    if participant and participant.randomised_date and referral.status in ("RANDOMISED", "IN_ACTIVITY", "FOLLOW_UP"):
        week = (today - participant.randomised_date).days // 7 + 1
        return Fact("Status", f", week {week}", strong=word)
    return Fact("Status", f" {since}", strong=word)


def _consent(participant: Participant, user: User, today: date) -> Fact:
    consent = valid_consent(participant)
    if consent is None:
        return Fact("Consent", "Not valid")
    link = None
    newer = outstanding_version(participant, today)
    if newer and user.access.may(Action.RECORD_CONSENT, participant.referral.site):
        link = Link(f"{newer.version} is due", f"/people/{participant.study_id}/consent/")
    more = f" {newer.version} is due" if newer and link is None else ""
    given = Link("See it", f"/people/{participant.study_id}/consent/given/")
    return Fact("Consent", f"Version {consent.form.version}.{more}", link=link or given)


def _participation(participant: Participant, today: date) -> Fact:
    stopped = participation_rules.stopped(participant.participation_changes.all(), today)
    level = protocol_rules.participation_level(participant.referral.protocol_version.spec, stopped)
    return Fact("Participation", level.label if level else "Full")


def links(referral: Referral, user: User) -> list[Link]:
    """Up to four pages beside the title."""
    base, site = f"/people/{referral.number}/", referral.site
    has_consented = participant_of(referral) is not None
    may = user.access.may
    offered = (
        (may(Action.RECORD_CONTACT, site), Link("Record a contact", f"{base}contact/")),
        (
            has_consented and may(Action.REPORT_EVENT, site),
            Link("Report an adverse event", f"{base}adverse-event/"),
        ),
        (
            has_consented and may(Action.CHANGE_PARTICIPATION, site),
            Link("Change participation", f"{base}participation/"),
        ),
        (not has_consented and may(Action.CLOSE_REFERRAL, site), Link("Close the referral", f"{base}close/declined/")),
        (
            may(Action.ASK_REVERSAL, site) and may_ask(referral),
            Link("Status entered in error", f"{base}entered-in-error/"),
        ),
        (_has_no_other_way(referral, user), Link("Randomisation", f"{base}randomisation/")),
        (
            _is_randomised(referral) and may(Action.RECORD_GUESS, site),
            Link("I think I know the group", f"{base}guess/"),
        ),
        (may(Action.VIEW_HISTORY, site), Link("History", f"{base}history/")),
    )
    return [link for allowed, link in offered if allowed]


def _is_randomised(referral: Referral) -> bool:
    participant = participant_of(referral)
    return participant is not None and participant.randomised_date is not None


def _has_no_other_way(referral: Referral, user: User) -> bool:
    """Whoever may see the arm reaches the exceptions from the allocation; others from here."""
    may, site = user.access.may, referral.site
    asks = may(Action.ASK_EXCEPTION, site) or may(Action.CODE_BREAK, site)
    return _is_randomised(referral) and asks and not may(Action.VIEW_ARM, site)


def grid_of(participant: Participant, user: User, today: date) -> Grid:
    """The visit grid, with the eligibility form and the open queries; cells lead nowhere where forms may not open."""
    spec = participant.referral.protocol_version.spec
    eligibility = _eligibility_cell(participant, user, today)
    return visit_grid(
        participant,
        spec,
        today,
        open_queries=open_queries(participant, user),
        is_locked=hasattr(participant, "sign_off"),
        other_cells={(protocol_rules.eligibility_visit(spec).code, ELIGIBILITY): eligibility},
    )


def questionnaire_links(grid: Grid, participant: Participant, user: User) -> list[Link]:
    """The page of each open visit's questionnaire links, for those who may send one."""
    if not user.access.may(Action.SEND_LINK, participant.referral.site):
        return []
    return [
        Link(
            f"Send the questionnaire link, {one.spec.label}",
            f"/people/{participant.study_id}/{one.spec.code}/link/",
            progress_words(one.row),
        )
        for one in grid.visits
        if one.row
        and one.status == VisitStatus.OPEN
        and any("self_web" in form.form.modes for form in one.forms.values())
    ]


def open_queries(participant: Participant, user: User) -> set[FormKey]:
    """Forms of this person with an open query, for those who may see queries."""
    found = Query.objects.visible_to(user).filter(participant=participant, state=Query.State.OPEN)
    keys = found.exclude(administration=None).values_list("administration__visit__code", "administration__instrument")
    return {(str(visit), str(form)) for visit, form in keys.distinct().order_by()}


def _eligibility_cell(participant: Participant, user: User, today: date) -> VisitCell:
    found = Eligibility.objects.filter(participant=participant).first()
    may_open = user.access.may(Action.ASSESS_ELIGIBILITY, participant.referral.site)
    url = f"/people/{participant.study_id}/screening/" if may_open else ""
    if found is None:
        return VisitCell("due", "", url)
    day = (
        day_and_month(found.assessed_date)
        if found.assessed_date.year == today.year
        else short_date(found.assessed_date)
    )
    if found.signature_id:
        return VisitCell("locked", day, url)
    return VisitCell("in_progress" if found.outcome == "open" else "complete", day, url)
