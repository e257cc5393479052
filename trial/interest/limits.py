"""How often the public page may be sent: from one address, and altogether, counted over all workers."""

import hashlib
from datetime import datetime

from django.conf import settings
from django.core.cache import cache

HOUR = 3600


def may_send(*, address: str, at: datetime) -> bool:
    """Count one sending; False once an address, or everybody together, has sent too often in this hour.

    The address is counted under a hash that changes every hour, so that the table of the cache names nobody.
    """
    from_here = _count(counter(address=address, at=at)) <= int(settings.INTEREST_PER_ADDRESS)
    return _count(f"interest:{at:%Y%m%d%H}:all") <= int(settings.INTEREST_ALTOGETHER) and from_here


def counter(*, address: str, at: datetime) -> str:
    """Name of the count of one address in one hour."""
    hour = f"{at:%Y%m%d%H}"
    return f"interest:{hour}:{hashlib.sha256(f'{settings.SECRET_KEY}|{hour}|{address}'.encode()).hexdigest()[:32]}"


def _count(key: str) -> int:
    if cache.add(key, 1, HOUR):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out between the two
        return 1
