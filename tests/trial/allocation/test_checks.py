"""Every precondition of an allocation, each with a record that breaks it alone (BR-20, randomisation.md section 7)."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import transaction

from tests.factories import NOW, TODAY, Trial, answers_with_total, final_lock, make_user
from trial.access.models import Delegation, Duty
from trial.allocation import checks, schemes
from trial.consent.models import DocumentUse, DocumentVersion
from trial.participants.models import Participant
from trial.protocol.versions import restricted_parameters
from trial.review import actions as review
from trial.safety import actions as safety

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def ready(trial):
    return trial.baseline_done()


def refused(trial, participant, *, at=NOW, by=None, levels=None):
    """Codes and texts of what stands in the way; as the page asks, or as allocate() asks with the levels."""
    participant = Participant.objects.get(pk=participant.pk)
    by = by or trial.randomiser
    by.__dict__.pop("access", None)
    if levels is None:
        return [(r.code, r.text) for r in checks.all_refusals(participant=participant, by=by, at=at)]
    return [(r.code, r.text) for r in checks.refusals(participant=participant, levels=levels, by=by, at=at)]


def codes(*args, **kwargs):
    return [code for code, _ in refused(*args, **kwargs)]


@contextmanager
def undone():
    """What is changed inside is rolled back, so that the next case starts from a record in order."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_a_record_in_order_has_nothing_in_its_way(trial, ready):
    assert refused(trial, ready) == []
    assert refused(trial, ready, levels={"site": "01", "phq9_band": "5-9"}) == []


def test_the_site_must_recruit(trial, ready):
    for change in (
        {"recruitment_paused": True},
        {"recruitment_closed_date": TODAY - DAY},
        {"opened_date": TODAY + DAY, "recruitment_closed_date": None},
    ):
        with undone():
            for name, value in change.items():
                setattr(trial.site, name, value)
            trial.site.save_by(None, "Changed")

            assert refused(trial, ready) == [("E_SITE_CLOSED", "Tamar Vale is not open to recruitment today.")]

    assert codes(trial, ready) == []


def test_the_person_who_randomises_needs_the_duty_here_today(trial, ready):
    duty = Delegation.objects.get(user=trial.randomiser, duty=Duty.RANDOMISATION, site=trial.site)
    with undone():
        duty.to_date = TODAY - DAY
        duty.save_by(None, "Ended")
        assert codes(trial, ready) == ["E_SITE_CLOSED"]

    assert codes(trial, ready, by=trial.coordinator) == ["E_SITE_CLOSED"]
    assert codes(trial, ready, by=make_user()) == ["E_SITE_CLOSED"]


def test_there_must_be_a_valid_consent(trial, ready):
    consent = ready.consents.get()
    for state in ("withdrawn", "void", "superseded"):
        with undone():
            consent.state = state
            consent.save_by(None, "Changed")

            assert refused(trial, ready) == [("E_CONSENT", "There is no valid consent.")]


def test_consent_to_a_newer_version_must_not_be_outstanding(trial, ready):
    newer = DocumentVersion.objects.get(kind="consent")
    newer.pk, newer.code, newer.version, newer.requires_reconsent = None, "ICF_2", "2.0", True
    newer.document_date = date(2026, 7, 1)
    newer._state.adding = True
    newer.save_by(None)
    use = DocumentUse(document=newer, site=trial.site, from_date=TODAY + DAY).save_by(None)
    assert codes(trial, ready) == []
    use.from_date = TODAY
    use.save_by(None, "Earlier")

    assert refused(trial, ready) == [("E_CONSENT", "Consent to version 2.0 is outstanding.")]


def test_eligibility_must_be_signed(trial):
    participant = trial.consented()

    assert ("E_ELIGIBILITY", "Eligibility is not signed.") in refused(trial, participant)
    trial.screened(participant)
    trial.assess(participant)

    assert ("E_ELIGIBILITY", "Eligibility is not signed.") in refused(trial, participant)


def test_eligibility_must_have_been_assessed_inside_its_window(trial, ready):
    """V0 opens 28 days before day 0; both ends count."""
    assessed = ready.eligibility.assessed_date

    assert "E_ELIGIBILITY" not in codes(trial, ready, at=NOW + (assessed + 28 * DAY - TODAY))
    assert "E_ELIGIBILITY" in codes(trial, ready, at=NOW + (assessed + 29 * DAY - TODAY))


def test_every_criterion_must_still_be_met(trial, ready):
    form = ready.administrations.get(visit__code="V0", instrument="phq9")
    answers = answers_with_total("phq9", 16)

    trial.save_form(
        ready,
        "V0",
        "phq9",
        answers,
        reasons=dict.fromkeys(answers, "paper: misread"),
        mode=form.mode,
        completed_date=form.completed_date,
    )

    assert refused(trial, ready) == [
        ("E_ELIGIBILITY", "Answers have changed since eligibility was signed: I2 is not met.")
    ]


def test_the_factors_must_be_those_that_were_signed(trial, ready):
    for levels in ({"site": "01", "phq9_band": "10-14"}, {"site": "02", "phq9_band": "5-9"}, {"site": "01"}, {}):
        assert codes(trial, ready, levels=levels) == ["E_FACTORS"]


