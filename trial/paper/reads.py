"""Which packs a person's record offers, and which scans a form has."""

from django.urls import reverse

from trial.access.models import User
from trial.access.policy import Action
from trial.base.parts import Link, ScanPanel, ScanView
from trial.base.words import short_date
from trial.paper.models import Scan
from trial.paper.packs import visits_on_paper
from trial.participants.models import Participant
from trial.schedule.models import Visit


def paper_packs(participant: Participant, user: User) -> list[Link]:
    """The packs of the visits that the person has, for people who enter forms here."""
    if not user.access.may(Action.ENTER_FORM, participant.site):
        return []
    there = {row.code for row in participant.visits.all()}
    visits = visits_on_paper(participant.referral.protocol_version.spec)
    base = f"/people/{participant.study_id}/"
    return [Link(visit.name, f"{base}{visit.code}/pack.pdf") for visit in visits if visit.code in there]


def scan_panel(participant: Participant, visit: Visit, instrument: str, user: User) -> ScanPanel:
    """The scans of one form that the user may see, without those struck, and where one is attached."""
    may_see = user.access.may(Action.VIEW_SCAN, participant.site)
    scans = Scan.objects.filter(visit=visit, instrument=instrument, strike=None) if may_see else ()
    manage = None
    if user.access.may(Action.ENTER_FORM, participant.site):
        url = reverse("paper:scans", args=[participant.study_id, visit.code, instrument])
        manage = Link("Attach or strike a scan", url)
    return ScanPanel([_shown(scan, number) for number, scan in enumerate(scans, start=1)], manage)


def scans_url(scan: Scan) -> str:
    """The page of the scans of the same form."""
    return reverse("paper:scans", args=[scan.participant.study_id, scan.visit.code, scan.instrument])


def _shown(scan: Scan, number: int) -> ScanView:
    pages = range(1, scan.n_pages + 1) if scan.has_pictures else ()
    pictures = [
        (reverse("paper:scan_picture", args=[scan.pk, page]), f"Scan {number}, page {page} of {scan.n_pages}")
        for page in pages
    ]
    label = f"Scan {number}, {short_date(scan.attached_at)}"
    return ScanView(label, pictures, Link(f"Download the file ({scan.get_kind_display()})", f"/scans/{scan.pk}/file/"))
