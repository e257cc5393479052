"""Every test keeps its releases in a folder of its own."""

import pytest


@pytest.fixture(autouse=True)
def release_dir(settings, tmp_path):
    settings.RELEASE_DIR = tmp_path / "releases-of-tests"
    settings.RELEASE_DIR.mkdir()
    return settings.RELEASE_DIR
