"""Fail, do not cut: each rule of dataset_release.md sections 5 to 7 is broken once."""

from dataclasses import replace

import pytest

from exports import checks
from exports.datasets import datasets_of
from exports.datasets.definition import Definition
from exports.model import Code, CodeList, Model, Retired, Table, Type, Variable
from tests.exports.small import ARM, EVENTS, MODEL, PEOPLE, SEX, variable
from tests.factories import LIBRARY
from trial.protocol.spec import ProtocolSpec


def with_variable(variable_: str, /, **changes) -> Model:
    """The model with one variable of `participants` changed."""
    variables = tuple(replace(v, **changes) if v.name == variable_ else v for v in PEOPLE.variables)
    return replace(MODEL, tables=(replace(PEOPLE, variables=variables), EVENTS))


def with_added(added: Variable, table: Table = PEOPLE) -> Model:
    return replace(MODEL, tables=(replace(table, variables=(*table.variables, added)),))


def with_codes(*codes: Code) -> Model:
    return replace(MODEL, codelists=(CodeList("sex", codes), ARM))


@pytest.mark.parametrize("name", ["greenrx_f", "northbank"])
def test_the_tables_of_every_protocol_of_the_library_are_sound(name):
    spec = ProtocolSpec.model_validate_json((LIBRARY / f"{name}.json").read_text())

    assert checks.problems(datasets_of(Definition({1: spec})).model) == []


def test_the_small_model_is_sound():
    assert checks.problems(MODEL) == []


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (with_variable("age", name="Age"), "lower snake case"),
        (with_variable("age", name="a__ge"), "double underscores"),
        (with_variable("age", name="a" * 27), "at most 26 characters, this one 27"),
        (with_variable("age", name="with"), "reserved word"),
        (with_added(variable("age", Type.INTEGER)), "used 2 times"),
        (with_variable("age", xpt_name="TOOLONGXX"), "SAS transport"),
        (with_variable("age", xpt_name="SUBJID"), "SAS transport files is used 2 times"),
        (with_variable("age", label="x" * 81), "label has 81 characters"),
        (with_variable("age", short_label="x" * 41), "short label has 41"),
        (with_variable("note", length=2001), "1 to 2000 characters"),
        (with_variable("mean_score", places=0), "how many places"),
        (with_variable("age", min=-95), "include missing codes"),
        (with_variable("age", min=130), "above its greatest"),
        (with_variable("age", missing=(-90,)), "no missing codes"),
        (with_variable("mean_score", companion=""), "no companion"),
        (with_variable("mean_score", companion="note"), "must hold whole numbers"),
        (with_variable("sex", codelist="absent"), "no code list absent"),
        (with_variable("sex", codelist=""), "name a code list"),
        (with_variable("age", identifying=True), "identify a person"),
        (with_variable("subjid", missing=(-99,)), "never missing"),
        (with_variable("subjid", reveals_allocation=True), "part of its key reveals"),
        (replace(MODEL, tables=(replace(PEOPLE, key=()),)), "no key"),
        (replace(MODEL, tables=(replace(PEOPLE, key=("absent",)),)), "no variable of it"),
        (replace(MODEL, tables=(replace(PEOPLE, delivery=True),)), "not marked as revealing"),
        (replace(MODEL, tables=(PEOPLE, PEOPLE)), "name of a table is used 2 times"),
        (replace(MODEL, codelists=(SEX, SEX, ARM)), "name of a code list is used 2 times"),
        (with_codes(), "it is empty"),
        (with_codes(Code(1, "a"), Code(1, "b")), "1 is there 2 times"),
        (with_codes(Code(-95, "a")), "-95 is a missing code"),
        (with_codes(Code(1, "x" * 121)), "1 to 120 bytes"),
    ],
)  # fmt: skip
def test_a_breach_stops_the_dataset_and_says_where(model, words):
    with pytest.raises(checks.ModelBroken, match=words):
        checks.require_sound(model)


def test_a_breach_names_the_table_and_the_variable():
    found = checks.problems(with_variable("age", label=""))

    assert found == ["participants.age: its label has 0 characters, allowed are 1 to 80"]


def test_a_wide_name_may_have_32_characters():
    wide = replace(PEOPLE, wide=True)

    assert checks.problems(with_added(variable("a" * 32, Type.INTEGER), wide)) == []


def test_a_released_name_never_gets_another_type():
    earlier = replace(MODEL, retired=(Retired("events", "old", "Old", Type.DATE, "L001", "L002", False),))
    changed = replace(
        with_variable("age", type=Type.DATE),
        tables=(
            *with_variable("age", type=Type.DATE).tables[:1],
            replace(EVENTS, variables=(*EVENTS.variables, variable("old", Type.INTEGER))),
        ),
    )

    found = checks.changed_meanings(changed, earlier)

    assert found == [
        "participants.age: was released as integer, so it cannot become date",
        "events.old: was released as date, so it cannot become integer",
    ]
