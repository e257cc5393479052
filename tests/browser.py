"""Headless Chromium for tests: pages looked at, axe-core run, nothing scrolling sideways, no complaint in the console.

Debian's Chromium is used where it is found (package chromium); `@pytest.mark.browser` tests are skipped without it.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
AXE = ROOT / "tests" / "vendor" / "axe.min.js"
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", str(ROOT / "tests" / "screenshots")))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@contextmanager
def launch() -> Iterator[Browser]:
    """A browser of its own. Django's database may be used in the same thread meanwhile."""
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"],
        )
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, size: Mapping[str, int] = DESK, **options: object) -> Page:
    """A page of a fresh context, whose console messages are kept in `page.complaints`."""
    context = browser.new_context(viewport=dict(size), locale="en-GB", timezone_id="Europe/London", **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.complaints = []  # type: ignore[attr-defined]
    page.on("console", lambda m: m.type in ("error", "warning") and page.complaints.append(m.text))  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
    return page


def serve(page: Page, pages: Mapping[str, str]) -> None:
    """Answer http://hedgerow.test/<name> from `pages` and /static/ from the folder, under our policy; no network."""

    def answer(route: Route) -> None:
        path = route.request.url.split("hedgerow.test", 1)[1].split("?")[0]
        if path.startswith("/static/"):
            file = ROOT / "static" / path.removeprefix("/static/")
            route.fulfill(body=file.read_bytes(), content_type=_TYPES.get(file.suffix, "text/plain"))
        elif path.strip("/") in pages:
            route.fulfill(
                body=pages[path.strip("/")],
                content_type="text/html; charset=utf-8",
                headers={"Content-Security-Policy": POLICY},
            )
        else:
            route.fulfill(status=404, body="")

    page.route("http://hedgerow.test/**", answer)


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands, one line each; [] is a pass."""
    page.wait_for_load_state("load")  # a click returns before the style sheet is there
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(r => r.violations)", AXE_TAGS
    )
    return [
        f"{violation['id']}: {violation['help']} at {node['target']} — {node.get('failureSummary', '')}"
        for violation in found
        for node in violation["nodes"]
    ]


def shot(page: Page, name: str, *, whole: bool = True) -> Path:
    """A picture of the page under `tests/screenshots/` (or $SCREENSHOTS)."""
    path = SCREENSHOTS / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size or DESK
    if whole:  # as tall as the page, so that what sticks to the foot of the view stays at the foot of the page
        height = int(page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
    page.screenshot(path=str(path))
    page.set_viewport_size(size)
    return path


def sideways(page: Page) -> int:
    """How many pixels the page can be scrolled sideways; 0 is a pass."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def complaints(page: Page) -> list[str]:
    """Errors and warnings of the console so far, content security policy among them; [] is a pass."""
    return [text for text in page.complaints if "favicon" not in text]  # type: ignore[attr-defined]
