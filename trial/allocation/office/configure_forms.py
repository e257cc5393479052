"""The parameters of a revision as a statistician types them; the engine checks every rule (randomisation.md 1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from randomisation.locks import TWO_TEXTS
from trial.allocation.office.scheme_reads import METHODS
from trial.base.fields import ChoiceField, DateField, NumberField, TextField, YesNoField
from trial.base.widgets import CheckBoxes

LARGEST_LIST = 2 * 1024 * 1024
MINIMISATION, BLOCKS, BIG_STICK, IMPORT = "minimisation", "permuted_blocks", "big_stick", "import"
IMBALANCES = [("range", "Range"), ("variance", "Variance"), ("total", "Total (Taves)")]
UNEQUAL = [("pseudo_arms", "Pseudo-arms: for unequal ratios"), ("biased_coin", "Biased coin on the arms themselves")]
CONTRIBUTIONS = [("none", "None"), ("two_texts", "Two texts, of the sponsor's representative and the statistician")]
SIZES = "Block sizes must be whole numbers with commas between them, such as 4, 6"

Codes = Sequence[tuple[str, str]]


def sizes_of(text: str) -> list[int]:
    """ "4, 6" as numbers.

    Raises:
        ValidationError: it is not that.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        raise forms.ValidationError(SIZES)
    return [int(part) for part in parts]


