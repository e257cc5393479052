"""Whose tasks somebody sees (BR-26, R-12)."""

from datetime import date

import pytest

from tests.factories import NOW, TODAY, give_role, make_user, staff
from trial.access.models import Site
from trial.access.policy import Role
from trial.messages.models import Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def sites():
    names = {"01": "Tamar Vale", "02": "Exe Coast"}
    return [Site(code=code, name=name, opened_date=date(2026, 1, 12)).save_by(None) for code, name in names.items()]


@pytest.fixture
def tasks(sites):
    """One task for each role and site, one for all sites, and one that reveals an arm."""
    wanted = [
        ("coordinator 01", Role.COORDINATOR, sites[0], False),
        ("coordinator 01 arm", Role.COORDINATOR, sites[0], True),
        ("coordinator 02", Role.COORDINATOR, sites[1], False),
        ("investigator 01", Role.PRINCIPAL_INVESTIGATOR, sites[0], False),
        ("investigator 01 arm", Role.PRINCIPAL_INVESTIGATOR, sites[0], True),
        ("manager", Role.TRIAL_MANAGER, None, False),
        ("manager 01", Role.TRIAL_MANAGER, sites[0], False),
    ]
    for key, role, site, reveals_arm in wanted:
        Task(
            key=key,
            kind="k",
            role=role,
            site=site,
            title=key,
            detail="",
            link="/",
            due_date=TODAY,
            created_at=NOW,
            reveals_arm=reveals_arm,
        ).save_by(None)


def seen(user):
    return sorted(Task.objects.visible_to(user).values_list("key", flat=True))


def test_somebody_sees_the_tasks_of_their_role_at_their_site(sites, tasks):
    assert seen(staff(Role.COORDINATOR, sites[0])) == ["coordinator 01", "coordinator 01 arm"]
    assert seen(staff(Role.COORDINATOR, sites[1])) == ["coordinator 02"]


def test_a_role_for_all_sites_sees_the_tasks_of_each(sites, tasks):
    assert seen(staff(Role.TRIAL_MANAGER, blinded=False)) == ["manager", "manager 01"]


def test_two_roles_see_both(sites, tasks):
    person = staff(Role.COORDINATOR, sites[1])
    give_role(person, Role.PRINCIPAL_INVESTIGATOR, sites[0], blinded=False)

    assert seen(person) == ["coordinator 02", "investigator 01", "investigator 01 arm"]


def test_a_blinded_person_sees_no_task_that_reveals_an_arm(sites, tasks):
    person = staff(Role.PRINCIPAL_INVESTIGATOR, sites[0], blinded=False)
    assert seen(person) == ["investigator 01", "investigator 01 arm"]
    give_role(person, Role.PRINCIPAL_INVESTIGATOR, sites[1], blinded=True)

    assert seen(person) == ["investigator 01"]


def test_nobody_without_a_role_sees_a_task(sites, tasks):
    assert seen(make_user()) == []
