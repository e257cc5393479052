"""A journey per way of consenting in headless Chromium, with a drawn signature; axe, no sideways, no complaint."""

import os
import re
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from tests import browser
from tests.factories import PASSWORD, Trial, staff
from tests.journeys.test_in_browser import Desk
from tests.trial.econsent.builders import a_pdf, keep_files
from trial.access.policy import Role
from trial.consent import sealing
from trial.consent.evidence_models import ConsentScan, SealedForm
from trial.consent.models import Consent, DocumentVersion
from trial.econsent.models import ConsentSession
from trial.messages import sending as outbox
from trial.participants.models import Participant

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
SIZES = {"phone": browser.PHONE, "desk": browser.DESK}


@pytest.fixture
def chromium():
    with browser.launch() as running:
        yield running


@pytest.fixture
def trial(clock, settings, tmp_path, live_server):
    settings.SCAN_DIR = tmp_path / "scans"
    settings.SITE_URL = live_server.url
    cache.clear()
    return keep_files(Trial())


class Person(Desk):
    """Somebody at the consent pages: no account."""

    def __init__(self, chromium, server, size) -> None:
        self.server, self.user = server, None
        self.page = browser.open_page(chromium, size)


def picture(desk: Desk, name: str) -> None:
    """A screenshot under the name of the way, and of the window."""
    browser.shot(desk.page, f"consent/{name}-{desk.page.viewport_size['width']}")


