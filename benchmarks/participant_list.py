"""The participant list with 500 and 10,000 people, beside an empty signed-in page."""

from datetime import date

from django.db.models import QuerySet
from django.test import Client

from benchmarks.figures import Figure, median_ms
from tests.factories import Trial
from trial.access.models import Site, User
from trial.base import keys
from trial.participants.models import Person, Referral
from trial.protocol.models import ProtocolVersion
from trial.protocol.versions import active_version

REPEATS = 15
BATCH = 1000


def measure() -> list[Figure]:
    """Milliseconds for the first page of 50 rows."""
    coordinator = _coordinator()
    client = Client(HTTP_HOST="localhost")
    client.force_login(coordinator, backend="allauth.account.auth_backends.AuthenticationBackend")

    def opened(path: str) -> None:
        assert client.get(path).status_code == 200

    floor = median_ms(lambda: opened("/help/"), repeats=REPEATS)
    figures = []
    for n_people in (500, 10_000):
        _fill(n_people)
        shown = median_ms(lambda: opened("/people/"), repeats=REPEATS)
        figures.append(Figure(f"participant list, {n_people:,} people", shown, "empty page", floor, "ms"))
    return figures


def _coordinator() -> User:
    if active_version() is None:
        return Trial().coordinator
    return User.objects.filter(assignments__role="coordinator").earliest("id")


def _fill(n_people: int) -> None:
    """Referrals up to a number, past history: only the list is measured."""
    site, version = Site.objects.get(code="01"), ProtocolVersion.objects.get(status="active")
    start = Referral.objects.filter(site=site).count()
    numbers = range(start + 1, n_people + 1)
    people = QuerySet(Person).bulk_create([Person(wrapped_key=keys.new_data_key()) for _ in numbers], batch_size=BATCH)
    QuerySet(Referral).bulk_create(
        [
            Referral(
                person=person,
                site=site,
                sequence=number,
                screening_number=f"S-{site.code}-{number:05d}",
                status_date=date(2026, 6, 1),
                received_date=date(2026, 6, 1),
                protocol_version=version,
                source_type="gp_practice",
                contact_basis="permission",
            )
            for person, number in zip(people, numbers, strict=True)
        ],
        batch_size=BATCH,
    )
