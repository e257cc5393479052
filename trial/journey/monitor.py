"""What a monitor checks: consents, the queries they raised, and the log of their sites. Read only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, Q, QuerySet, Subquery

from trial.access.models import Delegation, Site, User
from trial.access.policy import Action, Role
from trial.consent.models import Consent
from trial.protocol.models import SiteApproval
from trial.review.models import Query


def sites_of(user: User) -> list[Site]:
    """Sites that the user monitors, by code."""
    ids = user.access.site_ids(Action.VIEW_MONITORING)
    return list(Site.objects.filter(Q() if ids is None else Q(pk__in=ids)))


def consents(sites: Iterable[Site]) -> QuerySet[Consent]:
    """Consents of the sites, the newest first, with `taker_role`: the role in which each was recorded."""
    first = Consent.history.filter(id=OuterRef("pk")).order_by("history_id").values("history_role")[:1]
    found = Consent.objects.filter(participant__referral__site__in=[site.pk for site in sites])
    related = found.select_related("participant__referral__site", "form", "information__document")
    return related.annotate(taker_role=Subquery(first)).order_by("-signed_at", "-id")


def role_words(codes: str) -> str:
    """Role codes of the trail in words: "coordinator+randomiser" is "Coordinator, Randomiser"."""
    labels = {role.value: str(role.label) for role in Role}
    return ", ".join(labels.get(code, code.replace("_", " ").capitalize()) for code in codes.split("+") if code)


def my_queries(user: User) -> QuerySet[Query]:
    """Queries that this person raised and that are not closed, the oldest first."""
    found = Query.objects.visible_to(user).filter(raised_by=user).exclude(state=Query.State.CLOSED)
    return found.select_related("participant__referral").order_by("raised_at", "id")


@dataclass(frozen=True)
class LogLine:
    """One line of a site's log: who holds which duty, or which protocol version holds, from when to when."""

    site: str
    what: str
    who: str
    from_date: date
    to_date: date | None


def site_log(sites: Iterable[Site]) -> list[LogLine]:
    """Opening, protocol approvals and delegated duties of the sites, by site and date."""
    ids = [site.pk for site in sites]
    lines = [LogLine(site.name, "Open", "", site.opened_date, site.recruitment_closed_date) for site in sites]
    for approval in SiteApproval.objects.filter(site__in=ids).select_related("site", "version"):
        lines.append(LogLine(approval.site.name, f"Protocol {approval.version}", "", approval.effective_date, None))
    for duty in Delegation.objects.filter(site__in=ids).select_related("site", "user"):
        name = duty.get_duty_display()
        lines.append(LogLine(duty.site.name, name, duty.user.name, duty.from_date, duty.to_date))
    return sorted(lines, key=lambda line: (line.site, line.from_date, line.what, line.who))
