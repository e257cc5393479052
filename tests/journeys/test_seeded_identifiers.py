"""No identifier outside the vault: seeded through every form that takes one, then looked for everywhere (R-33, R-34).

Looked for in clear, in base64, in hexadecimal, percent-encoded and as JSON escapes; in every table, every page as every
role, every file that leaves, every message, every log. The pages that show identity, to people who may see it, are
listed below one by one: a page that is added and shows some fails this test until somebody puts it on the list.
"""

import base64
import json
import logging
import zipfile
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.db import connection
from django.urls import reverse

from exports import release, variants
from exports.canonical import masked_key_of
from exports.release import Source
from tests.exports.builders import frozen
from tests.factories import NOW, TODAY, Trial, staff
from tests.journeys.visitor import Visitor, day, moment
from tests.test_permissions import World, _cases, address, is_permitted, pages, values
from trial.access.models import AccessEvent
from trial.access.policy import POLICY, Action, Role
from trial.deviations import actions as deviations
from trial.deviations.models import Deviation
from trial.messages import sending
from trial.participants import identity
from trial.participants.models import Referral
from trial.review import actions as review
from trial.safety import actions as safety

pytestmark = [pytest.mark.django_db, pytest.mark.only_sqlite, pytest.mark.usefixtures("clock")]

SEEDS = {
    "first_name": "Zebedëe",
    "last_name": "Quíllfeather-Łoś",
    "nhs_number": "9994560018",
    "phone": "01632 960777",
    "other_phone": "+44 7700 900123",
    "email": "z.quill@seeded.example",
    "address": "7 Xanthippe Row\nOld Wharf",
    "postcode": "ZZ99 3VZ",
    "gp_practice": "Peverell Surgery",
    "emergency_name": "Ignatius Öçalan",
    "emergency_relation": "step-nephew",
    "emergency_phone": "01632 960888",
}
SPOKEN = {
    "needle": "Thistlewaite",
    "second": "Фёдор 小林",
}
"""Words that free text names: other people, in letters that no font of ours need have."""
TEXT = f"Her friend {SPOKEN['needle']} and {SPOKEN['second']} ring 01632 960999"
WANTED = [
    *(line for value in SEEDS.values() for line in value.split("\n")),
    *SPOKEN.values(),
    "Quillfeather",
    "QUÍLLFEATHER-ŁOŚ",
    "01632960777",
    "999 456 0018",
    "01632 960999",
    "14 March 1949",
    "1949-03-14",
]
BORN = {"birth_date_0": "14", "birth_date_1": "3", "birth_date_2": "1949"}


def forms_of(value: str) -> set[str]:
    """A value in every spelling in which it could lie somewhere."""
    raw = value.encode()
    shifts = {base64.b64encode(b"\0" * n + raw).decode()[(4 if n else 0) : -4] for n in range(3)}
    long_enough = {one for one in shifts if len(one) >= 8}
    return {
        value,
        raw.hex(),
        quote(value),
        json.dumps(value)[1:-1],
        value.replace("'", "&#x27;"),
        *long_enough,
    }


SPELLINGS = [(spelling.casefold(), value) for value in WANTED for spelling in forms_of(value)]


def found_in(text: str) -> set[str]:
    """Seeds that a text holds in any spelling."""
    low = text.casefold()
    return {value for spelling, value in SPELLINGS if spelling in low}


# -- seeding


def referred_by_form(trial: Trial) -> Referral:
    """A referral typed into the page, with everything it asks for."""
    visitor = Visitor(trial.coordinator).open("/people/new/")
    names = {field.name for field in visitor.response.context["form"]}
    known = {
        **{name: value for name, value in SEEDS.items() if name in names},
        **{name: TEXT for name in ("notes", "needs_text", "goals", "access", "risk") if name in names},
    }
    choices = {
        "source_type": "self",
        "contact_basis": "self_referral",
        "sex": "female",
        "channel": "phone",
        "referral_model": "self",
        "preferred_contact": "phone",
    }
    typed = {name: value for name, value in choices.items() if name in names}
    first = {
        name: visitor.response.context["form"].fields[name].choices[0][0]
        for name in typed
        if typed[name] not in dict(visitor.response.context["form"].fields[name].choices)
    }
    visitor.send(**known, **(typed | first), **BORN, **day("received_date", TODAY))
    found = Referral.objects.latest("pk")
    assert identity.read(found.person).last_name == SEEDS["last_name"], visitor.errors()
    return found


