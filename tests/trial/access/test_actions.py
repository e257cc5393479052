"""Accounts, roles and recruitment (R-11 to R-15)."""

from datetime import date

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, give_role, make_protocol, make_user, site, staff
from trial.access import actions, errors, rules
from trial.access.models import RoleAssignment, User
from trial.access.policy import Role
from trial.base.errors import ReasonMissing
from trial.messages.models import OutboxMessage
from trial.messages.sending import send_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(clock):
    return staff(Role.ADMINISTRATOR, name="Dora Lane")


def grant(user, role, at=None, *, by, since=TODAY, **more):
    return actions.grant_role(user=user, role=role, site=at, from_date=since, by=by, **more)


def test_an_account_starts_without_a_password_and_its_history_says_who_made_it(admin):
    user = actions.create_account(name="  Sam   Treloar ", email=" Sam.Treloar@Example.org", by=admin)

    assert (user.name, user.email) == ("Sam Treloar", "sam.treloar@example.org")
    assert not user.has_usable_password()
    assert user.history.get().history_user == admin


@pytest.mark.parametrize("email", ["SAM@example.org", "sam@example.org"])
def test_a_second_account_for_one_address_is_refused(admin, email):
    make_user(email="sam@example.org")

    with pytest.raises(errors.AccountExists, match="already an account"):
        actions.create_account(name="Sam Treloar", email=email, by=admin)


def test_a_disabled_account_keeps_its_address(admin):
    user = make_user(email="sam@example.org")
    actions.disable_account(user=user, reason="Left", by=admin, at=NOW)

    with pytest.raises(errors.AccountExists):
        actions.create_account(name="Sam Treloar", email="sam@example.org", by=admin)


@pytest.mark.parametrize(("name", "email"), [("Sam Treloar", "office@example.org"), ("Reception", "sam@example.org")])
def test_shared_accounts_are_refused(admin, name, email):
    with pytest.raises(errors.SharedAccount):
        actions.create_account(name=name, email=email, by=admin)


def test_an_invitation_waits_in_the_outbox_without_a_secret_and_once_a_day(admin):
    user = actions.invite(
        name="Sam Treloar", email="sam@example.org", set_password_url="http://testserver/reset/", by=admin, at=NOW
    )
    actions.invite_again(user=user, set_password_url="http://testserver/reset/", by=admin, at=NOW)

    send_due(at=NOW)

    assert OutboxMessage.objects.get().to_user == user
    (sent,) = mail.outbox
    assert sent.to == ["sam@example.org"]
    assert "http://testserver/reset/" in sent.body


def test_disabling_takes_every_permission_and_needs_a_reason(admin):
    user = give_role(make_user(), Role.DATA_MANAGER)

    with pytest.raises(ReasonMissing):
        actions.disable_account(user=user, reason=" ", by=admin, at=NOW)
    actions.disable_account(user=user, reason="Left the team", by=admin, at=NOW)
    actions.disable_account(user=user, reason="Left the team", by=admin, at=NOW)

    stored = User.objects.get(pk=user.pk)
    assert not stored.is_active
    assert stored.access.assignments == ()
    assert user.history.first().history_change_reason == "Left the team"
    assert user.history.count() == 2


def test_an_account_can_be_enabled_again(admin):
    user = make_user()
    actions.disable_account(user=user, reason="Leave", by=admin, at=NOW)

    with pytest.raises(ReasonMissing):
        actions.enable_account(user=user, reason="", by=admin)
    actions.enable_account(user=user, reason="Back", by=admin)
    actions.enable_account(user=user, reason="Back", by=admin)

    assert User.objects.get(pk=user.pk).is_active
    assert user.history.count() == 3


def test_nobody_disables_their_own_account(admin):
    with pytest.raises(errors.OwnAccount):
        actions.disable_account(user=admin, reason="Tired", by=admin, at=NOW)


def test_the_last_administrator_stays(admin):
    other = staff(Role.ADMINISTRATOR, name="Other Admin")
    actions.disable_account(user=other, reason="Left", by=admin, at=NOW)

    with pytest.raises(errors.LastAdministrator):
        actions.disable_account(user=admin, reason="Left", by=other, at=NOW)
    with pytest.raises(errors.LastAdministrator):
        actions.end_role(assignment=admin.assignments.get(), last_day=TODAY, reason="Left", by=other)


def test_a_role_is_given_with_its_dates(admin):
    make_protocol()
    user = make_user()

    given = grant(user, Role.COORDINATOR, site(), by=admin, to_date=date(2026, 12, 31), training_date=date(2026, 7, 1))

    assert (given.site, given.to_date, given.blinded) == (site(), date(2026, 12, 31), False)
    assert given.history.get().history_user == admin
    assert [a.role for a in User.objects.get(pk=user.pk).access.assignments] == ["coordinator"]


def test_the_policy_decides_blinding_where_it_can(admin):
    make_protocol()

    assessor = grant(make_user(), Role.OUTCOME_ASSESSOR, site(), by=admin, blinded=False)
    investigator = grant(make_user(), Role.PRINCIPAL_INVESTIGATOR, site(), by=admin, blinded=True)

    assert assessor.blinded
    assert investigator.blinded


def test_configured_blinding_must_be_said(admin):
    make_protocol()

    with pytest.raises(errors.RoleRefused, match="Say whether this principal investigator is blinded"):
        grant(make_user(), Role.PRINCIPAL_INVESTIGATOR, site(), by=admin)


