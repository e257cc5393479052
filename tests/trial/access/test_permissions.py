"""What somebody may do: by dates, by sites, by blinding (R-12, R-15, BR-26)."""

from datetime import date, timedelta

import pytest
from django.http import HttpResponse

from tests.factories import NOW, TODAY, delegate, give_role, make_user, staff
from trial.access.models import AccessEvent, Duty, RoleAssignment, Site, User
from trial.access.permissions import access_of, is_delegated, public, requires, signed_in
from trial.access.policy import POLICY, REVEALS_ARM, Action, Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def sites():
    names = {"01": "Tamar Vale", "02": "Exe Coast"}
    return [Site(code=code, name=name, opened_date=date(2026, 1, 12)).save_by(None) for code, name in names.items()]


def test_a_role_holds_from_its_first_day_to_its_last(sites):
    person = make_user()
    RoleAssignment(
        user=person, role=Role.DATA_MANAGER, from_date=TODAY, to_date=TODAY + timedelta(days=2), blinded=True
    ).save_by(None)

    held = [access_of(person, TODAY + timedelta(days=n)).may(Action.VIEW_DATA) for n in range(-1, 4)]

    assert held == [False, True, True, True, False]


def test_an_account_without_a_role_may_do_nothing(sites):
    access = make_user().access

    assert not any(access.may(action) for action in Action)
    assert access.main is None
    assert access.home == "/no-role/"


def test_a_disabled_account_holds_no_role(sites):
    person = staff(Role.COORDINATOR, sites[0])
    person.is_active = False
    person.save()
    person = User.objects.get(pk=person.pk)

    assert person.access.assignments == ()
    assert not person.has_perm("trial.view_record")


def test_a_role_at_one_site_says_nothing_of_another(sites):
    here, there = sites
    access = staff(Role.COORDINATOR, here).access

    assert access.may(Action.ADD_REFERRAL)
    assert access.may(Action.ADD_REFERRAL, here)
    assert not access.may(Action.ADD_REFERRAL, there)
    assert access.site_ids(Action.ADD_REFERRAL) == {here.pk}


def test_two_roles_add_up_site_by_site(sites):
    here, there = sites
    person = staff(Role.COORDINATOR, here)
    give_role(person, Role.PRINCIPAL_INVESTIGATOR, there, blinded=False)

    access = person.access

    assert access.site_ids(Action.VIEW_RECORD) == {here.pk, there.pk}
    assert access.site_ids(Action.ADD_REFERRAL) == {here.pk}
    assert access.site_ids(Action.SIGN_OFF) == {there.pk}
    assert not access.may(Action.SIGN_OFF, here)


def test_a_role_for_all_sites_has_no_list_of_sites(sites):
    access = staff(Role.DATA_MANAGER).access

    assert access.site_ids(Action.VIEW_DATA) is None
    assert access.may(Action.VIEW_DATA, sites[1])


def test_an_action_that_nobody_gave_has_an_empty_list_of_sites(sites):
    assert staff(Role.COORDINATOR, sites[0]).access.site_ids(Action.VIEW_DATA) == set()


@pytest.mark.parametrize("action", sorted(REVEALS_ARM))
def test_one_blinded_role_takes_away_what_reveals_an_arm_everywhere(sites, action):
    here, there = sites
    person = staff(Role.PRINCIPAL_INVESTIGATOR, here, blinded=False)
    give_role(person, Role.TRIAL_MANAGER, blinded=False)
    could = person.access.may(action)
    give_role(person, Role.PRINCIPAL_INVESTIGATOR, there, blinded=True)

    assert could is bool({Role.PRINCIPAL_INVESTIGATOR, Role.TRIAL_MANAGER} & roles_with(action))
    assert person.access.blinded
    assert not person.access.may(action)
    assert person.access.site_ids(action) == set()


def roles_with(action):
    return {role for role in Role if action in POLICY[role].actions}


def test_blinding_ends_with_the_role(sites):
    person = staff(Role.PRINCIPAL_INVESTIGATOR, sites[0], blinded=False)
    RoleAssignment(
        user=person,
        role=Role.PRINCIPAL_INVESTIGATOR,
        site=sites[1],
        from_date=date(2026, 1, 1),
        to_date=TODAY - timedelta(days=1),
        blinded=True,
    ).save_by(None)

    assert not person.access.blinded
    assert person.access.may(Action.VIEW_ARM, sites[0])


def test_the_home_is_that_of_the_first_role_in_the_policys_order(sites):
    person = staff(Role.ACTIVITY_LEADER, sites[0])
    assert person.access.home == "/register/"
    give_role(person, Role.COORDINATOR, sites[0])

    assert person.access.home == "/"
    assert person.access.main.role == Role.COORDINATOR


@pytest.mark.parametrize(
    ("day", "holds"),
    [(date(2026, 5, 31), False), (date(2026, 6, 1), True), (date(2026, 6, 30), True), (date(2026, 7, 1), False)],
)
def test_a_duty_holds_from_its_first_day_to_its_last(sites, day, holds):
    person = make_user()
    delegate(person, Duty.CONSENT, sites[0], date(2026, 6, 1), to_date=date(2026, 6, 30))

    assert is_delegated(person, Duty.CONSENT, sites[0], day) is holds
    assert not is_delegated(person, Duty.CONSENT, sites[1], day)
    assert not is_delegated(person, Duty.SAFETY, sites[0], day)
    assert not is_delegated(make_user(), Duty.CONSENT, sites[0], day)


@requires(Action.VIEW_DATA, Action.VIEW_MONITORING)
def page(request):
    return HttpResponse("the page")


@signed_in
def own(request):
    return HttpResponse("one's own")


@public
def anyone(request):
    return HttpResponse("anyone")


class Nobody:
    is_authenticated = False


def ask(rf, view, user, path="/data/?site=01"):
    request = rf.get(path)
    request.user = user
    return view(request)


def test_a_page_sends_somebody_who_is_not_signed_in_to_sign_in_and_back(rf):
    for view in (page, own):
        response = ask(rf, view, Nobody())

        assert response.status_code == 302
        assert response.headers["Location"] == "/accounts/login/?next=/data/%3Fsite%3D01"


def test_a_page_opens_for_each_of_its_permissions(rf, sites):
    for person in (staff(Role.DATA_MANAGER), staff(Role.MONITOR, sites[0])):
        assert ask(rf, page, person).content == b"the page"

    assert not AccessEvent.objects.exists()


def test_a_page_that_is_refused_says_which_role_one_has_and_is_logged(rf, sites):
    person = staff(Role.COORDINATOR, sites[0])

    response = ask(rf, page, person)

    assert response.status_code == 403
    assert b"Coordinator" in response.content
    event = AccessEvent.objects.get()
    assert (event.user, event.kind, event.record, event.at) == (person, "refused", "/data/", NOW)


def test_a_page_of_ones_own_needs_a_role_today(rf, sites):
    assert ask(rf, own, staff(Role.COORDINATOR, sites[0])).content == b"one's own"
    assert ask(rf, own, make_user()).status_code == 403


def test_a_public_page_opens_for_anybody(rf):
    assert ask(rf, anyone, Nobody()).content == b"anyone"


def test_a_view_says_which_permission_it_needs():
    assert (page.permission, page.permissions) == (Action.VIEW_DATA, (Action.VIEW_DATA, Action.VIEW_MONITORING))
    assert anyone.permission is None
    assert own.permission == "any role"
