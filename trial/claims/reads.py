"""Claims as the pages and the finance office see them: amounts and counts, nobody's name."""

from dataclasses import dataclass

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.http import Http404

from trial.access.models import User
from trial.base.words import short_date
from trial.claims.models import Claim


def claim_for(user: User, pk: int) -> Claim:
    """One claim that the user may see.

    Raises:
        Http404: there is none, not at a site of this user, or not for a blinded reader.
    """
    found = Claim.objects.visible_to(user).select_related("participant__referral__site", "visit")
    claim = found.filter(pk=pk).first()
    if claim is None:
        raise Http404
    return claim


def pounds(pence: int) -> str:
    """ "£12.50"."""
    return f"£{pence // 100:,}.{pence % 100:02d}"


def what_for(claim: Claim) -> str:
    """ "V3 questionnaires", "Bus, 9 Jul 2026"."""
    if claim.visit is not None:
        return f"{claim.visit.code} questionnaires"
    return f"{claim.get_mode_display()}, {short_date(claim.travel_date)}" if claim.travel_date else ""


@dataclass(frozen=True)
class Total:
    """What one site spent on one kind in one month."""

    month: str
    site: str
    kind: str
    state: str
    n: int
    pence: int


def totals(user: User) -> list[Total]:
    """Counts and sums by month of recording, site, kind and state."""
    grouped = (
        Claim.objects.visible_to(user)
        .order_by()
        .annotate(month=TruncMonth("recorded_at"))
        .values("month", "participant__referral__site__name", "kind", "state")
        .annotate(n=Count("pk"), pence=Sum("amount_pence"))
        .order_by("-month", "participant__referral__site__name", "kind", "state")
    )
    return [
        Total(
            month=f"{row['month']:%Y-%m}",
            site=row["participant__referral__site__name"],
            kind=Claim.Kind(row["kind"]).label,
            state=Claim.State(row["state"]).label,
            n=row["n"],
            pence=row["pence"],
        )
        for row in grouped
    ]
