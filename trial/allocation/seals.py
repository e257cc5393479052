"""Whether the sealed lists can be opened, without opening one; and wrapping their keys again."""

from datetime import datetime

from randomisation import growth, sealing
from randomisation.errors import SealError
from randomisation.models import Revision
from trial.access.models import User
from trial.allocation.schemes import told


def sealing_keys_work() -> bool:
    """Whether the key list opens both keys of every revision; true before there is one."""
    keys = Revision.objects.values_list("draft_key_wrapped", "data_key_wrapped")
    return all(_opens(wrapped) for pair in keys for wrapped in pair if wrapped)


def _opens(wrapped: str) -> bool:
    try:
        sealing.unwrap(wrapped)
    except SealError:
        return False
    return True


def rotate(*, by: User | None, at: datetime) -> int:
    """Wrap the keys of every revision again with the first key of the list; each scheme's log says so (6.2).

    Returns how many revisions were wrapped again; stopped half-way, none is.

    Raises:
        AllocationRefused: E_SEAL_KEY, no key of the list opens one of them.
    """
    with told():
        return growth.rotate_keys(by=by, at=at)
