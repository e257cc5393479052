"""The audit trail in sentences: of one record, of one form, of the whole trial, and the access log."""

import csv
import io

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, Trial, answers_with_total, site, staff
from tests.trial.journey.builders import crowd, one_of_each_arm
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.base import triggers
from trial.journey import audit_trail, history, trail
from trial.journey.history import Change, Row, differing, entries_of, pairs_of
from trial.participants import identity
from trial.participants.models import Referral
from trial.review import actions as review
from trial.screening.models import ContactAttempt


@pytest.fixture
def trial(clock):
    return Trial()


def _said(entries):
    return [entry.text for entry in entries]


def _texts(response):
    return ["".join([entry.who, " ", *(piece.text for piece in entry.said)]) for entry in response.context["entries"]]


def _correct(trial, participant, value=2, reason="misread paper"):
    """PHQ-9 item 3 of the screening visit goes from 1 to `value`."""
    answers = answers_with_total("phq9", 8) | {"phq9_1": 1, "phq9_2": 1, "phq9_3": 1}
    trial.save_form(participant, "V0", "phq9", answers)
    return trial.save_form(participant, "V0", "phq9", answers | {"phq9_3": value}, reasons={"phq9_3": reason})


# -- rules

values = st.dictionaries(
    st.sampled_from("abcdef"), st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.text(max_size=3))
)


@given(values, values)
def test_what_differs_turns_the_old_values_into_the_new(before, after):
    found = differing(before, after)

    turned = dict(before)
    for key, old, new in found:
        assert before.get(key) is old
        turned[key] = new
    assert {key: value for key, value in turned.items() if value is not None} == {
        key: value for key, value in after.items() if value is not None
    }


@given(values)
def test_nothing_differs_from_itself(value):
    assert differing(value, dict(value)) == []


def test_no_and_nought_are_not_the_same():
    assert differing({"a": 0, "b": 1}, {"a": False, "b": 1}) == [("a", 0, False)]


def _row(row_id, record_id=1, **columns):
    return Row(Referral, record_id, row_id, "~" if row_id > 1 else "+", NOW, "Asha Patel", "Coordinator", "", columns)


@given(st.permutations([(1, 1), (2, 1), (3, 2), (4, 1), (5, 2)]))
def test_each_row_is_read_against_the_one_before_it_of_its_record(order):
    rows = [_row(row_id, record) for row_id, record in order]

    pairs = {after.row_id: before.row_id if before else None for before, after in pairs_of(rows)}

    assert pairs == {1: None, 2: 1, 3: None, 4: 2, 5: 3}


class _Words:
    def __init__(self, *changes):
        self.found = list(changes)

    def name(self, row):
        return "PHQ-9, week 5"

    def about(self, row):
        return "PHQ-9, week 5"

    def changes(self, before, after):
        return self.found

    def aside(self, before, after):
        return ""


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("a", "status", "Referred", "Contacted"), "changed status from Referred to Contacted"),
        (Change("a", "comment", "", "Late"), "entered Late for comment"),
        (Change("a", "comment", "Late", ""), "removed comment, which was Late"),
        (Change("a", "notes", hidden=True), "changed notes"),
        (Change("a", "done", said="marked the task as done"), "marked the task as done"),
        (Change("a", "item 3", "1", "2", reason="misread paper"), "changed item 3 from 1 to 2: misread paper"),
    ],
)
def test_a_change_is_one_sentence(change, text):
    entries = entries_of(_row(1), _row(2), _Words(change))

    assert _said(entries) == [f"Asha Patel {text}"]
    assert entries[0].changed


def test_many_first_answers_are_counted_and_changes_are_not():
    changes = [Change(f"item:{n}", f"item {n}", "", str(n)) for n in range(3)] + [Change("item:9", "item 9", "1", "2")]

    counted = entries_of(_row(1), _row(2), _Words(*changes))
    each = entries_of(_row(1), _row(2), _Words(*changes), each_answer=True)

    assert _said(counted)[0] == "Asha Patel entered 3 answers in PHQ-9, week 5"
    assert _said(counted)[1] == "Asha Patel changed item 9 from 1 to 2"
    assert len(each) == 4


