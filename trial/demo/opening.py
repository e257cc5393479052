"""Each site's green light, signed by the trial manager and the investigator three days before it opens."""

from datetime import datetime, timedelta
from functools import partial

from trial.access.policy import Role
from trial.demo.calendar import local_moment
from trial.demo.stage import Stage
from trial.journey import green_light

DAYS_BEFORE = 3
EVIDENCE = {
    "SPONSOR": "Sponsor's letter, filed in the site file",
    "CAPACITY": "Confirmation of capacity and capability, filed",
    "AGREEMENT": "Model agreement, signed by both",
    "TRAINING": "Site initiation visit, list of those present",
    "NUMBERS": "Each number rung by the coordinator",
}


def plan(stage: Stage) -> None:
    """Write the signatures down, before each site's first day."""
    for code in stage.sites:
        day = stage.calendar.opens(code) - timedelta(days=DAYS_BEFORE)
        stage.agenda.at(local_moment(day, 11), partial(_open, stage, code))


def _open(stage: Stage, code: str, at: datetime) -> None:
    site, manager = stage.sites[code], stage.staff("manager")
    investigator = stage.staff.at(Role.PRINCIPAL_INVESTIGATOR, code)
    green_light.tick(site=site, ticks=EVIDENCE, by=manager)
    green_light.sign_as_manager(site=site, proof=stage.staff.proof(manager, at), by=manager, at=at)
    later = at + timedelta(hours=3)
    green_light.sign_as_investigator(site=site, proof=stage.staff.proof(investigator, later), by=investigator, at=later)
    stage.sites[code] = type(site).objects.get(pk=site.pk)
