"""The referral as a form, under the block names of the PRSB standard: it reads and validates, it does not save."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from django import forms
from django.db.models import TextChoices

from trial.access.models import Site
from trial.base.fields import ChoiceField, DateField, TextField, YesNoField
from trial.base.widgets import CheckBoxes, Radios
from trial.journey.forms import IdentityForm, collect_only
from trial.participants import choices
from trial.participants.actions import ReferralData
from trial.participants.models import Referral
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec

GP_CODE = r"[A-HJ-NP-WY][0-9]{5}"
ODS_CODE = r"[A-Z][A-Z0-9]{2,7}"


class SeveralField(forms.MultipleChoiceField):
    """More than one answer of a short list, or none."""

    def __init__(self, label: str, listed: type[TextChoices], **kwargs: Any) -> None:
        super().__init__(label=label, choices=listed.choices, required=False, widget=CheckBoxes(), **kwargs)


class DetailsForm(forms.Form):
    """What a referral says besides who the person is and where it came from."""

    referral_model = ChoiceField(
        label="How is the person supported to take part?",
        what="how the person is supported",
        choices=choices.ReferralModel.choices,
    )
    referrer = TextField(label="Name of the practice or organisation", max_length=150, required=False)
    referrer_ods = TextField(
        label="ODS code of the practice or organisation",
        max_length=10,
        required=False,
        help_text="Like L83012. Leave blank if there is none",
    )
    channel = ChoiceField(
        label="How did the referral reach us?", choices=choices.ReferralChannel.choices, required=False
    )
    permission_date = DateField(
        label="When did the person say that we may call?",
        what="date of permission",
        required=False,
        not_in_future=True,
        help_text="As the referrer noted it",
    )
    sex = ChoiceField(label="Sex", choices=Referral.Sex.choices)
    language = ChoiceField(
        label="Language to speak in", choices=choices.Language.choices, required=False, widget=forms.Select()
    )
    needs_interpreter = YesNoField(label="Is an interpreter needed?", what="interpreter", required=False)
    needs = SeveralField("What would the person like to change?", choices.Need)
    concerns = SeveralField("What do they worry about?", choices.Concern)
    notes = TextField(
        label="What they need and worry about",
        rows=4,
        max_length=3000,
        required=False,
        help_text="In the person's own words. It is stored sealed",
    )
    goals = TextField(
        label="What they hope for", rows=3, max_length=3000, required=False, help_text="It is stored sealed"
    )
    risk = TextField(
        label="Risk information passed on by the referrer",
        rows=3,
        max_length=3000,
        required=False,
        help_text="It is stored sealed, and the coordinators of the site are told that it is there",
    )
    activity_preferences = SeveralField("What would suit them?", choices.ActivityPreference)
    arm_preference = ChoiceField(label="Which group would they rather have?", required=False)
    access_needs = SeveralField("Getting there and taking part", choices.AccessNeed)
    access = TextField(
        label="More about getting there and taking part",
        rows=3,
        max_length=2000,
        required=False,
        help_text="It is stored sealed",
    )

    blocks: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("Referral", ("referral_model", "referrer", "referrer_ods", "channel", "permission_date")),
        ("Person", ("sex", "language", "needs_interpreter")),
        ("Needs and concerns", ("needs", "concerns", "notes", "goals", "risk")),
        ("Support offered", ("activity_preferences", "arm_preference", "access_needs", "access")),
    )

    def prepare(self, spec: ProtocolSpec) -> None:
        """Offer what the protocol names."""
        listed = protocol_rules.preference_choices(spec)
        self.fields["arm_preference"].choices = listed  # type: ignore[attr-defined]
        self.fields["language"].choices = [("", ""), *choices.Language.choices]  # type: ignore[attr-defined]

    def clean_referrer_ods(self) -> str:
        """The shape of an ODS code: whether the organisation exists is not looked up."""
        typed = str(self.cleaned_data["referrer_ods"] or "").strip().upper()
        if typed and not re.fullmatch(ODS_CODE, typed):
            raise forms.ValidationError("Enter an ODS code of letters and digits, like L83012")
        return typed

    def clean(self) -> None:
        """A practice has a code of one letter and five digits."""
        code = self.cleaned_data.get("referrer_ods") or ""
        if code and self._source() == choices.SourceType.GP_PRACTICE and not re.fullmatch(GP_CODE, code):
            self.add_error("referrer_ods", "The ODS code of a GP practice is a letter and 5 digits, like L83012")

    def _source(self) -> str:
        return str(self.cleaned_data.get("source_type") or "")

    def shown_blocks(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Headings with the fields under each that the protocol keeps."""
        for heading, names in self.blocks:
            if fields := [self[name] for name in names if name in self.fields]:
                yield heading, fields

    def details(self) -> dict[str, Any]:
        """What was typed, by the name in ReferralData."""
        data = self.cleaned_data
        empty: dict[str, Any] = {"permission_date": None, "needs_interpreter": False}
        return {name: data[name] or empty.get(name, "") for name in DetailsForm.base_fields} | {
            name: list(data[name]) for name in SEVERAL
        }


