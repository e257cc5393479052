"""Optional statements drive behaviour: who refused future contact gets none (BR-12)."""

import pytest
from django.core import mail

from tests.factories import NOW, Trial, make_user
from tests.trial.selfcompletion.builders import send_due
from trial.consent.choices import FUTURE_CONTACT, INTERVIEW, NEEDS, SHARING, consents_to
from trial.consent.models import Consent, DocumentVersion
from trial.journey import steps
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def consented(**answers):
    trial = Trial()
    referral = trial.informed()
    made = steps.consent(
        referral=referral,
        form=DocumentVersion.objects.get(kind="consent"),
        information=referral.information_given.get(),
        data=trial.consent_data(at=NOW, **answers),
        by=trial.coordinator,
        at=NOW,
    )
    return made.participant


def test_each_purpose_is_answered_from_the_consent_in_force():
    participant = consented(FUTURE_CONTACT=False)

    assert not consents_to(participant, FUTURE_CONTACT)
    assert consents_to(participant, INTERVIEW)
    assert consents_to(participant, SHARING)
    assert not consents_to(participant, "a purpose that nobody was asked about")


def test_without_a_consent_in_force_nothing_is_agreed_to():
    participant = consented()
    consent = Consent.objects.get()
    consent.state = "withdrawn"
    consent.save_by(None, "Withdrawn")

    assert not consents_to(participant, FUTURE_CONTACT)


@pytest.mark.parametrize("kind", sorted(NEEDS))
@pytest.mark.parametrize("agrees", [True, False])
def test_a_message_that_needs_a_purpose_leaves_only_where_it_is_agreed_to(kind, agrees):
    codes = {FUTURE_CONTACT: "FUTURE_CONTACT", INTERVIEW: "INTERVIEW"}
    code = codes.get(NEEDS[kind])
    participant = consented(**({code: agrees} if code else {}))
    outbox.write_message(
        key="k", kind=kind, heading="Results", body="Words", referral=participant.referral, at=NOW, by=None
    )

    send_due()

    is_expected = agrees or code is None
    assert len(mail.outbox) == int(is_expected)
    assert OutboxMessage.objects.get(key="k").state == ("sent" if is_expected else "stopped")


def test_a_message_to_staff_needs_nobodys_consent():
    outbox.write_message(key="k", kind="results_letter", heading="H", body="B", to_user=make_user(), at=NOW)

    send_due()

    assert len(mail.outbox) == 1
