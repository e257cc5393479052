"""Turn the JSON of a definition that its schema accepts into the values of `model`."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from instruments.exact import Number
from instruments.model import (
    Alert,
    Band,
    Condition,
    Instrument,
    Item,
    ItemRule,
    Licence,
    MissingRule,
    Option,
    Score,
)

Json = dict[str, Any]
CODING_SYSTEMS = ("loinc", "cdisc", "snomed")


def build(raw: Json) -> Instrument:
    """The instrument that `raw` describes; references inside it are not checked yet."""
    option_sets = {name: tuple(_option(option) for option in raw["option_sets"][name]) for name in raw["option_sets"]}
    return Instrument(
        code=raw["code"],
        version=raw["version"],
        title=raw["title"],
        short_title=raw["short_title"],
        language=raw["language"],
        copyright=raw["copyright"],
        licence=Licence(**raw["licence"]),
        wording_withheld=raw["wording_withheld"],
        recall_period=raw["recall_period"],
        instructions=raw["instructions"],
        items=tuple(_item(item, option_sets) for item in raw["items"]),
        option_sets=option_sets,
        scores=tuple(_score(score) for score in raw["scores"]),
        alerts=tuple(_alert(alert) for alert in raw["alerts"]),
        codes=raw["codes"],
        references=tuple(raw["references"]),
        checksum=_checksum(raw),
        notes=tuple(raw.get("notes", ())),
        change=raw.get("change", {}),
        copyright_note=raw.get("copyright_note"),
        instructions_note=raw.get("instructions_note"),
    )


def _checksum(raw: Json) -> str:
    """SHA-256 of what the file says; its layout does not count."""
    said = {key: value for key, value in raw.items() if key != "$schema"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _number(value: int | Decimal) -> Number:
    return int(value) if value == int(value) else value


def _optional(value: int | Decimal | None) -> Number | None:
    return None if value is None else _number(value)


def _whole(value: int | Decimal | None) -> int | None:
    return None if value is None else int(value)


def _option(raw: Json) -> Option:
    codes = {system: raw[system] for system in CODING_SYSTEMS if system in raw}
    return Option(value=int(raw["value"]), label=raw["label"], codes=codes)


def _item(raw: Json, option_sets: dict[str, tuple[Option, ...]]) -> Item:
    return Item(
        code=raw["code"],
        number=int(raw["number"]),
        text=raw["text"],
        short=raw["short"],
        type=raw["type"],
        option_set=raw["options"],
        options=option_sets.get(raw["options"], ()),
        required=raw["required"],
        reverse=raw["reverse"],
        min=int(raw["min"]),
        max=int(raw["max"]),
        soft_max=_whole(raw.get("soft_max")),
        anchors={int(value): label for value, label in raw.get("anchors", {}).items()},
        unit=raw.get("unit"),
        required_if=_rule(raw["required_if"]) if "required_if" in raw else None,
        shown_if=_rule(raw["shown_if"]) if "shown_if" in raw else None,
        scored=raw.get("scored", True),
        placeholder=raw.get("placeholder"),
        wemwbs_item=_whole(raw.get("wemwbs_item")),
        codes=raw.get("codes", {}),
    )


def _rule(raw: Json) -> ItemRule:
    return ItemRule(any_of=tuple(raw["any_of"]), condition=Condition(raw["op"], _number(raw["value"])))


def _score(raw: Json) -> Score:
    limits, rule = raw["range"], raw["missing_rule"]
    return Score(
        code=raw["code"],
        label=raw["label"],
        method=raw["method"],
        items=tuple(raw["items"]),
        range=limits and (_number(limits[0]), _number(limits[1])),
        precision=_whole(raw["precision"]),
        higher_is=raw["higher_is"],
        missing_rule=MissingRule(**rule | {"max_missing": int(rule["max_missing"])}),
        bands=tuple(_band(band) for band in raw["bands"]),
        optional=raw.get("optional", False),
        bands_status=raw.get("bands_status"),
        note=raw.get("note"),
        codes=raw.get("codes", {}),
        of=raw.get("of"),
        multiplier=_optional(raw.get("multiplier")),
        offset=_optional(raw.get("offset")),
        table=tuple((_number(row["raw"]), _number(row["value"])) for row in raw.get("table", ())),
        thresholds={code: int(value) for code, value in raw.get("thresholds", {}).items()},
        missing_digit=raw.get("missing_digit"),
    )


def _band(raw: Json) -> Band:
    return Band(min=_number(raw["min"]), max=_number(raw["max"]), code=raw["code"], label=raw["label"])


def _alert(raw: Json) -> Alert:
    condition = raw["condition"]
    return Alert(
        code=raw["code"],
        item=raw.get("item"),
        score=raw.get("score"),
        condition=Condition(condition["op"], _optional(condition.get("value"))),
        severity=raw["severity"],
        message=raw["message"],
    )