class MethodForm(forms.Form):
    """What is the statistician's to set: the method's own parameters, lengths, emergency lists, contribution.

    Args:
        method: code of the method; other methods' fields are not there.
        factors: (code, label) of the factors that can be weighted.
    """

    def __init__(self, *args: Any, method: str, factors: Codes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.method, self.factor_codes = method, [code for code, _label in factors]
        self.fields.update(
            {**self._first_fields(), **_OWN.get(method, _none)(), **self._weights(factors), **_common(method)}
        )

    def _first_fields(self) -> dict[str, forms.Field]:
        return {}

    def _weights(self, factors: Codes) -> dict[str, forms.Field]:
        if self.method != MINIMISATION:
            return {}
        return {
            f"weight_{code}": NumberField(label=f"Weight of {label}", min_value=1, max_value=100, initial=1)
            for code, label in factors
        }

    def clean_block_sizes(self) -> list[int]:
        """Whole numbers."""
        return sizes_of(self.cleaned_data["block_sizes"])

    def clean_backup_block_sizes(self) -> list[int]:
        """Whole numbers, or none."""
        return sizes_of(self.cleaned_data["backup_block_sizes"]) if self.cleaned_data["backup_block_sizes"] else []

    def clean_file(self) -> Any:
        """A file that is not too large to be a list."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_LIST:
            raise forms.ValidationError("The file must be 2 MB or smaller. Keep only the list in it.")
        return file

    def clean(self) -> dict[str, Any]:
        """Emergency lists need a length and sizes together."""
        values = super().clean() or {}
        if bool(values.get("backup_rows")) != bool(values.get("backup_block_sizes")) and not self.errors:
            self.add_error("backup_block_sizes", "Give both a number of envelopes and their block sizes, or neither")
        return values

    def settings(self) -> dict[str, Any]:
        """The method's own parameters, and what belongs to every method."""
        values = self.cleaned_data
        own = {name: values[name] for name in _OWN_KEYS.get(self.method, ())}
        backup = {"backup_block_sizes": values["backup_block_sizes"]} if values["backup_block_sizes"] else {}
        source = TWO_TEXTS if values["contribution"] == "two_texts" else "none"
        return {"method": self.method, "contribution_source": source, **own, **backup}

    def weight_of(self, code: str) -> int:
        """The weight of a factor; 1 where weights mean nothing."""
        return int(self.cleaned_data.get(f"weight_{code}") or 1)


def _none() -> dict[str, forms.Field]:
    return {}


def _blocks() -> dict[str, forms.Field]:
    return {
        "block_sizes": TextField(
            label="Block sizes",
            max_length=60,
            help_text="Multiples of the sum of the ratio, such as 4, 6. One fixed size is easy to guess",
        )
    }


def _big_stick() -> dict[str, forms.Field]:
    return {
        "mti": NumberField(
            label="Maximum tolerated imbalance", min_value=1, max_value=10, initial=3, help_text="3 is usual"
        )
    }


def _minimisation() -> dict[str, forms.Field]:
    return {
        "imbalance": ChoiceField(label="Imbalance of a factor", choices=IMBALANCES, initial="range"),
        "p": TextField(
            label="Probability of the preferred arm",
            what="the probability of the preferred arm",
            max_length=20,
            initial="4/5",
            help_text="Such as 4/5 or 0.8. 1 leaves nothing to chance and needs a reason",
        ),
        "burn_in": NumberField(
            label="Allocations drawn by the ratio alone at first", min_value=0, max_value=10_000, initial=0
        ),
        "overall_weight": NumberField(label="Weight of the whole trial", min_value=0, max_value=100, initial=1),
        "unequal": ChoiceField(label="How an unequal ratio is kept", choices=UNEQUAL, initial="pseudo_arms"),
    }


def _import() -> dict[str, forms.Field]:
    missing = {"required": "Choose a file of 2 MB or less", "missing": "Choose a file of 2 MB or less"}
    return {
        "file": forms.FileField(
            label="The statistician's list (CSV)",
            help_text="Columns stratum_key, position, arm. Choose it again if something has to be put right: it is kept"
            " nowhere",
            widget=forms.FileInput(attrs={"accept": ".csv"}),
            error_messages={**missing, "empty": "The file is empty"},
        ),
        "file_sha256": TextField(
            label="SHA-256 of the file, as you received it by another route",
            what="the SHA-256 of the file",
            max_length=80,
        ),
    }


def _common(method: str) -> dict[str, forms.Field]:
    rows = {
        "rows_per_stratum": NumberField(
            label="Length of each list" if method != IMPORT else "People who may be recruited into a stratum",
            unit="rows" if method != IMPORT else "",
            min_value=1,
            max_value=10_000,
            help_text="In every stratum. Longer lists can be asked for later" if method != IMPORT else "",
        )
    }
    return {
        **(rows if method != MINIMISATION else {}),
        "backup_rows": NumberField(
            label="Emergency envelopes for each site", min_value=0, max_value=500, initial=0, required=False
        ),
        "backup_block_sizes": TextField(label="Block sizes of the envelopes", max_length=60, required=False),
        "contribution": ChoiceField(
            label="Contribution to the secret", what="the contribution", choices=CONTRIBUTIONS, initial="none"
        ),
        "reason": TextField(
            label="Reason for a draw without chance, or for a short list",
            rows=2,
            max_length=1000,
            required=False,
            help_text="Only where one of them is wanted. It is kept with your name",
        ),
    }


_OWN = {BLOCKS: _blocks, BIG_STICK: _big_stick, MINIMISATION: _minimisation, IMPORT: _import}
_OWN_KEYS = {
    BLOCKS: ("block_sizes",),
    BIG_STICK: ("mti",),
    MINIMISATION: ("imbalance", "p", "burn_in", "overall_weight", "unequal"),
}


class DesignForm(MethodForm):
    """The same for a scheme of a sub-study, whose arms and choice of factors are its own."""

    def _first_fields(self) -> dict[str, forms.Field]:
        return {
            "arms": TextField(
                label="Arms and ratio",
                what="the arms",
                rows=3,
                max_length=1000,
                help_text="One line for each arm: its code and its share, such as walk 1. The order is kept",
            ),
            "factors": forms.MultipleChoiceField(
                label="Factors of the protocol to balance", required=False, widget=CheckBoxes
            ),
        }

    def __init__(self, *args: Any, method: str, factors: Codes, **kwargs: Any) -> None:
        super().__init__(*args, method=method, factors=factors, **kwargs)
        self.fields["factors"].choices = list(factors)  # type: ignore[attr-defined]

    def clean_arms(self) -> list[tuple[str, int]]:
        """(code, share) of each line."""
        lines = [line.split() for line in self.cleaned_data["arms"].splitlines() if line.strip()]
        if not all(len(line) == 2 and line[1].isascii() and line[1].isdigit() and len(line[1]) < 4 for line in lines):
            raise forms.ValidationError("Each line must have a code and a share, such as walk 1")
        return [(code, int(share)) for code, share in lines]


class NewSchemeForm(DesignForm):
    """A scheme that does not exist yet."""

    def _first_fields(self) -> dict[str, forms.Field]:
        return {
            "code": TextField(
                label="Code of the scheme",
                max_length=32,
                help_text="Lower-case letters, digits and -, such as walking. It never changes",
            ),
            "name": TextField(label="Name of the scheme", max_length=200),
            "opens": DateField(label="First day", required=False),
            "closes": DateField(label="Last day", required=False),
            "ceiling": NumberField(label="Most allocations to make", min_value=1, max_value=100_000, required=False),
            "households": YesNoField(label="Are people who live together allocated together?"),
            **super()._first_fields(),
        }

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        values = super().clean()
        opens, closes = values.get("opens"), values.get("closes")
        if opens and closes and closes < opens:
            self.add_error("closes", "The last day must not be before the first day")
        return values


def initial_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Stored parameters as the form shows them."""
    sizes = {key: ", ".join(str(size) for size in settings[key]) for key in _SIZES if settings.get(key)}
    weights = {f"weight_{factor['code']}": factor["weight"] for factor in settings.get("factors", ())}
    source = settings.get("contribution_source", "none")
    arms = "\n".join(f"{c} {n}" for c, n in zip(settings.get("arms", ()), settings.get("ratio", ()), strict=True))
    return {
        **settings,
        **sizes,
        **weights,
        "arms": arms,
        "factors": [factor["code"] for factor in settings.get("factors", ())],
        "contribution": "none" if source == "none" else "two_texts",
    }


_SIZES = ("block_sizes", "backup_block_sizes")
METHOD_TABS = list(METHODS.items())
