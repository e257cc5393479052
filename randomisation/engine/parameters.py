"""The parameters of a scheme: read, checked by the rules of section 1, put in canonical form (3.3)."""

import math
from dataclasses import dataclass, replace

from randomisation.engine.canonical import canonical_json
from randomisation.engine.methods import Setting
from randomisation.engine.reading import read_list, read_text, read_whole, read_whole_within
from randomisation.engine.source import VERSION, check_scheme_code
from randomisation.errors import ParametersRefused
from randomisation.schemes import SCHEMES
from randomisation.schemes.permuted_blocks import read_block_sizes

MAX_STRATA = 500
MAX_RATIO_SUM = 60
NO_CONTRIBUTION = "none"
NO_FACTORS_KEY = "all"
_COMMON_KEYS = frozenset(
    {"algorithm", "scheme", "revision", "arms", "ratio", "method", "factors", "contribution_source"}
)
_BACKUP_KEY = "backup_block_sizes"
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


@dataclass(frozen=True, slots=True)
class Factor:
    """A categorical variable, its levels in declared order, and its weight (1 in every list method)."""

    code: str
    levels: tuple[str, ...]
    weight: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class Parameters:
    """Checked parameters of one revision. Some are restricted, so its repr is constant."""

    scheme: str
    revision: int
    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    method: str
    factors: tuple[Factor, ...]
    contribution_source: str
    settings: dict[str, object]
    """The method's own, in canonical form."""
    backup_block_sizes: list[int] | None

    def __repr__(self) -> str:
        return "<Parameters>"

    def public(self) -> dict[str, object]:
        """What anyone who may see the method may see: everything but the method's own parameters (6.1)."""
        return {
            "algorithm": VERSION,
            "scheme": self.scheme,
            "revision": self.revision,
            "arms": list(self.arms),
            "ratio": list(self.ratio),
            "method": self.method,
            "factors": [{"code": f.code, "levels": list(f.levels), "weight": f.weight} for f in self.factors],
            "contribution_source": self.contribution_source,
        }

    def canonical(self) -> bytes:
        """The bytes that the commitment covers."""
        backup = {} if self.backup_block_sizes is None else {_BACKUP_KEY: self.backup_block_sizes}
        return canonical_json({**self.public(), **self.settings, **backup})

    def backup_keys(self) -> list[str]:
        """The keys of the emergency lists: one a site, `all` without a factor `site` (2.1)."""
        if self.backup_block_sizes is None:
            return []
        return stratum_keys(self.site_factors)

    @property
    def site_factors(self) -> tuple[Factor, ...]:
        """The factor `site`, if there is one: it alone makes the key of an emergency list."""
        return tuple(factor for factor in self.factors if factor.code == "site")

    def with_levels(self, added: dict[str, list[str]]) -> "Parameters":
        """The same with levels added at the end of factors: what strata and checks go by after `add_level`.

        The commitment covers the levels declared at lock only, which are this object's own (section 1).

        Raises:
            ParametersRefused: no such factor, no code, a level twice, or more than 500 strata.
        """
        if set(added) - {factor.code for factor in self.factors}:
            raise ParametersRefused("factors", "must be declared before levels are added to them")
        longer = [[*factor.levels, *added.get(factor.code, [])] for factor in self.factors]
        factors = [replace(f, levels=_codes("factors", n)) for f, n in zip(self.factors, longer, strict=True)]
        extended = replace(self, factors=tuple(factors))
        _check_counts(extended)
        return extended


