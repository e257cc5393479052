"""Queries as the pages show them."""

from trial.participants import identity
from trial.review.models import Query, QueryMessage


def thread_of(query: Query) -> list[tuple[QueryMessage, str]]:
    """Every line of a query with its words, the oldest first: one lookup for all the words.

    Raises:
        SealBroken: the keys do not fit.
    """
    lines = list(QueryMessage.objects.filter(query=query).select_related("by").order_by("at", "id"))
    person = query.participant.referral.person
    return list(zip(lines, identity.open_texts([(person, line.text_sealed) for line in lines]), strict=True))
