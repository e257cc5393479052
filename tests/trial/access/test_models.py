"""What the database refuses about accounts, roles, duties and sites (R-11, R-13, R-15)."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from tests.factories import delegate, give_role, make_user
from trial.access.models import Delegation, RoleAssignment, Site, User
from trial.access.policy import POLICY, Role, incompatible_pairs

pytestmark = pytest.mark.django_db

JANUARY, MAY, JUNE = date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1)


@pytest.fixture
def site():
    return Site(code="01", name="Tamar Vale", opened_date=date(2026, 1, 12)).save_by(None)


def assignment(user, role, at, **changes):
    spec = POLICY[role]
    fields = {
        "site": at if spec.per_site else None,
        "from_date": JANUARY,
        "blinded": bool(spec.blinded),
        **changes,
    }
    return RoleAssignment(user=user, role=role, **fields)


def refused(row, reason="", match=None):
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        row.save_by(None, reason)


def test_every_incompatible_pair_is_refused_in_either_order(site):
    for one, other in [*incompatible_pairs(), *[(b, a) for a, b in incompatible_pairs()]]:
        person = make_user()
        assignment(person, one, site).save_by(None)

        refused(assignment(person, other, site), match="same time")


def test_roles_that_go_together_are_held_together(site):
    person = make_user()

    give_role(person, Role.COORDINATOR, site)
    give_role(person, Role.RANDOMISER)

    assert person.role_code == "coordinator+randomiser"


@pytest.mark.parametrize(
    ("from_date", "to_date", "clashes"),
    [
        (JUNE, None, False),
        (MAY, None, True),
        (date(2025, 1, 1), date(2025, 12, 31), False),
        (date(2025, 1, 1), JANUARY, True),
        (date(2025, 1, 1), None, True),
        (date(2026, 3, 1), date(2026, 3, 1), True),
    ],
)
def test_incompatible_roles_clash_only_on_days_they_share(site, from_date, to_date, clashes):
    person = make_user()
    assignment(person, Role.COORDINATOR, site, to_date=MAY).save_by(None)
    other = assignment(person, Role.UNBLINDED_STATISTICIAN, site, from_date=from_date, to_date=to_date)

    if clashes:
        refused(other, match="same time")
    else:
        other.save_by(None)

    assert person.assignments.count() == 1 + (not clashes)


@pytest.mark.parametrize("change", [{"to_date": JUNE}, {"to_date": None}])
def test_a_role_cannot_be_prolonged_into_an_incompatible_one(site, change):
    person = make_user()
    first = assignment(person, Role.COORDINATOR, site, to_date=MAY).save_by(None)
    assignment(person, Role.UNBLINDED_STATISTICIAN, site, from_date=JUNE).save_by(None)
    for name, value in change.items():
        setattr(first, name, value)

    refused(first, "Longer", match="same time")


def test_a_role_cannot_be_turned_into_an_incompatible_one(site):
    person = make_user()
    assignment(person, Role.RANDOMISER, site).save_by(None)
    second = assignment(person, Role.SAFEGUARDING_LEAD, site).save_by(None)
    second.role = Role.DMEC

    refused(second, "Another role", match="same time")


def test_two_people_may_hold_what_one_may_not(site):
    assignment(make_user(), Role.COORDINATOR, site).save_by(None)

    assignment(make_user(), Role.UNBLINDED_STATISTICIAN, site).save_by(None)

    assert RoleAssignment.objects.count() == 2


@pytest.mark.parametrize("role", Role)
def test_a_role_has_the_scope_of_the_policy(site, role):
    wrong = None if POLICY[role].per_site else site

    refused(assignment(make_user(), role, site, site=wrong), match="role_has_its_scope")


@pytest.mark.parametrize("role", [r for r in Role if POLICY[r].blinded is not None])
def test_blinding_is_that_of_the_policy(site, role):
    refused(assignment(make_user(), role, site, blinded=not POLICY[role].blinded), match="role_blinding")


@pytest.mark.parametrize("role", [r for r in Role if POLICY[r].blinded is None])
def test_blinding_is_chosen_where_the_policy_leaves_it(site, role):
    for blinded in (True, False):
        assignment(make_user(), role, site, blinded=blinded).save_by(None)

    assert RoleAssignment.objects.filter(role=role).count() == 2


def test_a_role_does_not_end_before_it_starts(site):
    refused(assignment(make_user(), Role.COORDINATOR, site, to_date=date(2025, 12, 31)), match="role_ends")


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.DATA_MANAGER])
def test_a_role_is_given_once(site, role):
    person = make_user()
    assignment(person, role, site).save_by(None)

    refused(assignment(person, role, site))


def test_an_unknown_role_is_refused(site):
    refused(RoleAssignment(user=make_user(), role="superuser", site=None, from_date=JANUARY, blinded=False))


def test_a_duty_needs_training_first_ends_after_it_starts_and_is_given_once(site):
    person = make_user()
    good = {"from_date": JUNE, "training_date": JUNE, "duty": "consent"}

    def line(**changes):
        return Delegation(user=person, site=site, training_evidence="GCP", **{**good, **changes})

    refused(line(training_date=date(2026, 6, 2)), match="trained_before_delegated")
    refused(line(to_date=MAY), match="duty_ends")
    refused(line(training_expires_date=MAY), match="training_counts")
    refused(line(signed_by=person), match="delegation_signed")
    line(to_date=date(2026, 6, 30)).save_by(None)
    refused(line())
    refused(line(from_date=date(2026, 6, 30)), match="once for each day")
    line(from_date=date(2026, 7, 1)).save_by(None)


def test_a_signed_line_of_the_log_only_ends(site):
    signed = delegate(make_user(), "consent", site, JUNE)

    for name, value in (("training_evidence", "None"), ("duty", "safety"), ("from_date", MAY)):
        changed = Delegation.objects.get(pk=signed.pk)
        setattr(changed, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            changed.save_by(None, "Changed")
    signed.to_date = date(2026, 6, 30)

    assert signed.save_by(None, "Ends").pk


def test_one_address_has_one_account():
    make_user(email="asha@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        User(email="Asha@Example.ORG", name="Another Asha").save()


def test_an_account_has_a_name():
    with pytest.raises(IntegrityError, match="account_has_a_name"), transaction.atomic():
        User(email="nobody@example.org", name="").save()


def test_accounts_are_found_without_regard_to_case():
    user = make_user(email="asha@example.org")

    assert User.objects.get_by_natural_key(" Asha@Example.org ") == user


@pytest.mark.parametrize("fields", [{"code": "1"}, {"code": "AB"}, {"recruitment_closed_date": date(2026, 1, 11)}])
def test_a_site_has_two_digits_and_closes_after_it_opens(fields):
    row = Site(**{"code": "01", "name": "Tamar Vale", "opened_date": date(2026, 1, 12), **fields})

    refused(row)


@pytest.mark.parametrize(
    ("day", "recruits"),
    [(date(2026, 1, 11), False), (date(2026, 1, 12), True), (date(2026, 8, 31), True), (date(2026, 9, 1), False)],
)
def test_a_site_recruits_from_its_first_day_to_its_last(day, recruits):
    signed = {"opened_date": date(2026, 1, 12), "green_light_date": date(2026, 1, 9)}
    site = Site(**signed, recruitment_closed_date=date(2026, 8, 31))

    assert site.is_recruiting(day) is recruits
    assert not Site(**signed, recruitment_paused=True).is_recruiting(day)
    assert not Site(opened_date=date(2026, 1, 12)).is_recruiting(day)


def test_no_flag_grants_everything(site):
    person = make_user()

    assert not person.is_staff
    assert not person.has_perm("trial.view_record")
    assert not person.has_perm("anything.at_all")
    assert not hasattr(User, "is_superuser")


def test_only_the_administrator_opens_the_configuration(site):
    administrator = give_role(make_user(), Role.ADMINISTRATOR)
    manager = give_role(make_user(), Role.DATA_MANAGER)

    assert administrator.is_staff
    assert administrator.has_module_perms("trial")
    assert not manager.is_staff
    assert manager.has_perm("trial.view_data")
