"""What is asked for: a unit of one person or several, by whom, where and when (randomisation.md 5 and 8.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser

from randomisation.engine.source import check_label_code
from randomisation.errors import ParametersRefused

UNIT_FACTOR = "unit"
SINGLE, HOUSEHOLD = "single", "household"


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a unit: primary key, and the level of every factor as confirmed by whoever randomises."""

    participant_id: int
    levels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UnitRequest:
    """One unit to allocate.

    Attributes:
        unit: code of what is allocated, such as the study ID; 1 to 64 printable ASCII characters.
        members: the lowest participant number first.
        key: made when the confirmation page was rendered; one for each unit.
        site: code of the recruiting site.
        at: the server's time; for an envelope or a recovered allocation, when it was made.
        software_version: of the calling product, kept with the allocation.
    """

    unit: str
    members: Sequence[Member]
    key: str
    by: AbstractBaseUser
    site: str
    at: datetime
    software_version: str
    batch: str = ""

    @property
    def participant_ids(self) -> list[int]:
        """Primary keys of the members."""
        return [member.participant_id for member in self.members]

    @property
    def levels(self) -> list[dict[str, str]]:
        """The levels of each member, in order."""
        return [dict(member.levels) for member in self.members]

    def check(self) -> "UnitRequest":
        """The same request, once it can be recorded.

        Raises:
            ParametersRefused: unit, key, site or batch cannot be recorded, or there is no member.
        """
        for field, code in (("unit", self.unit), ("request_key", self.key), ("site", self.site)):
            check_label_code(field, code)
        if self.batch:
            check_label_code("batch", self.batch)
        if not self.members or len(set(self.participant_ids)) < len(self.members):
            raise ParametersRefused("participant_ids", "must name at least one person, and nobody twice")
        return self
