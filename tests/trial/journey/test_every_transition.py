"""Every status as the product itself reaches it, against every other: all guards real, no trigger lifted.

Listed pairs are refused until their facts are there and made once they are; any other pair is refused whoever asks,
whatever facts there are (domain.md section 3).
"""

from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, proof
from tests.trial.activities.builders import join, make_group
from trial.consent import actions as consents
from trial.consent.actions import documents_on
from trial.journey import actions, steps
from trial.journey.transitions import TRANSITIONS, between
from trial.participants.models import Referral, Status
from trial.schedule.models import Visit
from trial.screening import actions as screening

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

S = Status
DAY = timedelta(days=1)


def tried(trial, referral, outcome="no_answer"):
    for days, channel in ((2, "phone"), (1, "text"), (0, "phone")):
        screening.record_contact(
            referral=referral,
            contacted_at=NOW - days * DAY,
            channel=channel,
            outcome=outcome,
            by=trial.coordinator,
            at=NOW,
        )


def close(trial, referral, target, reason):
    actions.close(referral=referral, target=target, reasons=[reason], by=trial.coordinator, at=NOW)


class Path:
    """One person brought into a status by the actions of the product."""

    def __init__(self, clock):
        self.clock, self.trial = clock, Trial().open_randomisation()

    def at(self, status):
        return Referral.objects.select_related("participant").get(pk=getattr(self, status)().pk)

    def REFERRED(self):  # noqa: N802  # named as the statuses are
        return self.trial.refer()

    def CONTACTED(self):  # noqa: N802
        referral = self.trial.refer()
        steps.contact(
            referral=referral, contacted_at=NOW, channel="phone", outcome="two_way", by=self.trial.coordinator, at=NOW
        )
        return referral

    def INFORMED(self):  # noqa: N802
        return self.trial.informed()

    def NOT_CONTACTABLE(self):  # noqa: N802
        referral = self.trial.refer()
        tried(self.trial, referral)
        close(self.trial, referral, S.NOT_CONTACTABLE, "not_contactable")
        return referral

    def PRESCREEN_INELIGIBLE(self):  # noqa: N802
        referral = self.trial.refer()
        close(self.trial, referral, S.PRESCREEN_INELIGIBLE, "I1")
        return referral

    def DECLINED(self):  # noqa: N802
        referral = self.CONTACTED()
        close(self.trial, referral, S.DECLINED, "NO_REASON")
        return referral

    def CONSENTED(self):  # noqa: N802
        return self.trial.consented().referral

    def SCREEN_FAILED(self):  # noqa: N802
        participant = self.trial.consented()
        self.trial.screened(participant)
        self.trial.assess(participant, I3="no")
        close(self.trial, participant.referral, S.SCREEN_FAILED, "I3")
        return participant.referral

    def ELIGIBLE(self):  # noqa: N802
        return self.trial.eligible().referral

    def BASELINE_DONE(self):  # noqa: N802
        return self.trial.baseline_done().referral

    def WITHDRAWN_BEFORE_RANDOMISATION(self):  # noqa: N802
        referral = self.CONSENTED()
        close(self.trial, referral, S.WITHDRAWN_BEFORE_RANDOMISATION, "DIED")
        return referral

    def RANDOMISED(self):  # noqa: N802
        return self.trial.randomised().referral

    def IN_ACTIVITY(self):  # noqa: N802
        participant = self.trial.randomised()
        join(make_group(self.trial, start_date=TODAY), participant, from_date=TODAY)
        steps.settle(participant, by=None, at=NOW, on=TODAY)
        return participant.referral

    def FOLLOW_UP(self):  # noqa: N802
        participant = self.trial.randomised()
        self.stop(participant, activity=False)
        return participant.referral

    def COMPLETED(self):  # noqa: N802
        referral = self.FOLLOW_UP()
        self.wait_for_the_end(referral)
        steps.settle(referral.participant, by=None, at=self.now, on=self.now.date())
        return referral

    def ENDED_EARLY(self):  # noqa: N802
        participant = self.trial.randomised()
        self.stop(participant, cause="death")
        return participant.referral

    def stop(self, participant, cause="choice", **elements):
        steps.change_participation(
            participant=participant,
            effective_date=TODAY,
            decided_by="participant",
            elements=elements,
            cause=cause,
            by=self.trial.coordinator,
            at=NOW,
        )

    @property
    def now(self):
        return getattr(self, "_now", NOW)

    def wait_for_the_end(self, referral):
        closes = Visit.objects.get(participant__referral=referral, code="V4").closes_date
        self._now = NOW + timedelta(days=(closes - TODAY).days + 1)
        self.clock.move_to(self._now)

    # -- the facts of each guard, without the step that would move the status with them

    def facts(self, number, referral):
        """Make the guard of a transition hold; returns reason codes to give with the request."""
        return getattr(self, number)(referral) or ()

    def T02(self, referral):  # noqa: N802
        tried(self.trial, referral, "two_way")

    def T03(self, referral):  # noqa: N802
        tried(self.trial, referral)
        return ["not_contactable"]

    def T04(self, referral):  # noqa: N802
        sheet = documents_on(kind="pis", site=self.trial.site, on=TODAY)[0]
        consents.give_information(
            referral=referral, document=sheet, given_at=NOW, how="email", by=self.trial.coordinator, at=NOW
        )

    def T05(self, referral):  # noqa: N802
        return ["E4"]

    def T06(self, referral):  # noqa: N802
        return ["NO_REASON"]

    def T07(self, referral):  # noqa: N802
        consents.record_consent(
            referral=referral,
            form=documents_on(kind="consent", site=self.trial.site, on=TODAY)[0],
            information=referral.information_given.get(),
            data=self.trial.consent_data(at=NOW),
            by=self.trial.coordinator,
            at=NOW,
        )

    def T08(self, referral):  # noqa: N802
        self.trial.screened(referral.participant)
        self.trial.assess(referral.participant, I3="no")
        return ["I3"]

    def T09(self, referral):  # noqa: N802
        self.trial.screened(referral.participant)
        found = self.trial.assess(referral.participant)
        screening.sign_eligibility(
            eligibility=found, proof=proof(self.trial.investigator), by=self.trial.investigator, at=NOW
        )

    def T10(self, referral):  # noqa: N802
        self.trial.baseline_done(referral.participant, at=NOW)

    def T11(self, referral):  # noqa: N802
        return ["DIED"]

    def T12(self, referral):  # noqa: N802
        self.trial.randomised(referral.participant)

    def T13(self, referral):  # noqa: N802
        join(make_group(self.trial, start_date=TODAY), referral.participant, from_date=TODAY)

    def T14(self, referral):  # noqa: N802
        self.stop(referral.participant, activity=False)

    def T15(self, referral):  # noqa: N802
        self.wait_for_the_end(referral)

    def T16(self, referral):  # noqa: N802
        self.stop(referral.participant, cause="loss_of_capacity")


