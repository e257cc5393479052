"""The study before its first referral: protocol, licences, scheme, providers, venues and groups."""

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

import instruments
from trial.access.models import Site
from trial.access.policy import Role
from trial.activities import actions as activities
from trial.activities.models import Provider, Venue
from trial.assessments.licence_actions import record_licence
from trial.consent.actions import load_documents
from trial.demo import documents, office, opening
from trial.demo.agenda import Agenda
from trial.demo.calendar import WEEKS_SINCE_RECRUITMENT, Calendar, local_moment, weeks_to_shift
from trial.demo.staff import Staff
from trial.demo.stage import Stage
from trial.protocol import actions as protocol
from trial.protocol.shift import shift_weeks
from trial.protocol.working_time import LONDON

PROTOCOL = Path(settings.BASE_DIR) / "trial" / "protocol" / "library" / "greenrx_f.json"
PLACES_LEFT = 2
"""At each site: the scheme ends at the protocol's target, and the demonstration goes on randomising."""
PROVIDER = {
    "01": ("Tamar Valley Activities", ("Bere Ferry hall and field", "Weir Head centre")),
    "02": ("Exe Coast Together", ("Estuary community centre", "Sandhills pavilion")),
    "03": ("Moorside Neighbours", ("Clapper Bridge hall", "High Tor centre")),
}
"""Provider and venues of each site. Both groups of a wave meet where indoors and outdoors are at hand."""
MORNING, AFTERNOON = time(10, 0), time(14, 0)


def protocol_data(today: date, weeks_since: int = WEEKS_SINCE_RECRUITMENT) -> dict[str, Any]:
    """The protocol GREENRX-F, moved to lie around `today`, with room to randomise a few more people."""
    data: dict[str, Any] = json.loads(PROTOCOL.read_text(encoding="utf-8"))
    ends = date.fromisoformat(data["recruitment"]["ends"])
    data = shift_weeks(data, weeks_to_shift(ends, today, weeks_since))
    for site in data["sites"]:
        site["target"] += PLACES_LEFT
    data["recruitment"]["target"] = sum(site["target"] for site in data["sites"])
    return data


def set_up(*, now: datetime, seed: str, weeks_since: int, with_acceptance_test: bool = True) -> Stage:
    """Set the study up as its office would have done before recruitment began."""
    today = now.astimezone(LONDON).date()
    data = protocol_data(today, weeks_since)
    began = date.fromisoformat(data["protocol"]["date"]) + timedelta(days=10)
    at = local_moment(began, 10)
    agenda, staff = Agenda(now), Staff(today)
    stages: list[Stage] = []

    def begin(moment: datetime) -> None:
        staff.hire(since=began)
        by = staff("manager")
        version = protocol.activate(version=protocol.load(source=json.dumps(data), by=by, at=moment), by=by, at=moment)
        load_documents(version=version, by=by)
        staff.appoint(moment)
        stage = Stage(Calendar(version.spec, now), staff, agenda, seed, version)
        stage.sites = {site.code: site for site in Site.objects.all()}
        stages.append(stage)
        _license(stage, moment)

    agenda.at(at, begin)
    agenda.at(at + timedelta(days=1), lambda moment: office.prepare(stages[0], moment, with_test=with_acceptance_test))
    agenda.at(at + timedelta(days=2), lambda moment: documents.upload_all(stages[0], moment))
    agenda.at(at + timedelta(days=4), lambda moment: _make_groups(stages[0]))
    agenda.at(at + timedelta(days=4, hours=1), lambda moment: opening.plan(stages[0]))
    agenda.play()
    return stages[0]


def _license(stage: Stage, at: datetime) -> None:
    """Licences that say in so many words that they are none."""
    for used in stage.spec.instruments:
        instrument = instruments.get(used.code, used.version)
        if instrument.licence.registration_required:
            record_licence(
                instrument=instrument,
                reference="DEMONSTRATION ONLY, not a licence",
                holder=stage.spec.study.sponsor,
                licence_date=stage.calendar.day_of(at),
                by=stage.staff("manager"),
                at=at,
            )


def _make_groups(stage: Stage) -> None:
    """Two waves at each site, a group of each arm in each wave. A leader keeps to one arm."""
    for code, site in stage.sites.items():
        venues = _venues(stage, code)
        for wave in stage.calendar.waves(code):
            for arm, start in enumerate(wave.starts):
                is_morning = (arm + wave.number + int(code)) % 2 == 0 or (code, wave.number) == ("01", 2)
                plan = activities.GroupPlan(
                    name=f"{start:%A} {'morning' if is_morning else 'afternoon'} group",
                    arm_number=arm,
                    wave=wave.number,
                    venue=venues[arm],
                    leader=stage.staff.at(Role.ACTIVITY_LEADER, code, arm),
                    start_date=start,
                    start_time=MORNING if is_morning else AFTERNOON,
                )
                by = stage.staff.at(Role.COORDINATOR, code)
                stage.groups[code, wave.number, arm] = activities.create_group(site=site, plan=plan, by=by)


def _venues(stage: Stage, site: str) -> list[Venue]:
    name, places = PROVIDER[site]
    by, reviewed = stage.staff("manager"), stage.calendar.opens(site) - timedelta(days=21)
    provider = Provider(
        name=name,
        insurance_expires_date=stage.calendar.today + timedelta(days=120 + 40 * int(site)),
        safeguarding_phone=f"01632 9607{site}",
    ).save_by(by)
    return [
        Venue(
            provider=provider,
            name=place,
            access_notes="Level entrance, accessible toilet, bus stop 200 metres away.",
            risk_assessment_version="1",
            risk_assessment_reviewed_date=reviewed,
            has_mobile_signal=site != "03",
        ).save_by(by)
        for place in places
    ]
