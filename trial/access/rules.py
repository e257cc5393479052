"""What makes an account personal, and which roles and duties go together: values in, value out."""

from collections.abc import Iterable
from datetime import date

from trial.access.models import Duty, RoleAssignment
from trial.access.policy import POLICY, Action, Role, incompatible

SHARED = frozenset(
    [
        "admin",
        "administrator",
        "contact",
        "enquiries",
        "everyone",
        "hello",
        "help",
        "info",
        "mail",
        "noreply",
        "no-reply",
        "nurse",
        "nurses",
        "office",
        "postmaster",
        "reception",
        "research",
        "root",
        "shared",
        "staff",
        "study",
        "support",
        "team",
        "test",
        "trial",
        "user",
        "webmaster",
    ]
)
"""What stands before the @ of an address that several people read."""

DUTY_ACTION: dict[str, Action] = {
    Duty.CONSENT: Action.RECORD_CONSENT,
    Duty.ELIGIBILITY: Action.SIGN_ELIGIBILITY,
    Duty.RANDOMISATION: Action.RANDOMISE,
    Duty.SAFETY: Action.ASSESS_ALERT,
}
"""What a role must allow before the duty means anything."""


def is_shared_address(email: str) -> bool:
    """Whether an address is that of a mailbox and not of a person (R-11)."""
    return email.partition("@")[0].strip().lower() in SHARED


def is_full_name(name: str) -> bool:
    """Whether a name has a first and a last part, as a signature prints it (R-11, R-18)."""
    return len(name.split()) >= 2


def blinding_of(role: Role, chosen: bool | None) -> bool | None:
    """Whether somebody in the role is blinded: as the policy says, else as chosen; None where nobody chose."""
    fixed = POLICY[role].blinded
    return chosen if fixed is None else fixed


def overlaps(assignment: RoleAssignment, from_date: date, to_date: date | None) -> bool:
    """Whether an assignment and a period share a day, both ends counted."""
    ends_before = assignment.to_date is not None and assignment.to_date < from_date
    starts_after = to_date is not None and assignment.from_date > to_date
    return not (ends_before or starts_after)


def clash(held: Iterable[RoleAssignment], role: Role, from_date: date, to_date: date | None) -> RoleAssignment | None:
    """The assignment that forbids the role on some day of the period (R-13)."""
    at_once = (one for one in held if overlaps(one, from_date, to_date))
    return next((one for one in at_once if incompatible(Role(one.role), role)), None)
