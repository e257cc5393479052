"""Fail, do not cut: the model is tested against the narrowest target before anything is written.

Each rule yields sentences that name the table and the variable (dataset_release.md sections 5 to 7 and 13.1).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from exports.missing_codes import MISSING_CODES
from exports.model import LONGEST_NAME, LONGEST_TEXT, LONGEST_WIDE_NAME, CodeList, Model, Table, Type, Variable
from trial.base.errors import TrialError

NAME = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]")
XPT_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
LONGEST_LABEL, LONGEST_SHORT_LABEL, LONGEST_VALUE_LABEL = 80, 40, 120
_NAMED = "by with to all not and or _n _all if in using date time"
_STATA_AND_SPSS = "byte double float int long str strl eq ge gt le lt ne"
_SQL = """
    any array as asc both case cast check collate column constraint create default deferrable desc distinct do else
    end except false fetch for foreign from grant group having initially intersect into is join leading limit natural
    null offset on only order primary references returning select some table then trailing true union unique user
    when where window
"""
RESERVED = frozenset(f"{_NAMED} {_STATA_AND_SPSS} {_SQL}".split())
"""Words of section 5, and what Stata, SPSS, PostgreSQL and SQLite refuse as a name."""
UNSAFE = frozenset({Type.DATE, Type.DATETIME, Type.TIME, Type.DECIMAL, Type.TEXT, Type.ID})
"""Types whose cells cannot hold a missing code safely."""


class ModelBroken(TrialError):
    """The model of a release breaks a rule, so nothing is written. One line for each breach."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The dataset was not written:\n" + "\n".join(self.problems))


def require_sound(model: Model) -> None:
    """Stop when the model breaks a rule.

    Raises:
        ModelBroken: with every breach.
    """
    if found := problems(model):
        raise ModelBroken(found)


def problems(model: Model) -> list[str]:
    """Every breach of the model's rules, as sentences."""
    return [
        *_repeated("table", (table.name for table in model.tables)),
        *_repeated("code list", (codelist.name for codelist in model.codelists)),
        *(text for codelist in model.codelists for text in _codelist(codelist)),
        *(text for table in model.tables for text in _table(model, table)),
    ]


def changed_meanings(model: Model, earlier: Model) -> list[str]:
    """Names that an earlier lock released with another type, retired names included (section 5)."""
    types = {(old.table, old.name): old.type for old in earlier.retired}
    types |= {(table.name, variable.name): variable.type for table in earlier.tables for variable in table.variables}
    return [
        f"{table.name}.{variable.name}: was released as {old}, so it cannot become {variable.type}"
        for table in model.tables
        for variable in table.variables
        if (old := types.get((table.name, variable.name), variable.type)) != variable.type
    ]


# -- names


def _repeated(what: str, names: Iterable[str]) -> Iterator[str]:
    for name, n in Counter(name.lower() for name in names).items():
        if n > 1:
            yield f"{name}: the name of a {what} is used {n} times"


def _name(name: str, longest: int) -> Iterator[str]:
    if not NAME.fullmatch(name) or "__" in name:
        yield "a name is lower snake case without double underscores"
    if len(name) > longest:
        yield f"a name has at most {longest} characters, this one {len(name)}"
    if name in RESERVED:
        yield "the name is a reserved word"


# -- tables


def _table(model: Model, table: Table) -> Iterator[str]:
    for text in _name(table.name, LONGEST_NAME):
        yield f"{table.name}: {text}"
    for text in _repeated("variable", table.names):
        yield f"{table.name}.{text}"
    for text in _repeated("variable in SAS transport files", (v.xpt_name for v in table.variables)):
        yield f"{table.name}.{text}"
    for rule in TABLE_RULES:
        for text in rule(table):
            yield f"{table.name}: {text}"
    for variable in table.variables:
        for text in _variable(model, table, variable):
            yield f"{table.name}.{variable.name}: {text}"


def _key(table: Table) -> Iterator[str]:
    if not table.key:
        yield "the table has no key"
    for name in table.key:
        if name not in table.names:
            yield f"the key names {name}, which is no variable of it"
        elif table.variables[table.position(name)].missing:
            yield f"{name} is part of the key, so it is never missing"


