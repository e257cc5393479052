"""Consent, safety, deviations and signatures."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from django.db.models import Count as CountOf
from django.db.models import Q

from exports.readiness.counting import by_site, counted, of_total
from trial.access.models import Site
from trial.access.policy import Action
from trial.access.signing import is_stale
from trial.assessments.models import Administration
from trial.consent.models import Consent, DocumentUse, DocumentVersion
from trial.deviations.models import Deviation
from trial.locking.checks import Count, Counts
from trial.participants.models import Participant
from trial.review.models import SignOff
from trial.review.rules import signed_content
from trial.safety.event_actions import is_reviewed
from trial.safety.models import AdverseEvent, RiskAlert


def reconsent(sites: Sequence[Site], on: date) -> Counts:
    """No consent to a new version outstanding (BR-17)."""
    newest = _newest_reconsent(on)
    given = Consent.objects.filter(state=Consent.State.VALID).values_list(
        "participant__referral__site", "form__document_date"
    )
    left = Counter(site for site, signed_on in given if (date_ := newest.get(site)) and signed_on < date_)

    def count(site: Site) -> Count:
        n = left[site.pk]
        todo = f"Ask {counted(n, 'participant')} for consent again" if n else ""
        return Count(not n, f"{n:,}", todo, url=f"/people/?site={site.code}", action=Action.VIEW_PEOPLE)

    return by_site(sites, count)


def _newest_reconsent(on: date) -> dict[int, date]:
    """Date of the newest form in use at each site that asks for consent again."""
    uses = DocumentUse.objects.on(on).filter(
        document__kind=DocumentVersion.Kind.CONSENT, document__requires_reconsent=True, document__approved_date__lte=on
    )
    newest: dict[int, date] = {}
    for site, day in uses.values_list("site", "document__document_date"):
        newest[site] = max(day, newest.get(site, day))
    return newest


def risk_alerts(sites: Sequence[Site], on: date) -> Counts:
    """Every alert assessed and closed (BR-51)."""
    rows = RiskAlert.objects.values_list("participant__referral__site").annotate(
        n=CountOf("pk"), left=CountOf("pk", filter=Q(closed_at__isnull=True))
    )
    found = {site: (n, left) for site, n, left in rows}
    return of_total(
        sites,
        {site: n for site, (n, _) in found.items()},
        {site: left for site, (_, left) in found.items()},
        short="to close",
        todo=lambda n: f"Assess and close {counted(n, 'risk alert')}",
        url="/safety/alerts/",
        action=Action.VIEW_SAFETY,
    )


def adverse_events(sites: Sequence[Site], on: date) -> Counts:
    """Every event reviewed and signed as it stands now."""
    totals: Counter[int] = Counter()
    left: Counter[int] = Counter()
    events = AdverseEvent.objects.select_related("participant__referral").prefetch_related("reviews__signature")
    for event in events:
        site = event.participant.referral.site_id
        totals[site] += 1
        left[site] += not is_reviewed(event)
    return of_total(
        sites,
        totals,
        left,
        short="to review",
        todo=lambda n: f"Review and sign {counted(n, 'adverse event')}",
        url="/safety/events/",
        action=Action.VIEW_SAFETY,
    )


def deviations(sites: Sequence[Site], on: date) -> Counts:
    """Every deviation reviewed."""
    rows = Deviation.objects.values_list("site").annotate(
        n=CountOf("pk"), left=CountOf("pk", filter=Q(reviewed_at__isnull=True))
    )
    found = {site: (n, left) for site, n, left in rows}
    return of_total(
        sites,
        {site: n for site, (n, _) in found.items()},
        {site: left for site, (_, left) in found.items()},
        short="to review",
        todo=lambda n: f"Review {counted(n, 'deviation')}",
        url="/deviations/",
        action=Action.VIEW_DEVIATIONS,
    )


def sign_offs(sites: Sequence[Site], on: date) -> Counts:
    """Every participant's data signed by the investigator, as they stand now (BR-64, R-21)."""
    people = list(
        Participant.objects.filter(consented_date__lte=on)
        .values_list("pk", "study_id", "referral__site")
        .order_by("study_id")
    )
    signed = {row.participant_id: row for row in SignOff.objects.select_related("signature", "participant")}
    content = _content_now()
    totals: Counter[int] = Counter()
    unsigned: Counter[int] = Counter()
    stale: dict[int, list[str]] = {}
    for pk, study_id, site in people:
        totals[site] += 1
        row = signed.get(pk)
        if row is None:
            unsigned[site] += 1
        elif is_stale(row.signature, row.participant, signed_content(content.get(pk, []))):
            stale.setdefault(site, []).append(study_id)
    return by_site(sites, lambda site: _signed(site, totals[site.pk], unsigned[site.pk], stale.get(site.pk, [])))


def _content_now() -> dict[int, list[tuple[str, Administration]]]:
    found: dict[int, list[tuple[str, Administration]]] = {}
    for form in Administration.objects.select_related("visit").iterator(2000):
        found.setdefault(form.participant_id, []).append((form.visit.code, form))
    return found


def _signed(site: Site, total: int, n_unsigned: int, stale: list[str]) -> Count:
    url = f"/people/?site={site.code}"
    if n_unsigned:
        todo = f"Ask the investigator to sign {counted(n_unsigned, 'participant')}"
        return Count(False, f"{n_unsigned:,} to sign", todo, url=url, action=Action.VIEW_PEOPLE)
    if stale:
        changed = (
            f"{stale[0]} changed after it was signed" if len(stale) == 1 else f"{len(stale):,} changed after signing"
        )
        todo = "Ask the investigator to sign again"
        return Count(False, f"{len(stale):,} out of date", todo, changed, url, Action.VIEW_PEOPLE)
    return Count(True, f"{total:,} of {total:,}", url=url, action=Action.VIEW_PEOPLE)
