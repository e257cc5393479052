"""Forms of the register: they read and validate, they do not save."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from trial.activities.forms import ClockField
from trial.activities.models import Session
from trial.attendance.models import Mark
from trial.attendance.rules import MEMBER_STATUSES, length_min
from trial.base.clock import local_moment
from trial.base.fields import ChoiceField, DateTimeField, NumberField, TextField, YesNoField
from trial.base.words import local_day
from trial.protocol.spec import ProtocolSpec

BUTTONS = {"here": Mark.Status.FULL, "absent": Mark.Status.ABSENT}


class TapForm(forms.Form):
    """One press of a button on a card: hidden fields only, so a wrong one is nobody's typing mistake."""

    person = forms.IntegerField(min_value=1, max_value=2**53)
    key = forms.UUIDField()
    replaces = forms.UUIDField(required=False)
    mark = forms.ChoiceField(choices=[(name, name) for name in BUTTONS])


class KeyForm(forms.Form):
    """A button that stands for many marks."""

    key = forms.UUIDField()


class MoreForm(forms.Form):
    """Everything that can be said about one person at one session."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    replaces = forms.UUIDField(widget=forms.HiddenInput, required=False)
    status = ChoiceField(
        label="What happened?",
        choices=[(status.value, status.label) for status in MEMBER_STATUSES],
        error_messages={"required": "Select what happened", "invalid_choice": "Select what happened"},
    )
    minutes = NumberField(
        label="How long were they there?",
        unit="minutes",
        required=False,
        min_value=1,
        help_text="Only if they came late or left early",
    )
    companion = YesNoField(label="Did somebody come with them?", required=False)

    def __init__(self, *args: Any, session: Session, spec: ProtocolSpec, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.length_min = length_min(session)
        reasons = [(reason.code, reason.label) for reason in spec.reasons.absence]
        self.fields["absence_reason"] = ChoiceField(label="Why were they absent?", choices=reasons, required=False)
        if needs_reason:
            self.fields["reason"] = TextField(
                label="Why does the register change?",
                max_length=200,
                help_text="The register is finished. The reason is kept with the change",
                error_messages={"required": "Say why the register changes"},
            )

    def clean(self) -> dict[str, Any]:
        """Minutes belong to a part; a reason belongs to an absence."""
        found: dict[str, Any] = super().clean() or {}
        is_part = found.get("status") == Mark.Status.PART
        minutes = found.get("minutes")
        if is_part and (minutes is None or minutes > self.length_min) and "minutes" not in self.errors:
            self.add_error("minutes", f"Enter how many minutes they were there, between 1 and {self.length_min}")
        if not is_part:
            found["minutes"] = None
        came = found.get("status") in (Mark.Status.FULL, Mark.Status.PART)
        found["absence_reason"] = "" if came else found.get("absence_reason", "")
        found["companion"] = bool(came and found.get("companion"))
        return found


class RiskCheckForm(forms.Form):
    """The dynamic risk check before a session (BR-43)."""

    safe = YesNoField(
        label="Is it safe to go ahead?",
        error_messages={"required": "Select yes or no", "invalid_choice": "Select yes or no"},
    )

    def __init__(self, *args: Any, session: Session, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session = session
        if at > session.ends_at:
            self.fields["clock"] = ClockField(
                label="When was the check made?",
                error_messages={"required": "Enter the time of the risk check"},
            )

    def clean_clock(self) -> datetime:
        """The moment on the day of the session."""
        moment = local_moment(local_day(self.session.starts_at), self.cleaned_data["clock"])
        if moment is None:
            raise ValidationError("The time of the risk check must be real: the clocks went forward that day")
        return moment


class VisitorForm(forms.Form):
    """Somebody from a group of the other activity."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    study_id = TextField(
        label="Study number",
        max_length=20,
        help_text="For example, GRX-01-042-1. It is on the person's card",
        error_messages={"required": "Enter the study number"},
    )

    def clean_study_id(self) -> str:
        """As it is written: capitals, no spaces."""
        return "".join(str(self.cleaned_data["study_id"]).split()).upper()


class CancelForm(forms.Form):
    """Why a session is cancelled."""

    reason = ChoiceField(
        label="Why is the session cancelled?",
        choices=Session.CancelReason.choices,
        error_messages={"required": "Select why the session is cancelled"},
    )


class MoveForm(forms.Form):
    """When a session is held instead; it stays as long as it was."""

    starts_at = DateTimeField(label="New start", what="new start")
    reason = TextField(label="Why is the session moved?", max_length=100)


class ConcernForm(forms.Form):
    """What an activity leader is worried about. Nothing is asked that could wait."""

    text = TextField(
        label="What happened, or what worries you?",
        rows=5,
        max_length=2000,
        error_messages={"required": "Say what happened, or what worries you"},
    )

    def __init__(self, *args: Any, people: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        missing = "Select the person"
        self.fields["person"] = ChoiceField(
            label="Who is it about?",
            choices=list(people),
            error_messages={"required": missing, "invalid_choice": missing},
        )
        self.order_fields(("person", "text"))


class DecideForm(forms.Form):
    """Which of the marks that contradict is right."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    current = forms.UUIDField(widget=forms.HiddenInput)
    reason = TextField(
        label="How do you know?", max_length=200, error_messages={"required": "Say how you know which mark is right"}
    )

    def __init__(self, *args: Any, marks: Sequence[tuple[Mark, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.marks = {str(mark.key): mark for mark, _ in marks}
        missing = "Select which mark is right"
        self.fields["chosen"] = ChoiceField(
            label="Which mark is right?",
            choices=[(str(mark.key), said) for mark, said in marks],
            error_messages={"required": missing, "invalid_choice": missing},
        )
        self.order_fields(("chosen", "reason"))

    def clean_chosen(self) -> Mark:
        """The mark itself."""
        return self.marks[self.cleaned_data["chosen"]]


class PaperForm(forms.Form):
    """A whole register that was kept on paper, one question for each person without a mark."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    paper_by = TextField(
        label="Recorded on paper by",
        max_length=100,
        error_messages={"required": "Enter who recorded the register on paper"},
    )
    captured_at = DateTimeField(label="Recorded on paper on", what="date and time on the paper", not_in_future=True)

    def __init__(self, *args: Any, people: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for pk, name in people:
            self.fields[f"person_{pk}"] = ChoiceField(
                label=name,
                choices=[(str(s.value), s.label) for s in MEMBER_STATUSES if s != Mark.Status.PART],
                required=False,
            )

    def marks(self) -> list[tuple[int, str]]:
        """Participant id and status of everybody who has an answer."""
        prefix = "person_"
        answers = ((name, value) for name, value in self.cleaned_data.items() if name.startswith(prefix))
        return [(int(name.removeprefix(prefix)), value) for name, value in answers if value]


def key_of(form: forms.Form) -> UUID:
    """The idempotency key that a form carries."""
    key: UUID = form.cleaned_data["key"]
    return key
