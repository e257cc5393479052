"""Every text about a person can be found and replaced by a marker, its row untouched (R-03)."""

import pytest

from tests.factories import NOW, TODAY, Trial, staff
from trial.access.policy import Role
from trial.deviations import actions as deviations
from trial.deviations.reads import words_of
from trial.participants import redaction
from trial.review import actions as review
from trial.review.reads import thread_of
from trial.rights.texts import texts_of
from trial.safety import actions as safety
from trial.safety.reads import actions_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

NAMED = "Rang her friend Jo Thistlewaite"


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def participant(trial):
    return trial.consented()


@pytest.fixture
def assessed(trial, participant):
    alert = safety.raise_alert(
        participant=participant, trigger="distress", severity="review", by=trial.coordinator, at=NOW
    )
    return safety.assess(alert=alert, level="low", actions_taken=NAMED, by=trial.clinician, at=NOW)


def deviate(participant, *, reveals_arm=False):
    return deviations.record_deviation(
        site=participant.site,
        participant=participant,
        occurred_date=TODAY,
        kind="visit",
        severity="minor",
        description=NAMED,
        reveals_arm=reveals_arm,
        by=None,
        at=NOW,
    )


def remove(trial, participant, token):
    redaction.redact(
        referral=participant.referral,
        token=token,
        what="Words",
        marker="third_party",
        reason="Names somebody",
        by=trial.investigator,
        at=NOW,
    )


def test_what_is_written_about_a_query_an_alert_and_a_deviation_is_found(trial, participant, assessed):
    review.raise_query(participant=participant, text=NAMED, by=trial.coordinator, at=NOW)
    deviate(participant)

    found = {one.what.split(" ")[0] for one in texts_of(participant.referral, trial.investigator) if one.text == NAMED}

    assert found == {"Query", "Deviation", "Risk"}


def test_a_blinded_reader_finds_no_words_that_may_tell_the_arm(trial, participant):
    deviate(participant, reveals_arm=True)
    blinded = staff(Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)

    assert not [one for one in texts_of(participant.referral, blinded) if one.text == NAMED]
    assert [one for one in texts_of(participant.referral, trial.investigator) if one.text == NAMED]


def test_a_marker_stands_where_the_words_were(trial, participant, assessed):
    query = review.raise_query(participant=participant, text=NAMED, by=trial.coordinator, at=NOW)
    deviation = deviate(participant)

    for token in (query.thread.get().text_sealed, deviation.description_sealed, assessed.actions_sealed):
        remove(trial, participant, token)

    shown = [thread_of(query)[0][1], words_of([deviation])[0].description, actions_of(assessed)]
    assert shown == ["[Removed on 9 July 2026: it named another person]"] * 3
