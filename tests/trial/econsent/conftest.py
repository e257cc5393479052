"""Sealed files go into a folder of the test's own."""

import pytest


@pytest.fixture
def scan_folder(settings, tmp_path):
    settings.SCAN_DIR = tmp_path / "scans"
    return settings.SCAN_DIR
