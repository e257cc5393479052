"""Forms of the trial's steps: they read and validate, they do not save."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from django import forms

from trial.base.fields import ChoiceField, DateField, DateTimeField, NumberField, TextField, YesNoField
from trial.base.widgets import Radios
from trial.consent.models import Consent, DocumentVersion, InformationGiven
from trial.participants import rules as people
from trial.participants.identity import IdentityData
from trial.participation.models import ParticipationChange
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import Criterion, Factor, Judgement, ProtocolSpec, Reason
from trial.screening.models import ContactAttempt


def reason_choices(reasons: Iterable[Reason]) -> list[tuple[str, str]]:
    """Codes and labels of a short list."""
    return [(reason.code, reason.label) for reason in reasons]


PREFERRED = [
    ("phone", "Telephone"),
    ("text", "Text message"),
    ("email", "E-mail"),
    ("letter", "Letter"),
]
"""Ways in which somebody may want to be contacted."""


class IdentityForm(forms.Form):
    """Who somebody is and how to reach them."""

    first_name = TextField(label="First name", max_length=80)
    last_name = TextField(label="Last name", max_length=80)
    birth_date = DateField(label="Date of birth", not_in_future=True)
    nhs_number = TextField(
        label="NHS number",
        max_length=20,
        required=False,
        help_text="10 digits, like 999 000 0018. Leave blank if not known",
    )
    phone = TextField(label="Telephone", max_length=30, required=False)
    other_phone = TextField(label="Another telephone", max_length=30, required=False)
    email = forms.EmailField(
        label="E-mail address",
        required=False,
        error_messages={"invalid": "Enter an e-mail address, like name@example.org"},
    )
    address = TextField(label="Address", rows=3, max_length=300, required=False)
    postcode = TextField(label="Postcode", max_length=10, required=False)
    preferred_contact = ChoiceField(
        label="How do they want to be contacted?",
        what="how they want to be contacted",
        choices=PREFERRED,
        required=False,
    )
    gp_practice = TextField(label="GP practice", max_length=150, required=False)
    gp_code = TextField(
        label="Code of the GP practice", max_length=6, required=False, help_text="The ODS code, like L83001"
    )
    emergency_name = TextField(label="Emergency contact: name", max_length=120, required=False)
    emergency_relation = TextField(label="Emergency contact: who they are to the person", max_length=60, required=False)
    emergency_phone = TextField(label="Emergency contact: telephone", max_length=30, required=False)

    def clean_nhs_number(self) -> str:
        """Ten digits with the right check digit, or nothing."""
        typed = str(self.cleaned_data["nhs_number"] or "")
        digits = people.nhs_digits(typed)
        if typed and not digits:
            raise forms.ValidationError("Enter an NHS number with 10 digits, like 999 000 0018")
        return digits

    def clean_phone(self) -> str:
        """A telephone number of 10 or more digits."""
        return _phone(str(self.cleaned_data["phone"] or ""))

    def clean_other_phone(self) -> str:
        """As clean_phone()."""
        return _phone(str(self.cleaned_data["other_phone"] or ""))

    def clean_gp_code(self) -> str:
        """A practice's code as the NHS gives it: a letter and five digits, or nothing."""
        code = str(self.cleaned_data["gp_code"] or "").strip().upper()
        if code and not people.is_practice_code(code):
            raise forms.ValidationError("Enter a practice code with a letter and 5 digits, like L83001")
        return code

    def clean_emergency_phone(self) -> str:
        """As clean_phone()."""
        return _phone(str(self.cleaned_data["emergency_phone"] or ""))

    def identity(self) -> IdentityData:
        """What was typed, for the vault."""
        names = [name for name in IdentityForm.base_fields if name in self.cleaned_data]
        values = {name: self.cleaned_data[name] or "" for name in names if name != "birth_date"}
        return IdentityData(**values, birth_date=self.cleaned_data.get("birth_date"))


def _phone(typed: str) -> str:
    digits = [c for c in typed if c.isdigit()]
    if typed and not (9 <= len(digits) <= 15 and all(c.isdigit() or c in " +()-" for c in typed)):
        raise forms.ValidationError("Enter a telephone number, like 01632 960 001")
    return typed.strip()


