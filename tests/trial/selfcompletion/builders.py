"""Somebody at home with a link, for tests of self-completion."""

import re
from datetime import timedelta

from django.core import mail
from django.db import transaction
from django.test import Client

from tests.factories import NOW, Trial
from trial.assessments.models import Administration
from trial.messages import sending as outbox
from trial.participants.models import Participant
from trial.schedule.models import Visit
from trial.selfcompletion import sending

FIRST, PHQ9 = "/questions/1/1/", "/questions/2/{}/"
"""Pages of the week 5 pack: its first question, and the items of the PHQ-9."""
WRONG = {"check_0": "15", "check_1": "3"}
BORN = {"check_0": "14", "check_1": "3"}
"""The second check of a person of tests.factories."""


def in_week_five(trial: Trial) -> Participant:
    """Somebody randomised 30 days ago: the week 5 window opened 2 days ago and closes in 12."""
    participant = trial.randomised(at=NOW - timedelta(days=30))
    outbox.send_due(at=NOW - timedelta(days=29))  # what the team is told of the allocation
    mail.outbox.clear()
    return participant


def visit_of(participant: Participant, code: str = "V2") -> Visit:
    """A visit as the actions read it."""
    found = Visit.objects.select_related(
        "protocol_version", "participant__referral__site", "participant__referral__person"
    )
    return found.get(participant=participant, code=code)


def a_link(participant: Participant, code: str = "V2", *, at=NOW) -> str:
    """The path of a link, as a message would carry it."""
    visit = visit_of(participant, code)
    with transaction.atomic():
        url = sending.make_link(of=sending.self_completion_of(visit, None), by=None, at=at)
    return "/q/" + url.split("/q/")[1]


def mailed_link() -> str:
    """The path of the link in the last e-mail that has one; others go to the team."""
    links = [found[1] for sent in mail.outbox if (found := re.search(r"(/q/[A-Za-z0-9_-]{32}/)", sent.body))]
    return links[-1]


def send_due(at=NOW) -> int:
    """Empty the outbox."""
    return outbox.send_due(at=at)[0]


def stored(instrument: str = "wemwbs") -> Administration | None:
    """A form of week 5 as it is stored."""
    return Administration.objects.filter(visit__code="V2", instrument=instrument).first()


class AtHome:
    """A participant at a browser without JavaScript."""

    def __init__(self, link: str, **options) -> None:
        self.client = Client(HTTP_HOST="localhost", **options)
        self.link = link
        self.response = None

    @property
    def text(self) -> str:
        """The page as HTML."""
        return self.response.content.decode()

    @property
    def url(self) -> str:
        """Where the browser stands."""
        chain = getattr(self.response, "redirect_chain", None)
        return chain[-1][0] if chain else self.response.request["PATH_INFO"]

    def open(self, path: str = "") -> "AtHome":
        """Follow a link."""
        self.response = self.client.get(path or self.link, follow=True)
        return self

    def post(self, path: str = "", **data) -> "AtHome":
        """Send a form of the page."""
        self.response = self.client.post(path or self.url, data, follow=True)
        return self

    def begin(self, **check) -> "AtHome":
        """Open the link, start, and pass the second check."""
        self.open().post()
        return self.post(**(check or BORN))

    def answer(self, value, **more) -> "AtHome":
        """Continue with an answer."""
        return self.post(answer=str(value), **more)

    def decline_all(self) -> "AtHome":
        """Prefer not to answer what is open, and continue from what is answered, up to the check of all answers."""
        while re.fullmatch(r"/questions/\d+/\d+/", self.url):
            chosen = re.search(r'type="radio"[^>]*?value="(\w+)"[^>]*?\bchecked', self.text)
            is_typed = 'name="refuse"' in self.text
            self.post(**({"refuse": "RF"} if is_typed else {"answer": chosen[1] if chosen else "RF"}))
        return self

    @property
    def heading(self) -> str:
        """The h1, without tags."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        return re.sub(r"<[^>]+>|\s+", " ", found[1]).strip() if found else ""
