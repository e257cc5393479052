"""The policy against the table of roles in domain.md section 4, row by row."""

from itertools import combinations

import pytest

from trial.access.policy import POLICY, REVEALS_ARM, Action, Role, incompatible, incompatible_pairs

R, A = Role, Action

# role: (scope, blinded, holds identity data, never together with)
# "configured" stands for a choice of the trial; a leader sees first names only, on the register.
TABLE = {
    R.COORDINATOR: ("site", "no", True, {R.UNBLINDED_STATISTICIAN}),
    R.RANDOMISER: ("all", "no", False, {R.UNBLINDED_STATISTICIAN, R.DMEC, R.OUTCOME_ASSESSOR}),
    R.ACTIVITY_LEADER: ("site", "no", False, {R.OUTCOME_ASSESSOR}),
    R.OUTCOME_ASSESSOR: ("site", "yes", True, {R.ACTIVITY_LEADER, R.RANDOMISER}),
    R.PRINCIPAL_INVESTIGATOR: ("site", "configured", True, {R.DATA_MANAGER}),
    R.CHIEF_INVESTIGATOR: ("all", "configured", False, set()),
    R.DUTY_CLINICIAN: ("site", "yes", True, set()),
    R.SAFEGUARDING_LEAD: ("all", "no", True, set()),
    R.TRIAL_MANAGER: ("all", "configured", False, {R.TRIAL_STATISTICIAN, R.UNBLINDED_STATISTICIAN}),
    R.DATA_MANAGER: ("all", "yes", False, {R.PRINCIPAL_INVESTIGATOR}),
    R.MONITOR: ("site", "configured", False, "any entry"),
    R.SPONSOR_REVIEWER: ("all", "no", False, "any entry"),
    R.TRIAL_STATISTICIAN: ("all", "yes", False, {R.UNBLINDED_STATISTICIAN}),
    R.UNBLINDED_STATISTICIAN: ("all", "no", False, {R.RANDOMISER, R.TRIAL_STATISTICIAN}),
    R.DMEC: ("all", "no", False, {R.RANDOMISER, R.TRIAL_STATISTICIAN}),
    R.SPONSOR_REPRESENTATIVE: ("all", "no", False, {R.RANDOMISER}),  # randomisation.md 10: approves locks
    R.ADMINISTRATOR: ("all", "yes", False, set(R) - {R.ADMINISTRATOR}),
}
ENTRY = {
    A.ADD_REFERRAL,
    A.RECORD_CONTACT,
    A.RECORD_CONSENT,
    A.ENTER_FORM,
    A.CORRECT_FORM,
    A.TAKE_REGISTER,
    A.REPORT_EVENT,
    A.RECORD_DEVIATION,
    A.CHANGE_PARTICIPATION,
    A.SIGN_ELIGIBILITY,
    A.RANDOMISE,
}
ENROLS = {A.ADD_REFERRAL, A.RECORD_CONSENT, A.ASSESS_ELIGIBILITY, A.SIGN_ELIGIBILITY, A.RANDOMISE}
ABOUT_PEOPLE = set(A) - {
    A.VIEW_SETTINGS,
    A.MANAGE_PEOPLE,
    A.VIEW_PROTOCOL,
    A.VIEW_RELEASES,
    A.RECORD_LICENCE,
    A.OPERATE_SCHEME,
    A.APPROVE_LOCK,
}


def held_together(pair):
    """What somebody with both roles may do."""
    return POLICY[pair[0]].actions | POLICY[pair[1]].actions


ALLOWED = [pair for pair in combinations(Role, 2) if not incompatible(*pair)]


def test_every_role_of_the_table_is_in_the_policy():
    assert set(POLICY) == set(TABLE) == set(Role)


@pytest.mark.parametrize("role", Role)
def test_scope_and_blinding_are_those_of_the_table(role):
    scope, blinded, _, _ = TABLE[role]

    assert POLICY[role].per_site is (scope == "site")
    assert POLICY[role].blinded is {"yes": True, "no": False, "configured": None}[blinded]


@pytest.mark.parametrize("role", Role)
def test_identity_data_go_to_the_roles_of_the_table(role):
    assert (A.VIEW_IDENTITY in POLICY[role].actions) is TABLE[role][2]


@pytest.mark.parametrize("role", Role)
def test_roles_that_never_go_together_are_refused_both_ways(role):
    never = TABLE[role][3]
    if never == "any entry":
        never = {other for other in Role if other != role and POLICY[other].actions & ENTRY}

    assert [other for other in never if not (incompatible(role, other) and incompatible(other, role))] == []


def test_a_role_goes_with_itself_at_another_site():
    assert not any(incompatible(role, role) for role in Role)


@pytest.mark.parametrize(
    "pair",
    [
        (R.COORDINATOR, R.RANDOMISER),
        (R.TRIAL_MANAGER, R.RANDOMISER),
        (R.COORDINATOR, R.ACTIVITY_LEADER),
        (R.PRINCIPAL_INVESTIGATOR, R.CHIEF_INVESTIGATOR),
        (R.PRINCIPAL_INVESTIGATOR, R.DUTY_CLINICIAN),
        (R.OUTCOME_ASSESSOR, R.DATA_MANAGER),
    ],
)
def test_roles_that_people_do_hold_together_are_allowed(pair):
    assert not incompatible(*pair)


def test_nobody_is_blinded_for_ever_and_unblinded():
    assert not [pair for pair in ALLOWED if {POLICY[pair[0]].blinded, POLICY[pair[1]].blinded} == {True, False}]


def test_nobody_who_enrols_sets_up_the_randomisation_or_sees_arms_of_everybody():
    """BR-22, R-13, randomisation.md 6.1."""
    assert not [pair for pair in ALLOWED if held_together(pair) & ENROLS and A.APPROVE_LOCK in held_together(pair)]
    assert not [
        pair for pair in ALLOWED if held_together(pair) & ENROLS and A.DOWNLOAD_UNBLINDED in held_together(pair)
    ]


def test_roles_that_read_enter_nothing():
    for role in (R.MONITOR, R.SPONSOR_REVIEWER):
        assert not POLICY[role].actions & ENTRY


def test_the_administrator_sees_no_participant_data():
    assert not POLICY[R.ADMINISTRATOR].actions & ABOUT_PEOPLE


def test_only_the_randomiser_randomises():
    assert [role for role in Role if A.RANDOMISE in POLICY[role].actions] == [R.RANDOMISER]


@pytest.mark.parametrize("role", [r for r in Role if POLICY[r].blinded])
def test_no_blinded_role_is_given_what_reveals_an_arm(role):
    assert not POLICY[role].actions & REVEALS_ARM


def test_each_pair_is_listed_once():
    pairs = incompatible_pairs()

    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert set(pairs) | set(ALLOWED) == set(combinations(Role, 2))