BOXES = {
    "name": ("first_name", "last_name"),
    "phone": ("phone", "other_phone"),
    "gp_practice": ("gp_practice", "gp_code"),
    "emergency_contact": ("emergency_name", "emergency_relation", "emergency_phone"),
}
"""Identity fields of a protocol that take several boxes; an address has its postcode beside it."""
BESIDE = frozenset({"other_phone", "gp_code", "emergency_relation"})
"""Boxes that are never required: the one they stand beside may be."""


def collect_only(form: forms.Form, spec: ProtocolSpec) -> None:
    """Keep the identity fields that the protocol has a purpose for, required where it says so (R-33)."""
    required = {
        box: f.required and box not in BESIDE for f in spec.identity_fields for box in BOXES.get(f.field, (f.field,))
    }
    if "address" in required:
        required["postcode"] = False
    for name in IdentityForm.base_fields:
        if name not in required:
            del form.fields[name]
        else:
            form.fields[name].required = required[name]


class IdentityChangeForm(IdentityForm):
    """Contact details as they are, to be put right, with the reason (BR-63)."""

    reason = TextField(label="Why are you changing this?", what="why you are changing this", max_length=200)

    def __init__(self, spec: ProtocolSpec, current: IdentityData, data: Any = None) -> None:
        super().__init__(data, initial=asdict(current))
        self.current = current
        collect_only(self, spec)

    def identity(self) -> IdentityData:
        """What was typed, with what the form does not ask for as it was."""
        typed = super().identity()
        return replace(self.current, **{n: getattr(typed, n) for n in IdentityForm.base_fields if n in self.fields})


