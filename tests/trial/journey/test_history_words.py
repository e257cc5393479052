"""Words of the audit trail: tables, fields, items and values, from rows made by hand."""

from datetime import UTC, date, datetime

import pytest

from tests.trial.activities.builders import spec_of
from trial.access.models import Delegation, Site, User
from trial.assessments.models import Administration
from trial.consent.models import Consent, DocumentVersion
from trial.journey import history_values
from trial.journey.history import Row
from trial.journey.history_words import TrailWords
from trial.messages.models import OutboxMessage, Task
from trial.participants.models import Referral
from trial.participation.models import ParticipationChange
from trial.safety.models import AdverseEvent
from trial.schedule.models import Visit
from trial.screening.models import Eligibility

NOW = datetime(2026, 7, 9, 10, 0, tzinfo=UTC)
SPEC = spec_of("greenrx_f")
WORDS = TrailWords(SPEC, {(User, 7): "Asha Patel", (Site, 1): "Tamar Vale"}, {5: "V2"})


def row(model, row_id=1, **values):
    columns = {one.attname: None for one in model._meta.concrete_fields}
    return Row(model, 1, row_id, "+" if row_id == 1 else "~", NOW, "Asha Patel", "Coordinator", "", columns | values)


def phq9(row_id=1, **values):
    given = {"instrument": "phq9", "instrument_version": "1.0.0", "visit_id": 5, "status": "complete"}
    return row(Administration, row_id, **{**given, **values})


def said(before, after, words=WORDS):
    return [(one.label, one.old, one.new) for one in words.changes(before, after)]


@pytest.mark.parametrize(
    ("record", "name", "about"),
    [
        (phq9(), "PHQ-9, week 5", "PHQ-9, week 5"),
        (phq9(instrument="wsas"), "WSAS, week 5", "WSAS, week 5"),
        (phq9(instrument="nonsense", visit_id=99), "nonsense, ", "nonsense, "),
        (row(Referral), "the referral", "the referral"),
        (row(Referral, 2), "the record", "the record"),
        (row(Visit, code="V3"), "the visit week 12", "visit"),
        (row(Visit, code="V9"), "the visit V9", "visit"),
        (row(Task, title="Welcome call"), "the task “Welcome call”", "task"),
        (row(OutboxMessage, heading="Your visit"), "the message “Your visit”", "outbox message"),
        (row(Delegation), "delegation", "delegation"),
    ],
)
def test_a_record_has_a_name_and_a_kind(record, name, about):
    assert WORDS.name(record) == name
    assert WORDS.about(record) == about


def test_without_a_protocol_codes_stand_in():
    words = TrailWords(None)

    assert words.name(phq9()) == "PHQ-9, "
    assert said(None, row(Referral, close_reason="NO_TIME"), words) == [("close reason", "", "NO_TIME")]
    assert words.name(row(Visit, code="V3")) == "the visit V3"


@pytest.mark.parametrize(
    ("model", "column", "value", "label", "words"),
    [
        (Referral, "status", "BASELINE_DONE", "status", "Baseline complete"),
        (Referral, "close_reason", "NO_TIME", "close reason", "No time"),
        (Referral, "close_reason", "E4", "close reason", SPEC.criteria[8].reason.label),
        (Referral, "arm_preference", "none", "arm preference", "No preference"),
        (Referral, "site_id", 1, "site", "Tamar Vale"),
        (Referral, "received_date", date(2026, 7, 1), "received date", "1 Jul 2026"),
        (AdverseEvent, "category", "OTHER", "category", "Something else"),
        (AdverseEvent, "seriousness", ["death", "disability"], "seriousness", "Death, Lasting disability"),
        (AdverseEvent, "expected", True, "expected", "Yes"),
        (DocumentVersion, "statements", [{"code": "A"}, {"code": "B"}], "statements", "2 parts"),
        (Consent, "statements", {"READ_PIS": True}, "statement 1", "Yes"),
        (Consent, "statements", {"UNKNOWN": False}, "statement UNKNOWN", "No"),
        (Eligibility, "answers", {"I3": {"answer": "yes", "evidence": "Asked"}}, "criterion I3", "Yes (Asked)"),
        (Eligibility, "answers", {"I3": {"answer": "no", "evidence": ""}}, "criterion I3", "No"),
        (Eligibility, "strata", {"PHQ9_BAND": "5-9"}, "strata PHQ9_BAND", "5-9"),
        (ParticipationChange, "elements", {"activity": False}, "activity group", "No"),
        (Delegation, "user_id", 8, "user", "another record"),
    ],
)
def test_a_value_is_said_in_words(model, column, value, label, words):
    found = said(None, row(model, **{column: value}))

    if column == "strata":
        factor = next(one for one in SPEC.randomisation.factors if one.source.type != "site")
        found = said(None, row(model, strata={factor.code: "5-9"}))
        label = factor.label
    assert found == [(label, "", words)]