def test_every_table_about_a_person_is_read():
    paths = {model.__name__: trail.path_to_referral(model) for model in trail.audited_tables()}

    reached = {name for name, path in paths.items() if path}
    assert {"Referral", "Participant", "Consent", "Administration", "Visit", "Query", "Deviation", "Task"} <= reached
    assert {"Membership", "RiskAlert", "AdverseEvent", "ParticipationChange", "Identity"} <= reached
    assert not {"Site", "Venue", "ProtocolVersion"} & reached


# -- one record


@pytest.mark.django_db
def test_a_correction_is_said_with_person_item_values_and_reason(trial, client):
    participant = trial.consented()
    _correct(trial, participant)
    client.force_login(trial.coordinator)

    said = _texts(client.get(f"/people/{participant.study_id}/history/"))

    old, new = "Several days (1)", "More than half the days (2)"
    assert f"Asha Patel changed PHQ-9 item 3 from {old} to {new}: misread paper. PHQ-9 total went from 3 to 4" in said
    assert "Asha Patel changed status from Given information to Consented" in said


@pytest.mark.django_db
def test_wording_that_is_withheld_leaves_the_numbers(trial, client, settings):
    settings.WITHHELD_WORDING = ["phq9"]
    participant = trial.consented()
    _correct(trial, participant)
    client.force_login(trial.coordinator)

    said = " ".join(_texts(client.get(f"/people/{participant.study_id}/history/")))

    assert "changed PHQ-9 item 3 from 1 to 2: misread paper" in said
    assert "Several days" not in said


@pytest.mark.django_db
def test_an_unanswered_item_keeps_its_reason_in_words(trial, client):
    participant = trial.consented()
    answers = answers_with_total("phq9", 8)
    trial.save_form(participant, "V0", "phq9", answers)
    del answers["phq9_2"]
    trial.save_form(participant, "V0", "phq9", answers, missing={"phq9_2": "RF"}, reasons={"phq9_2": "rang to say so"})
    client.force_login(trial.coordinator)

    said = " ".join(_texts(client.get(f"/people/{participant.study_id}/V0/phq9/history/?item=phq9_2")))

    assert "to Prefer not to answer: rang to say so" in said


@pytest.mark.django_db
def test_sealed_columns_are_said_to_change_without_their_content(trial, client):
    referral = trial.refer(first_name="Zebedee", last_name="Quillfeather")
    data = identity.read(referral.person)
    identity.change(referral=referral, data=data, reason="new telephone", by=trial.coordinator)
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{referral.screening_number}/history/")

    assert any("changed the contact details" in text for text in _texts(response))
    assert b"Quillfeather" not in response.content
    assert b"gAAAA" not in response.content


@pytest.mark.django_db
def test_a_signature_and_a_query_are_part_of_the_history(trial, client):
    participant = trial.eligible()
    query = review.raise_query(
        participant=participant, administration=None, field="", text="Is this right?", by=trial.investigator, at=NOW
    )
    review.answer(query=query, text="It is", by=trial.coordinator, at=NOW)
    client.force_login(trial.coordinator)

    said = _texts(client.get(f"/people/{participant.study_id}/history/"))

    assert any(text.startswith("Dr Helen Okafor signed: “") for text in said)
    assert "Asha Patel answered a query" in said
    assert not any("It is" in line for line in said)


@pytest.mark.django_db
def test_the_history_is_narrowed_by_person_field_day_and_changes(trial, client):
    participant = trial.eligible()
    client.force_login(trial.coordinator)
    page = f"/people/{participant.study_id}/history/"

    def found(query):
        return client.get(page + query).context["entries"]

    assert {entry.who for entry in found("?who=Dr+Helen+Okafor")} == {"Dr Helen Okafor"}
    assert all("consent" in entry.said[0].text for entry in found("?about=consent"))
    assert all(entry.changed for entry in found("?only=changes"))
    assert found("?from_date_0=1&from_date_1=1&from_date_2=2030") == []
    assert found("?to_date_0=9&to_date_1=Jul&to_date_2=2026")
    assert found("?who=nobody&from_date_0=99&page=x")


@pytest.mark.django_db
def test_time_is_shown_in_the_uk_with_utc_and_role_under_it(trial, client):
    referral = trial.refer()
    client.force_login(trial.coordinator)

    content = client.get(f"/people/{referral.screening_number}/history/").content.decode()

    assert "9 Jul 2026, 11am (10:00 UTC). Coordinator" in content


