"""Moving a calendar by whole weeks."""

import copy
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trial.protocol.conftest import DATA, raw
from trial.protocol import reading
from trial.protocol.shift import shift_weeks


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


@pytest.mark.parametrize("name", DATA)
@given(weeks=st.integers(-200, 200))
def test_every_date_of_the_study_moves_and_nothing_else(name, weeks):
    moved = dict(leaves(shift_weeks(DATA[name], weeks)))

    for path, value in leaves(DATA[name]):
        is_date = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)
        if is_date and path[0] != "calendar":
            assert (date.fromisoformat(moved[path]) - date.fromisoformat(value)).days == 7 * weeks
        else:
            assert moved[path] == value


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("weeks", [-60, 13, 150])
def test_a_shifted_protocol_still_loads(name, weeks):
    _, spec = reading.read(raw(shift_weeks(DATA[name], weeks)))

    assert spec.recruitment.starts.weekday() == 0


def test_the_data_given_stay_as_they_are(greenrx_data):
    before = copy.deepcopy(greenrx_data)

    shift_weeks(greenrx_data, 5)

    assert greenrx_data == before