class ContactForm(forms.Form):
    """One attempt to reach a person."""

    contacted_at = DateTimeField(label="When was it?", what="date of contact", not_in_future=True)
    parties = ChoiceField(
        label="Who was in contact?",
        choices=ContactAttempt.Parties.choices,
        required=False,
        help_text="We and the person, unless you say otherwise. Only those count before somebody is not contactable",
    )
    channel = ChoiceField(label="How?", choices=ContactAttempt.Channel.choices)
    outcome = ChoiceField(label="What came of it?", choices=ContactAttempt.Outcome.choices)
    duration_min = NumberField(label="Length", unit="minutes", min_value=0, max_value=600, required=False)
    note = TextField(label="Note", rows=3, max_length=2000, required=False, help_text="It is stored sealed")
    next_step = ChoiceField(label="What comes next?", choices=ContactAttempt.Next.choices, required=False)
    next_date = DateField(
        label="On which day?", what="the day of what comes next", required=False, help_text="It becomes a task"
    )

    def clean_parties(self) -> str:
        """The team and the person, unless said otherwise."""
        return str(self.cleaned_data["parties"] or ContactAttempt.Parties.TEAM_PERSON)

    def clean(self) -> None:
        """What comes next has a day, and a day has something to come."""
        data = self.cleaned_data
        follows = data.get("next_step") not in (None, "", ContactAttempt.Next.NOTHING)
        if follows and not data.get("next_date") and "next_date" not in self.errors:
            self.add_error("next_date", "Enter the day of what comes next")
        if data.get("next_date") and not follows:
            self.add_error("next_step", "Select what comes next on that day")

    def __init__(self, spec: ProtocolSpec, data: Any = None, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        allowed = [(c, label) for c, label in ContactAttempt.Channel.choices if c in spec.contact.channels]
        self.fields["channel"].choices = allowed  # type: ignore[attr-defined]


class DocumentForm(forms.Form):
    """An information sheet that was given."""

    document = ChoiceField(label="Which information sheet?")
    given_at = DateTimeField(label="When was it given?", what="date given", not_in_future=True)
    how = ChoiceField(
        label="How?",
        choices=InformationGiven._meta.get_field("how").choices or [],
    )

    def __init__(self, documents: list[DocumentVersion], data: Any = None) -> None:
        super().__init__(data)
        self.documents = {str(document.pk): document for document in documents}
        choices = [(key, f"{d.title} {d.version}") for key, d in self.documents.items()]
        self.fields["document"].choices = choices  # type: ignore[attr-defined]


class ReasonsForm(forms.Form):
    """Why a referral ends: one primary reason, and others beside it (BR-02)."""

    reason = ChoiceField(label="What is the main reason?", what="the main reason")
    further = forms.MultipleChoiceField(
        label="Other reasons", required=False, widget=forms.CheckboxSelectMultiple, help_text="Select all that apply"
    )
    effective_date = DateField(label="From which day?", what="date", not_in_future=True, quick=True)

    def __init__(self, reasons: list[tuple[str, str]], data: Any = None) -> None:
        super().__init__(data)
        self.fields["reason"].choices = reasons  # type: ignore[attr-defined]
        self.fields["further"].choices = reasons  # type: ignore[attr-defined]

    def codes(self) -> list[str]:
        """The primary reason first, each once."""
        main = self.cleaned_data["reason"]
        return [main, *[code for code in self.cleaned_data["further"] if code != main]]


class ConsentForm(forms.Form):
    """Consent, statement by statement; nothing is chosen in advance (BR-12)."""

    signed_at = DateTimeField(label="When was it signed?", what="date of consent", not_in_future=True)
    method = ChoiceField(label="How was consent given?")
    witness_name = TextField(
        label="Name of the witness", max_length=120, required=False, help_text="For consent by telephone only"
    )
    capacity_confirmed = YesNoField(label="Can the person decide this for themselves?", what="capacity to consent")
    interpreter = YesNoField(label="Was an interpreter there?", what="interpreter")
    copy_given_date = DateField(
        label="When was the copy given?", what="date of the copy", required=False, not_in_future=True
    )
    comment = TextField(
        label="Comment",
        rows=2,
        max_length=300,
        required=False,
        help_text="Needed when the information sheet was given shortly before",
    )

    def __init__(self, form: DocumentVersion, methods: Iterable[str], data: Any = None) -> None:
        super().__init__(data)
        self.statements = form.statements
        labels = dict(Consent.Method.choices)
        self.fields["method"].choices = [(m, labels[m]) for m in methods]  # type: ignore[attr-defined]
        for number, statement in enumerate(self.statements, start=1):
            hint = "" if statement["mandatory"] else "Optional"
            self.fields[f"statement_{number}"] = YesNoField(
                label=f"{number}. {statement['text']}", what=f"statement {number}", help_text=hint
            )
        self.order_fields(
            ["signed_at", "method", "witness_name", *[n for n in self.fields if n.startswith("statement_")]]
        )

    def answers(self) -> dict[str, bool]:
        """Answers by statement code."""
        return {
            statement["code"]: self.cleaned_data[f"statement_{number}"]
            for number, statement in enumerate(self.statements, start=1)
        }


YES_NO_UNKNOWN = [("yes", "Yes"), ("no", "No"), ("unknown", "Not known")]


class EligibilityForm(forms.Form):
    """The criteria that people judge, each with its evidence; the others are worked out."""

    assessed_date = DateField(label="Date of the assessment", not_in_future=True, quick=True)

    def __init__(
        self, criteria: Iterable[Criterion], data: Any = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.judged = [criterion for criterion in criteria if isinstance(criterion.rule, Judgement)]
        for criterion in self.judged:
            self.fields[f"answer_{criterion.code}"] = ChoiceField(
                label=f"{criterion.code}. {criterion.text}",
                what=f"an answer for {criterion.code}",
                choices=YES_NO_UNKNOWN,
                widget=Radios(inline=True),
            )
            self.fields[f"evidence_{criterion.code}"] = TextField(
                label=f"Evidence for {criterion.code}", max_length=200, required=False, help_text=criterion.evidence
            )

    def clean(self) -> None:
        """Yes and no rest on something."""
        for one in self.judged:
            answered = self.cleaned_data.get(f"answer_{one.code}") in ("yes", "no")
            if answered and not self.cleaned_data.get(f"evidence_{one.code}", True):
                self.add_error(f"evidence_{one.code}", f"Enter the evidence for {one.code}")

    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Answer and evidence of each judged criterion, side by side on the page."""
        return [(self[f"answer_{c.code}"], self[f"evidence_{c.code}"]) for c in self.judged]

    def answers(self) -> dict[str, tuple[str, str]]:
        """Answer and evidence by criterion."""
        data = self.cleaned_data
        return {c.code: (data[f"answer_{c.code}"], data[f"evidence_{c.code}"] or "") for c in self.judged}


class SignForm(forms.Form):
    """Password or code, entered again to sign (R-19)."""

    secret = TextField(
        label="Your password, or the code from your authenticator app",
        what="your password",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class LevelsForm(forms.Form):
    """The stratification factors, chosen again by the person who randomises (randomisation.md 7, E_FACTORS)."""

    def __init__(self, factors: Iterable[Factor], data: Any = None) -> None:
        super().__init__(data)
        self.factors = tuple(factors)
        for factor in self.factors:
            self.fields[f"level_{factor.code}"] = ChoiceField(
                label=factor.label,
                what=factor.label,
                choices=[(level.code, level.label) for level in factor.levels],
            )

    def levels(self) -> dict[str, str]:
        """Level codes by factor."""
        return {factor.code: self.cleaned_data[f"level_{factor.code}"] for factor in self.factors}


class ParticipationForm(forms.Form):
    """What somebody stops or takes up again (BR-60)."""

    cause = ChoiceField(label="What happened?", what="what happened", choices=ParticipationChange.Cause.choices)
    effective_date = DateField(label="From which day?", what="date", not_in_future=True, quick=True)
    decided_by = ChoiceField(label="Who decided?", choices=ParticipationChange.DecidedBy.choices)
    reason_code = ChoiceField(
        label="Reason", required=False, help_text="Only if the person offered one. You may ask once"
    )
    how_learned = TextField(
        label="How did you learn of it?", max_length=100, required=False, help_text="It is stored sealed"
    )
    letter = ChoiceField(
        label="How does the person get the letter that confirms it?",
        what="how the person gets the letter",
        choices=[("email", "By e-mail"), ("print", "Printed, to post or to hand over"), ("none", "They want none")],
        required=False,
        help_text="No letter is made after a death or a loss of capacity",
    )

    def __init__(self, spec: ProtocolSpec, current: Mapping[str, bool], data: Any = None) -> None:
        super().__init__(data)
        self.current = dict(current)
        reasons = reason_choices(protocol_rules.reasons(spec, "participation_change"))
        self.fields["reason_code"].choices = reasons  # type: ignore[attr-defined]
        for element in spec.participation_elements:
            self.fields[f"element_{element.code}"] = ChoiceField(
                label=element.label,
                choices=[("on", "Takes part"), ("off", "Stops")],
                initial="on" if current.get(element.code, True) else "off",
            )

    def clean(self) -> None:
        """Whoever chose a change gets a letter, or says that they want none."""
        data = self.cleaned_data
        if data.get("cause") == ParticipationChange.Cause.CHOICE and not data.get("letter"):
            self.add_error("letter", "Select how the person gets the letter")

    def elements(self) -> dict[str, bool]:
        """On or off by element."""
        return {
            code: self.cleaned_data[f"element_{code}"] == "on"
            for code in self.current
            if f"element_{code}" in self.fields
        }


class ReversalForm(forms.Form):
    """Why a status is to be taken back (T18)."""

    reason = TextField(label="What was entered in error?", what="what was entered in error", rows=3, max_length=250)


class ReversalDecisionForm(forms.Form):
    """Whether a status is taken back (T18)."""

    decision = ChoiceField(
        label="Was it entered in error?",
        what="whether it was entered in error",
        choices=[("approve", "Yes, take it back"), ("refuse", "No, it stays")],
    )
    why = TextField(label="Why does it stay?", required=False, rows=3, max_length=250)

    def clean(self) -> None:
        """A refusal has its reason."""
        if self.cleaned_data.get("decision") == "refuse" and not self.cleaned_data.get("why"):
            self.add_error("why", "Enter why it stays")


class UnblindingForm(forms.Form):
    """How somebody who must not know has learned an arm (BR-27)."""

    person = ChoiceField(label="Who has found out?", what="who has found out")
    kind = ChoiceField(
        label="How did it come about?",
        choices=[("accidental", "By accident"), ("planned", "Planned"), ("emergency", "In an emergency")],
    )
    happened_date = DateField(label="On which day?", what="date", not_in_future=True, quick=True)
    route = TextField(
        label="How did they learn it?", max_length=200, rows=2, help_text="Do not write which group it is"
    )
