"""The fewest rows of the trial that an allocation can point to."""

from datetime import UTC, date, datetime
from itertools import count

from trial.access.models import Site, User
from trial.participants.models import Participant, Person, Referral
from trial.protocol.models import ProtocolVersion

_numbers = count(1)


def make_user():
    number = next(_numbers)
    return User.objects.create_user(f"person-{number}@example.org", f"Person {number}")


def make_participant():
    """A participant of site 09, with everything a participant hangs on."""
    number = next(_numbers)
    referral = Referral(
        person=Person().save_by(None),
        site=_site(),
        screening_number=f"S-09-{number:04}",
        sequence=number,
        status_date=date(2026, 1, 12),
        protocol_version=_protocol_version(),
        source_type="self",
        received_date=date(2026, 1, 12),
        contact_basis="self_referral",
    ).save_by(None)
    return Participant(
        referral=referral,
        number_site=referral.site,
        sequence=number,
        study_id=f"TEST-09-{number:03}",
        consented_date=date(2026, 1, 12),
    ).save_by(None)


def _site():
    return Site.objects.filter(code="09").first() or Site(
        code="09", name="Test site", opened_date=date(2026, 1, 12)
    ).save_by(None)


def _protocol_version():
    return ProtocolVersion.objects.first() or ProtocolVersion(
        study_code="TEST",
        version="1.0",
        protocol_date=date(2026, 1, 5),
        content="{}",
        content_sha256="0" * 64,
        loaded_at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
    ).save_by(None)
