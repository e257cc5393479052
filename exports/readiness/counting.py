"""Counts by site in the words of the lock room."""

from collections.abc import Callable, Mapping, Sequence

from trial.access.models import Site
from trial.access.policy import Action
from trial.locking.checks import Count


def counted(n: int, noun: str, nouns: str = "") -> str:
    """ "1 query", "2 queries"."""
    return f"{n:,} {noun if n == 1 else nouns or f'{noun}s'}"


def by_site(sites: Sequence[Site], count: Callable[[Site], Count]) -> dict[int, Count]:
    return {site.pk: count(site) for site in sites}


def of_total(
    sites: Sequence[Site],
    totals: Mapping[int, int],
    left: Mapping[int, int],
    *,
    short: str,
    todo: Callable[[int], str],
    url: str,
    action: Action,
) -> dict[int, Count]:
    """Counts of "n of n", or how many are left and what to do about them."""

    def count(site: Site) -> Count:
        n_left, total = left.get(site.pk, 0), totals.get(site.pk, 0)
        where = f"{url}{'&' if '?' in url else '?'}site={site.code}"
        if n_left:
            return Count(False, f"{n_left:,} {short}", todo(n_left), url=where, action=action)
        return Count(True, f"{total:,} of {total:,}", url=where, action=action)

    return by_site(sites, count)
