"""What is shipped to browsers: nothing from elsewhere, nothing unlisted, within its budget (ux.md sections 2 and 9)."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = Path(settings.BASE_DIR) / "templates"


@pytest.mark.parametrize("sheet", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_no_style_sheet_asks_anyone_else_or_names_the_nhs_typeface(sheet):
    text = sheet.read_text(encoding="utf-8")

    assert "http" not in text
    assert "Frutiger" not in text
    for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", text):
        assert (sheet.parent / address).is_file(), address


def test_the_page_has_a_typeface_of_its_own():
    assert "html{font-family:Arial" in (STATIC / "app.css").read_text(encoding="utf-8")


def test_our_script_is_small_and_its_import_can_be_given_a_hashed_name():
    script = (STATIC / "app.js").read_text(encoding="utf-8")

    assert sum((STATIC / name).stat().st_size for name in ("app.js", "branching.js")) <= 6 * 1024
    assert "import { initAll } from './nhsuk-frontend.min.js';" in script
    assert "sourceMappingURL" not in (STATIC / "nhsuk-frontend.min.js").read_text(encoding="utf-8")


def test_vendored_files_are_listed_with_their_hashes():
    listed = dict(
        reversed(line.split(maxsplit=1))
        for line in (STATIC / "VENDOR.md").read_text(encoding="utf-8").splitlines()
        if re.fullmatch(r"[0-9a-f]{64}  \S+", line)
    )

    images = {f"images/{path.name}" for path in (STATIC / "images").iterdir()}
    assert set(listed) == {"app.css", "nhsuk-frontend.min.js", *images}
    for name, digest in listed.items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest, f"run frontend/build.sh: {name}"


def test_packages_are_pinned_and_no_address_is_recorded():
    folder = Path(settings.BASE_DIR) / "frontend"

    pins = json.loads((folder / "package.json").read_text(encoding="utf-8"))["devDependencies"]

    assert pins["nhsuk-frontend"] == "10.6.1"
    assert all(re.fullmatch(r"[\d.]+", version) for version in pins.values())
    assert "http" not in (folder / "package-lock.json").read_text(encoding="utf-8")


def test_names_inside_the_script_are_rewritten_and_every_file_is_found(tmp_path, settings):
    from django.contrib.staticfiles.storage import StaticFilesStorage  # noqa: F401  # the storage needs its app loaded
    from django.core.files.storage import FileSystemStorage

    from trial.base.staticfiles import ManifestStaticFilesStorage

    for name in ("app.js", "nhsuk-frontend.min.js", "app.css"):
        (tmp_path / name).write_bytes((STATIC / name).read_bytes())
    (tmp_path / "images").mkdir()
    for image in (STATIC / "images").iterdir():
        (tmp_path / "images" / image.name).write_bytes(image.read_bytes())
    storage = ManifestStaticFilesStorage(location=tmp_path, base_url="/static/")
    source = FileSystemStorage(location=tmp_path)
    names = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]

    failures = [
        found
        for found in storage.post_process({name: (source, name) for name in names})
        if isinstance(found[2], Exception)
    ]

    assert failures == []
    hashed = storage.stored_name("app.js")
    assert re.search(r"from ['\"]\./nhsuk-frontend\.min\.[0-9a-f]{12}\.js['\"]", (tmp_path / hashed).read_text())


@pytest.mark.parametrize("template", sorted((TEMPLATES / "components").glob("*.html")), ids=lambda path: path.name)
def test_every_component_says_what_it_is_and_sets_no_style(template):
    text = template.read_text(encoding="utf-8")

    assert text.startswith("{# ")
    assert "style=" not in text
    assert "onclick=" not in text


def test_every_component_is_in_the_guide():
    guide = (Path(settings.BASE_DIR) / "docs" / "components.md").read_text(encoding="utf-8")

    missing = [
        path.name
        for path in (TEMPLATES / "components").glob("_*.html")
        if f"`{path.name.removesuffix('.html')}`" not in guide
    ]

    assert missing == []
