"""The revision in force, opened before the scheme's row is locked: others wait for that row (randomisation.md 8.1).

Nothing of a locked revision ever changes but its state and its wrapped keys, and levels are only added: whether it is
still the one in force, with the same levels, is asked again under the lock.
"""

from dataclasses import dataclass

from django.views.decorators.debug import sensitive_variables

from randomisation.errors import Refusal, SealError
from randomisation.models import Revision, Scheme
from randomisation.preconditions import Factors, factors_of
from randomisation.situation import Situation
from randomisation.unsealed import Unsealed, added_levels, unseal


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A revision with its factors, and its tokens opened; or why they do not open."""

    revision: Revision
    factors: Factors
    n_levels: int
    content: Unsealed | SealError

    def __repr__(self) -> str:
        return "<Opened>"

    def refusals(self) -> list[Refusal]:
        """E_SEAL_KEY, when no key opens it: told with the other reasons."""
        if isinstance(self.content, SealError) and self.content.code == "E_SEAL_KEY":
            return [Refusal(self.content.code, self.content.text)]
        return []

    def unsealed(self) -> Unsealed:
        """What it holds.

        Raises:
            SealError: it did not open.
        """
        if isinstance(self.content, SealError):
            raise self.content
        return self.content


@sensitive_variables()
def open_in_force(scheme: Scheme) -> Opened | None:
    """Open the revision in force; None without one."""
    revision = scheme.revision_in_force
    if revision is None:
        return None
    added = added_levels(revision)
    n_levels = sum(len(levels) for levels in added.values())
    return Opened(revision, factors_of(revision, added=added), n_levels, _opened(revision, added))


def still_in_force(scheme: Scheme, opened: Opened | None, situation: Situation) -> Opened | None:
    """The same under the lock; opened again when something came between."""
    before = (opened.revision.pk, opened.n_levels) if opened else (None, 0)
    return opened if before == (situation.revision_id, situation.n_levels) else open_in_force(scheme)


def _opened(revision: Revision, added: dict[str, list[str]]) -> Unsealed | SealError:
    try:
        return unseal(revision, added=added)
    except SealError as failed:
        return failed
