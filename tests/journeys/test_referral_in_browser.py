"""The first steps of a path in a browser: poster to entry to referral, what it says, messages back, log and report.

axe-core finds nothing, nothing scrolls sideways, the console is silent, at 360 and 1280 px, with pictures.
"""

from datetime import timedelta

import pytest

from tests import browser
from tests.factories import NOW, TODAY, staff
from tests.trial.journey.test_every_transition import Path
from trial.access.policy import Role
from trial.interest import actions as interest
from trial.interest.actions import Left
from trial.journey import actions as journey
from trial.journey import importing, steps
from trial.journey.import_decoding import LOOK
from trial.participants.actions import ReferralData
from trial.participants.identity import IdentityData
from trial.participants.models import Status
from trial.referrals import actions as messages_back
from trial.referrals.document import Recipient
from trial.referrals.models import MessageBack

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
HEAD = "source_type,referral_model,received_date,contact_basis,sex,first_name,last_name,birth_date,phone,gp_practice"
LINES = (
    "gp_practice,direct,1/7/2026,permission,female,Zoë,Ash,14/3/1971,01632 960001,Tavyside\n"
    "gp_practice,direct,46204,permission,female,Jo,Elm,14/3/1972,01632 960001,Tavyside\n"
)


def _referred(trial):
    data = ReferralData(
        source_type="link_worker",
        received_date=TODAY,
        contact_basis="permission",
        referrer="Tavyside link workers",
        referral_model="holistic",
        channel="email",
        permission_date=TODAY,
        needs=["loneliness", "confidence"],
        concerns=["travel"],
        activity_preferences=["small_group", "morning"],
        access_needs=["no_car"],
        language="cy",
        needs_interpreter=True,
        notes="Finds mornings hard.",
        goals="To see people again.",
        risk="Fell twice last winter.",
    )
    who = IdentityData("Carol", "Quill", TODAY.replace(year=1971), phone="01632 960001", gp_practice="Tavyside")
    return journey.refer(site=trial.site, data=data, who=who, by=trial.coordinator, at=NOW)


def _talked(trial, referral):
    for days, parties in ((1, "link_worker_person"), (0, "team_person")):
        steps.contact(
            referral=referral,
            contacted_at=NOW - timedelta(hours=days),
            channel="phone",
            outcome="two_way" if days else "no_answer",
            parties=parties,
            duration_min=20,
            next_step="call",
            next_date=TODAY + timedelta(days=3),
            by=trial.coordinator,
            at=NOW,
        )


def _staff_pages(client, clock):
    """Every page of the coordinator, with something on it."""
    path = Path(clock)
    trial = path.trial
    source = interest.add_source(
        site=trial.site,
        name="Tavyside Surgery, waiting room",
        source_type="gp_practice",
        referral_model="signposting",
        by=trial.coordinator,
        at=NOW,
    )
    entry = interest.receive(source=source, left=Left("Zebedee Quill", phone="01632 960007"), consents=True, at=NOW)
    referral = _referred(trial)
    _talked(trial, referral)
    path.at(Status.DECLINED)
    path.at(Status.PRESCREEN_INELIGIBLE)
    participant = path.at(Status.RANDOMISED).participant
    sent, due = MessageBack.objects.get(participant=participant), None
    messages_back.send(
        message=sent,
        to=Recipient("Tavyside Surgery", "L83012", "1 High Street"),
        how="print",
        by=trial.coordinator,
        at=NOW,
    )
    due = MessageBack.objects.get(participant=trial.consented(at=NOW))
    made = importing.check(data=f"{HEAD}\n{LINES}".encode("cp1252"), file_name="list.csv", by=trial.coordinator, at=NOW)
    client.force_login(trial.coordinator)
    base = f"/people/{referral.screening_number}"
    pages = {
        "refer": client.get("/people/new/"),
        "refer-error": client.post("/people/new/", {"referrer_ods": "83012"}),
        "referral": client.get(f"{base}/referral/"),
        "referral-words": client.post(f"{base}/referral/", {"why": "To contact the person"}),
        "referral-change": client.get(f"{base}/referral/change/"),
        "contact": client.get(f"{base}/contact/"),
        "record": client.get(f"{base}/"),
        "interest-list": client.get("/people/interest/"),
        "interest-entry": client.get(f"/people/interest/{entry.pk}/"),
        "interest-sources": client.get("/people/interest/sources/"),
        "messages-back": client.get("/messages-back/"),
        "message-back": client.get(f"/messages-back/{due.pk}/"),
        "message-sent": client.get(f"/messages-back/{sent.pk}/"),
        "message-safety": client.get(f"/people/{participant.study_id}/message-for-safety/"),
        "screening-log": client.get("/screening-log/"),
        "import-look": client.get(f"/people/import/{made.pk}/?show=noted"),
        "import-refused": client.get(f"/people/import/{made.pk}/?show=refused"),
    }
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))
    pages["report-models"] = client.get("/reports/referral-models/")
    pages["report-open"] = client.get("/reports/referral-models/?for=open")
    client.logout()
    return pages | {
        "interest": client.get(f"/interest/{source.code}/"),
        "interest-error": client.post(f"/interest/{source.code}/", {}),
        "interest-thanks": client.get(f"/interest/{source.code}/thanks/"),
        "interest-closed": client.get("/interest/zzzzzzzz/"),
    }


def test_the_pages_of_the_first_steps(client, clock):
    answers = _staff_pages(client, clock)
    texts = {name: answer.content.decode() for name, answer in answers.items()}
    problems = []

    with browser.launch() as chromium:
        for size, label in ((browser.PHONE, "360"), (browser.DESK, "1280")):
            page = browser.open_page(chromium, size)
            browser.serve(page, texts)
            for name in texts:
                page.goto(f"http://hedgerow.test/{name}")
                problems += [f"{name} {label}: {one}" for one in browser.axe(page)]
                if browser.sideways(page):
                    problems.append(f"{name} {label} scrolls sideways by {browser.sideways(page)}")
                browser.shot(page, f"referral-{name}-{label}")
            problems += browser.complaints(page)

    assert problems == []
    assert LOOK.split(":")[0] in texts["import-look"]
    assert "46204" in texts["import-refused"]
