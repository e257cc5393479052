import re
from pathlib import Path

import pytest

from instruments import all_instruments

NOTICE = Path(__file__).parents[2] / "NOTICE"


@pytest.mark.parametrize("instrument", all_instruments(), ids=str)
def test_notice_gives_the_copyright_and_terms_of_every_instrument(instrument):
    text = NOTICE.read_text(encoding="utf-8")
    flowing = " ".join(text.split())

    assert f"{instrument.title} ({instrument})\n{instrument.copyright}\n" in text
    assert f"Terms: {instrument.licence.terms}" in flowing
    entry = flowing.partition(f"({instrument})")[2].partition("Registration before use: ")[2]
    registration = "yes" if instrument.licence.registration_required else "no"
    assert entry.startswith(f"{registration}. Wording included: {'no' if instrument.wording_withheld else 'yes'}.")


def test_notice_names_nothing_that_the_library_lacks():
    named = re.findall(r"^.+ \(([a-z0-9_]+ [0-9.]+)\)$", NOTICE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(named) == sorted(map(str, all_instruments()))
