"""Forms about groups and their members: they read and validate, they do not save."""

from collections.abc import Iterable
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from trial.access.models import Site, User
from trial.access.policy import Role
from trial.activities.models import ActivityGroup, Venue
from trial.base.clock import parse_clock
from trial.base.fields import ChoiceField, DateField, NumberField, TextField
from trial.participants.models import Participant
from trial.protocol.spec import ProtocolSpec


class ClockField(TextField):
    """A time of the day, such as 10am or 14:30. Gives a `time`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "For example, 10am or 2:30pm")
        super().__init__(max_length=20, **kwargs)

    def to_python(self, value: Any) -> time | None:  # type: ignore[override]
        """Read the time."""
        text = super().to_python(value)
        if not text:
            return None
        clock = parse_clock(text)
        if clock is None:
            raise ValidationError(f"{self.subject} must be a time like 10am or 14:30", code="time")
        return clock

    def run_validators(self, value: Any) -> None:
        """The validators are for text."""


class GroupForm(forms.Form):
    """A new group of one site."""

    name = TextField(
        label="Name of the group",
        what="a name for the group",
        max_length=100,
        help_text="A day and a time, such as Thursday morning group. Nothing that tells what the group does",
        error_messages={"required": "Enter a name for the group"},
    )
    wave = NumberField(label="Wave", min_value=1, max_value=50)
    start_date = DateField(label="Date of the first session")
    start_time = ClockField(label="Start time", error_messages={"required": "Enter the start time"})

    field_order = ("name", "arm_number", "wave", "venue", "leader", "co_leader", "start_date", "start_time")

    def __init__(self, *args: Any, site: Site, spec: ProtocolSpec, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.venues = {str(venue.pk): venue for venue in Venue.objects.order_by("name")}
        self.leaders = {str(user.pk): user for user in leaders_of(site)}
        people = [(pk, str(user)) for pk, user in self.leaders.items()]
        arms = [(str(number), arm.label) for number, arm in enumerate(spec.arms)]
        self.fields["arm_number"] = _choice("Activity", "Select an activity", arms)
        self.fields["venue"] = _choice("Venue", "Select a venue", [(pk, str(v)) for pk, v in self.venues.items()])
        self.fields["leader"] = _choice("Leader", "Select a leader", people)
        self.fields["co_leader"] = ChoiceField(label="Co-leader", required=False, choices=people)
        self.order_fields(self.field_order)

    def clean_arm_number(self) -> int:
        """The arm's position in the protocol."""
        return int(self.cleaned_data["arm_number"])

    def clean_venue(self) -> Venue:
        """The venue itself."""
        return self.venues[self.cleaned_data["venue"]]

    def clean_leader(self) -> User:
        """The person."""
        return self.leaders[self.cleaned_data["leader"]]

    def clean_co_leader(self) -> User | None:
        """The person, or nobody."""
        return self.leaders.get(self.cleaned_data["co_leader"])


def _choice(label: str, missing: str, choices: list[tuple[str, str]]) -> ChoiceField:
    return ChoiceField(label=label, choices=choices, error_messages={"required": missing, "invalid_choice": missing})


def leaders_of(site: Site) -> list[User]:
    """Activity leaders of a site whose account works, by name."""
    holders = User.objects.filter(assignments__role=Role.ACTIVITY_LEADER, assignments__site=site, is_active=True)
    return list(holders.distinct().order_by("name", "pk"))


class AddMemberForm(forms.Form):
    """Who joins a group, from when."""

    field_order = ("study_id", "from_date")
    from_date = DateField(label="First day in the group", quick=True)

    def __init__(self, *args: Any, people: Iterable[Participant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {person.study_id: person for person in people}
        numbers = [(number, number) for number in self.people]
        self.fields["study_id"] = _choice("Who joins?", "Select a participant", numbers)
        self.order_fields(self.field_order)

    def clean_study_id(self) -> Participant:
        """The participant."""
        return self.people[self.cleaned_data["study_id"]]


class PlaceForm(forms.Form):
    """Which group a participant joins, from when."""

    field_order = ("group", "from_date")
    from_date = DateField(label="First day in the group", quick=True)

    def __init__(self, *args: Any, groups: Iterable[tuple[ActivityGroup, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = list(groups)
        self.groups = {str(group.pk): group for group, _ in found}
        labels = [(str(group.pk), label) for group, label in found]
        self.fields["group"] = _choice("Which group?", "Select a group", labels)
        self.order_fields(self.field_order)

    def clean_group(self) -> ActivityGroup:
        """The group."""
        return self.groups[self.cleaned_data["group"]]


class MoveMemberForm(PlaceForm):
    """Where a member goes, from when, and why."""

    reason = TextField(label="Why do they move?", max_length=100)


class EndMembershipForm(forms.Form):
    """When and why a member leaves."""

    to_date = DateField(label="Last day in the group", quick=True)
    reason = TextField(label="Why do they leave?", max_length=100)