def test_technical_columns_and_pointers_without_a_name_are_left_out():
    assert said(None, row(Referral, person_id=4, sequence=2, further_reasons=[])) == []
    assert said(None, row(Task, key="k", kind="visit_due", link="/x/", title="T")) == []


def test_free_text_is_said_to_change_without_its_content():
    hidden = WORDS.changes(row(AdverseEvent, description_sealed="a"), row(AdverseEvent, 2, description_sealed="b"))

    assert [(one.label, one.hidden, one.old, one.new) for one in hidden] == [
        ("description of adverse event", True, "", "")
    ]


def test_a_change_names_its_record_and_a_referral_is_the_record_itself():
    visit = said(row(Visit, code="V3"), row(Visit, 2, code="V3", opens_date=date(2026, 7, 2)))
    referral = said(row(Referral, referrer="A"), row(Referral, 2, referrer="B"))

    assert visit == [("opens date of the visit week 12", "", "2 Jul 2026")]
    assert referral == [("referrer", "A", "B")]


def test_a_task_is_marked_as_done_and_opened_again():
    open_, done = row(Task, title="Ring"), row(Task, 2, title="Ring", done_at=NOW)

    assert WORDS.changes(open_, done)[0].said == "marked the task “Ring” as done"
    assert WORDS.changes(done, open_)[0].said == "opened the task “Ring” again"


def test_answers_are_said_in_the_order_of_the_form():
    before = phq9(answers={"phq9_3": 1, "phq9_1": 0}, missing={})
    after = phq9(2, answers={"phq9_3": 2, "zz": 1}, missing={"phq9_1": "RF"}, reasons={"phq9_3": "typing mistake"})

    assert said(before, after) == [
        ("PHQ-9 item 1", "Not at all (0)", "Prefer not to answer"),
        ("PHQ-9 item 3", "Several days (1)", "More than half the days (2)"),
        ("PHQ-9 zz", "", "1"),
    ]
    assert [one.reason for one in WORDS.changes(before, after)] == ["", "typing mistake", ""]


def test_an_unknown_instrument_keeps_its_codes():
    before = phq9(instrument="nonsense", answers={"a": 1})

    assert said(before, phq9(2, instrument="nonsense", answers={"a": 2})) == [("nonsense a", "1", "2")]
    assert WORDS.aside(before, phq9(2, instrument="nonsense")) == ""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"value": 11}, {"value": 12.0}, "PHQ-9 total went from 11 to 12"),
        ({"value": 11}, {"value": None}, "PHQ-9 total went from 11 to none"),
        ({"value": 11.5}, {"value": 12.5}, "PHQ-9 total went from 11.5 to 12.5"),
        ({"value": 11}, {"value": 11}, ""),
    ],
)
def test_a_correction_says_how_the_score_moved(old, new, words):
    before, after = phq9(scores={"phq9_total": old}), phq9(2, scores={"phq9_total": new})

    assert WORDS.aside(before, after) == words
    assert WORDS.aside(None, after) == ""
    assert WORDS.aside(phq9(status="draft", scores={}), after) == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (False, "No"),
        (NOW, "9 Jul 2026, 11am"),
        (date(2026, 7, 9), "9 Jul 2026"),
        ([1, "a"], "1, a"),
        (3, "3"),
    ],
)
def test_a_plain_value_is_what_a_reader_expects(value, words):
    assert history_values.plain(value) == words


def test_a_list_is_said_by_its_words():
    assert history_values.listed(None) == ""
    assert history_values.listed(["E4", "E5"]) == "E4, E5"


def test_a_document_without_words_of_its_own_keeps_its_column():
    assert said(None, row(Eligibility, strata={"A": "1"}), TrailWords(None)) == [("strata A", "", "1")]
