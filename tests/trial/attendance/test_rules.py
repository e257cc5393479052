"""Marks and attendance: values in, value out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trial.activities.builders import spec_of
from trial.attendance import rules
from trial.attendance.rules import Attendance, Offered, Place, Value

ADHERENCE = spec_of("greenrx_f").adherence
HERE, ABSENT, TOLD = Value("full"), Value("absent"), Value("absent_told")
A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.mark.parametrize(
    ("chain", "replaces", "value", "expected"),
    [
        ([], None, HERE, Place.NEXT),
        ([], A, HERE, Place.NEXT),  # the mark that it replaces was refused
        ([(A, HERE)], A, ABSENT, Place.NEXT),  # a change of mind
        ([(A, HERE)], None, HERE, Place.NEXT),  # two leaders say the same
        ([(A, HERE)], None, ABSENT, Place.CONFLICT),  # two leaders disagree
        ([(A, HERE), (B, ABSENT)], A, TOLD, Place.CONFLICT),  # changed meanwhile
        ([(A, HERE), (B, ABSENT)], A, ABSENT, Place.NEXT),  # changed meanwhile to the same
        ([(A, HERE), (B, HERE)], A, ABSENT, Place.NEXT),  # said again meanwhile: nothing changed
        ([(A, HERE), (B, ABSENT), (C, HERE)], A, ABSENT, Place.CONFLICT),  # there and back is a change
        ([(A, HERE)], C, ABSENT, Place.CONFLICT),  # replaces a mark that was kept aside
    ],
)
def test_a_mark_goes_on_top_or_aside(chain, replaces, value, expected):
    assert rules.place(chain, replaces, value, finished=False) is expected


def test_a_finished_register_changes_with_a_reason_only():
    assert rules.place([(A, HERE)], A, ABSENT, finished=True) is Place.CONFLICT
    assert rules.place([(A, HERE)], A, HERE, finished=True) is Place.NEXT
    assert rules.place([], None, Value("other_arm"), finished=True) is Place.NEXT


def test_minutes_and_reasons_are_part_of_what_a_mark_says():
    assert rules.place([(A, Value("part", 30))], None, Value("part", 45), finished=False) is Place.CONFLICT


@pytest.mark.parametrize(("minutes", "late"), [(0, False), (48 * 60, False), (48 * 60 + 1, True)])
def test_an_entry_is_late_after_the_protocols_hours(minutes, late):
    ends_at = datetime(2026, 7, 9, 11, tzinfo=UTC)

    assert rules.is_late(ends_at + timedelta(minutes=minutes), ends_at, 48) is late


def test_absences_without_contact_are_counted_in_a_row():
    statuses = ["absent", "absent", "full", "absent", "absent_told", "absent", "absent", "absent"]

    assert rules.absences_in_a_row(statuses) == [1, 2, 0, 1, 0, 1, 2, 3]


@dataclass
class Held:
    starts_at: datetime
    ends_at: datetime


def test_a_session_lasts_its_minutes_also_when_the_clocks_change():
    held = Held(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 2, 30, tzinfo=UTC))

    assert rules.length_min(held) == 120


@pytest.mark.parametrize(
    ("status", "minutes", "counts"),
    [
        ("full", None, True),
        ("part", 60, True),
        ("part", 59, False),
        ("part", 1, False),
        ("absent", None, False),
        ("absent_told", None, False),
        ("excused", None, False),
        ("not_started", None, False),
        ("left", None, False),
        ("", None, False),
    ],
)
def test_attended_is_in_full_or_for_half_the_time(status, minutes, counts):
    assert rules.attended(Offered(status, minutes, 120), Fraction(1, 2)) is counts


def test_half_the_time_is_compared_exactly():
    assert not rules.attended(Offered("part", 44, 89), Fraction(1, 2))
    assert rules.attended(Offered("part", 45, 90), Fraction(1, 2))


def test_attendance_counts_offered_and_attended():
    held = [Offered("full", None, 120)] * 5 + [Offered("part", 60, 120), Offered("absent", None, 120)]

    found = rules.attendance(held, ADHERENCE)

    assert found == Attendance(7, 6)
    assert found.share == Fraction(6, 7)
    assert rules.is_adherent(found, ADHERENCE)


def test_six_of_ten_is_both_adherent_and_at_the_limit_of_the_sensitivity_definition():
    assert rules.is_adherent(Attendance(10, 6), ADHERENCE)
    assert rules.is_adherent_by_share(Attendance(10, 6), ADHERENCE)
    assert not rules.is_adherent_by_share(Attendance(11, 6), ADHERENCE)
    assert rules.is_adherent_by_share(Attendance(5, 3), ADHERENCE)
    assert not rules.is_adherent(Attendance(5, 5), ADHERENCE)


def test_whoever_was_offered_nothing_is_not_adherent_and_stays_in_the_denominator():
    nobody = Attendance(0, 0)

    assert nobody.share is None
    assert not rules.is_adherent_by_share(nobody, ADHERENCE)
    assert rules.totals([nobody], ADHERENCE).n_people == 1


def test_the_worked_figures_of_f7():
    """domain.md section 8, F7: 16 people of an arm, 158 sessions offered."""
    attended = [10, 9, 8, 10, 0, 6, 7, 5, 9, 10, 3, 8, 6, 10, 0, 7]
    offered = [10] * 14 + [9, 9]

    found = rules.totals([Attendance(o, a) for o, a in zip(offered, attended, strict=True)], ADHERENCE)

    assert (found.n_people, found.n_offered, found.n_attended) == (16, 158, 108)
    assert round(found.n_attended / found.n_offered, 4) == 0.6835
    assert round(found.n_attended / found.n_people, 2) == 6.75
    assert (found.n_adherent, found.n_adherent / found.n_people) == (12, 0.75)
    assert found.n_initiated == 14
    assert round(found.n_attended / found.n_initiated, 4) == 7.7143


def test_the_vector_att_01():
    """feasibility_vectors.json, ATT-01."""
    delivered = [10, 10, 10, 8, 10, 10, 9, 8, 10, 10, 8, 10, 10, 8, 10, 10, 9, 10]
    attended = [4, 2, 9, 0, 9, 1, 4, 3, 2, 5, 4, 0, 4, 2, 6, 10, 9, 8]

    found = rules.totals([Attendance(d, a) for d, a in zip(delivered, attended, strict=True)], ADHERENCE)

    assert (found.n_attended, found.n_offered) == (82, 170)
    assert round(found.n_attended / found.n_offered, 6) == 0.482353
    assert (found.n_adherent, found.n_adherent_by_share, found.n_initiated) == (6, 6, 16)
    assert found.n_attended / found.n_initiated == 5.125


@given(st.lists(st.sampled_from([HERE, ABSENT, TOLD]), min_size=1, max_size=6), st.sampled_from([HERE, ABSENT, TOLD]))
def test_a_mark_on_the_current_one_never_contradicts(values, new):
    chain = [(UUID(int=n), value) for n, value in enumerate(values, start=1)]

    assert rules.place(chain, chain[-1][0], new, finished=False) is Place.NEXT
