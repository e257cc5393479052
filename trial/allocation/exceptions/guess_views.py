"""The page on which an outcome assessor says what they believe about the group (BR-27)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from randomisation.errors import SealError
from trial.access.pages import GET_POST, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.exceptions import guesses, reads
from trial.allocation.models import BlindingGuess
from trial.base.errors import TrialError
from trial.base.fields import ChoiceField
from trial.base.widgets import Radios
from trial.participants.models import Participant
from trial.participants.reads import participant_for

UNKNOWN = "unknown"
CERTAINTY = [("1", "1, not sure at all"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", "5, certain")]


class GuessForm(forms.Form):
    """What somebody believes, how surely and why."""

    guess = ChoiceField(
        label="Which group do you think this person is in?",
        what="which group you think it is, or that you do not know",
        widget=Radios(or_before={UNKNOWN}),
    )
    certainty = ChoiceField(label="How sure are you?", what="how sure you are", choices=CERTAINTY)
    basis = ChoiceField(label="Why do you think so?", choices=BlindingGuess.Basis.choices)
    visit = ChoiceField(label="At which visit are you asked?")

    def __init__(self, participant: Participant, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        spec = participant.referral.protocol_version.spec
        visits = [(visit.code, visit.label) for visit in spec.visits if not visit.before_randomisation]
        self.fields["guess"].choices = [*reads.arm_choices(spec), (UNKNOWN, "I do not know")]  # type: ignore[attr-defined]
        self.fields["visit"].choices = [*visits, ("none", "At none of them")]  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """What was said, as the action takes it."""
        data = self.cleaned_data
        return {
            "arm_number": None if data["guess"] == UNKNOWN else int(data["guess"]),
            "certainty": int(data["certainty"]),
            "basis": data["basis"],
            "visit": "" if data["visit"] == "none" else data["visit"],
        }


@requires(Action.RECORD_GUESS)
@sensitive_post_parameters("guess")
@sensitive_variables()
@GET_POST
def guess(request: StaffRequest, number: str) -> HttpResponse:
    """Say which group it may be; kept sealed, and not shown to the assessor again either."""
    participant = participant_for(request.user, number, Action.RECORD_GUESS)
    reads.allocated(participant)
    form = GuessForm(participant, posted(request), initial={"visit": request.GET.get("visit", "")})
    if form.is_valid():
        try:
            guesses.record_guess(participant=participant, by=request.user, at=timezone.now(), **form.given())
        except (TrialError, SealError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Kept, and sealed. Nobody reads it before the end")
            return redirect("journey:record", participant.study_id)
    record = (participant.study_id, f"/people/{participant.study_id}/")
    title = "What do you believe about the group?"
    detail = "Do not try to find out. It is read only at the end, to see how well the blinding worked"
    return form_page(request, form, trail=[record], title=title, here="Blinding", detail=detail, button="Save")
