"""The allocation table: what was used and what was true, marks, envelopes, and never another scheme's arm."""

from datetime import timedelta

import pytest

from randomisation import exceptions, states
from randomisation.drafts import create_scheme
from randomisation.models import Allocation, AllocationFlag, Scheme
from randomisation.recording import record_next
from randomisation.requests import Member, UnitRequest
from tests.exports.builders import frozen, real_arms, rows_of
from tests.factories import NOW, Trial, make_user
from tests.randomisation.life import lock_scheme

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def row_of(participant):
    return next(row for row in rows_of(frozen(), "randomisation") if row["subjid"] == participant.study_id)


def test_an_allocation_without_exceptions_has_the_same_levels_twice_and_no_mark(trial):
    participant = trial.randomised()

    row = row_of(participant)

    assert (row["used_phq9_band"], row["true_phq9_band"]) == ("5-9", "5-9")
    assert (row["allocation_source"], row["allocation_unit"], row["allocation_batch"]) == (
        "online",
        participant.study_id,
        None,
    )
    marks = [row[name] for name in ("flag_ineligible", "flag_error", "flag_duplicate", "balance_excluded")]
    assert marks == [0, 0, 0, 0]


def test_a_corrected_level_stands_beside_the_one_that_was_used(trial):
    participant = trial.randomised()
    for minutes, site in ((1, "01"), (2, "02")):
        exceptions.correct(
            allocation=Allocation.objects.get(),
            members=[{"site": site, "phq9_band": "10-14"}],
            reason="Score added up wrongly",
            by=trial.coordinator,
            approver=make_user(),
            at=NOW + timedelta(minutes=minutes),
        )

    row = row_of(participant)

    assert (row["used_phq9_band"], row["true_phq9_band"]) == ("5-9", "10-14")
    assert (row["used_site"], row["true_site"]) == ("01", "02")


def test_a_correction_after_the_lock_is_not_in_it(trial):
    participant = trial.randomised()
    exceptions.correct(
        allocation=Allocation.objects.get(),
        members=[{"site": "01", "phq9_band": "10-14"}],
        reason="Score added up wrongly",
        by=trial.coordinator,
        approver=make_user(),
        at=NOW + timedelta(days=3),
    )

    assert row_of(participant)["true_phq9_band"] == "5-9"


def test_a_second_allocation_of_one_person_is_marked_and_excluded(trial):
    trial.randomised()
    participant = trial.randomised()
    exceptions.flag(
        allocation=Allocation.objects.get(seq=2),
        category=AllocationFlag.Category.DUPLICATE,
        excludes=True,
        reason="Referred twice",
        by=trial.coordinator,
        approver=make_user(),
        at=NOW,
    )

    row = row_of(participant)

    assert (row["flag_duplicate"], row["balance_excluded"], row["flag_ineligible"]) == (1, 1, 0)


def another_scheme(trial, participant):
    """A sub-study with arms of its own, in which the same person is allocated."""
    scheme = create_scheme(code="aa-substudy", name="Sub-study")
    parameters = {
        "arms": ["text", "call"],
        "ratio": [1, 1],
        "method": "permuted_blocks",
        "block_sizes": [4],
        "factors": [],
    }
    lock_scheme(
        scheme=scheme,
        parameters=parameters,
        rows_per_stratum=8,
        approvers=(make_user(), make_user()),
        by=make_user(),
        at=NOW,
    )
    states.open_scheme(scheme=scheme, by=make_user(), at=NOW)
    request = UnitRequest(
        unit=participant.study_id,
        members=[Member(participant.pk, {})],
        key="sub-study",
        by=trial.randomiser,
        site="01",
        at=NOW,
        software_version="0.1.0",
    )
    record_next(Scheme.objects.get(code="aa-substudy"), request, check=list)


def test_the_arm_of_another_scheme_is_never_taken_for_the_protocols_own(trial):
    participant, not_in_it = trial.randomised(), trial.randomised()
    another_scheme(trial, participant)

    row = row_of(participant)

    assert row["scheme"] == trial.spec.randomisation.scheme
    assert set(real_arms()) == {participant.pk, not_in_it.pk}
    assert set(real_arms().values()) <= {arm.code for arm in trial.spec.arms}
    assert row["arm"] in {arm.code for arm in trial.spec.arms}
    assert len(rows_of(frozen(), "randomisation")) == 2


def test_somebody_in_another_scheme_only_is_not_randomised_in_the_protocols_own(trial):
    waiting = trial.baseline_done()
    another_scheme(trial, waiting)

    assert real_arms() == {}
