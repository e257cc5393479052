"""Files of wording as a study would receive them, made up; every word holds a mark that occurs nowhere else."""

import csv
import io
import json

import instruments

MARK = "qqlicensedwords"


def eq5d5l(**changes):
    """The wording of the EQ-5D-5L, made up: {"items": …} with labels of its own for each question."""
    items = {
        item.code: {
            "text": f"{MARK} question {item.number}",
            "options": {str(option.value): f"{MARK} {item.number}.{option.value}" for option in item.options},
        }
        for item in instruments.get("eq5d5l").items
    }
    items["eq5d5l_vas"]["options"] = {"0": f"{MARK} worst", "100": f"{MARK} best"}
    return {"instructions": f"{MARK} today", "items": items, **changes}


def as_json(content):
    return json.dumps(content).encode()


def as_csv(content):
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["item", "value", "text"])
    rows.writerow(["", "", content["instructions"]])
    for code, item in content["items"].items():
        rows.writerow([code, "", item["text"]])
        rows.writerows([[code, value, label] for value, label in item["options"].items()])
    return ("\ufeff" + out.getvalue()).encode()