def draw(page) -> None:
    """A signature with the mouse: two strokes."""
    box = page.locator("canvas")
    box.scroll_into_view_if_needed()
    edge = box.bounding_box()
    for stroke in (((0.1, 0.7), (0.25, 0.2), (0.4, 0.75), (0.5, 0.3)), ((0.55, 0.6), (0.7, 0.25), (0.9, 0.65))):
        points = [(edge["x"] + x * edge["width"], edge["y"] + y * edge["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=6)
        page.mouse.up()


def read_and_sign(desk: Desk, way: str) -> None:
    """From the documents to the certification."""
    picture(desk, f"{way}-1-read")
    desk.send("Go on to the statements")
    assert desk.page.locator("input:checked").count() == 0
    picture(desk, f"{way}-2-statements")
    for number in range(1, 11):
        desk.choose(**{f"statement_{number}": "no" if number == 8 else "yes"})
    desk.send("Continue to sign")
    desk.choose(name="Carol Tester", way="drawn")
    draw(desk.page)
    picture(desk, f"{way}-3-signature")
    desk.send("Continue to read everything again")
    picture(desk, f"{way}-4-read-again")
    desk.page.get_by_label("I certify that this is what I agreed to").check()
    desk.send("Sign the consent form")
    picture(desk, f"{way}-5-signed")


def countersign(desk: Desk, **more: str) -> None:
    """The team's part, with a signature of their own."""
    desk.choose(capacity_confirmed="yes", copy_how="print", way="drawn", secret=PASSWORD, **more)
    draw(desk.page)


def keep_for_looking(pdf: bytes, name: str) -> None:
    """A sealed form beside the screenshots, where they are asked for."""
    if os.environ.get("SCREENSHOTS"):
        path = Path(browser.SCREENSHOTS) / "consent" / f"{name}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pdf)


@pytest.mark.parametrize("size", SIZES)
def test_in_person_on_the_teams_tablet(chromium, live_server, trial, size):
    referral = trial.informed()
    desk = Desk(chromium, live_server, trial.coordinator, SIZES[size])
    desk.open(f"/people/{referral.number}/consent/")
    picture(desk, "in-person-0-ways")
    desk.page.get_by_role("link", name="On this tablet, with the person here").click()
    desk.choose(interpreter="no")
    picture(desk, "in-person-0-hand-over")
    desk.send("Sign me out and begin")

    read_and_sign(desk, "in-person")
    desk.page.goto(f"{live_server.url}/people/")
    assert "/accounts/login/" in desk.page.url
    desk.page.goto(f"{live_server.url}/consent/done/")
    desk.page.get_by_role("link", name="Study team: sign too").click()
    desk.look()
    picture(desk, "in-person-6-hand-back")
    desk.choose(secret=PASSWORD)
    desk.send("Take the tablet back")
    countersign(desk)
    picture(desk, "in-person-7-countersign")
    desk.send("Countersign")
    picture(desk, "in-person-8-given")
    desk.send("Show a code for their phone")
    picture(desk, "in-person-9-code")

    consent = Consent.objects.get()
    assert consent.state == "valid"
    assert consent.statements["FUTURE_CONTACT"] is False
    assert sealing.is_unaltered(consent)
    keep_for_looking(sealing.read_form(SealedForm.objects.get()), "in-person")


def test_with_the_keyboard_alone_the_name_is_typed_instead(chromium, live_server, trial):
    referral = trial.informed()
    desk = Desk(chromium, live_server, trial.coordinator, browser.DESK)
    desk.open(f"/people/{referral.number}/consent/screen/")
    desk.choose(interpreter="no")
    desk.send("Sign me out and begin")
    desk.send("Go on to the statements")
    for number in range(1, 11):
        desk.choose(**{f"statement_{number}": "yes"})
    desk.send("Continue to sign")
    page = desk.page

    page.get_by_label("Your full name", exact=True).focus()
    page.keyboard.type("Carol Tester")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first way, "Draw"
    page.keyboard.press("ArrowDown")
    assert page.locator("canvas").is_hidden()
    page.keyboard.press("Tab")
    page.keyboard.type("Carol Tester")
    picture(desk, "keyboard-signature")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert page.url.endswith("/consent/certify/")
    assert ConsentSession.objects.get().signature_kind == "typed"


def test_an_empty_box_is_refused_in_words(chromium, live_server, trial):
    referral = trial.informed()
    desk = Desk(chromium, live_server, trial.coordinator, browser.PHONE)
    desk.open(f"/people/{referral.number}/consent/screen/")
    desk.choose(interpreter="no")
    desk.send("Sign me out and begin")
    desk.send("Go on to the statements")
    for number in range(1, 11):
        desk.choose(**{f"statement_{number}": "yes"})
    desk.send("Continue to sign")
    desk.choose(name="Carol Tester", way="drawn")
    draw(desk.page)
    desk.page.get_by_role("button", name="Clear the box").click()

    desk.send("Continue to read everything again")

    assert "That was not a signature from the box" in desk.page.content()
    picture(desk, "refused-empty-box")


@pytest.mark.parametrize("size", SIZES)
def test_by_a_link_with_an_identity_check(chromium, live_server, trial, size):
    referral = trial.informed()
    desk = Desk(chromium, live_server, trial.coordinator, SIZES[size])
    desk.open(f"/people/{referral.number}/consent/link/")
    desk.choose(interpreter="no")
    desk.send("Send the link")
    picture(desk, "remote-0-sent")
    outbox.send_due(at=timezone.now())
    home = Person(chromium, live_server, SIZES[size])
    home.open(link())
    picture(home, "remote-1-start")
    home.send("Start now")
    home.choose(check_0="15", check_1="3")
    home.send("Continue")
    picture(home, "remote-1-somebody-else")
    home.choose(check_0="14", check_1="3")
    home.send("Continue")

    read_and_sign(home, "remote")
    desk.open("/consents/")
    picture(desk, "remote-6-worklist")
    desk.open(f"/people/{referral.number}/consent/countersign/")
    desk.choose(identity_check="phone")
    for one in ("Name", "Date of birth"):
        desk.page.get_by_label(one, exact=True).check()
    desk.date("identity_checked_date", timezone.localdate())
    countersign(desk)
    desk.page.locator('input[name="copy_how"][value="email"]').check()
    picture(desk, "remote-7-countersign")
    desk.send("Countersign")
    picture(desk, "remote-8-given")
    outbox.send_due(at=timezone.now())

    copy = Person(chromium, live_server, SIZES[size])
    copy.open(link())
    copy.send("Start now")
    copy.choose(check_0="14", check_1="3")
    copy.send("Continue")
    picture(copy, "remote-9-copy")
    with copy.page.expect_download() as saving:
        copy.page.get_by_role("button", name="Save your copy (PDF)").click()
    pdf = Path(saving.value.path()).read_bytes()
    keep_for_looking(pdf, "remote")
    check_the_file(copy, pdf)


def check_the_file(person: Desk, pdf: bytes) -> None:
    """Ours and unaltered; with one byte changed, not."""
    person.open("/consent/verify/")
    person.page.set_input_files("input[type=file]", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": pdf})
    person.send("Check the file")
    assert "This is ours and unaltered" in person.page.content()
    picture(person, "verify-ours")
    changed = bytearray(pdf)
    changed[len(pdf) // 2] ^= 1
    person.page.set_input_files(
        "input[type=file]", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": bytes(changed)}
    )
    person.send("Check the file")
    assert "Not ours, or altered" in person.page.content()
    picture(person, "verify-altered")


def link() -> str:
    """The path of the link in the last e-mail."""
    return re.search(r"(/c/[A-Za-z0-9_-]{32}/)", mail.outbox[-1].body)[1]


def fill(desk: Desk, method: str) -> None:
    """The form for paper and telephone, with everything said."""
    now = timezone.localtime()
    desk.date("signed_at", now)
    desk.choose(signed_at_3="10:00", method=method, capacity_confirmed="yes", interpreter="no")
    for number in range(1, 11):
        desk.choose(**{f"statement_{number}": "yes"})
    desk.date("copy_given_date", now)


@pytest.mark.parametrize("size", SIZES)
def test_by_telephone_before_a_witness(chromium, live_server, trial, size):
    referral = trial.informed()
    desk = Desk(chromium, live_server, trial.coordinator, SIZES[size])
    desk.open(f"/people/{referral.number}/consent/")
    fill(desk, "telephone_witnessed")
    desk.choose(witness_name="Bo Witness", spoken_name="Carol Tester", secret=PASSWORD)
    desk.date("witness_heard_at", timezone.localtime())
    desk.choose(witness_heard_at_3="10:05")
    picture(desk, "telephone-1-form")
    desk.send("Save and continue")
    picture(desk, "telephone-2-given")

    assert Consent.objects.get().method == "telephone_witnessed"
    keep_for_looking(sealing.read_form(SealedForm.objects.get()), "telephone")


@pytest.mark.parametrize("size", SIZES)
def test_on_paper_with_its_scan(chromium, live_server, trial, size):
    referral = trial.informed()
    desk = Desk(chromium, live_server, trial.coordinator, SIZES[size])
    desk.open(f"/people/{referral.number}/consent/")
    fill(desk, "paper")
    scan = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": a_pdf("Signed on paper")}
    desk.page.set_input_files('input[name="scan"]', scan)
    picture(desk, "paper-1-form")
    desk.send("Save and continue")
    desk.open(f"/people/{Participant.objects.get().study_id}/consent/given/")
    picture(desk, "paper-2-given")

    assert ConsentScan.objects.count() == 1


@pytest.mark.parametrize("size", SIZES)
def test_documents_and_the_green_light_are_looked_at(chromium, live_server, trial, size):
    manager = Desk(chromium, live_server, staff(Role.TRIAL_MANAGER, name="Mary Manager", blinded=False), SIZES[size])
    document = DocumentVersion.objects.get(kind="consent")
    for path, name in (
        ("/documents/", "documents"),
        (f"/documents/{document.pk}/", "document"),
        ("/documents/new/", "document-new"),
        (f"/documents/{document.pk}/sites/01/", "document-dates"),
        ("/green-light/", "green-lights"),
        ("/green-light/01/", "green-light"),
        ("/reconsent/", "reconsent"),
    ):
        manager.open(path)
        picture(manager, name)
