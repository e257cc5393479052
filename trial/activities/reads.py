"""Groups, members and sessions as one user may see them: absent and not yours answer alike."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.activities import rules
from trial.activities.models import ActivityGroup, Membership, Session
from trial.base.words import local_day, long_date
from trial.participants.models import Participant, Status
from trial.protocol import rules as protocol_rules


def groups_for(user: User, action: Action = Action.VIEW_SESSIONS) -> QuerySet[ActivityGroup]:
    """Groups of the sites at which `user` may do `action`."""
    return ActivityGroup.objects.visible_to(user, action).select_related("site", "venue", "leader", "co_leader")


def group_for(user: User, pk: int, action: Action = Action.VIEW_SESSIONS) -> ActivityGroup:
    """One group.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    group = groups_for(user, action).filter(pk=pk).first()
    if group is None:
        raise Http404
    return group


def membership_for(user: User, pk: int, action: Action = Action.PLAN_GROUPS) -> Membership:
    """One membership of a group at a site of this user.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    found = Membership.objects.filter(pk=pk, group__in=groups_for(user, action))
    membership = found.select_related("group__site", "participant__referral__protocol_version").first()
    if membership is None:
        raise Http404
    return membership


def session_for(user: User, pk: int, action: Action = Action.VIEW_SESSIONS) -> Session:
    """One session of a group at a site of this user.

    Raises:
        Http404: there is none, or not at a site of this user.
    """
    session = with_frame(Session.objects.visible_to(user, action)).filter(pk=pk).first()
    if session is None:
        raise Http404
    return session


def with_frame(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Sessions with group, place and people, and `n_planned`, how many sessions their group has."""
    related = ("group__site", "group__venue__provider", "group__leader", "group__co_leader", "risk_checked_by")
    return sessions.select_related(*related).annotate(n_planned=Count("group__sessions"))


def members_of(groups: Iterable[int]) -> Mapping[int, list[Membership]]:
    """Every membership of the groups, by group id, with what the person still takes part in: two lookups."""
    found: dict[int, list[Membership]] = defaultdict(list)
    memberships = Membership.objects.filter(group__in=list(groups)).select_related("participant__referral__person")
    for membership in memberships.prefetch_related("participant__participation_changes"):
        found[membership.group_id].append(membership)
    return found


def expected_of(memberships: Iterable[Membership], day: date) -> list[Membership]:
    """Those expected at a session on a day, by study number."""
    expected = [m for m in memberships if rules.is_expected(m, m.participant.participation_changes.all(), day)]
    return sorted(expected, key=lambda m: m.participant.study_id)


def expected_members(session: Session) -> list[Membership]:
    """Members of the group whom the register of a session expects (BR-41, BR-42)."""
    return expected_of(members_of([session.group_id])[session.group_id], local_day(session.starts_at))


def waiting_for_a_group(site: Site) -> QuerySet[Participant]:
    """Randomised people of a site who are in no group and may still join one."""
    placed = Membership.objects.filter(participant=OuterRef("pk"))
    found = Participant.objects.filter(referral__site=site, referral__status=Status.RANDOMISED)
    return found.filter(~Exists(placed)).select_related("referral__protocol_version").order_by("randomised_date", "pk")


def n_current_members(groups: Iterable[ActivityGroup], day: date) -> Mapping[int, int]:
    """How many members each group has on a day or later: the places taken (BR-49)."""
    counted = Membership.objects.reaching(day).filter(group__in=list(groups)).values("group").annotate(n=Count("pk"))
    return {row["group"]: row["n"] for row in counted.order_by("group")}


def first_session(membership: Membership) -> Session | None:
    """The first session that a member is offered, unless it is cancelled."""
    later = [
        session
        for session in membership.group.sessions.exclude(status=Session.Status.CANCELLED).order_by("starts_at", "pk")
        if local_day(session.starts_at) >= membership.from_date
    ]
    return later[0] if later else None


def first_session_note(membership: Membership) -> str:
    """What to say about a member's first session, with a warning where it comes later than the protocol's limit."""
    session = first_session(membership)
    if session is None:
        return "No session is planned for them yet."
    randomised = membership.participant.randomised_date
    spec = membership.participant.referral.protocol_version.spec
    day = local_day(session.starts_at)
    note = f"First session: {day:%A} {long_date(day)}."
    late = rules.days_late(spec, randomised, day) if randomised else 0
    if not late:
        return note
    limit = spec.session_plan.first_session_within_days
    return f"{note} That is {late} days later than the protocol's {limit} days after randomisation."


def activity_began(participant: Participant, at: datetime) -> bool:
    """Whether the first session of the person's group has come (T13)."""
    return any(
        (session := first_session(membership)) is not None and session.starts_at <= at
        for membership in participant.memberships.select_related("group")
    )


def activity_ends(participant: Participant) -> date | None:
    """Last day of the person's activity period, catch-up weeks included (T14); None outside any group."""
    last = participant.memberships.select_related("group").order_by("-from_date").first()
    if last is None:
        return None
    return protocol_rules.activity_ends(participant.referral.protocol_version.spec, last.group.start_date)


def may_report_on(user: User, participant: Participant) -> bool:
    """Whether somebody may report an event about a person: a leader only about members of own groups (BR-40)."""
    if user.access.may(Action.VIEW_SAFETY, participant.site):
        return True
    own = Q(group__leader=user) | Q(group__co_leader=user)
    return participant.memberships.filter(own).exists()
