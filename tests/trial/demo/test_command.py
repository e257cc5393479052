"""The whole demonstration, loaded by its command as `make demo` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
    environment = kept | {"VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "trial.settings"}
    command = [sys.executable, "manage.py", "demo", "--no-server", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)


@pytest.mark.drill
def test_the_command_loads_once_keeps_the_data_and_starts_over(tmp_path):
    loaded = _run(tmp_path)
    kept = _run(tmp_path)
    again = _run(tmp_path, "--reset")

    assert loaded.returncode == 0, loaded.stderr
    assert "Loaded in" in loaded.stdout
    assert "coordinator@demo.example" in loaded.stdout
    assert list((tmp_path / "releases").rglob("*.zip"))
    assert "stay as they are" in kept.stdout
    assert "Loaded in" in again.stdout, again.stderr
