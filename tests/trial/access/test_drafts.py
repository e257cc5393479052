"""What is typed and not saved: kept for its writer alone, given back, forgotten (ux.md 7, R-17)."""

from datetime import timedelta

import pytest
from django import forms
from django.core import signing

from tests.factories import NOW, Trial, make_user, staff
from trial.access import drafts
from trial.access.models import Draft
from trial.access.policy import Role
from trial.participants.models import Referral

pytestmark = pytest.mark.django_db

NEW = "/people/new/"
TYPED = {"first_name": "Carol", "last_name": "Ash", "birth_date_0": "31", "notes": "Lives alone"}
KEEP = f"/drafts/?form={NEW}"


@pytest.fixture
def trial(clock):
    return Trial()


@pytest.fixture
def signed_in(trial, client):
    client.force_login(trial.coordinator)
    return client


def owner_in(page):
    return page.context["draft"].owner


def test_a_draft_is_kept_sealed_and_says_when(signed_in, trial):
    answer = signed_in.post(KEEP, TYPED)

    assert answer.json() == {"saved_at": "11am"}
    stored = Draft.objects.get()
    assert (stored.user, stored.path) == (trial.coordinator, NEW)
    assert "Carol" not in stored.sealed
    assert "Carol" not in repr(vars(stored))


def test_the_form_is_opened_again_as_it_was_typed_and_nothing_is_wrong_yet(signed_in):
    signed_in.post(KEEP, TYPED)

    page = signed_in.get(NEW).content.decode()

    assert "We kept what you typed at 11am." in page
    assert 'value="Carol"' in page
    assert 'value="31"' in page
    assert "Lives alone" in page
    assert "There is a problem" not in page
    assert "<title>Error" not in page


def test_a_draft_of_another_day_says_which(signed_in, clock):
    signed_in.post(KEEP, TYPED)
    clock.shift(timedelta(days=1))
    signed_in.force_login(Draft.objects.get().user)

    assert "We kept what you typed at 9 July 2026 at 11am." in signed_in.get(NEW).content.decode()


def test_opening_a_kept_form_saves_nothing(signed_in):
    signed_in.post(KEEP, {**TYPED, "source_type": "self"})

    signed_in.get(NEW)

    assert not Referral.objects.exists()


def test_start_afresh_throws_the_draft_away(signed_in):
    signed_in.post(KEEP, TYPED)

    answer = signed_in.post("/drafts/forget/", {"path": NEW})

    assert answer.headers["Location"] == NEW
    assert not Draft.objects.exists()
    assert "Carol" not in signed_in.get(NEW).content.decode()


@pytest.mark.parametrize("path", ["", "https://example.org/", "//example.org/", "/nowhere/", "/settings/people/new/"])
def test_start_afresh_leads_only_to_own_forms(signed_in, path):
    assert signed_in.post("/drafts/forget/", {"path": path}).headers["Location"] == "/home/"


def test_passwords_and_tokens_are_never_kept(signed_in, trial):
    signed_in.post(KEEP, {**TYPED, "secret": "s3cret", "new_password": "s3cret", "csrfmiddlewaretoken": "s3cret"})

    fields, _ = drafts.kept(trial.coordinator, NEW)

    assert set(fields) == set(TYPED)


def test_a_later_draft_takes_the_place_of_the_earlier_one(signed_in, trial):
    signed_in.post(KEEP, TYPED)
    signed_in.post(KEEP, {"first_name": "Karol"})

    fields, _ = drafts.kept(trial.coordinator, NEW)

    assert fields.dict() == {"first_name": "Karol"}


def test_a_colleague_gets_nothing_of_it(signed_in, trial, client):
    signed_in.post(KEEP, TYPED)
    signed_in.force_login(staff(Role.COORDINATOR, trial.site))

    page = signed_in.get(NEW).content.decode()

    assert "Carol" not in page
    assert "We kept" not in page


@pytest.mark.parametrize("path", ["", "/nowhere/", "/settings/people/", "/" + "x" * 300, "https://example.org"])
def test_only_forms_that_the_person_may_open_have_drafts(signed_in, path):
    answer = signed_in.post("/drafts/", TYPED, query_params={"form": path})

    assert answer.status_code == 404
    assert not Draft.objects.exists()


def test_what_is_too_long_is_not_kept(signed_in):
    answer = signed_in.post(KEEP, {"notes": "x" * 200_000})

    assert answer.status_code == 413
    assert not Draft.objects.exists()


