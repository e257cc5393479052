"""The demonstration's calendar: the protocol moved by whole weeks, working days, and when each group meets."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from trial.protocol.spec import ProtocolSpec
from trial.protocol.working_time import LONDON, is_working_day

WEEKS_SINCE_RECRUITMENT = 17
"""About four months: recruitment ended so long ago, unless the command is told otherwise."""
FRIDAY = 4


def weeks_to_shift(recruitment_ends: date, today: date, weeks_since: int = WEEKS_SINCE_RECRUITMENT) -> int:
    """Whole weeks by which the protocol moves so that its recruitment ended `weeks_since` weeks ago, or just before."""
    return (today - timedelta(weeks=weeks_since) - recruitment_ends).days // 7


def local_moment(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment (UTC) by the clock in London."""
    return datetime.combine(day, time(hour, minute), LONDON).astimezone(UTC)


def meeting_day(today: date) -> date:
    """The last weekday up to `today`: on it a group meets whose register is still to be taken."""
    return today - timedelta(days=max(today.weekday() - FRIDAY, 0))


@dataclass(frozen=True)
class Wave:
    """Two groups of one site, one in each arm.

    Attributes:
        starts: days of the first session, one for each arm of the protocol in turn.
    """

    number: int
    starts: tuple[date, date]

    @property
    def first(self) -> date:
        """The earlier first session."""
        return min(self.starts)


@dataclass(frozen=True)
class Calendar:
    """What happens when. All days are local ones (Europe/London)."""

    spec: ProtocolSpec
    now: datetime

    @property
    def today(self) -> date:
        """The day on which the demonstration is loaded."""
        return self.now.astimezone(LONDON).date()

    def working(self, day: date) -> date:
        """The day itself, or the last working day before it."""
        while not is_working_day(self.spec, day):
            day -= timedelta(days=1)
        return day

    def next_working(self, day: date) -> date:
        """The day itself, or the first working day after it."""
        while not is_working_day(self.spec, day):
            day += timedelta(days=1)
        return day

    def opens(self, site: str) -> date:
        """The day on which a site opened to recruitment."""
        return next(one.opens for one in self.spec.sites if one.code == site)

    def waves(self, site: str) -> tuple[Wave, Wave]:
        """The two waves of a site; the second of the first site is under way today, in its fifth week."""
        ends, meets = self.spec.recruitment.ends, meeting_day(self.today)
        first = self.opens(site) + timedelta(weeks=19 if site == "01" else 15)
        second = {"01": meets - timedelta(weeks=4), "02": ends + timedelta(weeks=5)}.get(
            site, ends - timedelta(weeks=1)
        )
        return self._wave(1, first, site), self._wave(2, second, site)

    def _wave(self, number: int, around: date, site: str) -> Wave:
        """Both groups meet on weekdays of their own; which arm comes first differs between sites."""
        one = self._weekday(around, 0 if number == 2 else 1)
        other = self._weekday(around, 4 if number == 2 else 3)
        return Wave(number, (one, other) if site != "02" else (other, one))

    def _weekday(self, around: date, offset: int) -> date:
        """The day up to six before `around` that is `offset` weekdays after today's meeting day, of five."""
        wanted = (meeting_day(self.today).weekday() + offset) % 5
        return around - timedelta(days=(around.weekday() - wanted) % 7)

    def day_of(self, moment: datetime) -> date:
        """The local day of a moment."""
        return moment.astimezone(LONDON).date()
