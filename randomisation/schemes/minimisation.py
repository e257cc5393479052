"""The parameters of minimisation (randomisation.md section 1). The draw is `randomisation.engine.minimisation`."""

from fractions import Fraction

from randomisation.engine.methods import Setting
from randomisation.engine.reading import read_choice, read_text, read_whole, read_whole_within
from randomisation.errors import ParametersRefused

IMBALANCES = ("range", "variance", "total")
BIASED_COIN = "biased_coin"
PSEUDO_ARMS = "pseudo_arms"
MAX_WEIGHT = 100
_MAX_DRAW = 2**32
"""`below` takes no more (2.2)."""


class Minimisation:
    """`imbalance`, `p`, `burn_in`, `overall_weight`, `unequal`; and a weight for each factor."""

    keys: tuple[str, ...] = ("imbalance", "p", "burn_in", "overall_weight", "unequal")
    max_weight = MAX_WEIGHT
    has_strata = False

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, object]:
        unequal = read_choice("unequal", given["unequal"], (BIASED_COIN, PSEUDO_ARMS))
        p = read_p(given["p"], ratio=working_ratio(ratio, unequal))
        burn_in = read_whole("burn_in", given["burn_in"])
        if burn_in < 0:
            raise ParametersRefused("burn_in", "must be 0 or more")
        return {
            "imbalance": read_choice("imbalance", given["imbalance"], IMBALANCES),
            "p": f"{p.numerator}/{p.denominator}",
            "burn_in": burn_in,
            "overall_weight": read_whole_within("overall_weight", given["overall_weight"], least=0, most=MAX_WEIGHT),
            "unequal": unequal,
        }

    def warnings(self, settings: dict[str, object], *, ratio: tuple[int, ...], trial: Setting) -> list[str]:
        found = []
        if settings["p"] == "1/1":
            found.append("With p = 1 every allocation but a tie can be foreseen: a statistician must say why.")
        if settings["unequal"] == BIASED_COIN and len(set(ratio)) > 1:
            found.append("With an unequal ratio the biased coin favours the larger arm at first: use pseudo-arms.")
        return found


def working_ratio(ratio: tuple[int, ...], unequal: str) -> tuple[int, ...]:
    """The ratio of the working arms: the arms', or 1 for each pseudo-arm (4.4)."""
    return (1,) * sum(ratio) if unequal == PSEUDO_ARMS else ratio


def read_p(given: object, *, ratio: tuple[int, ...]) -> Fraction:
    """The exact value of `p`, written as "4/5" or "0.8"; `ratio` is that of the working arms.

    Raises:
        ParametersRefused: written otherwise, outside its limits, or so fine that no draw can have it.
    """
    p = _fraction(read_text("p", given))
    if not Fraction(min(ratio), sum(ratio)) <= p <= 1:
        raise ParametersRefused("p", "must be from the smallest share of an arm to 1")
    if (sum(ratio) - min(ratio)) * p.denominator > _MAX_DRAW:
        raise ParametersRefused("p", "must have a smaller denominator")
    return p


def _fraction(text: str) -> Fraction:
    # Fraction alone would take "1e-1", "+4/5" and "8_0/1_00" as well.
    parts = text.split("/") if "/" in text else text.split(".")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ParametersRefused("p", 'must be written like "4/5" or "0.8"')
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ParametersRefused("p", "must be a number") from None
