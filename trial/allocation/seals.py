"""Whether the sealed lists can be opened, without opening one."""

from randomisation import sealing
from randomisation.errors import SealError
from randomisation.models import Revision


def sealing_keys_work() -> bool:
    """Whether the key list opens the data key of the newest revision; true before there is one."""
    revision = Revision.objects.order_by("-pk").first()
    if revision is None:
        return True
    try:
        sealing.unwrap(revision.data_key_wrapped)
    except SealError:
        return False
    return True
