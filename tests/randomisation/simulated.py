"""What the tests of the simulation share: designs of the example in section 11, and secrets that repeat."""

import hashlib
from itertools import count

from randomisation.simulation import Population, candidate, simulate

SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
AGE = {"code": "age", "levels": ["u65", "65p"], "weight": 1}
GAD = {"code": "gad", "levels": ["low", "mod", "high"], "weight": 1}
FACTORS = [SITE, AGE, GAD]
MINIMISATION = {
    "method": "minimisation",
    "factors": FACTORS,
    "imbalance": "range",
    "p": "4/5",
    "burn_in": 0,
    "overall_weight": 1,
    "unequal": "biased_coin",
}


def secrets_from(text):
    """Secrets that are the same in every run."""
    numbers = count(1)
    return lambda: hashlib.sha256(f"{text} {next(numbers)}".encode()).digest()


def design(label="Design", **changes):
    return candidate(label, {"arms": ["a", "b"], "ratio": [1, 1], "method": "simple", **changes})


def minimisation(label="Minimisation", **changes):
    return design(label, **{**MINIMISATION, **changes})


def blocks(*sizes, label="Blocks", **changes):
    return design(label, method="permuted_blocks", block_sizes=list(sizes), **changes)


def run(*candidates, n_trials, target=60, factors=FACTORS, **changes):
    """The results by label; everybody equally likely at each level of `factors`."""
    levels = {factor["code"]: dict.fromkeys(factor["levels"], 1) for factor in factors}
    compared = simulate(
        candidates,
        population=Population.of(levels),
        target=target,
        n_trials=n_trials,
        **{"secret_source": secrets_from("test"), **changes},
    )
    return {method.label: method for method in compared.methods}
