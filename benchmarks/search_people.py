"""Searching for a surname, a birth date and an NHS number among 10,000 people, beside an empty signed-in page."""

from datetime import date, timedelta

from django.db.models import QuerySet
from django.test import Client

from benchmarks.figures import Figure, median_ms
from tests.factories import Trial
from trial.access.models import Site
from trial.base import keys
from trial.participants import identity
from trial.participants.identity import IdentityData
from trial.participants.models import Identity, Person, Referral
from trial.protocol.models import ProtocolVersion

N_PEOPLE, REPEATS, BATCH = 10_000, 11, 1000
SYLLABLES = ("ba", "co", "du", "fe", "gi", "ho", "ja", "ke", "li", "mo", "nu", "pe", "ra", "si", "to", "wu")


def surname(number: int) -> str:
    """A made-up surname; one in a hundred people is a Smith, as in the worst bucket of real lists."""
    if number % 100 == 0:
        return "Smith"
    parts = [SYLLABLES[number // 16**n % 16] for n in range(4)]
    return "".join(parts).title()


def people(n_people: int = N_PEOPLE) -> None:
    """Referrals with identities at one site, past history: only search and rotation are measured."""
    site, version = Site.objects.get(code="01"), ProtocolVersion.objects.get(status="active")
    persons, sealed = [], []
    for number in range(n_people):
        born = date(1940, 1, 1) + timedelta(days=number * 2)
        data = IdentityData(first_name="Ann", last_name=surname(number), birth_date=born, nhs_number=f"{number:010d}")
        persons.append(Person(wrapped_key=keys.new_data_key(), **identity.hashes_of(data)))
        sealed.append(keys.seal(persons[-1].wrapped_key, data.as_text()))
    stored = QuerySet(Person).bulk_create(persons, batch_size=BATCH)
    QuerySet(Identity).bulk_create(
        [Identity(person=one, sealed=text) for one, text in zip(stored, sealed, strict=True)], batch_size=BATCH
    )
    QuerySet(Referral).bulk_create(
        [
            Referral(
                person=one,
                site=site,
                sequence=number,
                screening_number=f"S-{site.code}-{number:05d}",
                status_date=date(2026, 6, 1),
                received_date=date(2026, 6, 1),
                protocol_version=version,
                source_type="gp_practice",
                contact_basis="permission",
            )
            for number, one in enumerate(stored, start=1)
        ],
        batch_size=BATCH,
    )


def measure() -> list[Figure]:
    """Milliseconds for a whole page of results."""
    coordinator = Trial().coordinator
    people()
    client = Client(HTTP_HOST="localhost")
    client.force_login(coordinator, backend="allauth.account.auth_backends.AuthenticationBackend")

    def searched(typed: str) -> None:
        assert client.post("/people/", {"q": typed}).status_code in (200, 302)

    def opened(path: str) -> None:
        assert client.get(path).status_code == 200

    floor = median_ms(lambda: opened("/help/"), repeats=REPEATS)
    asked = {
        "surname of one": surname(4321),
        "surname of a hundred": "Smith",
        "start of a surname": surname(4321)[:3],
        "birth date": "3/1/1940",
        "screening number": "S-01-04321",
        "nobody": "Zzyzx",
    }
    return [
        Figure(
            f"search, {name}", median_ms(lambda text=text: searched(text), repeats=REPEATS), "empty page", floor, "ms"
        )
        for name, text in asked.items()
    ]
