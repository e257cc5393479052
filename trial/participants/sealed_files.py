"""Files about one person, sealed with that person's own key in SCAN_DIR, and known by what they hold."""

import base64
import hashlib
import os
import uuid
from pathlib import Path

from django.conf import settings

from trial.base import keys
from trial.base.errors import TrialError
from trial.participants import identity
from trial.participants.models import Person


class FileDamaged(TrialError):
    """The stored file is gone, or is not what was kept."""

    def __init__(self) -> None:
        super().__init__("This file cannot be opened: it is missing or was changed. Tell the administrator.")


def write(person: Person, data: bytes) -> str:
    """Store the sealed bytes under a name of our own, whole or not at all, and return the name."""
    name = uuid.uuid4().hex
    sealed = identity.seal_text(person, base64.b64encode(data).decode("ascii"))
    folder = Path(settings.SCAN_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / f"{name}.part"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(folder / name)
    return name


def read(person: Person, name: str, sha256: str) -> bytes:
    """The bytes as they were kept.

    Raises:
        FileDamaged: the file is gone, cannot be opened with the person's key, or its SHA-256 is another one.
    """
    try:
        sealed = (Path(settings.SCAN_DIR) / name).read_text(encoding="ascii")
        data = base64.b64decode(identity.open_text(person, sealed))
    except (OSError, ValueError, keys.SealBroken):
        raise FileDamaged from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise FileDamaged
    return data
