"""Posters that hang, and messages back to GPs and referrers: sent week by week, the last ones still due."""

from datetime import datetime, timedelta
from functools import partial

from trial.access.models import Site
from trial.access.policy import Role
from trial.demo.calendar import local_moment
from trial.demo.stage import Stage
from trial.interest import actions as interest
from trial.participants.choices import ReferralModel, SourceType
from trial.referrals import actions as messages_back
from trial.referrals.document import Recipient
from trial.referrals.models import MessageBack

PLACES = (
    ("Library, notice board", SourceType.VOLUNTARY, ReferralModel.SIGNPOSTING),
    ("Surgery, waiting room", SourceType.GP_PRACTICE, ReferralModel.SIGNPOSTING),
)
SENT_AFTER = timedelta(days=2)


def begin(stage: Stage) -> None:
    """Posters when each site opens; letters every week until today."""
    calendar = stage.calendar
    for site in Site.objects.all():
        opened = local_moment(calendar.working(calendar.opens(site.code)), 9, 40)
        stage.agenda.at(opened, partial(_hang_posters, stage, site))
    day = calendar.opens("01") + timedelta(days=14)
    while day < calendar.today:
        stage.agenda.at(local_moment(calendar.working(day), 15, 20), partial(_send_due, stage))
        day += timedelta(days=7)


def _hang_posters(stage: Stage, site: Site, at: datetime) -> None:
    by = stage.staff.at(Role.COORDINATOR, site.code, 0)
    for name, source, model in PLACES:
        interest.add_source(site=site, name=name, source_type=source, referral_model=model, by=by, at=at)


def _send_due(stage: Stage, at: datetime) -> None:
    """Every message that has waited for two days, printed and posted by the site's coordinator."""
    waiting = MessageBack.objects.filter(state=MessageBack.State.DUE, caused_at__lt=at - SENT_AFTER)
    for message in waiting.select_related("participant__referral__person"):
        known = messages_back.suggested(message)
        to = known if known.name else Recipient("Practice of the person")
        by = stage.cases[message.participant_id].coordinator
        messages_back.send(message=message, to=to, how=MessageBack.How.PRINT, by=by, at=at)
