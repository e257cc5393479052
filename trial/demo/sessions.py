"""Weekly sessions: held, moved or cancelled, with the leader's register of each."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from trial.access.policy import Role
from trial.activities import actions as activities
from trial.activities.models import ActivityGroup, Membership, Session
from trial.activities.reads import expected_members
from trial.attendance import actions as attendance
from trial.attendance.models import Mark
from trial.demo import words
from trial.demo.agenda import Entry
from trial.demo.calendar import meeting_day
from trial.demo.stage import Stage
from trial.journey import steps
from trial.messages import actions as messages
from trial.messages.models import Task

CANCELLED, LATE_ENTRY = 0.07, 0.06
HABITS = (("regular", "patchy", "drifts_away", "never_starts"), (69, 14, 9, 8))
PRESENT = {"regular": 0.92, "patchy": 0.66, "drifts_away": 0.85, "never_starts": 0.0}
ABSENCES = ("UNWELL", "WORK_CARE", "TRAVEL", "WEATHER", "AWAY", "GROUP", "FORGOT")
VISITED, VISITOR_AT = "02", 6
CONFLICT_AT = 4


class Registers:
    """Writes every session of every group into the agenda."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.meets = meeting_day(stage.calendar.today)

    def begin(self) -> None:
        """Each session ends with its register; some are moved or cancelled before they begin."""
        holidays = self.stage.spec.calendar.bank_holidays
        for (site, wave, arm), group in self.stage.groups.items():
            for session in group.sessions.all():
                rng = self.stage.draws("session", site, wave, arm, session.number)
                day = self.stage.calendar.day_of(session.starts_at)
                if (site, wave) == ("01", 2) and self.meets - timedelta(days=6) <= day:
                    self._this_week(session, arm, rng)
                elif day in holidays:
                    self._move(session, rng)
                elif rng.random() < CANCELLED:
                    self.stage.agenda.at(session.starts_at - timedelta(hours=2), self._cancelling(session, rng))
                else:
                    self._hold(session, rng)

    def _this_week(self, session: Session, arm: int, rng: Random) -> None:
        """One register is still to be taken today, the other was begun and not finished."""
        if arm == 1:
            self.stage.agenda.at(session.ends_at, lambda at: self._mark(session, rng, at, share=0.5))

    def _move(self, session: Session, rng: Random) -> None:
        def run(at: datetime) -> None:
            by = self.stage.staff.at(Role.COORDINATOR, session.group.site.code)
            later = {name: getattr(session, name) + timedelta(days=1) for name in ("starts_at", "ends_at")}
            activities.move_session(session=session, **later, reason="Bank holiday", by=by)
            session.refresh_from_db()

        self.stage.agenda.at(session.starts_at - timedelta(days=7), run)
        self.stage.agenda.at(session.ends_at + timedelta(days=1, minutes=10), lambda at: self._finish(session, rng, at))

    def _cancelling(self, session: Session, rng: Random) -> Entry:
        reason = rng.choice(words.CANCELLED)

        def run(at: datetime) -> None:
            by = self.stage.staff.at(Role.COORDINATOR, session.group.site.code)
            activities.cancel_session(session=session, reason=reason, by=by)

        return run

    def _hold(self, session: Session, rng: Random) -> None:
        after = timedelta(minutes=rng.randint(5, 40))
        if rng.random() < LATE_ENTRY:
            after += timedelta(days=rng.randint(3, 5))
        self.stage.agenda.at(session.ends_at + after, lambda at: self._finish(session, rng, at))

    def _finish(self, session: Session, rng: Random, at: datetime) -> None:
        """Take the register of one session and finish it; without anybody to expect it is cancelled."""
        if not expected_members(session):
            by = self.stage.staff.at(Role.COORDINATOR, session.group.site.code)
            activities.cancel_session(session=session, reason=Session.CancelReason.LOW_NUMBERS, by=by)
            return
        self._mark(session, rng, at)
        self._visit(session, at)
        attendance.complete_session(session=session, by=session.group.leader, at=at)
        self._ring_absent(session.group, at)
        if (session.group.site.code, session.group.wave, session.number) == ("01", 2, CONFLICT_AT):
            self._contradict(session, at + timedelta(minutes=20))

    # -- marks

    def _mark(self, session: Session, rng: Random, at: datetime, share: float = 1.0) -> None:
        """Check the risk and mark everybody, or the first share of them."""
        leader = session.group.leader
        activities.confirm_risk_check(
            session=session, checked_at=session.starts_at - timedelta(minutes=15), by=leader, at=at
        )
        members = expected_members(session)
        for number, member in enumerate(members[: max(1, round(len(members) * share))]):
            status, minutes, why = self._comes(member, session, rng)
            attendance.mark(
                key=UUID(int=rng.getrandbits(128), version=4),
                session=session,
                participant=member.participant,
                status=status,
                minutes=minutes,
                companion=rng.random() < 0.04,
                absence_reason=why,
                by=leader,
                captured_at=session.starts_at + timedelta(minutes=5, seconds=9 * number),
                at=at,
            )

    def _comes(self, member: Membership, session: Session, rng: Random) -> tuple[str, int | None, str]:
        """Status, minutes and reason for absence, by the person's habit."""
        own = self.stage.draws("habit", self.stage.cases[member.participant_id].plan.number)
        habit = own.choices(*HABITS)[0]
        gone_from = own.randint(3, 6)
        drawn = rng.random()
        if habit == "never_starts":
            return (Mark.Status.NOT_STARTED if session.number < 4 else Mark.Status.ABSENT), None, ""
        if habit == "drifts_away" and session.number >= gone_from:
            return (Mark.Status.ABSENT if session.number < gone_from + 2 else Mark.Status.LEFT), None, ""
        if drawn > PRESENT[habit]:
            return self._absent(rng)
        if drawn < 0.1:
            return Mark.Status.PART, rng.choice((30, 45, 60, 75, 90)), ""
        return Mark.Status.FULL, None, ""

    def _absent(self, rng: Random) -> tuple[str, int | None, str]:
        kind = rng.choices((Mark.Status.ABSENT_TOLD, Mark.Status.ABSENT, Mark.Status.EXCUSED), (58, 34, 8))[0]
        return kind, None, "" if kind == Mark.Status.ABSENT else rng.choice(ABSENCES)

    def _visit(self, session: Session, at: datetime) -> None:
        """Once somebody of the other arm comes along, which is a deviation (BR-41)."""
        group = session.group
        is_time = group.site.code == VISITED and session.number >= VISITOR_AT
        if not is_time or Mark.objects.filter(status=Mark.Status.OTHER_ARM).exists():
            return
        here = [one for one in self.stage.cases.values() if one.plan.site == VISITED and one.plan.part is None]
        guest = next((one for one in here if one.arm not in (None, group.arm_number)), None)
        if guest is not None:
            attendance.mark(
                key=UUID(int=self.stage.draws("visitor").getrandbits(128), version=4),
                session=session,
                participant=guest.participant,
                status=Mark.Status.OTHER_ARM,
                by=group.leader,
                captured_at=session.starts_at,
                at=at,
            )

    def _contradict(self, session: Session, at: datetime) -> None:
        """A colleague's telephone sends another mark of the same person: the coordinator decides."""
        first = Mark.objects.current().filter(session=session, status=Mark.Status.FULL).order_by("pk").first()
        if first is None or at > self.stage.now or Mark.objects.undecided().exists():
            return
        attendance.mark(
            key=UUID(int=self.stage.draws("conflict").getrandbits(128), version=4),
            session=session,
            participant=first.participant,
            status=Mark.Status.ABSENT,
            by=self.stage.staff.at(Role.ACTIVITY_LEADER, "01", 1 - session.group.arm_number),
            captured_at=session.ends_at,
            at=at,
        )

    # -- absences

    def _ring_absent(self, group: ActivityGroup, at: datetime) -> None:
        """The coordinator rings whoever was absent twice without contact, a day or two later (BR-44)."""
        waiting = Task.objects.open().filter(kind="welfare_call", referral__participant__memberships__group=group)
        for task in waiting.filter(created_at=at).select_related("referral__participant", "referral__site"):
            person = self.stage.cases[task.referral.participant.pk].plan.number if task.referral else 0
            rng = self.stage.draws("welfare", person, at.date())
            day = self.stage.calendar.next_working(self.stage.calendar.day_of(at) + timedelta(days=rng.randint(1, 2)))
            moment = self.stage.some_time(rng, day, 10, 16)
            self.stage.agenda.at(moment, self._ringing(task, rng))

    def _ringing(self, task: Task, rng: Random) -> Entry:
        def run(at: datetime) -> None:
            if task.referral is None or not Task.objects.open().filter(pk=task.pk).exists():
                return
            by = self.stage.staff.at(Role.COORDINATOR, task.referral.site.code)
            outcome = rng.choices(("two_way", "message_left"), (70, 30))[0]
            steps.contact(referral=task.referral, contacted_at=at, channel="phone", outcome=outcome, by=by, at=at)
            messages.close_task(key=task.key, by=by, at=at)

        return run
