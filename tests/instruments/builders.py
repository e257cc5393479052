"""Small definitions for tests, with one thing changed at a time."""

import json
from copy import deepcopy

from instruments.build import build

NO_RULE = {"max_missing": 0, "method": "none", "rounding": "none", "source": "made up"}


def item(code="demo_1", **changes):
    return {
        "code": code,
        "number": int(code.rsplit("_", 1)[-1]),
        "text": f"Statement {code}",
        "short": code,
        "type": "choice",
        "options": "agree5",
        "required": True,
        "reverse": False,
        "min": 0,
        "max": 4,
        **changes,
    }


def score_of(method="sum", items=("demo_1", "demo_2", "demo_3"), **changes):
    return {
        "code": f"demo_{method}",
        "label": "Made up",
        "method": method,
        "items": list(items),
        "range": [0, 12],
        "precision": 0,
        "higher_is": "better",
        "missing_rule": dict(NO_RULE),
        "bands": [],
        **changes,
    }


def band(low, high, code):
    return {"min": low, "max": high, "code": code, "label": code}


def definition(**changes):
    """Three items from 0 to 4, their sum in two bands, and an alert on each of an item and the sum."""
    return {
        "code": "demo",
        "version": "1.0.0",
        "title": "Made-up scale",
        "short_title": "Demo",
        "language": "en-GB",
        "copyright": "Nobody's.",
        "licence": {
            "terms": "Made up for tests.",
            "registration_required": False,
            "commercial_use": "allowed",
            "redistribution": "allowed",
            "modification": "",
            "attribution": "",
            "source": "made up",
        },
        "wording_withheld": False,
        "recall_period": "now",
        "instructions": None,
        "items": [item("demo_1"), item("demo_2"), item("demo_3")],
        "option_sets": {"agree5": [{"value": value, "label": f"Option {value}"} for value in range(5)]},
        "scores": [score_of(bands=[band(0, 5, "lower"), band(6, 12, "upper")])],
        "alerts": [
            {
                "code": "demo_item",
                "item": "demo_1",
                "condition": {"op": ">=", "value": 3},
                "severity": "urgent",
                "message": "Look.",
            },
            {
                "code": "demo_total",
                "score": "demo_sum",
                "condition": {"op": "<=", "value": 2},
                "severity": "review",
                "message": "Look.",
            },
        ],
        "codes": {},
        "references": [],
        **changes,
    }


def instrument(**changes):
    return build(definition(**changes))


def changed(path, value):
    """The definition with one key set; `path` is a list of keys and positions. `...` removes the key."""
    raw = deepcopy(definition())
    *outer, last = path
    place = raw
    for part in outer:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return raw


def write(folder, raw, name="demo.json"):
    path = folder / name
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path
