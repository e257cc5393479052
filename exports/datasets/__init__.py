"""The tables of a release: each module reads one, or one family, out of the database; two are made from the others."""

from collections.abc import Iterable
from dataclasses import dataclass

from exports.datasets import (
    adverse_events,
    consent,
    deviations,
    item_responses,
    masked_allocation,
    participants,
    queries,
    questionnaires,
    randomisation,
    sessions,
    visits,
    wide,
    withdrawals,
)
from exports.datasets.common import TableSource
from exports.datasets.definition import Definition
from exports.datasets.derived import DerivedTable
from exports.model import CodeList, Model


@dataclass(frozen=True)
class Datasets:
    """Everything that goes into a canonical file: tables out of the database, then those made from them."""

    model: Model
    read: tuple[TableSource, ...]
    derived: tuple[DerivedTable, ...]


def datasets_of(definition: Definition) -> Datasets:
    """Every table that this protocol asks for, in the order of the codebook."""
    people, diary = participants.source(definition), visits.source(definition)
    forms = tuple(questionnaires.sources(definition))
    read = (
        people,
        diary,
        *forms,
        consent.source(definition),
        adverse_events.source(definition),
        *deviations.sources(definition),
        withdrawals.source(definition),
        queries.source(definition),
        sessions.source(definition),
        randomisation.source(definition),
        masked_allocation.source(definition),
    )
    form_tables = [source.table for source in forms]
    derived = (
        item_responses.derived(definition, form_tables),
        wide.derived(definition, people.table, diary.table, form_tables),
    )
    every: tuple[TableSource | DerivedTable, ...] = (*read, *derived)
    lists = _once(codelist for source in every for codelist in source.codelists)
    return Datasets(Model(tuple(source.table for source in every), lists, definition.visit_suffixes), read, derived)


def _once(codelists: Iterable[CodeList]) -> tuple[CodeList, ...]:
    """Each code list once; two that differ under one name both stay, and the model's check names them."""
    return tuple(dict.fromkeys(codelists))
