"""The form of a voucher or a travel claim."""

from decimal import Decimal
from typing import Any

from django import forms

from trial.base.fields import ChoiceField, DateField, NumberField
from trial.claims.models import MAX_PENCE, Claim
from trial.schedule.models import Visit


class ClaimForm(forms.Form):
    """What it is for, and how much."""

    kind = ChoiceField(label="What is it?", choices=Claim.Kind.choices)
    visit = ChoiceField(label="Which visit is the voucher for?", what="the visit", required=False)
    travel_date = DateField(label="Day of travel", required=False, not_in_future=True, quick=True)
    mode = ChoiceField(label="How did the person travel?", choices=Claim.Mode.choices, required=False)
    amount = NumberField(
        label="Amount", unit="£", unit_words="pounds", min_value=Decimal("0.01"), max_value=MAX_PENCE // 100, places=2
    )

    def __init__(self, visits: list[tuple[Visit, str]], is_blinded: bool, data: Any = None) -> None:
        super().__init__(data)
        self.visits = {str(visit.pk): visit for visit, _ in visits}
        self.fields["visit"].choices = [(str(v.pk), label) for v, label in visits]  # type: ignore[attr-defined]
        if is_blinded:
            self.fields["kind"].choices = [(Claim.Kind.VOUCHER, Claim.Kind.VOUCHER.label)]  # type: ignore[attr-defined]
            del self.fields["travel_date"], self.fields["mode"]

    def clean(self) -> None:
        """A voucher has its visit; travel has its day and its manner."""
        data = self.cleaned_data
        if data.get("kind") == Claim.Kind.VOUCHER and not data.get("visit"):
            self.add_error("visit", "Select the visit that the voucher is for")
        if data.get("kind") == Claim.Kind.TRAVEL and not (data.get("travel_date") and data.get("mode")):
            self.add_error("travel_date", "Enter the day of travel, and how the person travelled")

    def claim(self) -> dict[str, Any]:
        """What offer() takes."""
        data = self.cleaned_data
        return {
            "kind": data["kind"],
            "visit": self.visits.get(data["visit"] or ""),
            "travel_date": data.get("travel_date"),
            "mode": data.get("mode") or "",
            "amount_pence": int(Decimal(str(data["amount"])) * 100),
        }
