"""A case that differs or stops is a failure, and says nothing it must not."""

import pytest

from trial.allocation.acceptance.case import Case, Differs, Outcome, Status, expect, run


def run_script(script):
    return run(Case("T01", "12", "A case", "It holds", script), None)


def test_a_case_that_holds_is_a_pass():
    outcome = run_script(lambda world: "It held")

    assert (outcome.status, outcome.observed) == (Status.PASSED, "It held")


def test_a_case_that_differs_says_what_was_observed():
    def script(world):
        expect(False, "Two were made")

    outcome = run_script(script)

    assert (outcome.status, outcome.observed) == (Status.FAILED, "Two were made")


def test_a_case_that_stops_tells_only_how():
    def script(world):
        raise ValueError("arm zq7x in row 5")

    outcome = run_script(script)

    assert (outcome.status, outcome.observed) == (Status.FAILED, "Stopped by ValueError")


def test_what_holds_goes_on():
    expect(True, "never said")

    with pytest.raises(Differs, match="said"):
        expect(False, "said")


def test_an_outcome_survives_its_json():
    outcome = run_script(lambda world: "It held")

    assert Outcome.from_json(outcome.as_json()) == outcome
