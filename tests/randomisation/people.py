"""The fewest rows of the trial that an allocation can point to."""

from datetime import UTC, date, datetime
from itertools import count

from trial.access.models import Site, User
from trial.participants.models import Participant, Person, Referral
from trial.protocol.models import ProtocolVersion

PEOPLE_PER_SITE = 999
_numbers = count(1)
_participants = count()


def make_user():
    number = next(_numbers)
    return User.objects.create_user(f"person-{number}@example.org", f"Person {number}")


def make_participant():
    """A participant with everything a participant hangs on; of site 09, and of the next sites beyond 999 people."""
    n_full_sites, before = divmod(next(_participants), PEOPLE_PER_SITE)
    site, sequence = _site(f"{9 + n_full_sites:02}"), before + 1
    referral = Referral(
        person=Person().save_by(None),
        site=site,
        screening_number=f"S-{site.code}-{sequence:04}",
        sequence=sequence,
        status_date=date(2026, 1, 12),
        protocol_version=_protocol_version(),
        source_type="self",
        received_date=date(2026, 1, 12),
        contact_basis="self_referral",
    ).save_by(None)
    return Participant(
        referral=referral,
        number_site=site,
        sequence=sequence,
        study_id=f"TEST-{site.code}-{sequence:03}",
        consented_date=date(2026, 1, 12),
    ).save_by(None)


def _site(code):
    return Site.objects.filter(code=code).first() or Site(
        code=code, name=f"Test site {code}", opened_date=date(2026, 1, 12)
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
