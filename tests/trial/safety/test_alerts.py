"""Risk alerts: who is told, who assesses and closes, and what nobody may see."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.trial.assessments.builders import NOW, phq9, randomised, save, site, staff
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.messages.models import OutboxMessage, Task
from trial.safety import actions
from trial.safety.models import RiskAlert

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def alert():
    form = save(randomised(), answers=phq9(1, 1, 1, 1, 1, 1, 1, 1, 2, 1))
    return RiskAlert.objects.get(administration=form)


@pytest.fixture
def clinician(alert):
    return staff(Role.DUTY_CLINICIAN, duty="safety")


def assess(alert, by, level="low", **given):
    return actions.assess(alert=alert, level=level, actions_taken="Rang and agreed a plan", by=by, at=NOW, **given)


def test_an_urgent_alert_writes_a_message_to_each_duty_clinician_of_the_site():
    here, elsewhere = staff(Role.DUTY_CLINICIAN), staff(Role.DUTY_CLINICIAN, site("02"))

    save(randomised(), answers={"phq9_9": 1}, submit=False)

    assert set(OutboxMessage.objects.values_list("to_user", flat=True)) == {here.pk}
    assert elsewhere.pk not in OutboxMessage.objects.values_list("to_user", flat=True)
    message = OutboxMessage.objects.get()
    assert "GRX" not in message.heading + message.body


def test_the_first_to_acknowledge_stays(alert, clinician):
    other = staff(Role.DUTY_CLINICIAN)

    actions.acknowledge(alert=alert, by=clinician, at=NOW)
    again = actions.acknowledge(alert=alert, by=other, at=NOW + timedelta(hours=1))

    assert (again.acknowledged_by, again.acknowledged_at) == (clinician, NOW)


def test_only_somebody_with_the_delegated_duty_assesses(alert):
    with pytest.raises(actions.NotDelegated):
        assess(alert, staff(Role.DUTY_CLINICIAN))
    with pytest.raises(actions.NotDelegated):
        assess(alert, staff(Role.DUTY_CLINICIAN, site("02"), duty="safety"))


def test_an_assessment_needs_a_grade_and_an_action(alert, clinician):
    with pytest.raises(actions.AssessmentIncomplete):
        actions.assess(alert=alert, level="awful", actions_taken="x", by=clinician, at=NOW)
    with pytest.raises(actions.AssessmentIncomplete):
        actions.assess(alert=alert, level="low", actions_taken=" ", by=clinician, at=NOW)
    with pytest.raises(actions.AssessmentIncomplete):
        assess(alert, clinician, gp_informed_date=date(2026, 7, 8))


def test_an_alert_closes_only_once_it_is_assessed_and_its_task_with_it(alert, clinician):
    with pytest.raises(actions.NotAssessed):
        actions.close(alert=alert, by=clinician, at=NOW)
    assess(alert, clinician, gp_informed_date=date(2026, 7, 9))

    closed = actions.close(alert=alert, by=clinician, at=NOW)
    again = actions.close(alert=alert, by=clinician, at=NOW + timedelta(hours=1))

    assert closed.closed_by == clinician
    assert again.pk == closed.pk
    assert RiskAlert.objects.get().closed_at == NOW
    assert not Task.objects.open().filter(kind="risk_alert").exists()
    with pytest.raises(actions.AlertClosed):
        assess(alert, clinician)


@pytest.mark.parametrize("level", ["medium", "high"])
def test_a_grade_of_the_protocols_list_is_closed_by_a_second_person(alert, clinician, level):
    assess(alert, clinician, level=level)
    assert Task.objects.open().filter(role="principal_investigator").count() == 1

    with pytest.raises(actions.SecondPersonNeeded):
        actions.close(alert=alert, by=clinician, at=NOW)
    actions.close(alert=alert, by=staff(Role.PRINCIPAL_INVESTIGATOR, duty="safety"), at=NOW)

    assert not Task.objects.open().exists()


def test_unassessed_medium_and_high_alerts_stop_randomisation(alert, clinician):
    stopping = RiskAlert.objects.stopping_randomisation()
    assert alert in stopping

    assess(alert, clinician, level="medium")
    assert alert in stopping.all()

    assess(alert, clinician, level="low")
    assert alert not in stopping.all()


def test_an_urgent_alert_goes_to_the_chief_investigator_after_4_working_hours(alert):
    # raised Thursday 9 July 2026, 11am in London: 4 working hours later it is 3pm
    chief = staff(Role.CHIEF_INVESTIGATOR)

    assert actions.escalate_unacknowledged(at=datetime(2026, 7, 9, 13, 59, tzinfo=UTC)) == 0
    assert actions.escalate_unacknowledged(at=datetime(2026, 7, 9, 14, 0, tzinfo=UTC)) == 1
    assert actions.escalate_unacknowledged(at=datetime(2026, 7, 9, 15, 0, tzinfo=UTC)) == 0

    assert Task.objects.open().filter(role="chief_investigator").count() == 1
    assert OutboxMessage.objects.filter(to_user=chief).count() == 1


def test_an_acknowledged_alert_does_not_escalate(alert, clinician):
    actions.acknowledge(alert=alert, by=clinician, at=NOW)

    assert actions.escalate_unacknowledged(at=NOW + timedelta(days=7)) == 0


def test_a_concern_opens_an_urgent_alert_whose_words_the_duty_clinician_does_not_see(client):
    participant = randomised()
    leader, coordinator = staff(Role.ACTIVITY_LEADER), staff(Role.COORDINATOR)
    given = {"participant": participant, "text": "Cried in the garden", "by": leader, "at": NOW}

    alert = actions.raise_concern(**given)

    assert actions.raise_concern(**given) == alert
    assert actions.raise_concern(**{**given, "text": "Said more later"}) != alert
    client.force_login(staff(Role.DUTY_CLINICIAN, duty="safety"))
    blinded = client.get(alert.get_absolute_url()).content.decode()
    assert "garden" not in blinded
    assert "Ring the coordinator" in blinded
    client.force_login(coordinator)
    assert "Cried in the garden" in client.get(alert.get_absolute_url()).content.decode()


def test_the_pages_acknowledge_assess_and_close(client, alert, clinician):
    client.force_login(clinician)
    url = alert.get_absolute_url()

    home = client.get("/safety/").content.decode()
    assert alert.participant.study_id in home
    assert "by 5pm" in home
    assert "thoughts of being better off dead" in client.get(url).content.decode()
    client.post(f"{url}acknowledge/")
    assert "Select how high the risk is" in client.post(url, {}).content.decode()
    client.post(url, {"level": "low", "actions_taken": "Rang"})
    client.post(f"{url}close/")

    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.level, alert.closed_by) == (clinician, "low", clinician)
    assert "Rang" in client.get(url).content.decode()
    assert "1 closed" in client.get("/safety/").content.decode()


def test_a_refused_close_says_why(client, alert, clinician):
    client.force_login(clinician)

    answer = client.post(f"{alert.get_absolute_url()}close/", follow=True)

    assert "Assess this alert before you close it" in answer.content.decode()


def test_showing_contact_details_is_logged(client, alert, clinician):
    client.force_login(clinician)

    shown = client.post(f"{alert.get_absolute_url()}contact/")

    assert "01632 960001" in shown.content.decode()
    assert AccessEvent.objects.filter(kind="identity_viewed", user=clinician).count() == 1


def test_the_sponsor_sees_the_alert_but_nobody_behind_it(client, alert):
    client.force_login(staff(Role.SPONSOR_REVIEWER))

    page = client.get(alert.get_absolute_url())

    assert page.status_code == 200
    assert "Show contact details" not in page.content.decode()
    assert client.post(f"{alert.get_absolute_url()}contact/").status_code == 404
    assert client.post(alert.get_absolute_url(), {"level": "low"}).status_code == 404
    assert client.post(f"{alert.get_absolute_url()}acknowledge/").status_code == 403


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.DUTY_CLINICIAN, Role.PRINCIPAL_INVESTIGATOR])
def test_another_sites_alert_answers_like_an_absent_one(client, alert, role):
    client.force_login(staff(role, site("02")))

    assert client.get(alert.get_absolute_url()).status_code == 404
    assert client.get("/safety/alerts/999999/").status_code == 404
    assert alert.participant.study_id not in client.get("/safety/").content.decode()


def test_no_page_of_an_alert_names_an_arm(client, alert, clinician):
    client.force_login(clinician)

    for url in ("/safety/", "/safety/alerts/", alert.get_absolute_url()):
        text = client.get(url).content.decode().lower()
        assert "nature group" not in text
        assert "indoor" not in text


def test_the_csv_lists_every_alert(client, alert, clinician):
    client.force_login(clinician)

    text = client.get("/safety/alerts/?format=csv").content.decode()

    assert alert.participant.study_id in text
    assert "PHQ-9, V3 week 12" in text


@pytest.mark.parametrize("n", [1, 6])
@pytest.mark.parametrize("url", ["/safety/", "/safety/alerts/"])
def test_the_lists_take_a_constant_number_of_lookups(client, django_assert_max_num_queries, n, url):
    staff(Role.DUTY_CLINICIAN)
    for _ in range(n):
        save(randomised(), answers={"phq9_9": 1}, submit=False)
    client.force_login(staff(Role.COORDINATOR))

    with django_assert_max_num_queries(15):
        assert client.get(url).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"closed_at": NOW},
        {"level": "low"},
        {"severity": "review"},
        {"raised_at": NOW + timedelta(days=1)},
        {"administration": None},
    ],
    ids=str,
)
def test_the_database_refuses_an_alert_that_is_closed_ungraded_or_withdrawn(alert, change):
    for name, value in change.items():
        setattr(alert, name, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save_by(None, "Try")