@pytest.mark.django_db
def test_the_history_as_a_file_is_defused_and_logged(trial, client):
    referral = trial.refer()
    referral.referrer = "=cmd()"
    referral.save_by(trial.coordinator, "=HYPERLINK(1)")
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{referral.screening_number}/history/?format=csv")

    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == history.CSV_HEADS
    assert all(not cell.startswith("=") for row in rows for cell in row)
    assert AccessEvent.objects.get(kind="exported").record == "S-01-0001"


@pytest.mark.django_db
def test_a_blinded_reader_reads_no_row_that_tells_the_arm(trial, client):
    one, _other = one_of_each_arm(trial.open_randomisation())
    blinded = staff(Role.OUTCOME_ASSESSOR, trial.site)

    hidden = trail.of_record(Referral.objects.get(pk=one.referral_id), blinded)
    shown = trail.of_record(Referral.objects.get(pk=one.referral_id), trial.coordinator)

    assert any(entry.about == "membership" for entry in shown)
    assert any(entry.about == "register" for entry in shown)
    assert not {"membership", "register", "session"} & {entry.about for entry in hidden}
    assert "Choose a group" not in " ".join(_said(hidden))


# -- one form


@pytest.mark.django_db
def test_the_history_of_one_item_stands_beside_its_form(trial, client):
    participant = trial.consented()
    _correct(trial, participant)
    client.force_login(trial.coordinator)

    whole = client.get(f"/people/{participant.study_id}/V0/phq9/history/")
    item = client.get(f"/people/{participant.study_id}/V0/phq9/history/?item=phq9_3")

    assert [row["n_changes"] for row in whole.context["rows"]][:4] == [0, 0, 1, 0]
    assert item.context["about"] == "History of item 3"
    assert [entry.changed for entry in item.context["entries"]] == [True, True]
    assert b'aria-current="true"' in item.content
    assert client.get(f"/people/{participant.study_id}/V0/phq9/history/?item=nonsense").status_code == 200


@pytest.mark.django_db
def test_a_form_that_is_not_there_has_no_history(trial, client):
    participant = trial.consented()
    client.force_login(trial.coordinator)

    assert client.get(f"/people/{participant.study_id}/V4/phq9/history/").status_code == 404
    assert client.get(f"/people/{participant.study_id}/V0/nonsense/history/").status_code == 404


# -- the whole trial


@pytest.mark.django_db
def test_the_audit_page_shows_recent_changes_of_every_table(trial, client):
    participant = trial.eligible()
    client.force_login(staff(Role.DATA_MANAGER))

    response = client.get("/audit/")
    forms = client.get("/audit/?about=trial_contactattempt")

    assert response.context["pages"].total > 50
    said = _texts(forms)
    assert any(f"recorded {ContactAttempt._meta.verbose_name}" in text for text in said)
    assert all(text.endswith(f". {participant.study_id}") for text in said)


@pytest.mark.django_db
def test_the_audit_page_is_narrowed_by_person_and_day(trial, client):
    trial.eligible()
    client.force_login(staff(Role.DATA_MANAGER))

    mine = client.get(f"/audit/?who={trial.investigator.pk}").context["entries"]
    later = client.get("/audit/?from_date_0=1&from_date_1=1&from_date_2=2030").context["entries"]

    assert {entry.who for entry in mine} == {"Dr Helen Okafor"}
    assert later == []


@pytest.mark.django_db
def test_a_blinded_data_manager_reads_nothing_of_groups_and_sessions(trial, client):
    one_of_each_arm(trial.open_randomisation())
    client.force_login(staff(Role.DATA_MANAGER))

    rows = client.get("/audit/?format=csv").content.decode()

    assert "Thursday morning group" not in rows
    assert "Choose a group" not in rows
    assert "membership" not in rows
    assert client.get("/audit/?about=trial_membership").status_code == 200


@pytest.mark.django_db
def test_a_monitor_reads_the_trail_of_own_sites_only(trial, client):
    trial.refer()
    other = site("02")
    other.recruitment_paused = True
    other.save_by(trial.coordinator, "Paused for a test")
    client.force_login(staff(Role.MONITOR, trial.site, blinded=False))

    rows = client.get("/audit/?format=csv").content.decode()

    assert "S-01-0001" in rows
    assert "Paused for a test" not in rows
    assert "Moorside" not in rows


