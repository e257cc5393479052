"""item_responses: one row for each item of each questionnaire that was due or done, of all instruments."""

from collections.abc import Iterator, Sequence

from exports.canonical import Canonical
from exports.datasets.common import ALL_MISSING, SUBJID, VISITNUM, code, identifier, integer, text_codes
from exports.datasets.definition import Definition
from exports.datasets.derived import DerivedTable, by_person
from exports.model import HiddenRows, Level, Row, Source, Table

NAME = "item_responses"


def derived(definition: Definition, questionnaires: Sequence[Table]) -> DerivedTable:
    """The table, made from the tables of the questionnaires."""
    items = {one.name: _items(definition, one) for one in questionnaires}
    revealing = tuple(sorted(definition.revealing_items))
    table = Table(
        name=NAME,
        label="Answers of all questionnaires, item by item",
        row="one answer, or why there is none",
        key=("subjid", "visitnum", "instrument", "item"),
        variables=(
            SUBJID,
            VISITNUM,
            code("instrument", "INSTR", "Questionnaire", "instrument", source=Source.ASSIGNED),
            identifier("item", "ITEM", "Item of the questionnaire", 32),
            integer("response", "RESP", "Answer as a whole number", level=Level.ORDINAL, missing=ALL_MISSING),
        ),
        hidden_rows=HiddenRows("item", revealing) if revealing else None,
    )
    titles = text_codes(
        "instrument", ((name, versions[-1].short_title) for name, versions in definition.instruments.items())
    )

    def rows(canonical: Canonical) -> Iterator[Row]:
        for subjid, found in by_person(canonical, ["participants", *items]):
            answers = [
                [subjid, row[1], name, item, row[position]]
                for name, positions in items.items()
                for row in found[name]
                for item, position in positions
            ]
            yield from sorted(answers, key=_key)

    return DerivedTable(table, rows, (definition.visitnums, titles))


def _items(definition: Definition, table: Table) -> list[tuple[str, int]]:
    """Items of one questionnaire with their columns."""
    codes = {item.code for version in definition.instruments[table.name] for item in version.items}
    return [(name, table.position(name)) for name in table.names if name in codes]


def _key(row: Row) -> tuple[int, str, str]:
    return int(row[1] or 0), str(row[2]), str(row[3])
