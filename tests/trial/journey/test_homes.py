"""Where each role starts: tasks, overview, data, monitoring."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, TODAY, Trial, give_role, make_user, site, staff
from tests.trial.activities.builders import fill, make_group
from tests.trial.journey.builders import crowd, one_of_each_arm
from trial.access.models import AccessEvent
from trial.access.policy import POLICY, Role
from trial.base.parts import Task as TaskLine
from trial.deviations.models import Deviation
from trial.journey import completeness, figures, recruitment, worklist
from trial.messages.actions import open_task
from trial.participation.models import ParticipationChange
from trial.review import actions as review
from trial.safety import event_actions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


def _task(trial, key, due, **more):
    given = {
        "kind": "test",
        "role": Role.COORDINATOR,
        "site": trial.site,
        "referral": None,
        "title": f"Do {key}",
        "detail": "Because",
        "link": "/people/",
        "at": NOW,
    }
    return open_task(key=key, due_date=due, **{**given, **more})


def _groups(response):
    return {group.status: [task.label for task in group.tasks] for group in response.context["groups"]}


# -- /home/ and nobody's role


@pytest.mark.parametrize("role", list(Role))
def test_home_leads_each_role_to_its_page(trial, client, role):
    client.force_login(staff(role, trial.site, blinded=False))

    assert client.get("/home/").headers["Location"] == POLICY[role].home


def test_home_leads_strangers_to_sign_in_and_people_without_a_role_to_what_to_do(trial, client):
    stranger = client.get("/home/")
    client.force_login(make_user())
    nobody = client.get("/home/", follow=True)

    assert stranger.headers["Location"].startswith("/accounts/login/")
    assert nobody.redirect_chain[-1][0] == "/no-role/"
    assert b"Ask the trial manager" in nobody.content


# -- my tasks


def test_tasks_come_in_three_groups_by_day(trial, client):
    for key, days in (("late", -1), ("now", 0), ("soon", 7), ("then", 8)):
        _task(trial, key, TODAY + timedelta(days=days))
    client.force_login(trial.coordinator)

    response = client.get("/")

    assert _groups(response) == {"overdue": ["Do late"], "due_today": ["Do now"], "next_7_days": ["Do soon"]}
    assert response.context["button"].url == "/people/new/"


@pytest.mark.parametrize(
    ("days", "group"), [(-1, "overdue"), (0, "due_today"), (1, "next_7_days"), (7, "next_7_days"), (8, "later")]
)
def test_a_day_belongs_to_one_group(days, group):
    assert worklist.group_of(TODAY + timedelta(days=days), TODAY) == group
    assert worklist.grouped([TaskLine(None, "Whenever", "/")], TODAY)[0].status == "later"


def test_tasks_of_other_roles_and_sites_and_done_ones_are_not_there(trial, client):
    _task(trial, "other site", TODAY, site=site("02"))
    _task(trial, "other role", TODAY, role=Role.PRINCIPAL_INVESTIGATOR)
    done = _task(trial, "done", TODAY)
    done.done_at = NOW
    done.save_by(trial.coordinator, "Done")
    client.force_login(trial.coordinator)

    assert _groups(client.get("/")) == {}
    assert b"No tasks" in client.get("/").content


def test_sessions_queries_and_recruitment_stand_beside_the_tasks(trial, client):
    group = make_group(trial)
    people = fill(trial, group, 3)
    review.raise_query(participant=people[0], administration=None, field="", text="Why?", by=trial.investigator, at=NOW)
    client.force_login(trial.coordinator)

    response = client.get("/")

    session = response.context["sessions"][0]
    assert (session.name, session.detail) == ("Thursday morning group", "Session 6 of 10. 3 people. Sam Treloar")
    assert session.status == "not_started"
    assert response.context["n_queries"] == 1
    assert response.context["recruitment"]["words"] == "randomised, 22 behind the plan"


def test_a_blinded_person_sees_no_session_and_no_task_that_tells_the_arm(trial, client):
    make_group(trial)
    _task(trial, "telling", TODAY, role=Role.OUTCOME_ASSESSOR, reveals_arm=True)
    client.force_login(staff(Role.OUTCOME_ASSESSOR, trial.site))

    response = client.get("/")

    assert response.context["sessions"] == []
    assert _groups(response) == {}
    assert b"Thursday morning group" not in response.content
    assert "Today’s sessions" not in response.content.decode()


def test_an_assessor_sees_the_assessments_due_at_the_site(trial, client):
    crowd(trial, 2)
    crowd(trial, 1, site=site("02"))
    client.force_login(staff(Role.OUTCOME_ASSESSOR, trial.site))

    response = client.get("/")

    lines = [line for group in response.context["assessment_groups"] for line in group.tasks]
    assert [line.number for line in lines] == ["GRX-01-001-7", "GRX-01-002-5"]
    assert lines[0].label == "Collect the week 12 questionnaires"
    assert lines[0].url.startswith("/people/GRX-01-001-7/V3/")


def test_nobody_who_stopped_questionnaires_is_assessed(trial, client):
    person = crowd(trial, 1)[0]
    ParticipationChange(
        participant=person,
        effective_date=TODAY,
        decided_by="participant",
        elements={"questionnaires_web": False, "questionnaires_phone_post": False},
        recorded_at=NOW,
        recorded_by=trial.coordinator,
    ).save_by(trial.coordinator)

    due = worklist.assessments_due(staff(Role.OUTCOME_ASSESSOR, trial.site), TODAY)

    assert due == []


@pytest.mark.parametrize("who", ["coordinator", "assessor"])
def test_tasks_ask_the_database_as_often_however_many_there_are(trial, client, who):
    client.force_login(trial.coordinator if who == "coordinator" else staff(Role.OUTCOME_ASSESSOR, trial.site))
    counts = []
    for n_people in (2, 40):
        for one in crowd(trial, n_people):
            _task(trial, f"task {one.pk}", TODAY, referral=one.referral)
        client.get("/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/")
        counts.append(len(asked))

    assert counts[0] == counts[1]
    assert counts[0] <= 25


# -- recruitment


def test_the_chart_steps_up_on_each_day_and_ends_today(trial):
    crowd(trial, 2, day0=date(2026, 4, 16))
    crowd(trial, 1, day0=date(2026, 5, 4))
    days = recruitment.days_of_randomisation([trial.site])

    chart = recruitment.chart([trial.site], 32, days, trial.spec, TODAY)

    assert chart.steps == [(date(2026, 1, 12), 0), (date(2026, 4, 16), 2), (date(2026, 5, 4), 3), (TODAY, 3)]
    assert chart.plan == [(date(2026, 1, 12), 0), (date(2026, 8, 31), 32)]
    assert recruitment.by_week(days)[0] == (date(2026, 4, 13), 2, 2)
    assert recruitment.by_week(days)[-1] == (date(2026, 5, 4), 1, 3)


def test_nobody_randomised_still_makes_a_chart(trial):
    chart = recruitment.chart([trial.site], 32, [], trial.spec, TODAY)

    assert chart.steps == [(date(2026, 1, 12), 0), (TODAY, 0)]
    assert recruitment.by_week([]) == []


# -- overview


def test_the_overview_shows_recruitment_safety_and_deviations(trial, client):
    person = crowd(trial, 3)[0]
    event_actions.report_event(participant=person, data=_serious(), by=trial.coordinator, at=NOW)
    _deviation(trial, person, reveals_arm=False)
    _deviation(trial, person, reveals_arm=True)
    client.force_login(trial.investigator)

    response = client.get("/overview/")

    assert response.context["rows"][0].n_randomised == 3
    assert response.context["safety"]["n_events"] == 1
    assert response.context["deviations"]["n"] == 2
    assert response.context["button"].url == "/safety/"


def test_a_blinded_investigator_gets_no_figure_that_tells_the_arm(trial, client):
    person = crowd(trial, 1)[0]
    _deviation(trial, person, reveals_arm=True)
    blinded = give_role(make_user(), Role.PRINCIPAL_INVESTIGATOR, trial.site, blinded=True)
    client.force_login(blinded)

    response = client.get("/overview/")

    assert [row.code for row in response.context["criteria"]] == ["PC1", "PC2", "PC3", "PC5", "PC8"]
    assert response.context["deviations"]["n"] == 0
    assert "PC4, PC6 and PC7 are hidden from blinded roles" in response.content.decode()
    assert b"nature arm" not in response.content


def test_the_overview_is_the_same_for_a_blinded_reader_whatever_the_arms(trial, client):
    one_of_each_arm(trial.open_randomisation())
    client.force_login(give_role(make_user(), Role.CHIEF_INVESTIGATOR, blinded=True))

    content = client.get("/overview/").content.decode()

    for word in ("Thursday morning group", "nature arm", "indoor arm", "Session "):
        assert word not in content


def test_before_a_protocol_is_active_the_homes_say_so(client):
    for role, page in ((Role.CHIEF_INVESTIGATOR, "/overview/"), (Role.DATA_MANAGER, "/data/"), (Role.RANDOMISER, "/")):
        client.force_login(staff(role, blinded=False))

        assert client.get(page).status_code == 200


def _serious():
    return event_actions.EventData(
        onset_date=TODAY,
        aware_date=TODAY,
        category="OTHER",
        description="Fell",
        severity="severe",
        seriousness=("hospitalisation",),
        related_to_activity="possible",
        related_to_procedures="unrelated",
        outcome="recovering",
    )


def _deviation(trial, participant, *, reveals_arm):
    Deviation(
        site=trial.site,
        participant=participant,
        sequence=Deviation.objects.count() + 1,
        occurred_date=TODAY,
        kind="other",
        severity="minor",
        reveals_arm=reveals_arm,
        description_sealed="Something",
        recorded_at=NOW,
        recorded_by=trial.coordinator,
    ).save_by(trial.coordinator)


# -- data


def test_completeness_counts_expected_complete_and_overdue_by_visit_and_site(trial):
    crowd(trial, 3)
    crowd(trial, 1, site=site("02"))

    rows = {row.name: row for row in completeness.by_visit([trial.site, site("02")], TODAY)}

    # week 5 closed on 28 May with WEMWBS answered, PHQ-9 and nature contact not
    assert rows["V2 week 5"].cells[0] == completeness.Completeness(expected=9, complete=3, overdue=6)
    assert rows["V2 week 5"].overall == completeness.Completeness(expected=12, complete=4, overdue=8)
    assert rows["V3 week 12"].cells[0].overdue == 0
    assert "V4 week 26" not in rows


def test_the_data_page_counts_queries_by_age(trial, client):
    person = crowd(trial, 1)[0]
    for days in (0, 7, 8, 40):
        review.raise_query(
            participant=person,
            administration=None,
            field="",
            text=f"{days}?",
            by=trial.investigator,
            at=NOW - timedelta(days=days),
        )
    client.force_login(staff(Role.DATA_MANAGER))

    ages = client.get("/data/").context["ages"]

    assert [(band.label, band.open) for band in ages] == [
        ("Up to 7 days", 2),
        ("8 to 14 days", 1),
        ("15 to 28 days", 0),
        ("Over 28 days", 1),
    ]


def test_the_data_page_says_nothing_of_sessions(trial, client):
    one_of_each_arm(trial.open_randomisation())
    client.force_login(staff(Role.DATA_MANAGER))

    content = client.get("/data/").content.decode()

    assert "Thursday morning group" not in content
    assert "/sessions/" not in content


def test_the_data_page_asks_the_database_as_often_however_many_there_are(trial, client):
    client.force_login(staff(Role.DATA_MANAGER))
    counts = []
    for n_people in (2, 40):
        crowd(trial, n_people)
        with CaptureQueriesContext(connection) as asked:
            client.get("/data/")
        counts.append(len(asked))

    assert counts[0] == counts[1]
    assert counts[0] <= 20


# -- monitor


def test_the_monitor_sees_version_day_and_role_of_each_consent_and_nobodys_name(trial, client):
    participant = trial.consented(first_name="Zebedee", last_name="Quillfeather")
    client.force_login(staff(Role.MONITOR, trial.site, blinded=False))

    response = client.get("/monitor/")

    consent, role = response.context["rows"][0]
    assert (consent.participant, consent.form.version, role) == (participant, "1.0", "Coordinator")
    assert b"Quillfeather" not in response.content
    assert any(line.what == "Take consent" for line in response.context["log"])


def test_the_monitor_sees_own_sites_and_own_queries_only(trial, client):
    participant = trial.consented()
    monitor = staff(Role.MONITOR, trial.site, blinded=False)
    review.raise_query(participant=participant, administration=None, field="", text="Mine?", by=monitor, at=NOW)
    review.raise_query(
        participant=participant, administration=None, field="", text="Not mine?", by=trial.investigator, at=NOW
    )
    client.force_login(monitor)
    elsewhere = staff(Role.MONITOR, site("02"), blinded=False)

    own = client.get("/monitor/")
    client.force_login(elsewhere)
    other = client.get("/monitor/")

    assert len(own.context["queries"].object_list) == 1
    assert other.context["rows"] == []


def test_the_consent_list_as_a_file_is_logged(trial, client):
    trial.consented()
    client.force_login(staff(Role.MONITOR, trial.site, blinded=False))

    rows = client.get("/monitor/?format=csv").content.decode("utf-8-sig").splitlines()

    assert rows[1] == "GRX-01-001-7,Tamar Vale,1.0,1.0,4 Jul 2026,On paper,Coordinator,Valid"
    assert AccessEvent.objects.get(kind="exported").record == "Consents"


@pytest.mark.parametrize(
    ("page", "role"),
    [
        ("/overview/", Role.COORDINATOR),
        ("/data/", Role.COORDINATOR),
        ("/monitor/", Role.COORDINATOR),
        ("/", Role.DATA_MANAGER),
    ],
)
def test_a_home_opens_to_its_roles_only(trial, client, page, role):
    client.force_login(staff(role, trial.site))

    assert client.get(page).status_code == 403


@pytest.mark.parametrize(
    ("randomised", "expected", "words"),
    [(4, 4, "on the plan"), (6, 4, "2 ahead of the plan"), (1, 4, "3 behind the plan")],
)
def test_recruitment_is_compared_with_the_plan_in_words(randomised, expected, words):
    row = recruitment.SiteRow("", 0, 0, randomised, 8, expected, figures.rate(0, Fraction(0)))

    assert row.behind == words


def test_a_finished_register_and_an_old_query_say_so(trial, client):
    group = make_group(trial)
    person = fill(trial, group, 1)[0]
    session = group.sessions.get(number=6)
    session.status, session.completed_at = "delivered", NOW - timedelta(minutes=18)
    session.risk_checked_at, session.risk_checked_by = NOW, group.leader
    session.save_by(group.leader, "Finished")
    visit = crowd(trial, 1)[0].visits.get(code="V2")
    form = visit.administrations.get()
    for administration, days in ((None, 0), (form, 1)):
        review.raise_query(
            participant=form.participant if administration else person,
            administration=administration,
            field="",
            text=f"{days}?",
            by=trial.investigator,
            at=NOW - timedelta(days=days),
        )
    client.force_login(trial.coordinator)

    response = client.get("/")

    assert response.context["sessions"][0].word == "Register sent 10:42am"
    assert [(line.label, line.detail) for line in response.context["queries"]] == [
        ("WEMWBS week 5", f"{form.participant.study_id}. Open 1 day"),
        ("Query", f"{person.study_id}. Open today"),
    ]


def test_somebody_who_stopped_is_not_expected_to_answer(trial):
    person = crowd(trial, 1)[0]
    ParticipationChange(
        participant=person,
        effective_date=date(2026, 4, 20),
        decided_by="participant",
        elements={"questionnaires_web": False, "questionnaires_phone_post": False},
        recorded_at=NOW,
        recorded_by=trial.coordinator,
    ).save_by(trial.coordinator)

    rows = {row.name: row.overall for row in completeness.by_visit([trial.site], TODAY)}

    # week 5 was answered all the same; nothing of week 12 is asked
    assert rows["V2 week 5"] == completeness.Completeness(expected=1, complete=1)
    assert rows["V3 week 12"].expected == 0
