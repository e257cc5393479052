"""Pages of referral, contact, information sheet and closing (T01 to T06, T08, T11)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, make_user, staff
from tests.journeys.visitor import day, moment
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import AccessEvent, Site
from trial.access.policy import Role
from trial.consent.models import DocumentVersion
from trial.journey import importing
from trial.messages.models import Task
from trial.participants import actions as people
from trial.participants import identity
from trial.participants.models import Referral, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

NEW = "/people/new/"
TYPED = {
    "source_type": "gp_practice",
    "referral_model": "link_worker",
    "referrer": "Tavyside Surgery",
    "contact_basis": "permission",
    "sex": "female",
    "first_name": "Caroline",
    "last_name": "Whitfield",
    "gp_practice": "Tavyside Surgery",
    "nhs_number": "999 000 0018",
    "phone": "01632 960 001",
    "email": "carol@example.org",
    "notes": "Would like to be outdoors",
    **day("received_date", TODAY),
    **day("birth_date", date(1971, 3, 14)),
}


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def referral(trial):
    return trial.refer()


def url(referral, step):
    return f"/people/{referral.screening_number}/{step}/"


def status_of(referral):
    return Referral.objects.get(pk=referral.pk).status


# -- a new person


def test_a_person_is_referred(client, trial):
    response = as_(client, trial.coordinator).post(NEW, TYPED)

    referral = Referral.objects.get()
    assert response.headers["Location"] == f"/people/{referral.screening_number}/"
    assert (referral.site, referral.source_type, referral.age_band) == (trial.site, "gp_practice", "45-59")
    data = identity.read(referral.person)
    assert (data.name, data.nhs_number) == ("Caroline Whitfield", "9990000018")
    assert identity.open_text(referral.person, referral.notes_sealed) == "Would like to be outdoors"


def test_names_stand_neither_in_the_address_nor_in_the_message(client, trial):
    response = as_(client, trial.coordinator).post(NEW, TYPED, follow=True)

    assert "Whitfield" not in response.redirect_chain[-1][0]
    assert all("Whitfield" not in str(message) for message in response.context["messages"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"nhs_number": "999 000 0019"}, "Enter an NHS number with 10 digits, like 999 000 0018"),
        ({"phone": "twelve"}, "Enter a telephone number, like 01632 960 001"),
        ({"email": "carol"}, "Enter an e-mail address, like name@example.org"),
        ({"source_type": "radio"}, "Answer the question: Who referred the person?"),
        ({"contact_basis": ""}, "Answer the question: Why may we contact this person?"),
        ({"first_name": "Ca\x00rol"}, "Remove the hidden characters"),
        ({"notes": "x" * 3001}, "3000 characters or fewer"),
        (day("received_date", TODAY + timedelta(days=1)), "today or in the past"),
        ({"received_date_1": "13"}, "real date"),
        ({"birth_date_2": ""}, "must include a year"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, trial, wrong, words):
    response = as_(client, trial.coordinator).post(NEW, TYPED | wrong)

    assert response.status_code == 200
    assert any(words in problem for problem in problems_of(response)), problems_of(response)
    assert "There is a problem" in text_of(response)
    assert 'value="Whitfield"' in text_of(response)
    assert not Referral.objects.exists()


def test_an_empty_form_says_what_to_enter(client, trial):
    response = as_(client, trial.coordinator).post(NEW, {})

    assert len(problems_of(response)) >= 6
    assert not Referral.objects.exists()


def test_the_same_person_sent_twice_is_referred_once(client, trial):
    visitor = as_(client, trial.coordinator)
    visitor.post(NEW, TYPED)

    again = visitor.post(NEW, TYPED)

    assert "already has an open referral" in text_of(again)
    assert Referral.objects.count() == 1


def test_nobody_refers_to_a_site_that_is_not_theirs(client, trial):
    other = Site.objects.get(code="02")

    as_(client, trial.coordinator).post(NEW, TYPED | {"site": str(other.pk)})

    assert Referral.objects.get().site == trial.site


def test_who_may_refer(client, trial):
    answers = answers_by_role(client, everyone(trial), NEW)

    assert {role for role, status in answers.items() if status == 200} == {Role.COORDINATOR}
    assert set(answers.values()) == {200, 403}


def test_a_lost_session_leads_to_sign_in_and_back(client, trial):
    assert client.post(NEW, TYPED).headers["Location"] == f"/accounts/login/?next={NEW}"
    assert not Referral.objects.exists()


# -- contact and information


def test_a_contact_is_recorded(client, trial, referral):
    typed = {"channel": "phone", "outcome": "two_way", "note": "Rang twice", **moment("contacted_at", NOW)}

    response = as_(client, trial.coordinator).post(url(referral, "contact"), typed)

    assert response.headers["Location"] == f"/people/{referral.screening_number}/"
    assert status_of(referral) == Status.CONTACTED
    attempt = referral.contact_attempts.get()
    assert (attempt.duration_min, identity.open_text(referral.person, attempt.note_sealed)) == (None, "Rang twice")


@pytest.mark.parametrize(
    "wrong",
    [
        moment("contacted_at", NOW + timedelta(days=1)),
        moment("contacted_at", NOW - timedelta(days=60)),
        {"channel": "pigeon"},
        {"outcome": ""},
        {"duration_min": "-1"},
        {"duration_min": "1e9"},
    ],
)
def test_a_contact_that_cannot_be_is_refused_with_what_was_typed(client, trial, referral, wrong):
    typed = {"channel": "phone", "outcome": "two_way", "note": "Rang twice", **moment("contacted_at", NOW)} | wrong

    response = as_(client, trial.coordinator).post(url(referral, "contact"), typed)

    assert response.status_code == 200
    assert problems_of(response)
    assert "Rang twice" in text_of(response)
    assert not referral.contact_attempts.exists()


def test_only_the_protocols_channels_are_offered(client):
    trial = Trial("northbank", site_code="17")
    referral = trial.refer()

    page = text_of(as_(client, trial.coordinator).get(url(referral, "contact")))

    assert 'value="letter"' in page
    assert 'value="text"' not in page


def test_an_information_sheet_is_recorded(client, trial, referral):
    sheet = DocumentVersion.objects.get(kind="pis")
    typed = {"document": str(sheet.pk), "how": "email", **moment("given_at", NOW)}

    as_(client, trial.coordinator).post(url(referral, "information"), typed)

    assert referral.information_given.get().document == sheet


def test_a_sheet_that_is_not_in_use_cannot_be_chosen(client, trial, referral):
    consent_form = DocumentVersion.objects.get(kind="consent")

    for chosen in (str(consent_form.pk), "999999", "x", ""):
        response = as_(client, trial.coordinator).post(
            url(referral, "information"), {"document": chosen, "how": "email", **moment("given_at", NOW)}
        )
        assert response.status_code == 200

    assert not referral.information_given.exists()


def main_of(response):
    return text_of(response).split("<main")[1]


@pytest.mark.parametrize("step", ["contact", "information", "close/declined", "details"])
def test_another_sites_referral_is_as_absent_as_one_that_never_was(client, trial, referral, step):
    visitor = as_(client, elsewhere(Role.COORDINATOR))

    answers = [visitor.get(url(referral, step)), visitor.get(f"/people/S-01-9999/{step}/")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert main_of(answers[0]).replace(referral.screening_number, "S-01-9999") == main_of(answers[1])
    assert visitor.post(url(referral, step), {}).status_code == 404
    assert not AccessEvent.objects.filter(kind="identity_viewed").exists()


@pytest.mark.parametrize("step", ["contact", "information"])
def test_who_may_record_a_contact(client, trial, referral, step):
    answers = answers_by_role(client, everyone(trial), url(referral, step))

    assert {role for role, status in answers.items() if status == 200} == {Role.COORDINATOR}


# -- closing


def test_a_referral_is_closed_with_its_reasons(client, trial):
    referral = trial.informed()
    typed = {"reason": "TRAVEL", "further": ["NO_TIME", "TRAVEL"], **day("effective_date", TODAY)}

    as_(client, trial.coordinator).post(url(referral, "close/declined"), typed)

    fresh = Referral.objects.get(pk=referral.pk)
    assert (fresh.status, fresh.close_reason, fresh.further_reasons) == (Status.DECLINED, "TRAVEL", ["NO_TIME"])


@pytest.mark.parametrize(
    ("how", "reason", "words"),
    [
        ("declined", "TRAVEL", "Referred cannot become Declined"),
        ("not-contactable", "not_contactable", "Try again before closing"),
        ("left", "MOVED", "cannot become"),
        ("not-eligible", "I2", "Select the main reason"),
        ("not-eligible", "", "Select the main reason"),
        ("declined", "nonsense", "Select the main reason"),
    ],
)
def test_a_closing_that_cannot_be_says_why(client, trial, referral, how, reason, words):
    response = as_(client, trial.coordinator).post(
        url(referral, f"close/{how}"), {"reason": reason, **day("effective_date", TODAY)}
    )

    assert response.status_code == 200
    assert any(words in problem for problem in problems_of(response)), problems_of(response)
    assert status_of(referral) == Status.REFERRED


def test_a_person_who_is_not_eligible_is_closed_with_the_criteria_that_failed(client, trial):
    participant = trial.consented()
    trial.screened(participant)
    trial.assess(participant, I3="no", E4="yes")
    page = f"/people/{participant.study_id}/close/screen-failed/"
    visitor = as_(client, trial.coordinator)
    offered = visitor.get(page).context["form"].fields["reason"].choices

    visitor.post(page, {"reason": "I3", **day("effective_date", TODAY)})

    assert [code for code, _ in offered] == ["I3", "E4"]
    assert participant.referral.status_events.last().transition == "T08"


@pytest.mark.parametrize("role", [Role.PRINCIPAL_INVESTIGATOR, Role.MONITOR, Role.RANDOMISER, Role.DATA_MANAGER])
def test_who_only_reads_closes_nothing(client, trial, referral, role):
    person = everyone(trial)[role]

    response = as_(client, person).post(
        url(referral, "close/not-eligible"), {"reason": "I3", **day("effective_date", TODAY)}
    )

    assert response.status_code in (200, 403)
    assert status_of(referral) == Status.REFERRED


def test_a_way_of_closing_that_is_none_is_not_found(client, trial, referral):
    assert as_(client, trial.coordinator).get(url(referral, "close/deleted")).status_code == 404


# -- contact details


def test_showing_and_changing_contact_details_is_logged_and_needs_a_reason(client, trial, referral):
    page = url(referral, "details")
    visitor = as_(client, trial.coordinator)
    shown = visitor.get(page)
    typed = {name: value or "" for name, value in shown.context["form"].initial.items() if name != "birth_date"}
    typed |= {"phone": "01632 960 999", **day("birth_date", date(1971, 3, 14))}

    refused = visitor.post(page, typed)
    visitor.post(page, typed | {"reason": "New number"})

    assert any("why you are changing" in problem for problem in problems_of(refused))
    assert identity.read(referral.person).phone == "01632 960 999"
    assert AccessEvent.objects.filter(kind="identity_viewed", record=referral.screening_number).count() == 3


def test_an_nhs_number_of_somebody_else_is_refused_without_saying_whose(client, trial, referral):
    other = trial.refer(nhs_number="9990000018")
    page = url(referral, "details")
    visitor = as_(client, trial.coordinator)
    typed = {
        name: value or "" for name, value in visitor.get(page).context["form"].initial.items() if name != "birth_date"
    }
    typed |= {"nhs_number": "9990000018", "reason": "Found", **day("birth_date", date(1971, 3, 14))}

    response = visitor.post(page, typed)

    assert problems_of(response) == ["This NHS number belongs to another record. Ring the trial office."]
    assert other.screening_number not in text_of(response)


def test_somebody_without_a_role_gets_the_page_that_says_so(client, trial, referral):
    assert as_(client, make_user()).get(url(referral, "contact")).status_code == 403


# -- what a referral says (the blocks of the PRSB standard)

FULL = TYPED | {
    "referral_model": "holistic",
    "referrer_ods": "l83012",
    "channel": "letter",
    "language": "cy",
    "needs_interpreter": "yes",
    "needs": ["loneliness", "confidence"],
    "concerns": ["travel"],
    "activity_preferences": ["small_group", "morning"],
    "access_needs": ["no_car", "lift"],
    "goals": "To see people again",
    "access": "Cannot walk up the hill",
    "risk": "Fell twice last winter",
    **day("permission_date", TODAY - timedelta(days=2)),
}


def full(client, trial):
    as_(client, trial.coordinator).post(NEW, FULL)
    return Referral.objects.get()


def test_everything_of_a_referral_is_kept_and_its_words_sealed(client, trial):
    referral = full(client, trial)

    assert (referral.referral_model, referral.referrer_ods, referral.channel) == ("holistic", "L83012", "letter")
    assert (referral.language, referral.needs_interpreter) == ("cy", True)
    assert referral.needs == ["loneliness", "confidence"]
    assert referral.permission_date == TODAY - timedelta(days=2)
    words = [identity.open_text(referral.person, getattr(referral, f"{n}_sealed")) for n in ("goals", "access", "risk")]
    assert words == ["To see people again", "Cannot walk up the hill", "Fell twice last winter"]
    stored = repr(Referral.objects.values().get()) + repr(list(Referral.history.values()))
    assert "Fell twice" not in stored
    assert "see people" not in stored


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"referral_model": ""}, "Select how the person is supported"),
        ({"referrer_ods": "83012"}, "Enter an ODS code of letters and digits, like L83012"),
        ({"referrer_ods": "RA9"}, "The ODS code of a GP practice is a letter and 5 digits, like L83012"),
        ({"needs": ["money"]}, "Select a valid choice"),
        (day("permission_date", TODAY + timedelta(days=1)), "Date of permission must be today or in the past"),
    ],
)
def test_what_is_wrong_in_a_whole_referral_is_said_and_what_was_typed_stays(client, trial, wrong, words):
    response = as_(client, trial.coordinator).post(NEW, FULL | wrong)

    assert words in str(problems_of(response))
    page = text_of(response)
    assert "Fell twice last winter" in page
    assert not Referral.objects.exists()


def test_permission_after_the_referral_is_refused(client, trial):
    late = day("received_date", TODAY - timedelta(days=3))

    response = as_(client, trial.coordinator).post(NEW, FULL | late)

    assert "Date of permission must not be after the date received" in str(problems_of(response))


def test_risk_information_makes_an_urgent_task_that_reading_it_closes(client, trial):
    referral = full(client, trial)
    task = Task.objects.get(key=f"risk-information:{referral.pk}")
    assert (task.is_urgent, task.done_at, task.role) == (True, None, Role.COORDINATOR)
    assert "Fell" not in task.title + task.detail

    response = client.post(url(referral, "referral"), {"why": "To contact the person"})

    assert "Fell twice last winter" in text_of(response)
    assert Task.objects.get(pk=task.pk).done_at is not None
    event = AccessEvent.objects.filter(kind=AccessEvent.Kind.IDENTITY_VIEWED).latest("pk")
    assert (event.record, event.detail) == (referral.screening_number, "Referral: To contact the person")


def test_the_page_shows_the_blocks_of_the_standard_without_the_sealed_words(client, trial):
    referral = full(client, trial)

    response = client.get(url(referral, "referral"))

    page = text_of(response)
    headings = [block.heading for block in response.context["blocks"]]
    assert headings == ["Referral", "Person", "Needs and concerns", "Support offered", "Outcomes"]
    assert "Loneliness, or few people around; Confidence" in page
    assert "Fell twice" not in page
    assert "see people" not in page
    assert AccessEvent.objects.filter(kind=AccessEvent.Kind.IDENTITY_VIEWED).count() == 0


def test_risk_information_is_never_shown_to_a_blinded_assessor(client, trial):
    referral = full(client, trial)
    assessor = staff(Role.OUTCOME_ASSESSOR, trial.site)

    answers = [as_(client, assessor).get(url(referral, "referral")), client.post(url(referral, "contact-details"), WHY)]

    assert answers[0].status_code == 403
    assert "Fell twice" not in answers[1].content.decode()


WHY = {"why": "To contact the person"}


def test_a_referral_is_put_right_with_a_reason(client, trial):
    referral = full(client, trial)
    form = {k: v for k, v in FULL.items() if not k.startswith(("received_date", "birth_date"))}

    without = client.post(url(referral, "referral/change"), form | {"goals": "To sleep better"})
    client.post(url(referral, "referral/change"), form | {"goals": "To sleep better", "reason": "Said on the phone"})

    assert "why you are changing this" in str(problems_of(without))
    changed = Referral.objects.get()
    assert identity.open_text(changed.person, changed.goals_sealed) == "To sleep better"
    assert changed.risk_sealed == referral.risk_sealed, "what stays keeps its seal"
    assert changed.history.first().history_change_reason == "Said on the phone"
    assert changed.source_type == "gp_practice"


def test_the_preference_said_before_randomisation_stays(trial, client):
    participant = trial.open_randomisation().randomised()
    referral = participant.referral
    data = people.details_of(referral)

    people.change_details(
        referral=referral, data=replace(data, arm_preference="nature"), reason="Changed mind", by=trial.coordinator
    )

    assert Referral.objects.get().arm_preference == ""


def test_a_list_says_everything_that_the_form_says(client, trial):
    head = (
        "source_type,referral_model,received_date,contact_basis,sex,first_name,last_name,birth_date,phone,gp_practice"
    )
    text = (
        f"{head},needs,access_needs,needs_interpreter,risk\n"
        "gp_practice,direct,1/7/2026,permission,female,Carol,Ash,14/3/1971,01632 960001,Tavyside,"
        "loneliness; Confidence,No car,yes,Fell twice\n"
        "gp_practice,direct,1/7/2026,permission,female,Jo,Elm,14/3/1972,01632 960001,Tavyside,money,,maybe,\n"
    )
    made = importing.check(data=text.encode(), file_name="list.csv", by=trial.coordinator, at=NOW)

    done = importing.confirm(made=made, by=trial.coordinator, at=NOW)

    referral = Referral.objects.get()
    assert (referral.needs, referral.access_needs) == (["loneliness", "confidence"], ["no_car"])
    assert referral.needs_interpreter
    assert Task.objects.filter(key=f"risk-information:{referral.pk}").exists()
    refused = {column: said for _, column, said in importing.refused_lines(done)}
    assert refused["needs"].startswith("Write some of: low_mood")
    assert refused["needs_interpreter"].startswith("Write one of: yes")
