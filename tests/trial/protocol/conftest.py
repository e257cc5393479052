"""The two protocols of the library, as data and as specs."""

import copy
import json
from pathlib import Path

import pytest

from trial.protocol import reading
from trial.protocol.errors import ProtocolRefused

LIBRARY = Path(reading.__file__).with_name("library")
FILES = {"greenrx": LIBRARY / "greenrx_f.json", "northbank": LIBRARY / "northbank.json"}
DATA = {name: json.loads(path.read_text("utf-8")) for name, path in FILES.items()}


def raw(data):
    return json.dumps(data).encode()


def at(data, key):
    """The value under a key such as `visits.2.days_before`."""
    for step in key.split("."):
        data = data[int(step) if isinstance(data, list) else step]
    return data


def changed(data, key, value):
    """A copy of the data with one key set to another value."""
    data = copy.deepcopy(data)
    *way, last = key.split(".")
    holder = at(data, ".".join(way)) if way else data
    holder[int(last) if isinstance(holder, list) else last] = value
    return data


def refused_keys(data):
    """The keys that a file with this data is refused for; empty when it is read."""
    try:
        reading.read(raw(data))
    except ProtocolRefused as refused:
        return refused.keys
    return []


@pytest.fixture
def greenrx_data():
    return copy.deepcopy(DATA["greenrx"])


@pytest.fixture(scope="session")
def greenrx():
    return reading.read(FILES["greenrx"].read_bytes())[1]


@pytest.fixture(scope="session")
def northbank():
    return reading.read(FILES["northbank"].read_bytes())[1]
