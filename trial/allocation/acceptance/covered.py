"""Cases of section 12 that need a person at a screen: each points to the automated test that has done it.

They are shown as covered, never as passed: the tests run with every change of the software, not with this draft.
"""

from dataclasses import dataclass

from trial.allocation.acceptance.case import Outcome, Status


@dataclass(frozen=True)
class Covered:
    """One case: the tests are named by file and function."""

    id: str
    requirement: str
    title: str
    expected: str
    tests: tuple[str, ...]

    def outcome(self) -> Outcome:
        """As a line of the report."""
        return Outcome(
            self.id, self.requirement, self.title, self.expected, ", ".join(self.tests), Status.COVERED, duration_ms=0
        )


_JOURNEY = "tests/trial/journey/test_randomise_views.py"

COVERED = (
    Covered(
        "P01",
        "12",
        "Session expires on the confirmation page",
        "Sign-in, and back to the check; nobody is allocated",
        (f"{_JOURNEY}::test_a_lost_session_leads_to_sign_in_and_back_to_the_check",),
    ),
    Covered(
        "P02",
        "12, R-19",
        "Wrong password on the confirmation page",
        "The page stays with its request key; nobody is allocated",
        (f"{_JOURNEY}::test_a_wrong_password_keeps_the_page_with_its_key",),
    ),
    Covered(
        "P03",
        "12, R-12",
        "Unauthorised role at every address and export",
        "Refused, for every role and address",
        ("tests/test_permissions.py::test_every_page_follows_the_table",),
    ),
    Covered(
        "P04",
        "12, 6.3",
        "Walk through every page in a blinded role, before and after allocation",
        "The pages are the same whatever the arm",
        (
            "tests/trial/journey/test_people.py::test_a_blinded_reader_sees_the_same_of_both_arms",
            "tests/trial/journey/test_homes.py::test_the_overview_is_the_same_for_a_blinded_reader_whatever_the_arms",
            "tests/trial/journey/test_history.py::test_a_blinded_reader_reads_no_row_that_tells_the_arm",
        ),
    ),
    Covered(
        "P05",
        "12, 6.3",
        "E-mail by role",
        "No arm in any e-mail; each goes only to those who may know",
        ("tests/trial/allocation/test_notices.py::test_no_message_about_an_allocation_names_an_arm",),
    ),
    Covered(
        "P06",
        "8.5",
        "Eight processes and killed processes, on SQLite and PostgreSQL",
        "No gap, no double, no lost counter",
        (
            "tests/randomisation/test_race.py::test_sixteen_processes_lose_nothing_on_sqlite",
            "tests/randomisation/test_race.py::test_sixteen_processes_lose_nothing_on_postgresql",
        ),
    ),
)