def test_the_baseline_questionnaires_must_be_complete(trial):
    participant = trial.eligible()

    found = refused(trial, participant)

    assert [code for code, _ in found] == ["E_BASELINE", "E_BASELINE"]
    assert found[0][1] == "The status is “Eligible”. Only “Baseline done” can be randomised."
    assert found[1][1].startswith("Complete first: ")


def test_the_baseline_questionnaires_must_lie_inside_their_window():
    """The start opens 7 days before day 0, both ends counted."""
    trial = Trial("northbank", site_code="17").open_randomisation()
    participant = trial.baseline_done(at=NOW - 2 * DAY)

    assert codes(trial, participant, at=NOW + 5 * DAY) == []
    assert refused(trial, participant, at=NOW + 6 * DAY) == [
        ("E_BASELINE", "A start form was answered on 7 July 2026, outside its window today.")
    ]


def test_a_questionnaire_that_has_to_be_repeated_by_now_is_asked_for():
    """The GAD-7 of the call stands over for 10 days; the start's own forms are still inside their 7 days."""
    trial = Trial("northbank", site_code="17").open_randomisation()
    participant = trial.consented(at=NOW - 12 * DAY)
    trial.eligible(participant, at=NOW - 11 * DAY)
    trial.baseline_done(participant, at=NOW - 2 * DAY)

    assert codes(trial, participant, at=NOW - DAY) == []
    assert refused(trial, participant) == [("E_BASELINE", "Complete first: Worry (GAD-7).")]


def test_an_optional_questionnaire_does_not_stand_in_the_way():
    trial = Trial("northbank", site_code="17").open_randomisation()
    participant = trial.eligible(at=NOW - 9 * DAY)
    trial.save_form(participant, "START", "sim_pa", at=NOW - 8 * DAY)
    trial.baseline_done(participant, at=NOW)

    assert codes(trial, participant) == []


@pytest.mark.parametrize(
    ("level", "stops"), [("", True), ("none", False), ("low", False), ("medium", True), ("high", True)]
)
def test_a_risk_alert_must_be_assessed_as_none_or_low(trial, ready, level, stops):
    alert = safety.raise_concern(participant=ready, text="Very low", by=trial.coordinator, at=NOW)
    if level:
        safety.assess(alert=alert, level=level, actions_taken="Rang", by=trial.clinician, at=NOW)

    expected = [("E_RISK", "A risk alert is not assessed, or was graded medium or high.")] if stops else []

    assert refused(trial, ready) == expected


def test_a_query_on_an_answer_that_decides_must_be_closed(trial, ready):
    deciding = ready.administrations.get(visit__code="V0", instrument="phq9")
    query = review.raise_query(participant=ready, administration=deciding, text="Why?", by=trial.coordinator, at=NOW)
    expected = [("E_REVIEW", "A query about an answer that decides eligibility or the stratum is open.")]

    assert refused(trial, ready) == expected
    review.answer(query=query, text="Checked", by=trial.coordinator, at=NOW)
    assert refused(trial, ready) == expected
    review.close(query=query, text="Fine", by=trial.coordinator, at=NOW)
    assert refused(trial, ready) == []


def test_a_query_on_another_answer_does_not_stand_in_the_way(trial, ready):
    other = ready.administrations.get(visit__code="V1", instrument="gad7")

    review.raise_query(participant=ready, administration=other, text="Why?", by=trial.coordinator, at=NOW)
    review.raise_query(participant=ready, text="In general?", by=trial.coordinator, at=NOW)

    assert codes(trial, ready) == []


def test_nothing_is_allocated_while_the_dataset_is_locked(trial, ready):
    final_lock()

    assert refused(trial, ready) == [("E_SCHEME_STATE", "The dataset is locked.")]


def test_the_scheme_must_exist_and_be_open():
    trial = Trial()
    participant = trial.baseline_done()
    assert refused(trial, participant) == [("E_SCHEME_STATE", "Randomisation has not been set up.")]

    trial.open_randomisation()

    assert refused(trial, participant) == []
    before = NOW - timedelta(days=365)
    assert "E_SCHEME_STATE" in codes(trial, participant, at=before)


def test_a_scheme_that_is_locked_and_not_open_allocates_nothing():
    trial = Trial()
    participant = trial.baseline_done()
    schemes.lock_at_once(
        spec=trial.spec,
        restricted=restricted_parameters(trial.version),
        office=schemes.Office(*(make_user() for _ in range(5))),
        simulation={},
        acceptance={},
        at=NOW - DAY,
    )

    assert refused(trial, participant) == [("E_SCHEME_STATE", "Randomisation is not open.")]


def test_nobody_is_randomised_twice(trial, ready):
    participant = trial.randomised(ready)

    found = codes(trial, participant)

    assert "E_DUPLICATE" in found
    assert "E_BASELINE" in found


def test_every_reason_is_given_at_once(trial):
    trial.site.recruitment_paused = True
    participant = trial.eligible()
    trial.site.save_by(None, "Paused")
    safety.raise_concern(participant=participant, text="Very low", by=trial.coordinator, at=NOW)

    assert codes(trial, participant) == ["E_SITE_CLOSED", "E_BASELINE", "E_BASELINE", "E_RISK"]
