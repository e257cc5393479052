"""What to simulate: designs side by side, and the people who are expected (randomisation.md section 11)."""

from collections.abc import Sequence
from typing import Any

from django import forms

from randomisation.engine.parameters import Factor
from trial.allocation.office.configure_forms import IMBALANCES, sizes_of
from trial.allocation.office.scheme_reads import factor_words
from trial.base.fields import ChoiceField, NumberField, TextField
from trial.base.widgets import CheckBoxes

MOST_TRIALS = 2000
MOST_SHARE = 1000
OWN, USUAL = "own", "usual"


class SimulationForm(forms.Form):
    """Designs, numbers and shares.

    Args:
        sites: (code, name) of the sites.
        factors: the draft's factors other than the site.
        may_simulate_own: False for a list made elsewhere, whose making only the statistician knows.
    """

    include = forms.MultipleChoiceField(label="Designs to compare", required=False, widget=CheckBoxes)
    block_sizes = TextField(
        label="Permuted blocks in every stratum, of sizes", max_length=60, required=False, help_text="Such as 4, 6"
    )
    mti = NumberField(label="Big stick, tolerated imbalance", min_value=1, max_value=10, required=False)
    p = TextField(
        label="Minimisation, probability of the preferred arm", max_length=20, required=False, help_text="Such as 4/5"
    )
    imbalance = ChoiceField(label="Minimisation, imbalance", choices=IMBALANCES, required=False)
    n_trials = NumberField(label="Simulated trials of each design", min_value=1, max_value=MOST_TRIALS)
    target = NumberField(label="People in a trial", min_value=1, max_value=10_000)

    def __init__(
        self,
        *args: Any,
        sites: Sequence[tuple[str, str]],
        factors: Sequence[Factor],
        may_simulate_own: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._sites, self._factors = [code for code, _name in sites], factors
        own = [(OWN, "The draft's own design")] if may_simulate_own else []
        self.fields["include"].choices = [*own, (USUAL, "The usual alternatives")]  # type: ignore[attr-defined]
        for code, name in sites:
            self.fields[f"site_{code}"] = _share(f"Share of {name}")
        for factor in factors:
            label, labels = factor_words(factor.code)
            for level in factor.levels:
                self.fields[f"level_{factor.code}_{level}"] = _share(f"Share of {label} {labels.get(level, level)}")

    def clean_block_sizes(self) -> list[int]:
        """Whole numbers, or none."""
        return sizes_of(self.cleaned_data["block_sizes"]) if self.cleaned_data["block_sizes"] else []

    def people(self) -> dict[str, dict[str, int]]:
        """Weights by factor and level, `site` among them."""
        values = self.cleaned_data
        found = {"site": {code: values[f"site_{code}"] for code in self._sites}}
        for factor in self._factors:
            found[factor.code] = {level: values[f"level_{factor.code}_{level}"] for level in factor.levels}
        return found


def _share(label: str) -> NumberField:
    return NumberField(label=label, min_value=0, max_value=MOST_SHARE, initial=1)
