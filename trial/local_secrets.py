"""Secrets for a machine of one's own: drawn once, kept in a file only its owner can read."""

import base64
import os
import secrets
from pathlib import Path


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def ensure(path: Path) -> None:
    """Write the file of secrets at `path` unless it is there already.

    Production sets the same names in its environment and never calls this.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"SECRET_KEY={secrets.token_urlsafe(50)}",
        f"IDENTITY_KEYS={_fernet_key()}",
        f"LOOKUP_KEY={secrets.token_urlsafe(32)}",
        f"SEALING_KEYS={_fernet_key()}",
    ]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
