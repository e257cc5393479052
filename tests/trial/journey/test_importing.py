"""Bringing in a list: checked without saving, saved when confirmed, every line accounted for (R-42, BR-04)."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404

from tests.factories import NOW, Trial, give_role, site, staff
from trial.access.policy import Role
from trial.base import keys
from trial.journey import actions as journey
from trial.journey import importing
from trial.journey.import_reading import Row
from trial.journey.import_resource import Candidate, refer
from trial.journey.importing import CountsDiffer, ImportRefused, State
from trial.journey.models import ImportedLine, ImportFile, ReferralImport
from trial.locking.models import DatasetLock
from trial.locking.rules import DatasetLocked
from trial.participants import identity
from trial.participants.models import Person, Referral, Status

pytestmark = pytest.mark.django_db

PERSON = {
    "source_type": "GP practice",
    "referral_model": "direct",
    "referrer": "Tavyside Surgery",
    "received_date": "1/7/2026",
    "contact_basis": "permission",
    "sex": "Female",
    "arm_preference": "none",
    "first_name": "Carol",
    "last_name": "Ash",
    "birth_date": "14 March 1971",
    "nhs_number": "",
    "phone": "01632 960001",
    "email": "carol@example.org",
    "gp_practice": "Tavyside Surgery",
}


@pytest.fixture
def trial(clock):
    return Trial()


def listed(*people):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(key for one in people for key in one)))
    writer.writeheader()
    writer.writerows(people)
    return out.getvalue().encode()


def check(trial, *people, by=None):
    return importing.check(data=listed(*people), file_name="list.csv", by=by or trial.coordinator, at=NOW)


def problems(made):
    return {(line, column): text for line, column, text in importing.refused_lines(made)}


def test_a_check_saves_no_referral_and_shows_every_line(trial):
    made = check(trial, PERSON, {**PERSON, "first_name": "", "last_name": "Elm"})

    assert (made.state, made.n_received, made.n_refused) == (State.CHECKED, 2, 1)
    assert not Referral.objects.exists()
    assert not Person.objects.exists()
    checked = importing.checked_list(made)
    assert [line.line for line in checked.ready] == [2]
    assert problems(made) == {(3, "first_name"): "Enter first name"}


def test_what_was_read_lies_sealed(trial):
    made = check(trial, PERSON)

    stored = ImportFile.objects.get(referral_import=made)
    assert "Carol" not in stored.sealed
    assert "Carol" in keys.unseal(stored.wrapped_key, stored.sealed)
    assert "Carol" not in repr(list(ReferralImport.history.values()))


def test_confirming_saves_what_fits_and_counts_the_rest(trial):
    made = check(trial, PERSON, {**PERSON, "last_name": "Elm", "birth_date": "31/2/1971"})

    done = importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert (done.state, done.n_received, done.n_stored, done.n_refused) == (State.DONE, 2, 1, 1)
    referral = Referral.objects.get()
    assert identity.read(referral.person).name == "Carol Ash"
    assert (referral.source_type, referral.sex, str(referral.received_date)) == ("gp_practice", "female", "2026-07-01")
    assert referral.history.get().history_user == trial.coordinator
    assert referral.imported_line.line == 2
    assert problems(done) == {(3, "birth_date"): "Date of birth must be a real date"}
    assert not ImportFile.objects.exists()


def test_confirming_twice_saves_once(trial):
    made = check(trial, PERSON)

    importing.confirm(made=made, by=trial.coordinator, at=NOW)
    again = importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert again.state == State.DONE
    assert Referral.objects.count() == 1


def test_a_long_list_is_saved_in_parts_and_goes_on_where_it_stopped(trial):
    people = [{**PERSON, "last_name": name} for name in ("Ash", "Birch", "Elm")]
    made = check(trial, *people)

    first = importing.confirm(made=made, by=trial.coordinator, at=NOW, n_lines=2)
    second = importing.confirm(made=made, by=trial.coordinator, at=NOW, n_lines=2)

    assert (first.state, second.state) == (State.CONFIRMED, State.DONE)
    assert Referral.objects.count() == 3


def test_the_scheduled_job_finishes_what_was_confirmed(trial):
    made = check(trial, PERSON, {**PERSON, "last_name": "Birch"})
    importing.confirm(made=made, by=trial.coordinator, at=NOW, n_lines=1)

    assert importing.go_on_with_confirmed(at=NOW) == 1
    assert importing.go_on_with_confirmed(at=NOW) == 0

    assert Referral.objects.count() == 2


def test_discarding_deletes_what_was_read_and_stays(trial):
    made = check(trial, PERSON)

    importing.discard(made=made, by=trial.coordinator)
    importing.discard(made=made, by=trial.coordinator)

    assert not ImportFile.objects.exists()
    assert importing.checked_list(made) is None
    with pytest.raises(ImportRefused, match="was discarded"):
        importing.confirm(made=made, by=trial.coordinator, at=NOW)


def test_a_saved_list_is_not_discarded(trial):
    made = importing.confirm(made=check(trial, PERSON), by=trial.coordinator, at=NOW)

    with pytest.raises(ImportRefused, match="confirmed already"):
        importing.discard(made=made, by=trial.coordinator)


def test_a_list_without_a_line_that_fits_is_not_confirmed(trial):
    made = check(trial, {**PERSON, "phone": "none"})

    with pytest.raises(ImportRefused, match="No line"):
        importing.confirm(made=made, by=trial.coordinator, at=NOW)


def test_lists_that_nobody_confirmed_go(trial):
    made = check(trial, PERSON)
    later = NOW + importing.KEPT_FOR + timedelta(minutes=1)

    assert importing.forget_old(at=NOW) == 0
    assert importing.forget_old(at=later) == 1

    assert ReferralImport.objects.get(pk=made.pk).state == State.DISCARDED
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize(
    ("column", "typed", "text"),
    [
        ("source_type", "Doctor", "Write one of: gp_practice"),
        ("sex", "F", "Write one of: female"),
        ("contact_basis", "", "Write one of: permission, self_referral"),
        ("received_date", "10/7/2026", "Date received must be today or in the past"),
        ("received_date", "1/7/26", "year of 4 digits"),
        ("received_date", "soon", "must include a month and a year"),
        ("received_date", "1 2 3 4", "must include a month"),
        ("birth_date", "1971-13-14", "must be a real date"),
        ("nhs_number", "9990000019", "10 digits, like 999 000 0018"),
        ("phone", "call Jo", "Enter a telephone number"),
        ("email", "carol", "name@example.org"),
        ("first_name", "Ca\x07rol", "hidden characters"),
        ("last_name", "A" * 81, "80 characters or fewer"),
    ],
)
def test_each_column_says_what_to_do(trial, column, typed, text):
    made = check(trial, {**PERSON, column: typed})

    ((found, said),) = problems(made).items()
    assert found == (2, column)
    assert text in said


@pytest.mark.parametrize("typed", ["2026-07-01", "1/7/2026", "01.07.2026", "1 July 2026", "1-Jul-2026"])
def test_dates_are_read_as_people_write_them(trial, typed):
    made = check(trial, {**PERSON, "received_date": typed})

    importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert str(Referral.objects.get().received_date) == "2026-07-01"


def test_a_coordinator_of_one_site_needs_no_site_and_cannot_name_another(trial):
    own = check(trial, {**PERSON, "site": ""}, {**PERSON, "last_name": "Elm", "site": "Tamar Vale"})
    other = check(trial, {**PERSON, "last_name": "Oak", "site": "02"})

    assert own.n_refused == 0
    assert problems(other) == {(2, "site"): "Write one of: 01"}


def test_a_list_for_two_sites_names_the_site_of_each_line(trial):
    person = staff(Role.COORDINATOR, trial.site)
    give_role(person, Role.COORDINATOR, site("02"))
    made = check(trial, {**PERSON, "site": "2"}, {**PERSON, "last_name": "Elm", "site": ""}, by=person)

    importing.confirm(made=made, by=person, at=NOW)

    assert Referral.objects.get().site == site("02")
    assert problems(made)[3, "site"] == "Write one of: 01 or 02"


def test_the_same_person_twice_in_a_list_is_refused_once(trial):
    nhs = {**PERSON, "nhs_number": "999 000 0018"}
    made = check(trial, PERSON, {**PERSON, "email": ""}, {**nhs, "last_name": "Elm"}, {**nhs, "last_name": "Oak"})

    assert problems(made) == {
        (3, ""): "The same person as line 2. Keep one of the two lines",
        (5, ""): "The same person as line 4. Keep one of the two lines",
    }


def test_somebody_referred_already_is_refused_without_telling_of_another_site(trial):
    importing.confirm(made=check(trial, PERSON), by=trial.coordinator, at=NOW)
    here = check(trial, PERSON)
    elsewhere = staff(Role.COORDINATOR, site("02"))
    there = check(trial, PERSON, by=elsewhere)

    assert problems(here)[2, ""].startswith("This person already has an open referral. See S-01-")
    assert problems(there)[2, ""] == "This person already has an open referral. Ring the trial office."
    assert Referral.objects.count() == 1


def test_somebody_who_left_before_randomisation_may_be_referred_again(trial):
    importing.confirm(made=check(trial, PERSON), by=trial.coordinator, at=NOW)
    first = Referral.objects.get()
    journey.close(
        referral=first,
        target=Status.PRESCREEN_INELIGIBLE,
        reasons=[next(c.code for c in trial.spec.criteria if c.prescreen)],
        by=trial.coordinator,
        at=NOW,
    )
    made = check(trial, {**PERSON, "received_date": "9/7/2026"})

    importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert Referral.objects.count() == 2
    assert Referral.objects.order_by("pk").last().earlier_referral == first


def test_somebody_referred_between_check_and_confirmation_is_refused_then(trial):
    made = check(trial, PERSON)
    importing.confirm(made=check(trial, PERSON), by=trial.coordinator, at=NOW)

    done = importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert (done.n_stored, done.n_refused) == (0, 1)
    assert "already has an open referral" in problems(done)[2, ""]
    assert Referral.objects.count() == 1


def test_no_protocol_in_force_that_day_is_said_for_the_line(trial):
    made = check(trial, {**PERSON, "received_date": "1/1/2020"})

    assert "No version of the protocol is in force" in problems(made)[2, "received_date"]


def test_a_locked_dataset_takes_no_list_and_marks_no_line(trial):
    made = check(trial, PERSON)
    DatasetLock(
        code="L001",
        kind="final",
        state="locked",
        reason="End",
        data_through=NOW.date(),
        asked_by=trial.coordinator,
        asked_at=NOW,
        agreed_by=trial.investigator,
        locked_at=NOW,
    ).save_by(None)

    with pytest.raises(DatasetLocked):
        check(trial, PERSON)
    with pytest.raises(DatasetLocked):
        importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert not ImportedLine.objects.exists()


def test_a_colleagues_list_does_not_exist(trial):
    made = check(trial, PERSON)

    with pytest.raises(Http404):
        importing.import_for(staff(Role.COORDINATOR, trial.site), made.pk)


def test_only_permitted_people_have_sites_for_a_list(trial):
    assert importing.sites_of(trial.investigator) == []
    assert importing.sites_of(trial.coordinator) == [trial.site]


def test_a_line_is_stored_or_refused_and_only_once(trial):
    made = check(trial, PERSON)
    ImportedLine(referral_import=made, line=2, reason="No", at=NOW).save()

    for line in (
        ImportedLine(referral_import=made, line=2, reason="No", at=NOW),
        ImportedLine(referral_import=made, line=3, reason="", at=NOW),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            line.save()


def test_the_database_refuses_an_end_that_does_not_add_up(trial):
    made = check(trial, PERSON)
    made.state, made.n_stored, made.confirmed_at, made.done_at = State.DONE, 3, NOW, NOW

    with pytest.raises(IntegrityError), transaction.atomic():
        made.save_by(None, "Wrong")


def test_lines_that_do_not_add_up_stop_the_end(trial):
    made = check(trial, PERSON)
    ImportedLine(referral_import=made, line=99, reason="No such line", at=NOW).save()

    with pytest.raises(CountsDiffer):
        importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert ReferralImport.objects.get(pk=made.pk).state == State.CONFIRMED


def test_an_error_of_the_program_marks_no_line_as_refused(trial, settings):
    made = check(trial, PERSON)
    settings.LOOKUP_KEY = None

    with pytest.raises(AttributeError):
        importing.confirm(made=made, by=trial.coordinator, at=NOW)

    assert not ImportedLine.objects.exists()


def test_a_list_whose_lines_are_gone_stays_as_it_is(trial):
    made = check(trial, PERSON)
    importing.confirm(made=made, by=trial.coordinator, at=NOW, n_lines=0)
    ImportFile.objects.all().delete()

    assert importing.confirm(made=made, by=trial.coordinator, at=NOW).state == State.CONFIRMED


def test_a_lock_refuses_the_list_and_not_the_line(trial):
    DatasetLock(
        code="L001",
        kind="final",
        state="locked",
        reason="End",
        data_through=NOW.date(),
        asked_by=trial.coordinator,
        asked_at=NOW,
        agreed_by=trial.investigator,
        locked_at=NOW,
    ).save_by(None)
    resource = importing.resource_for(trial.coordinator, NOW)

    with pytest.raises(DatasetLocked):
        resource.run([Row(2, PERSON)], dry_run=False)


def test_a_line_that_was_not_read_is_not_referred(trial):
    with pytest.raises(ValidationError, match="not read"):
        refer(Candidate(), trial.coordinator, NOW)