def seed(world: World, referral: Referral) -> None:
    """Write the seeds into every other form that takes free text which is stored sealed, or identity."""
    trial, number = world.trial, world.own.participant.study_id
    coordinator = Visitor(trial.coordinator)
    details = {name: value for name, value in SEEDS.items() if name != "nhs_number"}
    coordinator.open(f"/people/{number}/details/").send(**details, **BORN, reason="Given by the person")
    contact = {"channel": "phone", "outcome": "two_way", "note": TEXT, **moment("contacted_at", NOW)}
    for where in (number, referral.number):
        coordinator.open(f"/people/{where}/contact/")
        asked = {field.name for field in coordinator.response.context["form"]}
        parties = {"parties": "team_person"} if "parties" in asked else {}
        coordinator.send(**contact, **parties)
    coordinator.open(f"/people/{number}/data-request/").send(
        kind="rectification", identity_check="known", asked=TEXT, **day("received_date", TODAY)
    )
    coordinator.open(f"/people/{number}/participation/").send(
        cause="choice",
        decided_by="participant",
        how_learned=TEXT[:100],
        letter="email",
        element_results_letter="off",
        **day("effective_date", TODAY),
    ).send("yes", confirm="yes")
    coordinator.open(f"/people/{number}/adverse-event/")
    fields = coordinator.response.context["form"].fields
    first = {name: field.choices[0][0] for name, field in fields.items() if getattr(field, "choices", None)}
    coordinator.send(
        **{name: value for name, value in first.items() if name not in ("seriousness",)},
        description=TEXT,
        **day("onset_date", TODAY),
        **day("aware_date", TODAY),
    )
    in_words(world)
    coordinator.client.post("/people/", {"q": SEEDS["last_name"]})
    coordinator.client.post(f"/people/{number}/contact-details/", {"why": "To contact the person"})
    coordinator.client.post("/drafts/", {"path": f"/people/{number}/contact/", "note": TEXT})


def in_words(world: World) -> None:
    """What the team writes about somebody: the question of a query, a deviation and its review, an alert's action."""
    person, by = world.own.participant, world.trial.coordinator
    asked = review.raise_query(participant=person, text=TEXT, by=by, at=NOW)
    review.answer(query=asked, text=TEXT, by=by, at=NOW)
    about = {"site": world.trial.site, "participant": person, "occurred_date": TODAY, "kind": "visit"}
    deviations.review_deviation(
        deviation=deviations.record_deviation(
            **about, severity="minor", description=TEXT, reveals_arm=False, by=by, at=NOW
        ),
        severity="minor",
        root_cause=TEXT,
        corrective_action=TEXT,
        effect_on_analysis=TEXT,
        by=by,
        at=NOW,
    )
    safety.assess(alert=world.own.alert, level="low", actions_taken=TEXT, by=world.trial.clinician, at=NOW)
    world.own.query, world.own.deviation = asked, Deviation.objects.latest("pk")


@pytest.fixture
def world() -> World:
    made = World()
    made.import_of = cache(made.import_of)  # asked for with every address
    seed(made, referred_by_form(made.trial))
    return made


# -- the database


def test_no_table_holds_an_identifier_in_any_spelling(world):
    holds = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of our own tables
            if seeds := found_in("\n".join(str(value) for row in cursor.fetchall() for value in row)):
                holds[table] = seeds

    assert holds == {}


# -- pages

SHOWS_IDENTITY: dict[str, Action] = {
    "journey:change_identity": Action.CHANGE_IDENTITY,
    "rights:redact": Action.REDACT_TEXT,
    "rights:request": Action.COPY_PERSON,
    "rights:extend": Action.COPY_PERSON,
    "safety:event": Action.VIEW_SAFETY,
    "safety:alert": Action.VIEW_SAFETY,
    "review:detail": Action.VIEW_QUERIES,
    "deviations:detail": Action.VIEW_DEVIATIONS,
    "safety:change_event": Action.REPORT_EVENT,
    "attendance:register": Action.TAKE_REGISTER,
    "attendance:paper": Action.TAKE_REGISTER,
    "attendance:paper_entry": Action.TAKE_REGISTER,
    "attendance:more": Action.TAKE_REGISTER,
    "attendance:emergency": Action.TAKE_REGISTER,
    "attendance:concern": Action.TAKE_REGISTER,
    "referrals:message": Action.SEND_MESSAGE_BACK,
    "referrals:letter": Action.SEND_MESSAGE_BACK,
    "referrals:structured": Action.SEND_MESSAGE_BACK,
}
"""Pages that show some of it to people who hold this permission, and to nobody else."""


