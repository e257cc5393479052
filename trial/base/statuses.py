"""Every status that a page may show: icon, colour and word, in one place (ux.md section 6).

Pages, exports and the key at the foot of the visit grid all read this module. Nobody sets a colour by hand: a status
is worked out from data, and its code leads here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """What one status looks like. `tone` names a colour of the style sheet, `icon` a shape of `icons`."""

    code: str
    word: str
    icon: str
    tone: str
    meaning: str = ""


class UnknownStatus(LookupError):
    """A template or an export asked for a status that this module does not list."""


def _group(*rows: tuple[str, ...]) -> dict[str, Status]:
    return {row[0]: Status(*row) for row in rows}


FORM = _group(
    ("not_due", "Not due yet", "circle", "grey", "Window not open"),
    ("due", "Due", "half", "blue", "In window, not started"),
    ("in_progress", "In progress", "dotted", "white", "Some answers saved"),
    ("overdue", "Overdue", "warning", "red", "Window closed, not complete"),
    ("complete", "Complete", "tick", "plain", "All required answers present"),
    ("query_open", "Query open", "query", "yellow", "At least one open query"),
    ("not_done", "Not done", "dash", "purple", "Recorded as not done, with reason"),
    ("locked", "Locked", "padlock", "green", "Signed or frozen"),
)

# What a person is asked to fill in before randomisation, as a list of tasks.
TASK = _group(
    ("cannot_start", "Cannot start yet", "circle", "grey"),
    ("not_started", "Not yet started", "half", "blue"),
    ("in_progress", "In progress", "dotted", "white"),
    ("completed", "Completed", "tick", "plain"),
    ("overdue", "Overdue", "warning", "red"),
    ("due_today", "Due today", "half", "blue"),
    ("next_7_days", "Next 7 days", "circle", "grey"),
    ("later", "Later", "circle", "grey"),
    ("open", "To do", "half", "blue"),
    ("done", "Done", "tick", "plain"),
    ("cancelled", "Cancelled", "dash", "purple"),
)

# domain.md section 3, in plain words, one to one.
PARTICIPANT = _group(
    ("referred", "Referred", "circle", "grey"),
    ("contacted", "Contacted", "half", "blue"),
    ("informed", "Given information", "half", "blue"),
    ("not_contactable", "Could not be contacted", "dash", "purple"),
    ("prescreen_ineligible", "Not eligible before consent", "dash", "purple"),
    ("declined", "Declined", "dash", "purple"),
    ("consented", "Consented", "dotted", "white"),
    ("screen_failed", "Not eligible", "dash", "purple"),
    ("eligible", "Eligible", "dotted", "white"),
    ("baseline_done", "Baseline complete", "tick", "plain"),
    ("withdrawn_before_randomisation", "Left before randomisation", "dash", "purple"),
    ("randomised", "Randomised", "half", "blue"),
    ("in_activity", "In activity", "half", "blue"),
    ("follow_up", "In follow-up", "half", "blue"),
    ("completed", "Completed", "tick", "plain"),
    ("ended_early", "Ended early", "dash", "purple"),
)

VISIT = _group(
    ("not_due", "Not due yet", "circle", "grey"),
    ("open", "Open", "half", "blue"),
    ("overdue", "Overdue", "warning", "red"),
    ("done", "Done", "tick", "plain"),
    ("done_early", "Done early", "tick", "plain"),
    ("done_late", "Done late", "tick", "plain"),
    ("missed", "Missed", "dash", "purple"),
    ("not_expected", "Not expected", "dash", "grey"),
)

REGISTER = _group(
    ("here", "Here", "tick", "plain"),
    ("absent", "Absent", "dash", "purple"),
    ("late", "Late", "half", "blue"),
    ("left_early", "Left early", "half", "blue"),
    ("cancelled", "Cancelled", "dash", "purple"),
    ("not_marked", "Not marked", "circle", "grey"),
)

SESSION = _group(
    ("planned", "Planned", "circle", "grey"),
    ("not_started", "Not started", "circle", "grey"),
    ("in_progress", "In progress", "dotted", "white"),
    ("delivered", "Delivered", "tick", "plain"),
    ("cancelled", "Cancelled", "dash", "purple"),
    ("moved", "Moved", "half", "blue"),
)

QUERY = _group(
    ("open", "Open", "query", "yellow"),
    ("answered", "Answered", "half", "blue"),
    ("closed", "Closed", "tick", "plain"),
)

MESSAGE = _group(
    ("queued", "Queued", "circle", "grey"),
    ("sent", "Sent", "tick", "plain"),
    ("delivered", "Delivered", "tick", "plain"),
    ("bounced", "Bounced", "warning", "red"),
    ("stopped", "Stopped", "dash", "purple"),
)

JOB = _group(
    ("waiting", "Waiting", "circle", "grey"),
    ("running", "Running", "dotted", "white"),
    ("done", "Done", "tick", "plain"),
    ("failed", "Failed", "warning", "red"),
)

ALERT = _group(
    ("open", "Open", "warning", "red"),
    ("acknowledged", "Being looked at", "half", "blue"),
    ("assessed", "Assessed", "dotted", "white"),
    ("overdue", "Overdue", "warning", "red"),
    ("closed", "Closed", "tick", "plain"),
)

CONSENT = _group(
    ("valid", "Valid", "tick", "plain"),
    ("due", "Due", "half", "blue"),
    ("superseded", "Superseded", "dash", "grey"),
    ("withdrawn", "Withdrawn", "dash", "purple"),
    ("invalid", "Not valid", "warning", "red"),
)

CHECK = _group(
    ("met", "Met", "tick", "plain"),
    ("not_met", "Not met", "warning", "red"),
)

GROUPS: dict[str, dict[str, Status]] = {
    "form": FORM,
    "task": TASK,
    "participant": PARTICIPANT,
    "visit": VISIT,
    "register": REGISTER,
    "session": SESSION,
    "query": QUERY,
    "message": MESSAGE,
    "job": JOB,
    "alert": ALERT,
    "consent": CONSENT,
    "check": CHECK,
}


def status(code: str, group: str = "") -> Status:
    """The status with this code, in `group` or, without one, in the first group that has it.

    Case does not matter: the journey writes codes in capitals.

    Raises:
        UnknownStatus: no such group, or no such code in it.
    """
    groups = [GROUPS.get(group, {})] if group else list(GROUPS.values())
    for statuses in groups:
        if code.lower() in statuses:
            return statuses[code.lower()]
    raise UnknownStatus(f"There is no status {code!r}" + (f" in the group {group!r}." if group else "."))