def test_saving_the_form_forgets_its_draft(signed_in, trial):
    page = signed_in.get(NEW)
    signed_in.post(KEEP, TYPED)

    answer = signed_in.post(NEW, {**_whole_form(), drafts.OWNER: owner_in(page)})

    assert answer.status_code == 302
    assert Referral.objects.count() == 1
    assert not Draft.objects.exists()


def test_a_form_with_errors_keeps_its_draft(signed_in):
    page = signed_in.get(NEW)
    signed_in.post(KEEP, TYPED)

    answer = signed_in.post(NEW, {**TYPED, drafts.OWNER: owner_in(page)})

    assert answer.status_code == 200
    assert Draft.objects.exists()


def test_a_post_after_the_session_ran_out_is_kept_for_whoever_opened_the_form(signed_in, trial):
    page = signed_in.get(NEW)
    signed_in.logout()

    answer = signed_in.post(NEW, {**TYPED, drafts.OWNER: owner_in(page)})
    signed_in.force_login(trial.coordinator)
    again = signed_in.get(NEW).content.decode()

    assert answer.headers["Location"].startswith("/accounts/login/?next=/people/new/")
    assert "Carol" in again
    assert not Referral.objects.exists()


def test_the_next_person_to_sign_in_gets_nothing_of_it(signed_in, trial):
    page = signed_in.get(NEW)
    signed_in.logout()
    signed_in.post(NEW, {**TYPED, drafts.OWNER: owner_in(page)})
    signed_in.force_login(staff(Role.COORDINATOR, trial.site))

    assert "Carol" not in signed_in.get(NEW).content.decode()


@pytest.mark.parametrize("forged", ["", "forged", "1:2:3"])
def test_a_post_without_a_session_and_without_the_right_owner_is_not_kept(client, trial, forged):
    client.post(NEW, {**TYPED, drafts.OWNER: forged})

    assert not Draft.objects.exists()


def test_the_owner_of_one_form_is_not_that_of_another(client, trial):
    elsewhere = signing.dumps([trial.coordinator.pk, "/delegation/new/"], salt="trial.access.drafts")

    client.post(NEW, {**TYPED, drafts.OWNER: elsewhere})

    assert not Draft.objects.exists()


def test_nothing_is_kept_for_a_disabled_account(signed_in, trial):
    page = signed_in.get(NEW)
    trial.coordinator.is_active = False
    trial.coordinator.save()

    signed_in.post(NEW, {**TYPED, drafts.OWNER: owner_in(page)})

    assert not Draft.objects.exists()


def test_a_draft_that_cannot_be_opened_is_as_if_it_were_not_there(signed_in, trial):
    signed_in.post(KEEP, TYPED)
    Draft.objects.update(wrapped_key="")

    assert signed_in.get(NEW).status_code == 200
    assert drafts.kept(trial.coordinator, NEW) is None


def test_forms_with_secrets_or_files_have_no_draft(rf, trial):
    class Secret(forms.Form):
        secret = forms.CharField(widget=forms.PasswordInput)

    class Upload(forms.Form):
        file = forms.FileField()

    request = rf.get(NEW)
    request.user = trial.coordinator

    assert drafts.open_for(request, Secret()) is None
    assert drafts.open_for(request, Upload()) is None


def test_old_drafts_go(signed_in, trial):
    signed_in.post(KEEP, TYPED)
    Draft.objects.create(
        user=make_user(), path=NEW, wrapped_key="x", sealed="x", saved_at=NOW - drafts.KEPT_FOR - timedelta(minutes=1)
    )

    assert drafts.forget_old(at=NOW) == 1
    assert Draft.objects.get().user == trial.coordinator


def test_somebody_without_a_role_has_no_drafts(client, trial):
    client.force_login(make_user())

    assert client.post(KEEP, TYPED).status_code == 403


def test_a_draft_asks_for_a_post(signed_in):
    assert signed_in.get("/drafts/").status_code == 405


def _whole_form():
    return {
        "source_type": "self",
        "referral_model": "signposting",
        "received_date_0": "8",
        "received_date_1": "7",
        "received_date_2": "2026",
        "contact_basis": "self_referral",
        "sex": "female",
        "arm_preference": "none",
        "first_name": "Carol",
        "last_name": "Ash",
        "birth_date_0": "14",
        "birth_date_1": "3",
        "birth_date_2": "1971",
        "phone": "01632 960001",
        "gp_practice": "Tavyside Surgery",
        "email": "carol@example.org",
        "address": "1 High Street",
        "postcode": "PL1 1AA",
        "emergency_name": "Jo Ash",
        "emergency_phone": "01632 960002",
    }
