"""Which departures from the protocol say which group somebody is in (BR-26): values in, value out."""

from trial.deviations.models import Deviation

Kind = Deviation.Kind
ALWAYS_REVEAL = frozenset({Kind.OTHER_ARM, Kind.ACTIVITY})
"""What happened at a session, or in another group, says where the person was."""


def reveals_arm(kind: str, *, said: bool) -> bool:
    """Whether a deviation stays from blinded roles: its kind says so, or the person who recorded it."""
    return said or kind in ALWAYS_REVEAL
