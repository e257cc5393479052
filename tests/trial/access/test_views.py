"""The administrator's pages about people and sites, and the delegation log (R-11 to R-15)."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core import mail

from tests.factories import NOW, PASSWORD, TODAY, Trial, delegate, give_role, make_user, site, staff
from trial.access.models import AccessEvent, Delegation, Duty, RoleAssignment, User
from trial.access.permissions import is_delegated
from trial.access.policy import Role
from trial.messages.models import OutboxMessage
from trial.messages.sending import send_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial()


@pytest.fixture
def admin(trial):
    return staff(Role.ADMINISTRATOR, name="Dora Lane")


@pytest.fixture
def page(admin, client):
    client.force_login(admin)
    return client


def day(name, *parts):
    return {f"{name}_{place}": str(part) for place, part in enumerate(parts)}


def text(response):
    return response.content.decode()


def test_an_invited_person_sets_a_password_and_signs_in(page, client):
    answer = page.post("/settings/people/new/", {"name": "Sam Treloar", "email": "sam@example.org"}, follow=True)
    assert "Sam Treloar has an account" in text(answer)
    page.logout()
    send_due(at=NOW)
    ask = re.search(r"http://testserver(\S+)", mail.outbox[0].body)[1]

    client.post(ask, {"email": "sam@example.org"})
    link = re.search(r"http://\S+?(/accounts/\S+)", mail.outbox[1].body)[1]
    form = client.get(link, follow=True)
    where = form.redirect_chain[-1][0]
    client.post(where, {"password1": "seven green bottles", "password2": "seven green bottles"})
    client.post("/accounts/login/", {"login": "sam@example.org", "password": "seven green bottles"})

    assert int(client.session["_auth_user_id"]) == User.objects.get(email="sam@example.org").pk


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "Sam", "email": "sam@example.org"}, "first and last name"),
        ({"name": "Sam Treloar", "email": "office@example.org"}, "Shared mailboxes"),
        ({"name": "Sam Treloar", "email": "sam"}, "like name@example.org"),
        ({"name": "Sam\x00 Treloar", "email": "sam@example.org"}, "hidden characters"),
        ({}, "Enter first and last name"),
    ],
)
def test_an_account_that_cannot_be_made_is_refused_on_the_page(page, typed, said):
    answer = page.post("/settings/people/new/", typed)

    assert said in text(answer)
    assert not OutboxMessage.objects.exists()


def test_pressing_the_button_twice_makes_one_account(page):
    typed = {"name": "Sam Treloar", "email": "sam@example.org"}
    page.post("/settings/people/new/", typed)

    again = page.post("/settings/people/new/", typed)

    assert "already an account" in text(again)
    assert User.objects.filter(email="sam@example.org").count() == 1


def test_the_list_finds_people_by_name_role_and_state(page, trial):
    gone = give_role(make_user("Gone Person"), Role.DATA_MANAGER)
    gone.is_active = False
    gone.save()

    everybody = text(page.get("/settings/people/"))
    by_role = text(page.get("/settings/people/", {"role": "randomiser"}))
    by_name = text(page.get("/settings/people/", {"typed": "okafor"}))
    disabled = text(page.get("/settings/people/", {"state": "disabled"}))
    nobody = text(page.get("/settings/people/", {"typed": "zzz"}))

    assert "Asha Patel" in everybody
    assert "Gone Person" not in everybody
    assert "Ruth Vane" in by_role
    assert "Asha Patel" not in by_role
    assert "Dr Helen Okafor" in by_name
    assert "Gone Person" in disabled
    assert "Nobody found" in nobody


def test_the_list_takes_the_same_queries_for_many_people(page, trial, django_assert_max_num_queries):
    for _ in range(60):
        give_role(make_user(), Role.COORDINATOR, trial.site)

    with django_assert_max_num_queries(15):
        second = text(page.get("/settings/people/", {"page": "2"}))

    assert "51 to" in second


def test_the_list_comes_as_csv_and_is_logged(page, admin):
    make_user("=cmd() Person", email="cmd@example.org")

    answer = page.get("/settings/people/", {"format": "csv"})

    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == "Name"
    assert any(row[0] == "'=cmd() Person" for row in rows)
    assert AccessEvent.objects.filter(user=admin, kind="exported").exists()


def test_a_role_is_given_and_ended_on_the_page(page, trial):
    user = make_user("Sam Treloar")
    where = f"/settings/people/{user.pk}/"

    page.post(f"{where}roles/new/", {"role": "coordinator", "site": trial.site.pk, **day("from_date", 9, 7, 2026)})
    role = user.assignments.get()
    page.post(f"{where}roles/{role.pk}/end/", {**day("last_day", 31, 7, 2026), "reason": "New job"})

    shown = text(page.get(where))
    assert "Coordinator, Tamar Vale" in shown
    assert "31 Jul 2026" in shown
    assert "Held today" in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"role": "coordinator", "site": "all"}, "Select the site"),
        ({"role": "data_manager", "site": "1"}, "Select all sites"),
        ({"role": "principal_investigator", "site": "1"}, "Select yes or no"),
        ({"role": "nobody", "site": "all"}, "Select role"),
        ({"role": "coordinator", "site": "99999"}, "Select where the role is held"),
    ],
)
def test_a_role_that_does_not_fit_is_refused_beside_its_question(page, typed, said):
    user = make_user()
    typed = {**typed, "site": site().pk if typed["site"] == "1" else typed["site"], **day("from_date", 9, 7, 2026)}

    answer = page.post(f"/settings/people/{user.pk}/roles/new/", typed)

    assert said in text(answer)
    assert not RoleAssignment.objects.filter(user=user).exists()


def test_incompatible_roles_are_refused_in_words(page, trial):
    typed = {"role": "data_manager", "site": "all", **day("from_date", 9, 7, 2026)}

    answer = page.post(f"/settings/people/{trial.investigator.pk}/roles/new/", typed)

    assert "Dr Helen Okafor is Principal investigator" in text(answer)
    assert "End the other role first" in text(answer)


def test_an_account_is_disabled_and_enabled_with_a_reason(page, trial):
    where = f"/settings/people/{trial.coordinator.pk}/account/"

    missing = page.post(where, {"action": "Disable", "reason": ""})
    page.post(where, {"action": "Disable", "reason": "Left the team"})
    page.post(where, {"action": "Disable", "reason": "Left the team"})
    disabled = User.objects.get(pk=trial.coordinator.pk)
    page.post(where, {"action": "Enable", "reason": "Back again"})

    assert "Enter why you are changing this" in text(missing)
    assert not disabled.is_active
    assert User.objects.get(pk=trial.coordinator.pk).is_active


def test_a_disabled_person_is_signed_out_at_once(page, trial, client):
    other = type(client)()
    other.force_login(trial.coordinator)

    page.post(f"/settings/people/{trial.coordinator.pk}/account/", {"action": "Disable", "reason": "Left"})

    assert other.get("/people/").headers["Location"].startswith("/accounts/login/")


def test_administrators_do_not_change_themselves(page, admin):
    shown = text(page.get(f"/settings/people/{admin.pk}/"))
    answer = page.post(f"/settings/people/{admin.pk}/account/", {"action": "Disable", "reason": "Tired"})

    assert "Nobody changes the access of their own account" in shown
    assert "Ask another administrator" in text(answer)


def test_the_invitation_is_sent_again(page, trial):
    page.post(f"/settings/people/{trial.coordinator.pk}/invitation/")

    assert OutboxMessage.objects.get().to_user == trial.coordinator


@pytest.mark.parametrize("pk", [0, 99_999, 10**30])
@pytest.mark.parametrize("rest", ["", "account/", "invitation/", "roles/new/", "roles/1/end/"])
def test_an_account_that_is_not_there_is_not_found(page, pk, rest):
    assert page.get(f"/settings/people/{pk}/{rest}").status_code == 404


def test_a_role_of_somebody_else_is_not_found(page, trial, admin):
    role = trial.coordinator.assignments.get()

    assert page.get(f"/settings/people/{trial.randomiser.pk}/roles/{role.pk}/end/").status_code == 404


def test_recruitment_is_paused_on_the_page(page, trial):
    seen = trial.site.history.first().history_id

    page.post("/settings/sites/01/", {"paused": "yes", "seen": seen, "reason": "Leader away"})

    assert site().recruitment_paused
    assert "Does not recruit today" in text(page.get("/settings/sites/"))


def test_two_people_saving_one_site_lose_nothing(page, trial):
    seen = trial.site.history.first().history_id
    page.post("/settings/sites/01/", {"paused": "yes", "seen": seen, "reason": "Leader away"})

    typed = {"paused": "no", "seen": seen, "reason": "Full", **day("closed_date", 30, 9, 2026)}
    second = page.post("/settings/sites/01/", typed)
    shown = text(second)
    newest = re.search(r'name="seen" value="(\d+)"', shown)[1]
    page.post("/settings/sites/01/", {**typed, "seen": newest})

    assert "Dora Lane changed this site meanwhile: paused" in shown
    assert 'value="Full"' in shown
    assert not site().recruitment_paused
    assert str(site().recruitment_closed_date) == "2026-09-30"


@pytest.mark.parametrize("seen", ["", "x", "-1", "1" * 40])
def test_a_site_posted_with_a_strange_mark_is_no_fault(page, trial, seen):
    answer = page.post("/settings/sites/01/", {"paused": "yes", "seen": seen, "reason": "Leader away"})

    assert answer.status_code in (200, 302)


def test_an_unknown_site_is_not_found(page):
    assert page.get("/settings/sites/99/").status_code == 404


def test_the_trial_manager_pauses_sites_too(trial, client):
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))

    assert client.get("/settings/sites/").status_code == 200
    assert client.get("/settings/people/").status_code == 403


def test_an_investigator_delegates_and_ends_a_duty(trial, client):
    client.force_login(trial.investigator)
    user = give_role(make_user("New Nurse"), Role.COORDINATOR, trial.site)
    typed = {
        "site": trial.site.pk,
        "user": user.pk,
        "duty": "consent",
        "training_evidence": "GCP certificate",
        **day("from_date", 9, 7, 2026),
        **day("training_date", 1, 7, 2026),
        "secret": PASSWORD,
    }

    wrong = client.post("/delegation/new/", typed | {"secret": "not my password"})
    client.post("/delegation/new/", typed)
    again = client.post("/delegation/new/", typed)
    line = Delegation.objects.get(user=user)
    client.post(f"/delegation/{line.pk}/end/", {**day("last_day", 31, 7, 2026), "reason": "New job"})

    assert "has this duty" in text(again)
    shown = text(client.get("/delegation/"))
    assert "New Nurse" in shown
    assert "Ends soon" in shown
    assert line.signed_by == trial.investigator
    assert "Enter your own password" in text(wrong)
    assert f"Signed by {trial.investigator}" in shown


def test_a_line_that_the_trial_manager_prepares_works_once_the_investigator_signs(trial, client):
    user = give_role(make_user("New Nurse"), Role.COORDINATOR, trial.site)
    typed = {
        "site": trial.site.pk,
        "user": user.pk,
        "duty": "consent",
        "training_evidence": "GCP certificate",
        **day("from_date", 9, 7, 2026),
        **day("training_date", 1, 7, 2026),
    }
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))
    client.post("/delegation/new/", typed)
    line = Delegation.objects.get(user=user)
    as_manager = client.get(f"/delegation/{line.pk}/sign/")
    waiting = is_delegated(user, Duty.CONSENT, trial.site, TODAY)

    client.force_login(trial.investigator)
    page = text(client.get("/delegation/"))
    client.post(f"/delegation/{line.pk}/sign/", {"secret": PASSWORD})
    again = text(client.post(f"/delegation/{line.pk}/sign/", {"secret": PASSWORD}))

    assert (as_manager.status_code, waiting) == (403, False)
    assert "Waits for a signature" in page
    assert is_delegated(user, Duty.CONSENT, trial.site, TODAY)
    assert "signed already" in again


def test_a_duty_that_does_not_fit_is_refused_on_the_page(trial, client):
    client.force_login(trial.investigator)
    typed = {"site": site("02").pk, "user": "0", "duty": "x", **day("from_date", 31, 2, 2026)}

    shown = text(client.post("/delegation/new/", typed))

    assert "Select site" in shown
    assert "First day must be a real date" in shown
    assert "Select person" in shown


def test_the_log_of_another_site_is_not_found(trial, client):
    client.force_login(staff(Role.PRINCIPAL_INVESTIGATOR, site("02"), blinded=False))
    line = trial.coordinator.delegations.get()

    assert client.get(f"/delegation/{line.pk}/end/").status_code == 404
    assert "Asha Patel" not in text(client.get("/delegation/"))


def test_a_duty_is_ended_with_what_to_do_when_it_cannot(trial, client):
    client.force_login(trial.investigator)
    line = delegate(give_role(make_user(), Role.COORDINATOR, trial.site), Duty.CONSENT, trial.site)

    answer = client.post(f"/delegation/{line.pk}/end/", {**day("last_day", 1, 7, 2020), "reason": "Slip"})

    assert "or later" in text(answer)


def test_the_forms_open_as_they_are(page, trial):
    role = trial.coordinator.assignments.get()
    where = f"/settings/people/{trial.coordinator.pk}/"

    pages = [page.get(f"{where}{rest}") for rest in ("invitation/", "roles/new/", f"roles/{role.pk}/end/", "account/")]

    assert [answer.status_code for answer in pages] == [200] * 4


def test_a_role_is_ended_with_what_to_do_when_it_cannot(page, trial):
    role = trial.coordinator.assignments.get()

    answer = page.post(
        f"/settings/people/{trial.coordinator.pk}/roles/{role.pk}/end/",
        {**day("last_day", 1, 1, 2020), "reason": "Slip"},
    )

    assert "or later" in text(answer)


def test_roles_that_have_not_begun_and_that_have_ended_say_so(page, trial):
    user = give_role(make_user(), Role.COORDINATOR, trial.site, since=TODAY + timedelta(days=5))
    ended = give_role(user, Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=False).assignments.get(
        role="principal_investigator"
    )
    ended.to_date = TODAY - timedelta(days=1)
    ended.save_by(None, "Ended")

    shown = text(page.get(f"/settings/people/{user.pk}/"))

    assert "Not yet" in shown
    assert "Ended" in shown


def test_duties_that_have_not_begun_and_that_have_ended_say_so(trial, client):
    client.force_login(trial.investigator)
    user = give_role(make_user(), Role.COORDINATOR, trial.site)
    delegate(user, Duty.CONSENT, trial.site, since=TODAY + timedelta(days=5))
    ended = delegate(user, Duty.SAFETY, trial.site)
    ended.to_date = TODAY - timedelta(days=1)
    ended.save_by(None, "Ended")

    shown = text(client.get("/delegation/"))

    assert "Not yet" in shown
    assert "Ended" in shown