@pytest.mark.drill
def test_only_the_listed_pages_show_an_identifier(client, world, caplog):
    shown: dict[str, tuple[str, set[str]]] = {}

    with caplog.at_level(logging.INFO):
        for role, blinded in _cases():
            user = world.member(role, blinded)
            client.force_login(user)
            for name, pattern in pages():
                if not is_permitted(pattern.callback, role, blinded):
                    continue  # tests/test_permissions.py sees to it that such a page says nothing
                allowed = SHOWS_IDENTITY.get(name)
                may = allowed is not None and allowed in POLICY[role].actions
                for where, head, body in looked_at(
                    client, address(name, pattern, values(world, world.own, name, user))[0]
                ):
                    if (seeds := found_in(body)) and not may:
                        shown[f"{role} {blinded} {where}"] = (name, seeds)
                    assert not found_in(head), where

    assert shown == {}
    assert found_in(caplog.text) == set()


def looked_at(client, url: str) -> Iterator[tuple[str, str, str]]:
    """A page, and its list as CSV where it offers one: address, address with headers and title, and the rest."""
    for where in (url, f"{url}?format=csv"):
        answer = client.get(where)
        body = (b"".join(answer) if answer.streaming else answer.content).decode(errors="replace")
        title = body.partition("<title>")[2].partition("</title>")[0]
        yield where, f"{where} {answer.headers} {title}", body
        if "format=csv" not in body:
            return


# -- what leaves


def test_no_message_names_anybody_but_in_its_own_address(world):
    sending.send_due(at=NOW)

    assert mail.outbox
    texts = [f"{one.subject}\n{one.body}" for one in mail.outbox]
    assert {seed for text in texts for seed in found_in(text)} == set()


def _members(content: bytes) -> Iterator[bytes]:
    """A file, and what is inside it where it is an archive."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from _members(archive.read(name))


@pytest.mark.parametrize("variant", variants.VARIANTS)
def test_no_release_holds_an_identifier(world, reading, variant, tmp_path):
    stored = frozen()
    source = Source(stored.path, stored.wrapped_key, masked_key_of(stored.path, stored.wrapped_key))
    release.build(source, variant, tmp_path)

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    holds = {
        path.name: seeds
        for path in files
        for part in _members(path.read_bytes())
        if (seeds := found_in(part.decode("latin-1")) | found_in(part.decode(errors="ignore")))
    }
    assert holds == {}


def test_the_access_log_says_that_somebody_looked_and_not_at_whom(world):
    log = str(list(AccessEvent.objects.values()))

    assert AccessEvent.objects.filter(kind="identity_viewed").exists()
    assert found_in(log) == set()


# -- that the search itself finds what is there


def test_the_search_finds_each_seed_in_each_spelling():
    for value in WANTED:
        for spelling in forms_of(value):
            assert value in found_in(f"…{spelling}…"), (value, spelling)


def test_identity_is_shown_to_whoever_may_see_it(client, world):
    """Otherwise the tests above would look for something that was never stored."""
    client.force_login(world.trial.coordinator)
    number = world.own.participant.study_id

    page = client.post(f"/people/{number}/contact-details/", {"why": "To contact the person"}).content.decode()

    shown = found_in(page)
    assert {SEEDS["last_name"], SEEDS["phone"], SEEDS["email"], SEEDS["postcode"], SEEDS["emergency_name"]} <= shown
    assert reverse("journey:contact_details", args=[number])
    assert staff(Role.COORDINATOR, world.trial.site).access.may(Action.VIEW_IDENTITY)


# -- with the wrong keys

NEEDS_KEYS = frozenset({"readyz"})
"""Pages that say by an error that the keys do not fit."""


@pytest.mark.drill
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.PRINCIPAL_INVESTIGATOR])
def test_with_the_wrong_keys_no_page_fails_or_shows_what_is_sealed(client, world, role, settings):
    user = world.member(role, False)
    client.force_login(user)
    found = [
        (name, address(name, pattern, values(world, world.own, name, user))[0])
        for name, pattern in pages()
        if name not in NEEDS_KEYS and is_permitted(pattern.callback, role, False)
    ]
    settings.IDENTITY_KEYS = [Fernet.generate_key().decode()]
    client.raise_request_exception = False
    problems = []

    for name, url in found:
        answer = client.get(url)
        body = (b"".join(answer) if answer.streaming else answer.content).decode(errors="replace")
        if answer.status_code == 500:
            problems.append(f"{name} answers {answer.status_code}")
        if "gAAAA" in body or found_in(body):
            problems.append(f"{name} shows something")

    assert problems == []
