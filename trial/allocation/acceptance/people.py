"""Made-up people of a test database: the fewest rows of the trial that an allocation can point to."""

from datetime import UTC, date, datetime
from itertools import count

from trial.access.models import Site, User
from trial.participants.models import Participant, Person, Referral
from trial.protocol.models import ProtocolVersion

_numbers = count(1)
_DAY = date(2026, 1, 12)


def made_up_user() -> User:
    """An account that cannot sign in."""
    number = next(_numbers)
    return User.objects.create_user(f"test-{number}@acceptance.invalid", f"Test {number}")


def made_up_participant() -> Participant:
    """Somebody who does not exist, with what a participant hangs on."""
    number = next(_numbers)
    referral = Referral(
        person=Person().save_by(None),
        site=_site(),
        screening_number=f"T-{number:05}",
        sequence=number,
        status_date=_DAY,
        protocol_version=_version(),
        source_type="self",
        received_date=_DAY,
        contact_basis="self_referral",
    ).save_by(None)
    return Participant(
        referral=referral,
        number_site=referral.site,
        sequence=number,
        study_id=f"TEST-{number:05}",
        consented_date=_DAY,
    ).save_by(None)


def _site() -> Site:
    return Site.objects.first() or Site(code="00", name="Test site", opened_date=_DAY).save_by(None)


def _version() -> ProtocolVersion:
    return ProtocolVersion.objects.first() or ProtocolVersion(
        study_code="TEST",
        version="1.0",
        protocol_date=_DAY,
        content="{}",
        content_sha256="0" * 64,
        loaded_at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
    ).save_by(None)
