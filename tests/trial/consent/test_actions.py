"""The rules of consent, each with a consent that breaks it (BR-10 to BR-16)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, Trial, make_user
from trial.access.models import Delegation
from trial.consent import actions
from trial.consent.models import Consent, DocumentUse, DocumentVersion
from trial.journey import steps
from trial.participants.models import Participant, Referral

pytestmark = pytest.mark.django_db


def record(trial, referral, *, data=None, by=None, form=None, at=NOW):
    """Record consent with everything in order, but for what the test changes."""
    return steps.consent(
        referral=referral,
        form=form or DocumentVersion.objects.get(kind="consent"),
        information=referral.information_given.get(),
        data=data or trial.consent_data(at=at),
        by=by or trial.coordinator,
        at=at,
    )


def test_consent_gives_the_study_number_and_the_first_visits(clock):
    trial = Trial()
    referral = trial.informed()

    consent = record(trial, referral)

    assert consent.participant.study_id == "GRX-01-001-7"
    assert list(consent.participant.visits.values_list("code", flat=True)) == ["V0", "V1"]
    assert Referral.objects.get(pk=referral.pk).status == "CONSENTED"


def test_a_version_that_went_out_of_use_is_refused_with_the_day_it_ended(clock):
    trial = Trial()
    referral = trial.informed()
    data = trial.consent_data(at=NOW)
    use = DocumentUse.objects.get(document__kind="consent", site=trial.site)
    use.to_date = date(2026, 7, 8)
    use.save_by(None, "Superseded")

    with pytest.raises(actions.VersionNotInUse, match="went out of use on 8 July 2026"):
        record(trial, referral, data=data)

    assert not Participant.objects.exists()


def test_a_version_that_is_not_yet_in_use_at_the_site_is_refused(clock):
    trial = Trial()
    referral = trial.informed()
    data = trial.consent_data(at=NOW)
    use = DocumentUse.objects.get(document__kind="consent", site=trial.site)
    use.from_date = date(2026, 7, 10)
    use.save_by(None, "Later")

    with pytest.raises(actions.VersionNotInUse, match="from 10 July 2026"):
        record(trial, referral, data=data)


def test_information_given_a_moment_ago_needs_a_comment_and_no_more(clock):
    trial = Trial()
    referral = trial.informed(at=NOW - timedelta(hours=2))

    with pytest.raises(actions.ConsentRefused, match="24 hours"):
        record(trial, referral)

    commented = replace(trial.consent_data(at=NOW), comment="Asked to decide today")
    assert record(trial, referral, data=commented).comment == "Asked to decide today"


def test_information_after_consent_is_refused(clock):
    trial = Trial()
    referral = trial.informed(at=NOW - timedelta(days=1))
    early = trial.consent_data(at=NOW - timedelta(days=2))

    with pytest.raises(actions.ConsentRefused, match="before consent"):
        record(trial, referral, data=early)


@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_mandatory_statement_that_is_refused_refuses_the_consent(clock, number):
    trial = Trial()
    referral = trial.informed()
    code = DocumentVersion.objects.get(kind="consent").statements[number - 1]["code"]

    with pytest.raises(actions.ConsentRefused, match=f"Statement {number} must be agreed"):
        record(trial, referral, data=trial.consent_data(at=NOW, **{code: False}))


def test_a_statement_without_an_answer_is_never_assumed(clock):
    trial = Trial()
    referral = trial.informed()
    data = trial.consent_data(at=NOW)
    left_out = {code: yes for code, yes in data.answers.items() if code != "INTERVIEW"}

    with pytest.raises(actions.ConsentRefused, match="Select yes or no for statement 9"):
        record(trial, referral, data=replace(data, answers=left_out))


def test_an_optional_statement_may_be_refused(clock):
    trial = Trial()

    consent = record(trial, trial.informed(), data=trial.consent_data(at=NOW, FUTURE_CONTACT=False))

    assert consent.statements["FUTURE_CONTACT"] is False


def test_the_taker_must_hold_the_duty_that_day(clock):
    trial = Trial()
    referral = trial.informed()
    duty = Delegation.objects.get(user=trial.coordinator, duty="consent")
    duty.to_date = date(2026, 7, 8)
    duty.save_by(None, "Left")

    with pytest.raises(actions.ConsentRefused, match="does not let you take consent at Tamar Vale on 9 July 2026"):
        record(trial, referral)


def test_somebody_without_the_duty_cannot_take_consent(clock):
    trial = Trial()

    with pytest.raises(actions.ConsentRefused, match="delegation log"):
        record(trial, trial.informed(), by=make_user())


def test_consent_without_capacity_or_witness_or_in_the_future_is_refused(clock):
    trial = Trial()
    referral = trial.informed()
    data = trial.consent_data(at=NOW)

    for change, text in (
        ({"capacity_confirmed": False}, "capacity"),
        ({"method": Consent.Method.TELEPHONE_WITNESSED}, "witness"),
        ({"signed_at": NOW + timedelta(minutes=1)}, "later than now"),
    ):
        with pytest.raises(actions.ConsentRefused, match=text):
            record(trial, referral, data=replace(data, **change))

    assert not Consent.objects.exists()


def test_a_second_consent_on_the_same_version_is_refused_by_the_database(clock):
    participant = Trial().consented()
    first = participant.consents.get()
    again = Consent.objects.get(pk=first.pk)
    again.pk, again.state = None, Consent.State.SUPERSEDED
    again._state.adding = True

    with pytest.raises(IntegrityError), transaction.atomic():
        again.save_by(None)


def test_a_newer_version_that_asks_for_it_supersedes_the_consent(clock):
    trial = Trial()
    participant = trial.consented()
    old = DocumentVersion.objects.get(kind="consent")
    new = DocumentVersion.objects.get(pk=old.pk)
    new.pk, new.code, new.version, new.requires_reconsent = None, "ICF_EN_2", "2.0", True
    new.document_date = date(2026, 7, 1)
    new._state.adding = True
    new.save_by(None)
    DocumentUse(document=new, site=trial.site, from_date=date(2026, 7, 6)).save_by(None)
    assert actions.outstanding_version(participant, date(2026, 7, 9)) == new

    record(trial, participant.referral, form=new)

    assert list(participant.consents.values_list("form__version", "state")) == [
        ("2.0", "valid"),
        ("1.0", "superseded"),
    ]
    assert actions.outstanding_version(participant, date(2026, 7, 9)) is None
    assert Participant.objects.count() == 1


def test_an_approved_document_never_changes(clock):
    Trial()
    document = DocumentVersion.objects.get(kind="consent")
    document.content_sha256 = "0" * 64

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        document.save_by(None, "Try")