def _blinding(table: Table) -> Iterator[str]:
    """Every column of a delivery table is marked; a key is left out only with its whole table."""
    if table.delivery:
        for variable in table.variables:
            if variable.name not in table.key and not variable.reveals_allocation:
                yield f"{variable.name} describes delivery and is not marked as revealing allocation"
    kept = table.blinded()
    if kept and not set(kept.key) <= set(kept.names):
        yield "part of its key reveals allocation, so all of the table must"
    if table.hidden_rows and table.hidden_rows.variable not in table.names:
        yield f"hidden rows name {table.hidden_rows.variable}, which is no variable of it"


TABLE_RULES: tuple[Callable[[Table], Iterator[str]], ...] = (_key, _blinding)


# -- variables


def _variable(model: Model, table: Table, variable: Variable) -> Iterator[str]:
    yield from _name(variable.name, LONGEST_WIDE_NAME if table.wide else LONGEST_NAME)
    if not XPT_NAME.fullmatch(variable.xpt_name):
        yield f"{variable.xpt_name!r} is no name for SAS transport files (8 capitals and digits)"
    if variable.identifying:
        yield "it would identify a person, so no release may hold it"
    yield from _labels(variable)
    yield from _lengths(variable)
    yield from _values(model, variable)
    yield from _missing(table, variable)


def _labels(variable: Variable) -> Iterator[str]:
    if not 0 < len(variable.label) <= LONGEST_LABEL:
        yield f"its label has {len(variable.label)} characters, allowed are 1 to {LONGEST_LABEL}"
    if not 0 < len(variable.short_label.encode()) <= LONGEST_SHORT_LABEL:
        yield f"its short label has {len(variable.short_label)} characters, allowed are 1 to {LONGEST_SHORT_LABEL}"


def _lengths(variable: Variable) -> Iterator[str]:
    if variable.type in (Type.TEXT, Type.ID) and not 0 < variable.length <= LONGEST_TEXT:
        yield f"a text says how long it may be, 1 to {LONGEST_TEXT} characters"
    if (variable.type == Type.DECIMAL) != (variable.places > 0):
        yield "decimals, and only they, say how many places they have"


def _values(model: Model, variable: Variable) -> Iterator[str]:
    if (variable.type == Type.CODE) != bool(variable.codelist):
        yield "codes, and only they, name a code list"
    elif variable.codelist and variable.codelist not in {codelist.name for codelist in model.codelists}:
        yield f"there is no code list {variable.codelist}"
    low, high = variable.min, variable.max
    if isinstance(low, int) and isinstance(high, int):
        if low > high:
            yield f"its least value {low} is above its greatest {high}"
        if low <= max(MISSING_CODES) and high >= min(MISSING_CODES):
            yield f"valid values from {low} to {high} include missing codes"


def _missing(table: Table, variable: Variable) -> Iterator[str]:
    if unknown := sorted(set(variable.missing) - MISSING_CODES):
        yield f"{unknown} are no missing codes"
    if not variable.missing:
        return
    if variable.type in UNSAFE:
        if variable.companion not in table.names:
            yield "it cannot hold missing codes and has no companion that does"
        elif table.variables[table.position(variable.companion)].type != Type.INTEGER:
            yield f"its companion {variable.companion} must hold whole numbers"


def _codelist(codelist: CodeList) -> Iterator[str]:
    name = codelist.name
    if not codelist.codes:
        yield f"code list {name}: it is empty"
    for value, n in Counter(code.value for code in codelist.codes).items():
        if n > 1:
            yield f"code list {name}: {value} is there {n} times"
        if value in MISSING_CODES:
            yield f"code list {name}: {value} is a missing code"
    for code in codelist.codes:
        if not 0 < len(code.label.encode()) <= LONGEST_VALUE_LABEL:
            yield f"code list {name}: the label of {code.value} must have 1 to {LONGEST_VALUE_LABEL} bytes"
