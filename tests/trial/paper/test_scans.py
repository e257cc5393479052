"""Scans: kept as received, told by their bytes, shown to whoever may, struck and never deleted."""

import hashlib
import io
import struct
import zlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from tests.trial.assessments.builders import NOW, randomised, site, staff
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.paper import scan_actions, scan_rules
from trial.paper.models import Scan, ScanStrike
from trial.paper.scan_rules import ScanRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """A folder of scans of its own."""
    settings.SCAN_DIR = tmp_path / "scans"
    return settings.SCAN_DIR


def picture(kind="PNG", size=(40, 60)):
    file = io.BytesIO()
    Image.new("L", size, 200).save(file, kind)
    return file.getvalue()


def pdf(n_pages=1, *, pictures=False, password="", script=False):
    file = io.BytesIO()
    if pictures:
        pages = [Image.new("L", (40, 60), 200) for _ in range(n_pages)]
        pages[0].save(file, "PDF", save_all=True, append_images=pages[1:])
        return file.getvalue()
    writer = PdfWriter()
    for _ in range(n_pages):
        writer.add_blank_page(100, 100)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    if script:
        script_of = DictionaryObject(
            {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("1")}
        )
        writer.root_object[NameObject("/OpenAction")] = script_of
    writer.write(file)
    return file.getvalue()


