"""What every scene of the demonstration needs: calendar, people, groups, and the actions with their usual arguments."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

import instruments
from trial.access.models import Site, User
from trial.access.policy import Role
from trial.activities.models import ActivityGroup
from trial.assessments import actions as assessments
from trial.assessments.models import Administration
from trial.demo import answers
from trial.demo.agenda import Agenda
from trial.demo.calendar import Calendar, local_moment
from trial.demo.paper import enter_again_later
from trial.demo.people import Somebody, somebody
from trial.demo.plan import Part, Plan
from trial.demo.staff import Staff
from trial.participants.models import Participant, Referral
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ProtocolSpec
from trial.schedule.models import Visit

Mode = Administration.Mode
RETIRED_DAYS = 67 * 365


@dataclass
class Stage:
    """The study as it is set up before the first person is referred.

    Attributes:
        groups: by site code, wave and position of the arm.
        cases: by primary key of the participant, from consent on.
    """

    calendar: Calendar
    staff: Staff
    agenda: Agenda
    seed: str
    version: ProtocolVersion
    sites: dict[str, Site] = field(default_factory=dict)
    groups: dict[tuple[str, int, int], ActivityGroup] = field(default_factory=dict)
    cases: "dict[int, Case]" = field(default_factory=dict)

    @property
    def spec(self) -> ProtocolSpec:
        """The protocol."""
        return self.version.spec

    @property
    def now(self) -> datetime:
        """The end of the story."""
        return self.calendar.now

    def draws(self, *parts: object) -> Random:
        """A generator for one thing of the story."""
        return answers.source(self.seed, *parts)

    def some_time(self, rng: Random, day: date, hour: int, until: int = 0) -> datetime:
        """A moment of a day from an hour on, within that hour unless a later one is given."""
        return local_moment(day, hour) + timedelta(minutes=rng.randint(1, 60 * max(1, until - hour) - 2))


@dataclass
class Case:
    """One referral on its way: its plan, who it is, and its records once they are there."""

    stage: Stage
    plan: Plan
    who: Somebody
    referral_id: int = 0
    participant_id: int = 0
    arm: int | None = None
    _visits: dict[str, Visit] = field(default_factory=dict)

    @classmethod
    def of(cls, stage: Stage, plan: Plan) -> "Case":
        """A person for a plan."""
        is_under_age = plan.ending == "PRESCREEN_INELIGIBLE" and plan.number % 4 == 0
        rng = stage.draws(plan.number, "person")
        who = somebody(rng, number=plan.number, site=plan.site, on=plan.last_day, is_under_age=is_under_age)
        return cls(stage, plan, who)

    @property
    def rng(self) -> Random:
        """A generator of the person's own path."""
        return self.stage.draws(self.plan.number, "path")

    @property
    def site(self) -> Site:
        """Where they are referred."""
        return self.stage.sites[self.plan.site]

    @property
    def referral(self) -> Referral:
        """The referral as it is now."""
        found = Referral.objects.select_related("site", "person", "protocol_version")
        return found.get(pk=self.referral_id)

    @property
    def participant(self) -> Participant:
        """The participant as they are now."""
        return Participant.objects.select_related(
            "referral__site", "referral__person", "referral__protocol_version", "number_site"
        ).get(pk=self.participant_id)

    def by(self, role: Role) -> User:
        """Whoever of a role looks after this person."""
        return self.stage.staff.at(role, self.plan.site, self.plan.number)

    def visit(self, code: str) -> Visit:
        """One visit; it stays the same row for good, so it is looked up once."""
        if code not in self._visits:
            participant = self.participant
            self._visits |= {row.code: row for row in participant.visits.all()}
            for row in self._visits.values():
                row.participant = participant
        return self._visits[code]

    @property
    def coordinator(self) -> User:
        """The coordinator who looks after this person."""
        return self.by(Role.COORDINATOR)

    def traits(self, visit: str) -> answers.Traits:
        """Where the person stands at a visit."""
        return answers.traits(self.stage.seed, self.plan.number, visit, self.arm)

    def filled(self, visit: str, instrument: str, known: dict[str, int] | None = None) -> answers.Filled:
        """What they answer."""
        rng = self.stage.draws(self.plan.number, visit, instrument)
        return answers.filled(instrument, rng, self.traits(visit), {**self._person(), **(known or {})})

    def _person(self) -> dict[str, int]:
        """What the questionnaire about the person asks and the referral says already."""
        born = self.who.data.birth_date
        sex = 2 if self.who.sex == "male" else 1
        is_retired = born is not None and (self.plan.last_day - born).days > RETIRED_DAYS
        gender = {"dem_gender": 3 if self.who.sex == "other" else sex}
        return {"dem_sex": sex, **gender, **({"dem_work": 3} if is_retired else {})}

    def answer(
        self, visit: str, instrument: str, filled: answers.Filled, *, mode: str, at: datetime, submit: bool = True
    ) -> Administration:
        """Store one form: by the person online, by an assessor on the telephone, or by the coordinator."""
        entered = {
            Mode.SELF_WEB: None,
            Mode.INTERVIEW_PHONE: self.by(Role.OUTCOME_ASSESSOR if visit in answers.GAINS else Role.COORDINATOR),
        }
        row = self.visit(visit)
        self.stage.agenda.now = at
        stored = assessments.save_form(
            participant=row.participant,
            visit=row,
            instrument=instrument,
            answers=filled.answers,
            missing=filled.missing,
            mode=mode,
            respondent="participant",
            completed_date=self.stage.calendar.day_of(at),
            by=entered.get(Mode(mode), self.coordinator),
            at=at,
            expected_revision=0,
            submit=submit,
        )
        enter_again_later(self.stage, stored, self.by(Role.OUTCOME_ASSESSOR), at)
        return stored

    def not_done(self, visit: str, instrument: str, reason: str, at: datetime) -> Administration:
        """Record that a form was not done."""
        row = self.visit(visit)
        self.stage.agenda.now = at
        return assessments.mark_not_done(
            participant=row.participant,
            visit=row,
            instrument=instrument,
            reason_code=reason,
            by=self.coordinator,
            at=at,
        )

    def draft(self, filled: answers.Filled, instrument: str) -> answers.Filled:
        """The first half of a form."""
        codes = [item.code for item in instruments.get(instrument).items]
        half = codes[: len(codes) // 2]
        return answers.Filled({code: value for code, value in filled.answers.items() if code in half}, {})

    def mode_for(self, visit: str, instrument: str) -> str:
        """How they answer at a visit: one way, as far as the form allows it."""
        is_online = self.plan.part == Part.FEWER_FORMS  # no longer by telephone or post
        chosen = 0.0 if is_online else self.stage.draws(self.plan.number, visit, "mode").random()
        wanted = [Mode.SELF_WEB if chosen < 0.55 else Mode.INTERVIEW_PHONE if chosen < 0.8 else Mode.SELF_PAPER]
        allowed = protocol_rules.form(self.stage.spec, visit, instrument).modes
        return str(next((mode for mode in wanted if mode in allowed), allowed[-1]))