@pytest.fixture
def path(clock):
    return Path(clock)


def status_of(referral):
    return S(Referral.objects.get(pk=referral.pk).status)


def people(trial):
    """Everybody who might ask, and the system itself."""
    return (trial.coordinator, trial.investigator, trial.randomiser, trial.clinician, None)


@pytest.mark.parametrize("source", list(S))
def test_the_product_reaches_every_status_and_no_pair_that_is_not_listed(path, source):
    referral = path.at(source)
    assert status_of(referral) == source
    targets = [target for target in S if target != source and between(source, target) is None]

    for target in targets:
        for by in people(path.trial):
            with pytest.raises(actions.MoveRefused):
                actions.move(referral=referral, target=target, by=by, at=path.now, reasons=["NO_REASON", "DIED", "I1"])

    assert status_of(referral) == source
    assert len(targets) + len([t for t in TRANSITIONS if source in t.sources]) == len(S) - 1


LISTED = [(t.number, source, t.target) for t in TRANSITIONS for source in t.sources]


@pytest.mark.parametrize(("number", "source", "target"), LISTED)
def test_every_listed_pair_waits_for_its_facts(path, number, source, target):
    referral = path.at(source)

    with pytest.raises(actions.MoveRefused):
        actions.move(referral=referral, target=target, by=None, at=NOW)
    reasons = path.facts(number, referral)
    if status_of(referral) != target:
        actions.move(referral=referral, target=target, by=None, at=path.now, reasons=reasons)

    assert status_of(referral) == target
    event = referral.status_events.last()
    assert (event.transition, event.from_status, event.to_status) == (number, source, target)
