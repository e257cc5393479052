"""The screening log of who never consented: month, site, source, age band, sex and reasons, nothing else (R-43)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef

from trial.access.models import Site
from trial.participants.models import Referral, Status
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec
from trial.screening.models import IdentifierRemoval
from trial.screening.removal import CLOSED_WITHOUT_CONSENT

NOT_REACHED = "Could not be contacted"
HEADINGS = ("month", "site", "source", "age_band", "sex", "outcome", "reason", "further_reasons")


@dataclass(frozen=True)
class Line:
    """One person of the log. No number, no day, no name: nothing leads from it to a record."""

    month: date
    site: str
    source: str
    age_band: str
    sex: str
    outcome: str
    reason: str
    further: tuple[str, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """The line for a file, under HEADINGS."""
        month = f"{self.month:%Y-%m}"
        what = (self.site, self.source, self.age_band, self.sex, self.outcome, self.reason)
        return (month, *what, "; ".join(self.further))


@dataclass(frozen=True)
class Log:
    """The lines, how many there are of each outcome and reason, and what the rule has removed."""

    lines: Sequence[Line]
    n_repeats: int
    n_removed: int

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """(outcome, primary reason, people), most people first."""
        counted = Counter((line.outcome, line.reason) for line in self.lines)
        rows = [(outcome, reason, n) for (outcome, reason), n in counted.items()]
        return sorted(rows, key=lambda row: (row[0], -row[2], row[1]))


def log_of(sites: Iterable[Site]) -> Log:
    """The log of some sites. A person with several records counts by the latest; how many more there are is a note."""
    ids = [site.pk for site in sites]
    closed = Referral.objects.filter(site__in=ids, status__in=CLOSED_WITHOUT_CONSENT)
    later = Referral.objects.filter(person=OuterRef("person"), pk__gt=OuterRef("pk"))
    latest = closed.filter(~Exists(later)).select_related("site", "protocol_version")
    lines = [_line(one) for one in latest]
    removed = IdentifierRemoval.objects.filter(person__referrals__site__in=ids).distinct().count()
    order = sorted(lines, key=lambda line: (line.month, *line.cells()), reverse=True)
    return Log(order, closed.count() - len(lines), removed)


def _line(referral: Referral) -> Line:
    spec = referral.protocol_version.spec
    status = Status(referral.status)
    label = _labels(spec, status)
    return Line(
        month=referral.received_date.replace(day=1),
        site=referral.site.name,
        source=referral.get_source_type_display(),
        age_band=referral.age_band or "Not known",
        sex=referral.get_sex_display(),
        outcome=str(status.label),
        reason=label.get(referral.close_reason, NOT_REACHED if status == Status.NOT_CONTACTABLE else "Not recorded"),
        further=tuple(label.get(code, code) for code in referral.further_reasons),
    )


def _labels(spec: ProtocolSpec, status: Status) -> dict[str, str]:
    """Words of the reason codes that a status may have."""
    if status == Status.DECLINED:
        return {reason.code: reason.label for reason in protocol_rules.reasons(spec, "decline")}
    return {criterion.code: criterion.reason.label for criterion in protocol_rules.prescreen_criteria(spec)}
