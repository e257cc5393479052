"""The delegation log (R-15)."""

from datetime import date

import pytest
from django.http import Http404

from tests.factories import NOW, TODAY, Trial, give_role, make_user, proof, site, staff
from trial.access import delegation, errors
from trial.access.models import Duty
from trial.access.permissions import is_delegated
from trial.access.policy import Role
from trial.access.signing import ProofRefused, is_stale
from trial.base.errors import ReasonMissing

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial()


def delegate(trial, user, duty=Duty.CONSENT, **more):
    given = {
        "site": trial.site,
        "from_date": TODAY,
        "training_evidence": "GCP certificate",
        "training_date": date(2026, 7, 1),
        "by": trial.investigator,
        "at": NOW,
        "proof": proof(trial.investigator),
        **more,
    }
    return delegation.delegate(user=user, duty=duty, **given)


def test_a_duty_works_from_its_first_to_its_last_day(trial):
    user = give_role(make_user(), Role.COORDINATOR, trial.site)

    line = delegate(trial, user, to_date=date(2026, 7, 31))

    assert line.signed_by == trial.investigator
    assert is_delegated(user, Duty.CONSENT, trial.site, TODAY)
    assert is_delegated(user, Duty.CONSENT, trial.site, date(2026, 7, 31))
    assert not is_delegated(user, Duty.CONSENT, trial.site, date(2026, 8, 1))


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"to_date": date(2026, 7, 1)}, "last day"),
        ({"training_date": date(2026, 7, 10)}, "Training must come before"),
        ({"training_date": date(2026, 7, 10), "from_date": date(2026, 7, 12)}, "today or in the past"),
        ({"duty": Duty.ELIGIBILITY}, "No role that"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(trial, more, text):
    user = give_role(make_user(), Role.COORDINATOR, trial.site)

    with pytest.raises(errors.DelegationRefused, match=text):
        delegate(trial, user, **more)


def test_a_duty_is_delegated_once_for_each_day(trial):
    user = give_role(make_user(), Role.COORDINATOR, trial.site)
    delegate(trial, user, to_date=date(2026, 7, 31))

    with pytest.raises(errors.DelegationRefused, match="already"):
        delegate(trial, user, from_date=date(2026, 7, 31), to_date=date(2026, 8, 31))
    later = delegate(trial, user, from_date=date(2026, 8, 1))

    assert later.pk


def test_a_duty_ends_with_a_reason(trial):
    user = give_role(make_user(), Role.COORDINATOR, trial.site)
    line = delegate(trial, user)

    with pytest.raises(ReasonMissing):
        delegation.end_delegation(delegation=line, last_day=TODAY, reason="", by=trial.investigator)
    delegation.end_delegation(delegation=line, last_day=TODAY, reason="New job", by=trial.investigator)

    assert not is_delegated(user, Duty.CONSENT, trial.site, date(2026, 7, 10))
    with pytest.raises(errors.DelegationRefused, match="already"):
        delegation.end_delegation(delegation=line, last_day=TODAY, reason="Again", by=trial.investigator)
    with pytest.raises(errors.DelegationRefused, match="or later"):
        delegation.end_delegation(delegation=line, last_day=date(2026, 7, 1), reason="Again", by=trial.investigator)


def test_an_investigator_keeps_the_log_of_their_own_site_only(trial):
    elsewhere = staff(Role.PRINCIPAL_INVESTIGATOR, site("02"), blinded=False)
    own = delegation.delegations_for(elsewhere)
    other = trial.coordinator.delegations.get()

    assert {line.site.code for line in own} == {"02"}
    with pytest.raises(Http404):
        delegation.delegation_for(elsewhere, other.pk)
    assert not delegation.delegations_for(trial.coordinator).exists()


def test_lines_that_end_soon_are_found_by_their_last_day(trial):
    user = give_role(make_user(), Role.COORDINATOR, trial.site)
    soon = delegate(trial, user, to_date=date(2026, 7, 10))

    assert delegation.ending_by(date(2026, 7, 10), today=TODAY) == [soon]
    assert delegation.ending_by(date(2026, 7, 9), today=TODAY) == []


def test_a_duty_rests_when_its_training_evidence_runs_out(trial):
    user = give_role(make_user(), Role.COORDINATOR, trial.site)
    line = delegate(trial, user, to_date=date(2026, 8, 31), training_expires_date=date(2026, 7, 10))

    assert line.last_date == date(2026, 7, 10)
    assert is_delegated(user, Duty.CONSENT, trial.site, date(2026, 7, 10))
    assert not is_delegated(user, Duty.CONSENT, trial.site, date(2026, 7, 11))
    assert delegation.ending_by(date(2026, 7, 10), today=TODAY) == [line]
    with pytest.raises(errors.DelegationRefused, match="still count"):
        delegate(trial, user, duty=Duty.CONSENT, from_date=date(2026, 9, 1), training_expires_date=date(2026, 8, 1))


def test_a_prepared_line_works_only_once_the_sites_investigator_signs_it(trial):
    user = give_role(make_user(), Role.COORDINATOR, trial.site)
    manager = staff(Role.TRIAL_MANAGER, blinded=False)
    elsewhere = staff(Role.PRINCIPAL_INVESTIGATOR, site("02"), blinded=False)
    line = delegate(trial, user, by=manager, proof=None)
    before = is_delegated(user, Duty.CONSENT, trial.site, TODAY)

    for other in (manager, elsewhere):
        with pytest.raises(errors.DelegationRefused, match="Only a principal investigator"):
            delegation.sign_line(delegation=line, proof=proof(other), by=other, at=NOW)
    with pytest.raises(ProofRefused):
        delegation.sign_line(delegation=line, proof=proof(manager), by=trial.investigator, at=NOW)
    signed = delegation.sign_line(delegation=line, proof=proof(trial.investigator), by=trial.investigator, at=NOW)

    assert not before
    assert is_delegated(user, Duty.CONSENT, trial.site, TODAY)
    assert not is_stale(signed.signature, signed, delegation.signed_content(signed))
    with pytest.raises(errors.DelegationRefused, match="signed already"):
        delegation.sign_line(delegation=line, proof=proof(trial.investigator), by=trial.investigator, at=NOW)
