"""Groups and their members, for those who plan them. None of these pages opens to a blinded role (BR-26)."""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.activities import actions, reads, rules
from trial.activities.forms import AddMemberForm, EndMembershipForm, GroupForm, MoveMemberForm, PlaceForm
from trial.activities.models import ActivityGroup, Session
from trial.allocation.reads import arm_number_of
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.parts import Link
from trial.base.words import clock_time, local_day, long_date
from trial.participants.reads import participant_for
from trial.protocol.versions import version_in_force

GROUPS = ("Groups", "/groups/")


def _posted(request: StaffRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


@requires(Action.VIEW_SESSIONS)
@require_safe
def groups(request: StaffRequest) -> HttpResponse:
    """Every group of the person's sites, with the places taken."""
    rows, pages = page_of(request, reads.groups_for(request.user))
    taken = reads.n_current_members(rows, timezone.localdate())
    return render(
        request,
        "activities/groups.html",
        {
            "rows": [(group, taken.get(group.pk, 0)) for group in rows],
            "pages": pages,
            "links": _group_links(request),
            "several_sites": len({group.site_id for group in rows}) > 1,
        },
    )


def _group_links(request: StaffRequest) -> list[Link]:
    links = [Link("Sessions", "/sessions/")]
    return [*links, Link("New group", "/groups/new/")] if request.user.access.may(Action.PLAN_GROUPS) else links


@requires(Action.VIEW_SESSIONS)
@require_safe
def group(request: StaffRequest, pk: int) -> HttpResponse:
    """One group: its members now and before, and its sessions."""
    found = reads.group_for(request.user, pk)
    today = timezone.localdate()
    members = reads.members_of([found.pk])[found.pk]
    now = [m for m in members if m.to_date is None or m.to_date >= today]
    return render(
        request,
        "activities/group.html",
        {
            "group": found,
            "members": sorted(now, key=lambda m: m.participant.study_id),
            "former": [m for m in members if m not in now],
            "sessions": [(session, _status(session)) for session in found.sessions.order_by("starts_at", "pk")],
            "may_plan": request.user.access.may(Action.PLAN_GROUPS, found.site),
            "activity": _activity(request, found),
            "n_missing": max(found.min_size - len(now), 0),
            "breadcrumbs": [GROUPS],
        },
    )


def _status(session: Session) -> str:
    """Status code of a session: one that is over and has no finished register is not just planned."""
    over = session.status == Session.Status.PLANNED and session.ends_at < timezone.now()
    return "not_started" if over else session.status


def _activity(request: StaffRequest, found: ActivityGroup) -> str:
    """The arm's label, for those who may see arms at the site."""
    if not request.user.access.may(Action.VIEW_ARM, found.site):
        return ""
    arms = version_in_force(site=found.site, on=found.start_date).spec.arms
    return arms[found.arm_number].label if found.arm_number < len(arms) else ""


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def new_group(request: StaffRequest) -> HttpResponse:
    """Make a group with its sessions. Who plans at several sites chooses the site first."""
    sites = list(Site.objects.filter(pk__in=_site_pks(request)).order_by("code"))
    site = _chosen_site(request, sites)
    if site is None:
        return render(request, "activities/choose_site.html", {"sites": sites, "breadcrumbs": [GROUPS]})
    today = timezone.localdate()
    spec = version_in_force(site=site, on=max(today, site.opened_date)).spec
    form = GroupForm(_posted(request), site=site, spec=spec)
    if form.is_valid():
        plan = actions.GroupPlan(**form.cleaned_data)
        try:
            made = actions.create_group(site=site, plan=plan, by=request.user)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            _say_made(request, made)
            return redirect("activities:group", made.pk)
    context = {"form": form, "site": site, "spec": spec, "title": "New group", "breadcrumbs": [GROUPS]}
    return render(request, "activities/new_group.html", context)


def _site_pks(request: StaffRequest) -> list[int]:
    ids = request.user.access.site_ids(Action.PLAN_GROUPS)
    return list(Site.objects.values_list("pk", flat=True)) if ids is None else list(ids)


def _chosen_site(request: StaffRequest, sites: list[Site]) -> Site | None:
    """The only site, or the one that `?site=` names.

    Raises:
        Http404: the address names a site that is not one of these.
    """
    if len(sites) == 1:
        return sites[0]
    code = request.GET.get("site")
    if code is None:
        return None
    for site in sites:
        if site.code == code:
            return site
    raise Http404


def _say_made(request: StaffRequest, made: ActivityGroup) -> None:
    days = [local_day(session.starts_at) for session in made.sessions.order_by("number")]
    messages.success(request, f"{made} made with {len(days)} sessions, the last on {long_date(days[-1])}")
    spec = version_in_force(site=made.site, on=made.start_date).spec
    for day in rules.on_bank_holidays(spec, days):
        messages.warning(request, f"{long_date(day)} is a bank holiday. Move that session if it cannot be held.")


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def add_member(request: StaffRequest, pk: int) -> HttpResponse:
    """Put somebody who waits for a group into this one."""
    found = reads.group_for(request.user, pk, Action.PLAN_GROUPS)
    form = AddMemberForm(_posted(request), people=reads.waiting_for_a_group(found.site))
    if form.is_valid():
        try:
            membership = actions.add_member(
                participant=form.cleaned_data["study_id"],
                group=found,
                from_date=form.cleaned_data["from_date"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{membership.participant} joins {found}. {reads.first_session_note(membership)}")
            return redirect("activities:group", found.pk)
    context = {"form": form, "group": found, "title": f"Add a member to {found}", "breadcrumbs": [GROUPS]}
    return render(request, "activities/member.html", {**context, "button": "Add to the group"})


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def place(request: StaffRequest, number: str) -> HttpResponse:
    """Put one participant into a group of their arm that has room."""
    participant = participant_for(request.user, number, Action.PLAN_GROUPS)
    offered = _groups_with_room(request, participant_number=number)
    form = PlaceForm(_posted(request), groups=offered)
    if form.is_valid():
        try:
            membership = actions.add_member(
                participant=participant, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{participant} joins {membership.group}. {reads.first_session_note(membership)}")
            return redirect("activities:group", membership.group_id)
    context = {"form": form, "title": f"Place {participant} in a group", "none_offered": not offered}
    return render(request, "activities/member.html", {**context, "button": "Place in the group"})


def _groups_with_room(request: StaffRequest, participant_number: str) -> list[tuple[ActivityGroup, str]]:
    """Groups of the person's site and arm with a free place, each with when and where it meets."""
    participant = participant_for(request.user, participant_number, Action.PLAN_GROUPS)
    arm = arm_number_of(participant, by=request.user, at=timezone.now(), reason="Placing in a group")
    if arm is None:
        return []
    today = timezone.localdate()
    found = reads.groups_for(request.user, Action.PLAN_GROUPS).filter(site=participant.referral.site, arm_number=arm)
    running = list(found.filter(sessions__starts_at__gte=timezone.now()).distinct())
    taken = reads.n_current_members(running, today)
    return [(g, _meets(g, taken.get(g.pk, 0))) for g in running if taken.get(g.pk, 0) < g.max_size]


def _meets(found: ActivityGroup, n_members: int) -> str:
    when = f"{found.start_date:%A}s at {clock_time(found.start_time)}, {found.venue}"
    return f"{found}: {when}. {n_members} of {found.max_size} places taken"


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def move_member(request: StaffRequest, pk: int) -> HttpResponse:
    """Move a member to another group of the same arm."""
    membership = reads.membership_for(request.user, pk)
    today = timezone.localdate()
    others = reads.groups_for(request.user, Action.PLAN_GROUPS).filter(
        site=membership.group.site, arm_number=membership.group.arm_number
    )
    found = list(others.exclude(pk=membership.group_id))
    taken = reads.n_current_members(found, today)
    form = MoveMemberForm(_posted(request), groups=[(g, _meets(g, taken.get(g.pk, 0))) for g in found])
    if form.is_valid():
        try:
            actions.move_member(membership=membership, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{membership.participant} moves to {form.cleaned_data['group']}")
            return redirect("activities:group", membership.group_id)
    context = {"form": form, "title": f"Move {membership.participant}", "group": membership.group}
    return render(request, "activities/member.html", {**context, "button": "Move", "none_offered": not found})


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def end_membership(request: StaffRequest, pk: int) -> HttpResponse:
    """End a membership."""
    membership = reads.membership_for(request.user, pk)
    form = EndMembershipForm(_posted(request))
    if form.is_valid():
        try:
            actions.end_membership(membership=membership, by=request.user, **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{membership.participant} leaves {membership.group}")
            return redirect("activities:group", membership.group_id)
    title = f"{membership.participant} leaves {membership.group}"
    context = {"form": form, "title": title, "group": membership.group, "button": "End membership"}
    return render(request, "activities/member.html", context)