@pytest.mark.parametrize(
    ("role", "with_site", "text"),
    [(Role.COORDINATOR, False, "Select the site"), (Role.DATA_MANAGER, True, "Select all sites")],
)
def test_a_role_has_its_scope(admin, role, with_site, text):
    make_protocol()

    with pytest.raises(errors.RoleRefused, match=text):
        grant(make_user(), role, site() if with_site else None, by=admin)


def test_a_role_does_not_end_before_it_starts(admin):
    with pytest.raises(errors.RoleRefused, match="last day"):
        grant(make_user(), Role.DATA_MANAGER, by=admin, to_date=date(2026, 7, 1))


def test_a_disabled_account_gets_no_role(admin):
    user = make_user()
    actions.disable_account(user=user, reason="Left", by=admin, at=NOW)

    with pytest.raises(errors.RoleRefused, match="disabled"):
        grant(user, Role.DATA_MANAGER, by=admin)


def test_nobody_gives_a_role_to_themselves(admin):
    with pytest.raises(errors.OwnAccount):
        grant(admin, Role.DATA_MANAGER, by=admin)


def test_incompatible_roles_are_refused_with_the_other_role_in_the_text(admin):
    make_protocol()
    user = make_user("Priya Nair")
    grant(user, Role.DATA_MANAGER, by=admin, to_date=date(2026, 8, 1))

    with pytest.raises(errors.IncompatibleRoles, match="Priya Nair is Data manager until 1 August 2026"):
        grant(user, Role.PRINCIPAL_INVESTIGATOR, site(), by=admin, blinded=False)


def test_incompatible_roles_may_follow_each_other(admin):
    make_protocol()
    user = make_user()
    grant(user, Role.DATA_MANAGER, by=admin, to_date=date(2026, 8, 1))

    later = grant(user, Role.PRINCIPAL_INVESTIGATOR, site(), by=admin, blinded=False, since=date(2026, 8, 2))

    assert later.pk


def test_the_database_refuses_incompatible_roles_by_itself(admin):
    make_protocol()
    user = give_role(make_user(), Role.DATA_MANAGER)
    forbidden = RoleAssignment(user=user, role=Role.MONITOR, site=site(), from_date=TODAY, blinded=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        forbidden.save_by(None)


def test_the_same_role_is_given_once(admin):
    make_protocol()
    user = make_user()
    grant(user, Role.COORDINATOR, site(), by=admin)

    with pytest.raises(errors.RoleRefused, match="already"):
        grant(user, Role.COORDINATOR, site(), by=admin, since=date(2026, 9, 1))


def test_a_role_ends_on_a_day_and_only_earlier_than_before(admin):
    user = give_role(make_user(), Role.DATA_MANAGER)
    role = user.assignments.get()

    ended = actions.end_role(assignment=role, last_day=TODAY, reason="New job", by=admin)

    assert ended.to_date == TODAY
    assert ended.history.first().history_change_reason == "New job"
    with pytest.raises(errors.RoleRefused, match="already"):
        actions.end_role(assignment=role, last_day=TODAY, reason="New job", by=admin)
    with pytest.raises(errors.RoleRefused, match="or later"):
        actions.end_role(assignment=role, last_day=date(2025, 1, 1), reason="New job", by=admin)


def test_nobody_ends_a_role_of_their_own(admin):
    with pytest.raises(errors.OwnAccount):
        actions.end_role(assignment=admin.assignments.get(), last_day=TODAY, reason="Tired", by=admin)


def test_an_administrator_may_end_where_another_stays(admin):
    other = staff(Role.ADMINISTRATOR, name="Other Admin")

    actions.end_role(assignment=other.assignments.get(), last_day=TODAY, reason="Left", by=admin)

    assert other.assignments.get().to_date == TODAY


def test_recruitment_pauses_and_closes_with_a_reason(admin):
    make_protocol()

    actions.set_recruitment(
        site=site(), paused=True, closed_date=date(2026, 9, 30), reason="Leader away", by=admin, seen=None
    )

    stored = site()
    assert not stored.is_recruiting(TODAY)
    assert actions.recruitment_words(stored) == "paused, last day of recruitment 30 September 2026"
    assert stored.history.first().history_change_reason == "Leader away"


def test_a_site_does_not_close_before_it_opened(admin):
    make_protocol()

    with pytest.raises(errors.SiteRefused, match="cannot close before"):
        actions.set_recruitment(site=site(), paused=False, closed_date=date(2020, 1, 1), reason="Slip", by=admin)


def test_two_people_saving_one_site_see_each_other(admin):
    make_protocol()
    opened = site().history.first().history_id
    actions.set_recruitment(site=site(), paused=True, closed_date=None, reason="Holiday", by=admin, seen=opened)

    with pytest.raises(errors.SiteRefused, match="Dora Lane changed this site meanwhile: paused"):
        actions.set_recruitment(
            site=site(), paused=False, closed_date=date(2026, 9, 30), reason="Full", by=admin, seen=opened
        )

    assert site().recruitment_paused


def test_rules_know_shared_addresses_and_full_names():
    assert rules.is_shared_address("Info@example.org")
    assert not rules.is_shared_address("info.smith@example.org")
    assert rules.is_full_name("Sam Treloar")
    assert not rules.is_full_name("Sam")
