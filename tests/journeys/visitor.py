"""Somebody at a browser without JavaScript: opens pages, fills in the forms that are there, sends them."""

from html.parser import HTMLParser
from urllib.parse import urljoin

from django.test import Client

from tests.factories import PASSWORD


class _Forms(HTMLParser):
    """The forms of a page that are sent by POST: action, values as shown, and the names of their fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms = []
        self.textarea = ""
        self.select = ""
        self.title = ""
        self.in_title = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        name = given.get("name", "")
        if tag == "title":
            self.in_title = True
        if tag == "form":
            self.forms.append(
                {
                    "method": given.get("method", "get"),
                    "action": given.get("action", ""),
                    "values": {},
                    "names": set(),
                    "buttons": [],
                }
            )
        if not self.forms or not (name or tag == "option"):
            return
        form = self.forms[-1]
        if tag in ("input", "select", "textarea", "button"):
            form["names"].add(name)
        if tag == "button":
            form["buttons"].append((name, given.get("value", "")))
        elif tag == "textarea":
            self.textarea = name
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in given:
            form["values"][self.select] = given.get("value", "")
        elif tag == "input" and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
            form["values"][name] = given.get("value", "")

    def handle_data(self, data):
        if self.in_title:
            self.title += data
        if self.textarea:
            form = self.forms[-1]
            form["values"][self.textarea] = form["values"].get(self.textarea, "") + data

    def handle_endtag(self, tag):
        if tag == "title":
            self.in_title = False
        if tag == "textarea":
            self.textarea = ""


class Visitor:
    """One signed-in person. Every answer must be a page or a redirect to one."""

    def __init__(self, user) -> None:
        self.user = user
        self.client = Client(HTTP_HOST="localhost")
        self.url = ""
        self.response = None
        self.open("/accounts/login/")
        self.send(login=user.email, password=PASSWORD)

    @property
    def text(self) -> str:
        """The page as HTML."""
        return self.response.content.decode()

    @property
    def title(self) -> str:
        """Its title."""
        return _Forms(self.text).title.strip()

    def open(self, url: str) -> "Visitor":
        """Follow a link; signed out meanwhile, sign in and come back to it."""
        self._arrive(self.client.get(url, follow=True), url)
        if self.url.startswith("/accounts/login/?next="):
            self.send(login=self.user.email, password=PASSWORD)
        return self

    def send(self, button: str = "", /, *, form: str = "", **answers) -> "Visitor":
        """Fill in a form of the page and send it.

        Args:
            button: value of the button pressed, where a form has several.
            form: end of the form's action, where a page has several; otherwise the first that has every field.
        """
        found = [f for f in _Forms(self.text).forms if f["method"].lower() == "post" and f["action"].endswith(form)]
        asked = set(answers)
        chosen = next(
            (f for f in found if asked <= f["names"] and (form or not f["action"].endswith("/logout/"))), None
        )
        assert chosen, f"{self.url} has no form with {sorted(asked)}: {[sorted(f['names']) for f in found]}"
        values = {**chosen["values"], **answers}
        if button:
            values |= dict(b for b in chosen["buttons"] if button in b)
        action = urljoin(self.url, chosen["action"]) if chosen["action"] else self.url
        self._arrive(self.client.post(action, values, follow=True), action)
        return self

    def _arrive(self, response, url: str) -> None:
        assert response.status_code == 200, f"{url} answered {response.status_code}"
        self.response = response
        self.url = response.redirect_chain[-1][0] if getattr(response, "redirect_chain", None) else url

    def says(self, *texts: str) -> "Visitor":
        """Check that the page holds these words."""
        for text in texts:
            assert text in self.text, f"{self.url} does not say {text!r}: {self.errors()}"
        return self

    def errors(self) -> list[str]:
        """The messages of the error summary."""
        return [line.strip() for line in self.text.split("\n") if "error" in line and "<a" in line][:6]


def day(name: str, when) -> dict[str, str]:
    """The three boxes of a date."""
    return {f"{name}_0": str(when.day), f"{name}_1": str(when.month), f"{name}_2": str(when.year)}


def moment(name: str, when) -> dict[str, str]:
    """The boxes of a date with its time."""
    return day(name, when) | {f"{name}_3": f"{when:%H:%M}"}
