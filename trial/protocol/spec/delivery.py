"""Sessions, registers, fidelity and adherence."""

from typing import Annotated

from pydantic import Field

from trial.protocol.spec.fields import Code, Days, Key, Line, Part, Positive, Share, Text


class GroupSize(Part):
    """Members of one activity group: fewest to start, planned, and most (BR-49)."""

    min: Positive
    target: Positive
    max: Positive


class SessionPlan(Part):
    """How many sessions, how far apart, and the weeks after the group's start in which they fit.

    More weeks than the sessions take are catch-up weeks.
    """

    sessions: Annotated[int, Field(ge=1, le=200)]
    interval_days: Annotated[int, Field(ge=1, le=60)]
    weeks: Annotated[int, Field(ge=1, le=104)]
    first_session_within_days: Days
    welcome_call_working_days: Days
    duration_min: Annotated[int, Field(ge=1, le=1_440)]
    waves: Positive
    groups_per_arm_and_site: Positive
    group_size: GroupSize


class RegisterRules(Part):
    """When a register is due, and what follows from silence (BR-42, BR-44, BR-45)."""

    due_hours: Positive
    absences_before_welfare_task: Positive
    lone_worker_alert_min: Positive


class ArmText(Part):
    """Words that differ between arms. Never shown to a blinded role (BR-26)."""

    arm: Key
    text: Text


class FidelityComponent(Part):
    """One component that a session is checked for; `by_arm` says what it means in each arm, if it differs."""

    code: Code
    label: Line
    by_arm: tuple[ArmText, ...] = ()


class Fidelity(Part):
    """Faithful: delivered / applicable of `faithful_from` or more, where partly counts `partly` (BR-48)."""

    faithful_from: Share
    partly: Share
    components: Annotated[tuple[FidelityComponent, ...], Field(min_length=1)]


class Adherence(Part):
    """Adherent: at least `min_sessions`, each attended for `attended_from` of its time or more (BR-46).

    Sensitivity: attended / offered of `sensitivity_from` or more.
    """

    min_sessions: Positive
    attended_from: Share
    sensitivity_from: Share