def bomb():
    """A small PNG file that says it is 60,000 by 60,000 pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def with_annotation(action):
    """A PDF with a link that does something."""
    writer = PdfWriter()
    page = writer.add_blank_page(100, 100)
    what = DictionaryObject({NameObject("/S"): NameObject(action), NameObject("/F"): TextStringObject("x.exe")})
    writer.add_annotation(0, DictionaryObject({NameObject("/Subtype"): NameObject("/Link"), NameObject("/A"): what}))
    assert page is not None
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "kind", "n_pages", "has_pictures"),
    [
        (picture(), "png", 1, True),
        (picture("JPEG"), "jpeg", 1, True),
        (pdf(2), "pdf", 2, False),
        (pdf(2, pictures=True), "pdf", 2, True),
    ],
)
def test_a_file_is_what_its_bytes_say(data, kind, n_pages, has_pictures):
    found = scan_rules.facts_of(data)

    assert (found.kind, found.n_pages, found.has_pictures) == (kind, n_pages, has_pictures)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00 a program", "not a PDF, PNG or JPEG"),
        (b"<html><script>alert(1)</script>", "not a PDF, PNG or JPEG"),
        (b"GIF89a", "not a PDF, PNG or JPEG"),
        (picture()[:60], "damaged"),
        (picture("JPEG")[:200], "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged"),
        (bomb(), "too large"),
        (b"%PDF-1.7 nothing more", "damaged"),
        (pdf(password="secret"), "password"),
        (pdf(31), "1 to 30 pages"),
        (pdf(script=True), "scripts or attachments"),
        (with_annotation("/Launch"), "scripts or attachments"),
    ],
)
def test_what_is_no_scan_is_refused_with_what_to_do(data, why):
    with pytest.raises(ScanRefused, match=why):
        scan_rules.facts_of(data)


def kept(participant, data, *, by=None, visit="V3"):
    return scan_actions.attach(
        visit=participant.visits.get(code=visit), instrument="phq9", data=data, by=by or staff(Role.COORDINATOR), at=NOW
    )


def test_a_scan_is_kept_as_received_sealed_and_under_a_name_of_our_own(folder):
    data = picture()

    scan = kept(randomised(), data)

    stored = (Path(folder) / scan.stored_as).read_bytes()
    assert scan.sha256 == hashlib.sha256(data).hexdigest()
    assert scan_actions.read(scan) == data
    assert b"PNG" not in stored
    assert not list(Path(folder).glob("*.part"))


def test_the_same_bytes_again_are_the_same_scan_unless_it_was_struck():
    participant, clerk = randomised(), staff(Role.COORDINATOR)
    scan = kept(participant, picture(), by=clerk)

    assert kept(participant, picture(), by=clerk) == scan
    scan_actions.strike(scan=scan, reason="Another person's form", by=clerk, at=NOW)
    with pytest.raises(ScanRefused, match="struck"):
        kept(participant, picture(), by=clerk)
    with pytest.raises(scan_actions.AlreadyStruck):
        scan_actions.strike(scan=scan, reason="Again", by=clerk, at=NOW)


def test_a_file_that_is_gone_or_was_changed_is_not_shown_for_another(folder, client):
    one, other = kept(randomised(), picture()), kept(randomised(), picture("JPEG"))
    (Path(folder) / one.stored_as).write_bytes((Path(folder) / other.stored_as).read_bytes())
    (Path(folder) / other.stored_as).unlink()
    client.force_login(staff(Role.COORDINATOR))

    for scan in (one, other):
        answer = client.get(f"/scans/{scan.pk}/file/")
        assert answer.status_code == 410
        assert "its file is missing or was changed" in answer.content.decode()


# -- pages


def url(participant, visit="V3"):
    return f"/people/{participant.study_id}/{visit}/phq9/"


def upload(client, participant, data, name="scan.png"):
    return client.post(f"{url(participant)}scans/", {"file": SimpleUploadedFile(name, data)}, follow=True)


def test_a_scan_is_attached_shown_beside_the_entry_and_taken_away(client):
    participant = randomised()
    client.force_login(staff(Role.COORDINATOR))

    page = upload(client, participant, pdf(2, pictures=True), 'carol"><script>.exe').content.decode()

    scan = Scan.objects.get()
    entry = client.get(url(participant)).content.decode()
    shown = client.get(f"/scans/{scan.pk}/pages/2/")
    file = client.get(f"/scans/{scan.pk}/file/")
    assert "scan attached" in page
    assert "carol" not in page
    assert f'src="/scans/{scan.pk}/pages/2/"' in entry
    assert (shown.headers["Content-Type"], shown.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert len(PdfReader(io.BytesIO(file.content)).pages) == 2
    assert file.headers["Content-Disposition"] == f'attachment; filename="GRX-01-001-7-V3-phq9-{scan.pk}.pdf"'
    for answer in (shown, file):
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert AccessEvent.objects.get(kind="exported").record == f"Scan {scan.pk} of GRX-01-001-7 V3 phq9"
    assert client.get(f"/scans/{scan.pk}/pages/3/").status_code == 404


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "This file is empty"),
        (b"MZ\x90\x00", "not a PDF, PNG or JPEG"),
        (b"\x89PNG" + b"\0" * (10 * 1024 * 1024), "must be 5 MB or smaller"),
        (bomb(), "too large"),
        (pdf(password="secret"), "password"),
    ],
)
def test_a_bad_file_gets_a_message_at_its_field_and_nothing_is_kept(client, folder, data, words):
    participant = randomised()
    client.force_login(staff(Role.COORDINATOR))

    answer = upload(client, participant, data, "form.pdf")

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Scan.objects.exists()
    assert not folder.exists()


def test_a_struck_scan_is_shown_no_more_and_stays_with_its_reason(client):
    participant = randomised()
    clerk = staff(Role.COORDINATOR)
    scan = kept(participant, picture(), by=clerk)
    client.force_login(clerk)

    asked = client.post(f"/scans/{scan.pk}/strike/", {"reason": " "})
    done = client.post(f"/scans/{scan.pk}/strike/", {"reason": "Another <b>form</b>"}, follow=True)

    assert "Enter why this scan does not belong here" in asked.content.decode()
    assert "Struck: Another &lt;b&gt;form&lt;/b&gt;" in done.content.decode()
    assert client.get(f"/scans/{scan.pk}/file/").status_code == 404
    assert f"/scans/{scan.pk}/" not in client.get(url(participant)).content.decode()
    assert Scan.objects.count() == 1


def test_scans_open_for_the_roles_and_sites_that_may_see_them(client):
    scan = kept(randomised(), picture())

    for role, at_site, expected in (
        (Role.OUTCOME_ASSESSOR, site(), 200),
        (Role.DATA_MANAGER, site(), 200),
        (Role.MONITOR, site(), 200),
        (Role.COORDINATOR, site("02"), 404),
        (Role.TRIAL_STATISTICIAN, site(), 403),
        (Role.DUTY_CLINICIAN, site(), 403),
    ):
        client.force_login(staff(role, at_site))
        assert client.get(f"/scans/{scan.pk}/pages/1/").status_code == expected, role
        assert client.get(f"/scans/{scan.pk}/file/").status_code == expected, role


# -- what the database refuses


def refused(call):
    with pytest.raises(IntegrityError), transaction.atomic():
        call()


@pytest.mark.parametrize("wrong", [{"kind": "gif"}, {"n_bytes": 0}, {"n_pages": 0}, {"sha256": "x" * 64}])
def test_the_database_refuses_a_scan_that_cannot_be(wrong):
    participant, clerk = randomised(), staff(Role.COORDINATOR)
    values = {
        "participant": participant,
        "visit": participant.visits.get(code="V3"),
        "instrument": "phq9",
        "kind": "png",
        "sha256": "0" * 64,
        "n_bytes": 1,
        "n_pages": 1,
        "has_pictures": True,
        "stored_as": "a",
        "attached_by": clerk,
        "attached_at": NOW,
    }

    refused(Scan(**{**values, **wrong}).save)
    refused(Scan(**{**values, "participant": randomised()}).save)


def test_the_database_keeps_scans_and_strikes_as_they_are():
    scan = kept(randomised(), picture())
    strike = scan_actions.strike(scan=scan, reason="Wrong form", by=scan.attached_by, at=NOW)

    refused(lambda: Scan.objects.filter(pk=scan.pk).update(sha256="1" * 64))
    refused(lambda: Scan.objects.filter(pk=scan.pk)._raw_delete("default"))
    refused(lambda: ScanStrike.objects.filter(pk=strike.pk).update(reason="Changed"))
    refused(ScanStrike(scan=kept(randomised(), picture()), reason="", struck_by=scan.attached_by, struck_at=NOW).save)