SEVERAL = [name for name, field in DetailsForm.base_fields.items() if isinstance(field, SeveralField)]
"""Fields with more than one answer."""


class ReferralForm(DetailsForm, IdentityForm):
    """A new referral."""

    source_type = ChoiceField(label="Who referred the person?", choices=choices.SourceType.choices, widget=Radios())
    received_date = DateField(label="Date received", not_in_future=True, quick=True)
    contact_basis = ChoiceField(label="Why may we contact this person?", choices=choices.ContactBasis.choices)

    blocks = (
        (
            "Referral",
            (
                "site",
                "source_type",
                "referral_model",
                "referrer",
                "referrer_ods",
                "received_date",
                "channel",
                "contact_basis",
                "permission_date",
            ),
        ),
        ("Person", (*IdentityForm.base_fields, "sex", "language", "needs_interpreter")),
        *DetailsForm.blocks[2:],
    )

    def __init__(
        self, sites: Iterable[Site], spec: ProtocolSpec, data: Any = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial or {})
        self.sites = {str(site.pk): site for site in sites}
        listed = [(key, site.name) for key, site in self.sites.items()]
        if len(listed) > 1:
            self.fields["site"] = ChoiceField(label="Site", choices=listed)
        self.prepare(spec)
        collect_only(self, spec)
        self.order_fields([name for _, names in self.blocks for name in names])

    def clean(self) -> None:
        """Permission comes before the referral, not after it."""
        super().clean()
        given, received = self.cleaned_data.get("permission_date"), self.cleaned_data.get("received_date")
        if given and received and given > received:
            self.add_error("permission_date", "Date of permission must not be after the date received")

    def site(self) -> Site:
        """The chosen site, or the only one."""
        return self.sites[self.cleaned_data["site"]] if "site" in self.fields else next(iter(self.sites.values()))

    def referral(self) -> ReferralData:
        """What the referral says besides who the person is."""
        data = self.cleaned_data
        return ReferralData(
            source_type=data["source_type"],
            received_date=data["received_date"],
            contact_basis=data["contact_basis"],
            **self.details(),
        )


class DetailsChangeForm(DetailsForm):
    """What a referral says, to be put right, with the reason (BR-63)."""

    reason = TextField(label="Why are you changing this?", what="why you are changing this", max_length=200)

    blocks = (*DetailsForm.blocks, ("Change", ("reason",)))

    def __init__(self, referral: Referral, current: ReferralData, data: Any = None) -> None:
        super().__init__(data, initial=asdict(current))
        self.current = current
        self.prepare(referral.protocol_version.spec)
        if getattr(getattr(referral, "participant", None), "randomised_date", None):
            del self.fields["arm_preference"]

    def _source(self) -> str:
        return self.current.source_type

    def clean(self) -> None:
        """As for a new referral."""
        super().clean()
        given = self.cleaned_data.get("permission_date")
        if given and given > self.current.received_date:
            self.add_error("permission_date", "Date of permission must not be after the date received")

    def referral(self) -> ReferralData:
        """What was typed, with what the form does not ask for as it was."""
        self.cleaned_data.setdefault("arm_preference", self.current.arm_preference)
        return ReferralData(
            source_type=self.current.source_type,
            received_date=self.current.received_date,
            contact_basis=self.current.contact_basis,
            **self.details(),
        )
