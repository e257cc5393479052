"""Questionnaires as data: definitions, how they are scored, and worked cases. No Django, no database."""

from instruments.catalogue import LIBRARY, UnknownInstrument, all_instruments, get, search_folders
from instruments.model import Alert, Band, Condition, Instrument, Item, ItemRule, Licence, MissingRule, Option, Score
from instruments.schema import DefinitionError, load
from instruments.scoring import (
    ALGORITHM_VERSION,
    Finding,
    Result,
    ScoreResult,
    Status,
    completeness,
    required_items,
    score,
    shown_items,
)

__all__ = [
    "ALGORITHM_VERSION",
    "LIBRARY",
    "Alert",
    "Band",
    "Condition",
    "DefinitionError",
    "Finding",
    "Instrument",
    "Item",
    "ItemRule",
    "Licence",
    "MissingRule",
    "Option",
    "Result",
    "Score",
    "ScoreResult",
    "Status",
    "UnknownInstrument",
    "all_instruments",
    "completeness",
    "get",
    "load",
    "required_items",
    "score",
    "search_folders",
    "shown_items",
]
