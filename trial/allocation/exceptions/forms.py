"""What a person says when something about an allocation is not right. None of these forms asks for an arm."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms

from randomisation.models import AllocationFlag, CodeBreak
from trial.allocation.exceptions import texts
from trial.allocation.exceptions.reads import FactorWords
from trial.base.fields import ChoiceField, TextField, YesNoField
from trial.protocol.spec import ProtocolSpec

WITHOUT_ARM = "Do not write which group it is"


class WithoutArm(forms.Form):
    """A form whose free texts must not tell an arm; `free` names them."""

    free: tuple[str, ...] = ("reason",)

    def __init__(self, spec: ProtocolSpec, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.spec = spec

    def clean(self) -> None:
        """Mark every text that names an arm of the protocol."""
        super().clean()
        for name in texts.problems(self.cleaned_data, self.free, self.spec):
            self.add_error(name, texts.ARM_NAMED)


def reason_field(label: str = "What happened?") -> TextField:
    """Why it is asked for; kept with the request."""
    return TextField(label=label, what="what happened", rows=3, max_length=1000, help_text=WITHOUT_ARM)


class FlagForm(WithoutArm):
    """Randomised although not eligible, or by mistake (9.1)."""

    category = ChoiceField(
        label="What went wrong?",
        what="what went wrong",
        choices=[
            (AllocationFlag.Category.INELIGIBLE.value, "The person was not eligible"),
            (AllocationFlag.Category.ERROR.value, "The person was randomised by mistake"),
        ],
    )
    reason = reason_field()


class DuplicateForm(WithoutArm):
    """The same person was randomised twice (9.2)."""

    reason = reason_field("How do you know that it is the same person?")

    def __init__(self, spec: ProtocolSpec, data: Any = None, **kwargs: Any) -> None:
        super().__init__(spec, data, **kwargs)
        self.fields["first_number"] = TextField(
            label="Study number of the first allocation", what="the first study number", max_length=20
        )
        self.order_fields(["first_number", "reason"])


class LevelsAgainForm(WithoutArm):
    """The stratification values of one or more people, chosen again (9.3, 9.7, 9.15).

    Args:
        people: the study number of each person, in the order of the allocation.
    """

    def __init__(
        self,
        spec: ProtocolSpec,
        factors: Sequence[FactorWords],
        people: Iterable[str],
        data: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(spec, data, **kwargs)
        self.factors, self.people = tuple(factors), tuple(people)
        for number, person in enumerate(self.people, start=1):
            for factor in self.factors:
                self.fields[f"level_{number}_{factor.code}"] = ChoiceField(
                    label=f"{factor.label} of {person}" if len(self.people) > 1 else factor.label,
                    what=factor.label,
                    choices=factor.choices,
                )

    def levels(self) -> list[dict[str, str]]:
        """Level codes by factor, one set for each person."""
        return [
            {factor.code: self.cleaned_data[f"level_{number}_{factor.code}"] for factor in self.factors}
            for number, _ in enumerate(self.people, start=1)
        ]


class CorrectionForm(LevelsAgainForm):
    """The true values, and why the ones used were wrong (9.3)."""

    reason = reason_field("Why were other values used?")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"] + ["reason"])


class CodeBreakForm(WithoutArm):
    """Why one participant's group must be told, and to whom (6.6)."""

    free = ("reason", "who_knows", "third_party")

    category = ChoiceField(
        label="Why must the group be told?", what="why the group must be told", choices=CodeBreak.Category.choices
    )
    reason = reason_field()
    recipient = ChoiceField(
        label="Who is to be told?",
        what="who is to be told",
        choices=[("me", "I am"), ("third", "Only a clinician outside the study: I will not see it")],
    )
    third_party = TextField(
        label="Name and role of the clinician",
        what="the name and role of the clinician",
        max_length=200,
        required=False,
        help_text="Whoever authorises it reads it to this person alone",
    )
    who_knows = TextField(
        label="Who will know afterwards?",
        what="who will know afterwards",
        max_length=300,
        rows=2,
        help_text=f"Names or roles. {WITHOUT_ARM}",
    )
    stays_in_follow_up = YesNoField(
        label="Does the participant stay in follow-up?", what="whether the participant stays in follow-up"
    )

    def clean(self) -> None:
        """A clinician outside the study has to be named."""
        super().clean()
        is_named = self.cleaned_data.get("third_party") or "third_party" in self.errors
        if self.cleaned_data.get("recipient") == "third" and not is_named:
            self.add_error("third_party", "Enter the name and role of the clinician")

    def given(self) -> Mapping[str, Any]:
        """What was said, as the action takes it."""
        data = self.cleaned_data
        third = data["third_party"] or "" if data["recipient"] == "third" else ""
        kept = {name: data[name] for name in ("category", "reason", "who_knows", "stays_in_follow_up")}
        return {**kept, "third_party": third}


class SecretForm(forms.Form):
    """Password or code, entered again (R-19)."""

    secret = TextField(
        label="Your password, or the code from your authenticator app",
        what="your password",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
