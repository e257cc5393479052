"""After allocation: a group, the welcome call, and the questionnaires of each visit."""

from datetime import date, datetime, timedelta

from trial.activities import actions as activities
from trial.activities.models import ActivityGroup
from trial.allocation.reads import arm_number_of
from trial.assessments.expected import FormState, expected_forms_of
from trial.attendance.models import Mark
from trial.demo import events
from trial.demo.calendar import local_moment
from trial.demo.plan import Part
from trial.demo.stage import Case, Mode
from trial.journey import steps
from trial.messages import actions as messages
from trial.participation.rules import collects_answers
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import VisitSpec

RETURNED = {"V2": 0.93, "V3": 0.91, "V4": 0.86}
"""Share of people who answer at a visit."""
EARLY, LATE = 0.03, 0.07
ANSWERED_MINUTES_AGO = 25
NOT_DONE, UNFINISHED = 0.025, 0.02
"""Shares of single forms of an answered visit."""


class FollowUp:
    """Writes into the agenda what follows one allocation."""

    def __init__(self, case: Case) -> None:
        self.case, self.stage, self.plan = case, case.stage, case.plan
        self.rng = self.stage.draws(case.plan.number, "follow-up")
        self.day0 = case.participant.randomised_date or self.stage.calendar.today

    def begin(self) -> None:
        """Place the person, ring them, and ask the questions of each visit."""
        calendar = self.stage.calendar
        placed_on = calendar.next_working(self.day0 + timedelta(days=self.rng.randint(1, 3)))
        if self.plan.wave:
            self.stage.agenda.at(local_moment(placed_on, 9, self.rng.randint(5, 50)), self.place)
        rung_on = calendar.next_working(self.day0 + timedelta(days=self.rng.randint(1, 3)))
        self.stage.agenda.at(local_moment(rung_on, 15, self.rng.randint(1, 50)), self.welcome)
        for visit in protocol_rules.visits_after_randomisation(self.stage.spec):
            self._plan_visit(visit)
        events.play_part(self.case, self.day0)

    def place(self, at: datetime) -> None:
        """Into the group of the allocated arm in the person's wave."""
        by, participant = self.case.coordinator, self.case.participant
        arm = arm_number_of(participant, by=by, at=at, reason="Placing in a group")
        if arm is None:
            return
        self.case.arm = arm
        group = self.stage.groups[self.plan.site, self.plan.wave, arm]
        joins = max(group.start_date, self.stage.calendar.day_of(at))
        activities.add_member(participant=participant, group=group, from_date=joins, by=by, at=at)
        messages.close_task(key=f"group:{participant.pk}", by=by, at=at)
        self._settle_around(group, joins)

    def _settle_around(self, group: ActivityGroup, joins: date) -> None:
        """The first session's day, the end of the activity and the end of the last visit move the person on."""
        ends = protocol_rules.activity_ends(self.stage.spec, group.start_date) + timedelta(days=1)
        last = protocol_rules.window(protocol_rules.final_visit(self.stage.spec), self.day0).closes + timedelta(days=1)
        for day in (joins, ends, last):
            self.stage.agenda.at(local_moment(day, 17, 30), self.settle)

    def settle(self, at: datetime) -> None:
        """T13 to T16, as the nightly job makes them."""
        steps.settle(self.case.participant, by=None, at=at, on=self.stage.calendar.day_of(at))

    def welcome(self, at: datetime) -> None:
        """The welcome call."""
        steps.contact(
            referral=self.case.referral,
            contacted_at=at,
            channel="phone",
            outcome="two_way",
            duration_min=self.rng.randint(5, 15),
            by=self.case.coordinator,
            at=at,
        )
        messages.close_task(key=f"welcome:{self.case.participant_id}", by=self.case.coordinator, at=at)

    # -- questionnaires

    def _plan_visit(self, visit: VisitSpec) -> None:
        """When the person answers, if they do: around the target, now and then early or late (BR-31)."""
        window = protocol_rules.window(visit, self.day0)
        if visit.code == "V2" and self.plan.part in (Part.ALERT_TODAY, Part.ALERT_CLOSED):
            today = self.stage.now - timedelta(minutes=ANSWERED_MINUTES_AGO)
            then = today if self.plan.part == Part.ALERT_TODAY else local_moment(window.target, 11, 12)
            self.stage.agenda.at(then, lambda at: self.answer(visit.code, at))
            return
        if self.rng.random() > RETURNED[visit.code]:
            return
        drawn = self.rng.random()
        day = window.target + timedelta(days=self.rng.randint(-4, 6))
        if drawn < EARLY:
            day = window.opens - timedelta(days=self.rng.randint(1, 3))
        elif drawn < EARLY + LATE and visit is not protocol_rules.final_visit(self.stage.spec):
            day = window.closes + timedelta(days=self.rng.randint(1, 9))
        hour = self.rng.randint(9, 20)
        self.stage.agenda.at(local_moment(day, hour, self.rng.randint(0, 40)), lambda at: self.answer(visit.code, at))

    def answer(self, visit: str, at: datetime) -> None:
        """Answer every form of a visit, as far as the person still does."""
        participant, day = self.case.participant, self.stage.calendar.day_of(at)
        if participant.died_date or not collects_answers(participant.participation_changes.all(), day):
            return
        forms = [
            form for form in expected_forms_of(participant, on=day) if form.visit_code == visit and not form.status
        ]
        for number, form in enumerate(forms):
            self._one(visit, form, at + timedelta(minutes=2 * number), is_last=form is forms[-1])
        if visit == protocol_rules.final_visit(self.stage.spec).code:
            self.settle(at + timedelta(minutes=30))

    def _one(self, visit: str, form: FormState, at: datetime, *, is_last: bool) -> None:
        drawn = self.rng.random()
        if drawn < NOT_DONE and not form.instrument.startswith("phq"):
            reason = self.rng.choice(("DECLINED", "NO_TIME", "UNWELL", "PAPER_LOST"))
            self.case.not_done(visit, form.instrument, reason, at)
            return
        filled = self.case.filled(visit, form.instrument, self._group_sessions(at))
        filled = events.worrying(self.case, visit, form.instrument, filled)
        mode = self.case.mode_for(visit, form.instrument)
        if is_last and drawn > 1 - 8 * UNFINISHED and mode == Mode.SELF_WEB:
            filled = self.case.draft(filled, form.instrument)
            self.case.answer(visit, form.instrument, filled, mode=mode, at=at, submit=False)
            return
        self.case.answer(visit, form.instrument, filled, mode=mode, at=at)
        if self.plan.part == Part.ALERT_CLOSED and visit == "V2":
            events.look_after(self.case, at)

    def _group_sessions(self, at: datetime) -> dict[str, int]:
        """Sessions of an organised nature group: the trial's own, or, for few of the others, one elsewhere."""
        if self.case.arm == 0:
            came = Mark.objects.current().filter(participant=self.case.participant_id, status__in=("full", "part"))
            return {"nc_group_sessions": came.filter(received_at__gte=at - timedelta(days=28)).count()}
        elsewhere = self.stage.draws(self.plan.number, "elsewhere").random() < 0.1
        return {"nc_group_sessions": int(elsewhere)}