def reduce_ratio(ratio: tuple[int, ...]) -> tuple[int, ...]:
    """The ratio in lowest terms; its sum is then 60 or less (section 1)."""
    if not ratio or any(type(share) is not int or share < 1 for share in ratio):
        raise ParametersRefused("ratio", "must be one positive whole number for each arm")
    divisor = math.gcd(*ratio)
    reduced = tuple(share // divisor for share in ratio)
    if sum(reduced) > MAX_RATIO_SUM:
        raise ParametersRefused("ratio", "must add up to 60 or less in lowest terms")
    return reduced


def stratum_key(factors: tuple[Factor, ...], levels: dict[str, str]) -> str:
    """The key of the stratum with these levels, `all` without factors (section 1)."""
    return ";".join(f"{factor.code}={levels[factor.code]}" for factor in factors) or NO_FACTORS_KEY


def stratum_keys(factors: tuple[Factor, ...]) -> list[str]:
    """Every stratum key, the last factor changing fastest."""
    keys = [""]
    for factor in factors:
        keys = [f"{key};{factor.code}={level}" for key in keys for level in factor.levels]
    return [key[1:] or NO_FACTORS_KEY for key in keys]


def normalise(given: dict[str, object]) -> dict[str, object]:
    """The same parameters with ratio, `p` and block sizes in canonical form (3.3).

    Raises:
        ParametersRefused: a key missing, unknown or null, a method not offered, a ratio or a parameter of the
            method outside its rule.
    """
    method = SCHEMES.get(str(given.get("method")))
    if method is None:
        raise ParametersRefused("method", f"must be one of {', '.join(SCHEMES)}")
    _check_keys(given, _COMMON_KEYS.union(method.keys))
    ratio = reduce_ratio(tuple(read_list("ratio", given["ratio"])))
    normal = {**given, "ratio": list(ratio), **method.settings(given, ratio=ratio)}
    if _BACKUP_KEY in given:
        normal[_BACKUP_KEY] = read_block_sizes(_BACKUP_KEY, given[_BACKUP_KEY], ratio=ratio)
    return normal


def read_parameters(given: dict[str, object]) -> Parameters:
    """Check the parameters of one revision against every rule of section 1.

    Raises:
        ParametersRefused: names the parameter and the rule.
    """
    normal = normalise(given)
    _check_constants(normal)
    method = SCHEMES[str(normal["method"])]
    parameters = Parameters(
        scheme=read_text("scheme", normal["scheme"]),
        revision=read_whole("revision", normal["revision"]),
        arms=_codes("arms", normal["arms"]),
        ratio=tuple(read_list("ratio", normal["ratio"])),
        method=read_text("method", normal["method"]),
        factors=tuple(_factor(f, method.max_weight) for f in read_list("factors", normal["factors"])),
        contribution_source=read_text("contribution_source", normal["contribution_source"]),
        settings={key: normal[key] for key in method.keys},
        backup_block_sizes=read_list(_BACKUP_KEY, normal[_BACKUP_KEY]) if _BACKUP_KEY in normal else None,
    )
    _check_counts(parameters)
    return parameters


def needs_reason(parameters: Parameters) -> bool:
    """No random element: a named statistician must record why (section 1, ICH E9)."""
    return parameters.settings.get("p") == "1/1"


def design_warnings(parameters: Parameters, *, target: int, masked: bool) -> list[str]:
    """What section 1 warns of before lock.

    Args:
        target: how many people are to be randomised.
        masked: those who recruit see no arms.
    """
    trial = Setting(target, len(stratum_keys(parameters.factors)), masked)
    found = SCHEMES[parameters.method].warnings(parameters.settings, ratio=parameters.ratio, trial=trial)
    if not parameters.factors and parameters.settings.get("overall_weight") == 0:
        found.append("There is nothing to balance: name a factor, or give the whole trial a weight.")
    return found


def _check_keys(given: dict[str, object], expected: frozenset[str]) -> None:
    for key in sorted(expected):
        if given.get(key) is None:
            raise ParametersRefused(key, "must be given")
    for key in sorted(set(given) - expected - {_BACKUP_KEY}):
        raise ParametersRefused(key, "is not a parameter of this method")


def _check_constants(normal: dict[str, object]) -> None:
    if normal["algorithm"] != VERSION:
        raise ParametersRefused("algorithm", f"must be {VERSION}")
    check_scheme_code(read_text("scheme", normal["scheme"]))
    if read_whole("revision", normal["revision"]) < 1:
        raise ParametersRefused("revision", "must be 1 or more")
    if not read_text("contribution_source", normal["contribution_source"]):
        raise ParametersRefused("contribution_source", 'must say where it comes from, "none" if unused')


def _check_counts(parameters: Parameters) -> None:
    if not 2 <= len(parameters.arms) <= 10:
        raise ParametersRefused("arms", "must number 2 to 10")
    if len(parameters.ratio) != len(parameters.arms):
        raise ParametersRefused("ratio", "must be one positive whole number for each arm")
    if len({factor.code for factor in parameters.factors}) != len(parameters.factors):
        raise ParametersRefused("factors", "must each have a code of their own")
    n_strata = math.prod(len(factor.levels) for factor in parameters.factors)
    if SCHEMES[parameters.method].has_strata and n_strata > MAX_STRATA:
        raise ParametersRefused("factors", "must make 500 strata or fewer")


def _factor(entry: object, max_weight: int) -> Factor:
    if not isinstance(entry, dict) or set(entry) != {"code", "levels", "weight"}:
        raise ParametersRefused("factors", "must each have code, levels and weight")
    if max_weight == 1 and (type(entry["weight"]) is not int or entry["weight"] != 1):
        raise ParametersRefused("factors", "must have weight 1 with a list method")
    weight = read_whole_within("factors", entry["weight"], least=1, most=max_weight)
    (code,) = _codes("factors", [entry["code"]])
    levels = _codes("factors", entry["levels"])
    if len(levels) < 2:
        raise ParametersRefused("factors", "must each have 2 or more levels")
    return Factor(code, levels, weight)


def _codes(field: str, value: object) -> tuple[str, ...]:
    codes = tuple(read_text(field, code) for code in read_list(field, value))
    for code in codes:
        if not 1 <= len(code) <= 32 or code[0] not in _FIRST or not set(code) <= _FIRST | {"_", "-"}:
            raise ParametersRefused(
                field,
                "must be codes of 1 to 32 lower-case letters, digits, _ or -, the first no _ or -",
            )
    if len(set(codes)) != len(codes):
        raise ParametersRefused(field, "must not repeat a code")
    return codes
