"""Forms of requests, disposals, redactions and breaches: they read and validate, they do not save."""

from typing import Any

from django import forms

from trial.access.forms import secret_field
from trial.base.fields import ChoiceField, DateField, DateTimeField, NumberField, TextField
from trial.participants.models import Disposal
from trial.participants.redaction import MARKERS
from trial.rights.breaches import CATEGORIES
from trial.rights.models import Breach, SubjectRequest

SEALED = "It is stored sealed"
NO_NAMES = "Do not write anybody's name or number"


class RequestForm(forms.Form):
    """What somebody asks about their data."""

    kind = ChoiceField(label="What does the person ask for?", choices=SubjectRequest.Kind.choices)
    received_date = DateField(label="When did the request come?", what="date", not_in_future=True, quick=True)
    identity_check = ChoiceField(
        label="How do you know that it is this person?",
        what="how you know that it is this person",
        choices=SubjectRequest._meta.get_field("identity_check").choices or [],
    )
    asked = TextField(label="What did they ask, in their words?", rows=4, max_length=2000, help_text=SEALED)


class ExtendForm(forms.Form):
    """Two further months, and why."""

    reason = TextField(
        label="Why is more time needed?", what="why more time is needed", rows=3, max_length=1000, help_text=SEALED
    )


class DecideForm(forms.Form):
    """The decision on a request."""

    decision = ChoiceField(label="Decision", choices=SubjectRequest.Decision.choices)
    reason = TextField(label="Why?", what="why", rows=4, max_length=2000, help_text=SEALED)
    told_date = DateField(
        label="When was the person told?", what="date", required=False, not_in_future=True, quick=True
    )


class AskDisposalForm(forms.Form):
    """Why a person's protected details are to be destroyed."""

    why = ChoiceField(
        label="Why?",
        what="why",
        choices=[c for c in Disposal.Why.choices if c[0] != Disposal.Why.NEVER_CONSENTED],
    )
    reason = TextField(label="What is it based on?", what="what it is based on", max_length=300, help_text=NO_NAMES)


class DecideDisposalForm(forms.Form):
    """Another person agrees and signs, or says why the details stay."""

    decision = ChoiceField(
        label="Destroy the protected details for ever?",
        what="what you decide",
        choices=[("agree", "Yes, destroy them. It cannot be undone"), ("refuse", "No, they stay")],
    )
    refusal = TextField(label="Why do they stay?", required=False, max_length=300, help_text=NO_NAMES)
    secret = secret_field()

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["secret"].required = False

    def clean(self) -> None:
        """Agreeing is signed; a refusal has its reason."""
        decision = self.cleaned_data.get("decision")
        if decision == "agree" and not self.cleaned_data.get("secret"):
            self.add_error("secret", "Enter your password")
        if decision == "refuse" and not self.cleaned_data.get("refusal"):
            self.add_error("refusal", "Enter why they stay")


class RedactForm(forms.Form):
    """Which text is replaced by a marker, and why."""

    text = ChoiceField(label="Which text?", what="the text")
    marker = ChoiceField(
        label="Why must it go?",
        what="why it must go",
        choices=[(code, words[0].upper() + words[1:]) for code, words in MARKERS.items()],
    )
    reason = TextField(label="Who asked, and what was wrong?", what="the reason", max_length=300, help_text=NO_NAMES)

    def __init__(self, choices: list[tuple[str, str]], data: Any = None) -> None:
        super().__init__(data)
        self.fields["text"].choices = choices  # type: ignore[attr-defined]


class BreachForm(forms.Form):
    """What happened to personal data."""

    kind = ChoiceField(label="What happened to the data?", what="what happened", choices=Breach.Kind.choices)
    discovered_at = DateTimeField(
        label="When did the team become aware of it?",
        what="time",
        not_in_future=True,
        help_text="The 72 hours start here",
    )
    happened_date = DateField(label="When did it happen?", what="date", required=False, not_in_future=True)
    what = TextField(label="What happened?", what="what happened", rows=5, max_length=3000, help_text=NO_NAMES)
    categories = forms.MultipleChoiceField(
        label="Which kinds of data?",
        choices=list(CATEGORIES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Select which kinds of data", "invalid_choice": "Select kinds from the list"},
    )
    n_people = NumberField(label="About how many people?", what="number of people", min_value=0, max_value=1_000_000)


class RiskForm(forms.Form):
    """The risk to people."""

    risk = ChoiceField(label="Risk to the people concerned", what="the risk", choices=Breach.Risk.choices)
    reason = TextField(label="Why?", what="why", rows=3, max_length=2000, help_text=NO_NAMES)
    n_people = NumberField(label="About how many people?", what="number of people", min_value=0, max_value=1_000_000)


class IcoForm(forms.Form):
    """When the ICO was told, or why not."""

    told_at = DateTimeField(
        label="When was the ICO told?", what="time", required=False, not_in_future=True, help_text="Leave empty if not"
    )
    reference = TextField(label="Reference of the ICO", max_length=60, required=False)
    reason = TextField(
        label="If it was not told, or after 72 hours: why?", rows=3, max_length=2000, required=False, help_text=NO_NAMES
    )


class PeopleToldForm(forms.Form):
    """When the people concerned were told, or why not."""

    told_date = DateField(
        label="When were they told?", what="date", required=False, not_in_future=True, help_text="Leave empty if not"
    )
    reason = TextField(label="If not: why?", rows=3, max_length=2000, required=False, help_text=NO_NAMES)


class NoteForm(forms.Form):
    """A line of the timeline."""

    text = TextField(label="What was done or found?", what="what was done", rows=3, max_length=2000, help_text=NO_NAMES)
