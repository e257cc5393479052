"""Public parameters and log entries in words."""

from collections.abc import Mapping
from typing import Any

METHODS = {
    "simple": "Simple randomisation",
    "permuted_blocks": "Permuted blocks",
    "big_stick": "Big stick (maximum tolerated imbalance)",
    "minimisation": "Minimisation with a random element",
    "import": "List of an independent statistician, imported",
}


def parameter_rows(public: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every public parameter, term by term."""
    factors = [
        f"{factor['code']}: {', '.join(factor['levels'])}{_weight(factor['weight'], public['method'])}"
        for factor in public["factors"]
    ]
    return [
        ("Method", METHODS[public["method"]]),
        ("Arms", ", ".join(public["arms"])),
        ("Ratio", ":".join(str(share) for share in public["ratio"])),
        ("Factors", "; ".join(factors) or "None"),
        ("Contribution", public["contribution_source"]),
        ("Scheme and revision", f"{public['scheme']}, {public['revision']}"),
        ("Algorithm", public["algorithm"]),
    ]


def _weight(weight: int, method: str) -> str:
    return f" (weight {weight})" if method == "minimisation" else ""
