"""Taking other people out of what is handed to one person (R-35): names become what they are to that person."""

import re
from collections.abc import Mapping

from trial.access.models import Site, User
from trial.participants import identity
from trial.participants.identity import IdentityData
from trial.participants.models import Person, Referral

ANOTHER = "[another person]"
STAFF = "[a member of staff]"
EMERGENCY = "[your emergency contact]"
FEWEST_LETTERS = 3
"""Letters of a name below which it is not looked for: it would be part of many words."""


def names_to_remove(person: Person, own: IdentityData, sites: set[Site]) -> Mapping[str, str]:
    """Full names of other people of these sites, of staff, and of the emergency contact, with what replaces each.

    Raises:
        SealBroken: the keys do not fit.
    """
    found = {user.name: STAFF for user in User.objects.only("name")}
    people = Referral.objects.filter(site__in=sites).exclude(person=person).values("person")
    found |= dict.fromkeys(identity.names_of(people), ANOTHER)
    if own.emergency_name:
        found[own.emergency_name] = EMERGENCY
    return {name: words for name, words in found.items() if len(name) >= FEWEST_LETTERS and name != own.name}


def without(text: str, names: Mapping[str, str]) -> str:
    """The text with each of these names replaced, in any case and with any spaces between its parts.

    Telephone numbers, NHS numbers and e-mail addresses in free text go too: they are hardly ever the person's own.
    """
    low = " ".join(text.casefold().split())
    for name, words in names.items():
        parts = name.casefold().split()
        if parts and " ".join(parts) in low:
            pattern = r"\b" + r"\s+".join(re.escape(part) for part in parts) + r"\b"
            text = re.sub(pattern, words, text, flags=re.IGNORECASE)
    return CONTACT.sub("[number or address removed]", text)


CONTACT = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|(?<!\w)\+?\d(?:[ \u00a0()-]{0,2}\d){8,14}(?!\w)")
"""E-mail addresses, and digits that make a telephone or an NHS number."""
