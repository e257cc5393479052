"""Settings, help, protocol, lists of referrals and drafts in a browser: axe-core, nothing sideways, no complaint."""

from datetime import date, timedelta
from pathlib import Path

import django.contrib.admin
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests import browser
from tests.factories import NOW, Trial, delegate, give_role, make_user, staff
from trial.access import actions, drafts
from trial.access.models import Duty
from trial.access.policy import Role
from trial.activities.models import Provider
from trial.base import audit
from trial.messages import actions as outbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
ADMIN_FILES = Path(django.contrib.admin.__file__).parent / "static"
HEAD = "source_type,referral_model,received_date,contact_basis,sex,first_name,last_name,birth_date,phone,gp_practice,nhs_number\n"
LINES = (
    "GP practice,direct,1/7/2026,permission,female,Carol,Ash,14/3/1971,01632 960001,Tavyside Surgery,\n"
    "GP practice,direct,1/7/2026,permission,female,Jo,Elm,31/2/1971,1632960002,Tavyside Surgery,999 000 0019\n"
    "Doctor,direct,10/7/2026,permission,female,,Oak,14/3/1971,01632 960003,Tavyside Surgery,\n"
)


def upload(client, text):
    return client.post("/people/import/", {"file": SimpleUploadedFile("July list.csv", text.encode())})


def _settings_pages(client, trial):
    admin = staff(Role.ADMINISTRATOR, name="Dora Lane")
    person = give_role(make_user("Sam Treloar"), Role.COORDINATOR, trial.site)
    ending = delegate(person, Duty.CONSENT, trial.site)
    ending.to_date = date(2026, 7, 20)
    ending.save_by(None, "Ends")
    gone = give_role(make_user("Gone Person"), Role.DATA_MANAGER)
    actions.disable_account(user=gone, reason="Left", by=admin, at=NOW)
    message = outbox.write_message(
        key="k", kind="risk_alert", heading="H", body="B", at=NOW - timedelta(hours=1), to_user=trial.clinician
    )
    message.state, message.n_attempts, message.last_error = "failed", 5, "ConnectionRefusedError"
    message.save_by(None, "Not sent")
    audit.seal(at=NOW)
    client.force_login(admin)
    where = f"/settings/people/{person.pk}/"
    pages = {
        "settings": client.get("/settings/"),
        "settings-people": client.get("/settings/people/"),
        "settings-person": client.get(where),
        "settings-invite-error": client.post("/settings/people/new/", {"name": "Sam", "email": "x"}),
        "settings-role-error": client.post(f"{where}roles/new/", {"role": "data_manager", "site": trial.site.pk}),
        "settings-disable": client.get(f"{where}account/"),
        "settings-sites": client.get("/settings/sites/"),
        "settings-site": client.get("/settings/sites/01/"),
        "settings-messages": client.get("/settings/messages/"),
        "settings-messages-empty": client.get("/settings/messages/?state=stopped"),
    }
    client.force_login(trial.investigator)
    return pages | {
        "delegation": client.get("/delegation/"),
        "delegation-error": client.post("/delegation/new/", {}),
        "protocol": client.get("/protocol/"),
        "help": client.get("/help/?page=access:delegation"),
    }


def _public_pages(client):
    client.logout()
    return {name: client.get(f"/{name}/") for name in ("accessibility", "privacy")}


def _import_pages(client, trial):
    client.force_login(trial.coordinator)
    pages = {"import": client.get("/people/import/"), "import-error": upload(client, "surname\nAsh\n")}
    where = upload(client, HEAD + LINES).headers["Location"]
    pages["import-check"] = client.get(where)
    pages["import-ready"] = client.get(where, {"show": "ready"})
    client.post(where, {"do": "confirm"})
    pages["import-done"] = client.get(where)
    drafts.keep(user=trial.coordinator, path="/people/new/", fields={"first_name": ["Carol"]}, at=NOW)
    pages["draft-kept"] = client.get("/people/new/")
    return pages


def _problems(page, names, folder):
    problems = []
    for name in names:
        page.goto(f"http://hedgerow.test/{name}")
        browser.shot(page, f"operations/{name}-{folder}")
        found = [*browser.axe(page), *browser.complaints(page)]
        page.complaints.clear()
        if sideways := browser.sideways(page):
            found.append(f"{sideways}px sideways")
        problems += [f"{name} {folder}: {text}" for text in found]
    return problems


def test_every_page_passes_axe_at_both_widths(client, clock):
    trial = Trial()
    answers = _settings_pages(client, trial) | _public_pages(client) | _import_pages(client, trial)
    pages = {name: answer.content.decode() for name, answer in answers.items()}
    problems = [f"{name} answers {a.status_code}" for name, a in answers.items() if a.status_code != 200]

    with browser.launch() as chromium:
        for width, size in (("desk", browser.DESK), ("phone", browser.PHONE)):
            page = browser.open_page(chromium, size)
            browser.serve(page, pages)
            problems += _problems(page, pages, width)

    assert problems == []


def test_the_configuration_admin_keeps_to_the_content_security_policy(client, clock):
    Trial()
    client.force_login(staff(Role.TRIAL_MANAGER, blinded=False))
    provider = Provider(name="Trust").save_by(None)
    answers = {
        "admin": client.get("/admin/"),
        "admin-list": client.get("/admin/trial/site/"),
        "admin-change": client.get(f"/admin/trial/provider/{provider.pk}/change/"),
        "admin-error": client.post(f"/admin/trial/provider/{provider.pk}/change/", {"name": ""}),
    }
    policies = {answer.headers["Content-Security-Policy"] for answer in answers.values()}
    pages = {name: answer.content.decode() for name, answer in answers.items()}
    words = client.get("/admin/jsi18n/").content.decode()
    complaints = []

    with browser.launch() as chromium:
        page = browser.open_page(chromium, browser.DESK)
        browser.serve(page, pages)
        page.route("http://hedgerow.test/static/admin/**", _admin_file)
        page.route(
            "http://hedgerow.test/admin/jsi18n/", lambda r: r.fulfill(body=words, content_type="text/javascript")
        )
        for name in pages:
            page.goto(f"http://hedgerow.test/{name}")
            browser.shot(page, f"operations/{name}-desk")
            complaints += [f"{name}: {text}" for text in browser.complaints(page)]
            page.complaints.clear()

    assert complaints == []
    assert all("unsafe-inline" not in policy for policy in policies)


def _admin_file(route):
    file = ADMIN_FILES / route.request.url.split("/static/", 1)[1].split("?")[0]
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    route.fulfill(body=file.read_bytes(), content_type=kinds[file.suffix])
