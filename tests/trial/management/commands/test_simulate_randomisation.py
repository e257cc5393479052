"""simulate_randomisation: a table of methods for a statistician, and nothing restricted on the terminal."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.factories import Trial, staff
from trial.access.policy import Role

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def trial(clock):
    return Trial()


@pytest.fixture
def statistician(trial):
    return staff(Role.UNBLINDED_STATISTICIAN)


def simulate(by, *arguments, **options):
    printed, told = io.StringIO(), options.pop("stderr", io.StringIO())
    call_command("simulate_randomisation", "--by", by.email, *arguments, stdout=printed, stderr=told)
    return printed.getvalue(), told.getvalue()


def test_the_protocols_design_stands_beside_minimisation_and_simple(statistician):
    printed, _told = simulate(statistician, "--trials", "3")

    heads = next(line for line in printed.splitlines() if "Protocol's design  " in line)
    assert "Minimisation, range, p 4/5" in heads
    assert heads.endswith("Simple")
    assert "Guessed, knowing the site's own arms" in printed
    assert "3 simulated trials of 96 people" in printed
    assert "fixed small blocks by site are the most guessable choice" in printed


def test_nothing_restricted_is_printed(trial, statistician):
    printed, told = simulate(statistician, "--trials", "2")

    assert "its restricted parameters are not shown" in printed
    for forbidden in ["block_sizes", "[4, 6]", "4, 6]", *(arm.code for arm in trial.spec.arms)]:
        assert forbidden not in printed + told


def test_minimisation_is_suggested_for_a_small_trial(statistician):
    small, _told = simulate(statistician, "--trials", "1", "--target", "60")
    large, _told = simulate(statistician, "--trials", "1", "--target", "150")

    assert "think of minimisation" in small
    assert "think of minimisation" not in large


def test_progress_is_a_line_for_each_tenth(statistician):
    _printed, told = simulate(statistician, "--trials", "20", "--target", "5")

    assert told.splitlines() == [f"Simulated {tenth}%" for tenth in range(10, 101, 10)]


def test_progress_on_a_terminal_counts_every_percent_in_one_line(statistician):
    _printed, told = simulate(statistician, "--trials", "100", "--target", "5", stderr=Terminal())

    assert told.count("\r") == 99
    assert told.endswith("Simulated 100%\n")


def test_methods_of_a_file_stand_beside_the_protocols_own(statistician, tmp_path):
    file = tmp_path / "methods.json"
    file.write_text(json.dumps({"methods": [{"label": "Stick", "parameters": {"method": "big_stick", "mti": 3}}]}))

    printed, _told = simulate(statistician, "--trials", "2", "--methods", str(file))

    heads = next(line for line in printed.splitlines() if "Protocol's design  " in line)
    assert heads.split() == ["Protocol's", "design", "Stick"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--trials", "0"], "Simulate 1 to"),
        (["--target", "0"], "1 to 10,000 people"),
        (["--methods", "absent.json"], "cannot be read"),
        (["--trials", "many"], "invalid int"),
    ],
)
def test_nonsense_is_refused(statistician, arguments, text):
    with pytest.raises(CommandError, match=text):
        simulate(statistician, *arguments)


def test_a_file_that_names_the_protocols_own_design_again_is_refused(statistician, tmp_path):
    file = tmp_path / "methods.json"
    file.write_text(json.dumps({"methods": [{"label": "Protocol's design", "parameters": {"method": "simple"}}]}))

    with pytest.raises(CommandError, match="name of its own"):
        simulate(statistician, "--methods", str(file))


def test_who_enrols_or_manages_may_not_see_it(trial):
    for person in (trial.randomiser, trial.coordinator, staff(Role.TRIAL_MANAGER, blinded=False)):
        with pytest.raises(CommandError, match="may not do this"):
            simulate(person)


def test_there_must_be_a_protocol(clock):
    with pytest.raises(CommandError, match="No protocol is active"):
        simulate(staff(Role.UNBLINDED_STATISTICIAN))
