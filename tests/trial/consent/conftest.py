"""Sealed files go into a folder of the test's own, and tries of a page are counted anew."""

import pytest
from django.core.cache import cache


@pytest.fixture
def scan_folder(settings, tmp_path):
    settings.SCAN_DIR = tmp_path / "scans"
    cache.clear()
    return settings.SCAN_DIR
