"""What people enter about alerts and adverse events."""

from typing import Any

from django import forms

from trial.base.fields import ChoiceField, DateField, TextField, YesNoField
from trial.base.widgets import CheckBoxes
from trial.protocol.spec import ProtocolSpec
from trial.safety.event_actions import EventData
from trial.safety.models import AdverseEvent, RiskAlert
from trial.safety.reads import category_choices

NO_NAMES = "Do not write names, addresses or telephone numbers."


class AssessmentForm(forms.Form):
    """The graded assessment of an alert (BR-51)."""

    level = ChoiceField(
        label="How high is the risk?",
        choices=RiskAlert.Level.choices,
        error_messages={"required": "Select how high the risk is"},
    )
    actions_taken = TextField(
        label="What was done?",
        help_text=f"Attempts to reach the person, what they said, what you agreed. {NO_NAMES}",
        rows=5,
        max_length=4000,
        error_messages={"required": "Enter what was done"},
    )
    gp_informed_date = DateField(
        label="When was the GP told?", what="date the GP was told", required=False, quick=True, not_in_future=True
    )


class EventForm(forms.Form):
    """One adverse event as the site reports it."""

    onset_date = DateField(label="When did it start?", what="date it started", quick=True, not_in_future=True)
    aware_date = DateField(
        label="When did the study team become aware of it?",
        what="date the team became aware",
        quick=True,
        not_in_future=True,
    )
    category = ChoiceField()
    description = TextField(
        label="What happened?", help_text=NO_NAMES, rows=5, error_messages={"required": "Enter what happened"}
    )
    severity = ChoiceField(
        label="How severe was it?",
        choices=AdverseEvent.Severity.choices,
        error_messages={"required": "Select how severe it was"},
    )
    seriousness = forms.MultipleChoiceField(
        label="Was it serious? Tick every one that applies",
        help_text="If none applies, tick none. A serious event goes to the sponsor within 24 hours.",
        choices=AdverseEvent.Serious.choices,
        widget=CheckBoxes(),
        required=False,
        error_messages={"invalid_choice": "Tick only what is on the list"},
    )
    related_to_activity = ChoiceField(
        label="Was it related to the activity?",
        choices=AdverseEvent.Relatedness.choices,
        error_messages={"required": "Select whether it was related to the activity"},
    )
    related_to_procedures = ChoiceField(
        label="Was it related to anything else in the study, such as a questionnaire?",
        choices=AdverseEvent.Relatedness.choices,
        error_messages={"required": "Select whether it was related to anything else in the study"},
    )
    outcome = ChoiceField(
        label="How is the person now?",
        choices=AdverseEvent.Outcome.choices,
        error_messages={"required": "Select how the person is now"},
    )
    resolved_date = DateField(
        label="When did it end?", what="date it ended", required=False, quick=True, not_in_future=True
    )

    def __init__(self, *args: Any, spec: ProtocolSpec, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"] = ChoiceField(
            label="What kind of event was it?",
            choices=category_choices(spec),
            error_messages={"required": "Select what kind of event it was"},
        )

    @property
    def data_of_event(self) -> EventData:
        """The cleaned fields as the action takes them."""
        return EventData(**{**self.cleaned_data, "seriousness": tuple(self.cleaned_data["seriousness"])})


class EventChangeForm(EventForm):
    """The same, with the reason for the change (BR-63)."""

    reason = TextField(
        label="Why are you changing this?",
        max_length=300,
        error_messages={"required": "Enter why you are changing this"},
    )

    @property
    def data_of_event(self) -> EventData:
        """The cleaned fields but the reason."""
        fields = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return EventData(**{**fields, "seriousness": tuple(fields["seriousness"])})


class EventReviewForm(forms.Form):
    """A signed judgement of an event beside the site's (BR-58)."""

    related_to_activity = ChoiceField(
        label="Related to the activity",
        choices=AdverseEvent.Relatedness.choices,
        error_messages={"required": "Select whether it is related to the activity"},
    )
    related_to_procedures = ChoiceField(
        label="Related to anything else in the study",
        choices=AdverseEvent.Relatedness.choices,
        error_messages={"required": "Select whether it is related to anything else in the study"},
    )
    expected = YesNoField(
        label="Was an event of this kind and severity expected?",
        help_text="Expected means: listed in the protocol as foreseeable.",
        error_messages={"required": "Select yes or no: was it expected?"},
    )
    comment = TextField(label="Comment", help_text=NO_NAMES, rows=3, max_length=2000, required=False)
    secret = TextField(
        label="Your password, or the code from your authenticator app",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        max_length=200,
        error_messages={"required": "Enter your password or code to sign"},
    )