@pytest.mark.django_db
def test_the_access_log_says_who_looked_at_what(trial, client):
    referral = trial.refer()
    identity.show(referral=referral, by=trial.coordinator, at=NOW, reason="To contact the person")
    client.force_login(staff(Role.DATA_MANAGER))

    response = client.get("/audit/access/?about=identity_viewed")
    rows = client.get("/audit/access/?format=csv").content.decode()

    assert [(event.record, event.detail) for event, _ in response.context["rows"]] == [
        ("S-01-0001", "To contact the person")
    ]
    assert "Contact details shown" in rows


@pytest.mark.django_db
def test_a_monitor_sees_what_concerns_own_records_in_the_access_log(trial, client):
    other = crowd(trial, 1, site=site("02"))[0]
    for record in (other.study_id, trial.refer().screening_number):
        AccessEvent(user=trial.coordinator, role="coordinator", kind="identity_viewed", record=record, at=NOW).save()
    client.force_login(staff(Role.MONITOR, trial.site, blinded=False))

    rows = client.get("/audit/access/").context["rows"]

    assert [event.record for event, _ in rows] == ["S-01-0001"]


@pytest.mark.django_db
def test_the_trail_is_checked_on_request(trial, client):
    trial.refer()
    client.force_login(staff(Role.DATA_MANAGER))

    asked = client.get("/audit/check/")
    ran = client.post("/audit/check/")

    assert not asked.context["ran"]
    assert b"Every entry matches its hash" in ran.content


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/audit/", "/audit/access/", "/audit/check/"])
def test_nobody_else_opens_the_audit_pages(trial, client, page):
    client.force_login(trial.coordinator)

    assert client.get(page).status_code == 403


@pytest.mark.django_db
def test_a_history_in_which_nothing_fits_says_so(trial, client):
    referral = trial.refer()
    client.force_login(trial.coordinator)

    response = client.get(f"/people/{referral.screening_number}/history/?only=changes")

    assert response.context["entries"] == []
    assert b"No entries" in response.content


@pytest.mark.django_db
def test_pages_and_days_of_a_long_history_hang_together(trial, client):
    participant = trial.baseline_done()
    client.force_login(trial.coordinator)
    page = f"/people/{participant.study_id}/history/"

    first = client.get(page)
    other_days = client.get("/people/" + participant.study_id + "/history/?to_date_0=1&to_date_1=1&to_date_2=2020")

    assert (
        first.context["pages"].total
        == len(list(csv.reader(io.StringIO(client.get(page + "?format=csv").content.decode())))) - 1
    )
    assert other_days.context["entries"] == []


@pytest.mark.django_db
def test_the_audit_page_ends_with_the_last_day_asked_for(trial, client):
    trial.refer()
    client.force_login(staff(Role.DATA_MANAGER))

    today = client.get("/audit/?to_date_0=9&to_date_1=7&to_date_2=2026").context["pages"].total
    yesterday = client.get("/audit/?to_date_0=8&to_date_1=7&to_date_2=2026").context["pages"].total

    assert today > 0
    assert yesterday == 0


@pytest.mark.django_db
def test_a_table_that_a_monitor_may_not_read_leaves_nothing(trial, client):
    client.force_login(staff(Role.MONITOR, trial.site, blinded=False))

    assert client.get("/audit/?about=trial_venue").status_code == 200
    assert (
        list(
            audit_trail.recent(staff(Role.MONITOR, trial.site, blinded=False), audit_trail.Wanted(table="trial_venue"))
        )
        == []
    )


@pytest.mark.django_db
def test_the_access_log_is_narrowed_by_person_and_shows_strangers(trial, client):
    AccessEvent(user=None, role="none", kind="sign_in_failed", at=NOW).save()
    manager = staff(Role.DATA_MANAGER)
    client.force_login(manager)

    everybody = client.get("/audit/access/")
    mine = client.get(f"/audit/access/?who={manager.pk}")
    file = client.get("/audit/access/?format=csv").content.decode()

    assert b"Nobody signed in" in everybody.content
    assert {event.user for event, _ in mine.context["rows"]} == {manager}
    assert "Sign-in failed" in file


@pytest.mark.django_db
def test_differences_are_counted_but_not_told_to_people_bound_to_sites(trial, client):
    trial.refer()
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_site SET name = 'Elsewhere' WHERE code = '02'")
    client.force_login(staff(Role.MONITOR, trial.site, blinded=False))

    response = client.post("/audit/check/")

    assert response.context["problems"] == ["1 entry differs. Tell the data manager."]
